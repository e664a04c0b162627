package ledger

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"pki.internal/plan"
)

// HeadFormat names the version of the form of a tree head.
const HeadFormat = "pki-head/1"

// TreeHead is what an auditor keeps of a ledger: the RFC 6962 root over its
// first entries, with a signature if somebody stands for it, and the proof that
// it extends an earlier one. Size, time, root and signature have the names and
// the encoding of RFC 6962 §4.3, the proof those of §4.4. The form is canonical
// JSON and a newline.
type TreeHead struct {
	Format      string   `json:"format"`
	Size        uint64   `json:"tree_size"`
	Timestamp   uint64   `json:"timestamp"`                     // milliseconds since 1970
	Root        []byte   `json:"sha256_root_hash"`              // 32 bytes
	Signature   []byte   `json:"tree_head_signature,omitempty"` // TLS DigitallySigned, RFC 6962 §3.5
	Since       *Since   `json:"since,omitempty"`
	Consistency [][]byte `json:"consistency,omitempty"`
}

// Since is the earlier tree that a head is proved to extend.
type Since struct {
	Size uint64 `json:"tree_size"`
	Root []byte `json:"sha256_root_hash"`
}

// TreeHead gives the head of the whole ledger at a time, without a signature.
func (b *Book) TreeHead(at time.Time) (TreeHead, error) {
	root, err := b.TreeHash(len(b.Entries))
	if err != nil {
		return TreeHead{}, err
	}
	raw, err := hash32(root)
	return TreeHead{Format: HeadFormat, Size: uint64(len(b.Entries)), Timestamp: uint64(at.UnixMilli()), Root: raw}, err
}

// Time gives the moment of a head.
func (h TreeHead) Time() time.Time { return time.UnixMilli(int64(h.Timestamp)).UTC() }

// Encode gives the file of a head.
func (h TreeHead) Encode() ([]byte, error) {
	text, err := plan.Canonical(h)
	return append(text, '\n'), err
}

// latestTime is the end of the year 9999, in milliseconds.
const latestTime = 253402300799999

// ReadTreeHead reads what Encode wrote, and nothing else.
func ReadTreeHead(text []byte) (TreeHead, error) {
	var h TreeHead
	if err := plan.DecodeStrict(bytes.TrimSuffix(text, []byte("\n")), &h); err != nil {
		return TreeHead{}, fmt.Errorf("this is not a tree head: %w", err)
	}
	switch {
	case h.Format != HeadFormat:
		return TreeHead{}, fmt.Errorf("the form of this tree head is %q, and this version reads %q", h.Format, HeadFormat)
	case len(h.Root) != sha256.Size || h.Since != nil && len(h.Since.Root) != sha256.Size:
		return TreeHead{}, errors.New("this tree head has a root that is no SHA-256")
	case h.Since == nil && len(h.Consistency) > 0, h.Since != nil && h.Since.Size > h.Size, h.Timestamp > latestTime:
		return TreeHead{}, errors.New("this tree head contradicts itself")
	}
	return h, nil
}

// signed gives the structure of RFC 6962 §3.5.
func (h TreeHead) signed() (ct.SignedTreeHead, error) {
	response := ct.GetSTHResponse{TreeSize: h.Size, Timestamp: h.Timestamp, SHA256RootHash: h.Root, TreeHeadSignature: h.Signature}
	sth, err := response.ToSignedTreeHead()
	if err != nil {
		return ct.SignedTreeHead{}, fmt.Errorf("the signature of this tree head: %w", err)
	}
	return *sth, nil
}

// Sign adds a signature. sign makes it over a SHA-256, with the private half of
// public: ECDSA P-256, or RSA of 2048 bits or more (RFC 6962 §2.1.4).
func (h TreeHead) Sign(public crypto.PublicKey, sign func(digest []byte) ([]byte, error)) (TreeHead, error) {
	algorithm, err := headAlgorithm(public)
	if err != nil {
		return TreeHead{}, err
	}
	sth := ct.SignedTreeHead{Version: ct.V1, TreeSize: h.Size, Timestamp: h.Timestamp, SHA256RootHash: ct.SHA256Hash(h.Root)}
	message, err := ct.SerializeSTHSignatureInput(sth)
	if err != nil {
		return TreeHead{}, err
	}
	digest := sha256.Sum256(message)
	signature, err := sign(digest[:])
	if err != nil {
		return TreeHead{}, err
	}
	h.Signature, err = tls.Marshal(tls.DigitallySigned{
		Algorithm: tls.SignatureAndHashAlgorithm{Hash: tls.SHA256, Signature: algorithm}, Signature: signature,
	})
	if err != nil {
		return TreeHead{}, err
	}
	return h, h.Verify(public)
}

// ErrHeadKey means that a key is of a kind that signs no tree heads.
var ErrHeadKey = errors.New("a tree head is signed with ECDSA P-256, or with RSA of 2048 bits or more (RFC 6962 §2.1.4)")

func headAlgorithm(public crypto.PublicKey) (tls.SignatureAlgorithm, error) {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return tls.ECDSA, nil
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= 2048 {
			return tls.RSA, nil
		}
	}
	return 0, ErrHeadKey
}

// Verify checks the signature of a head.
func (h TreeHead) Verify(public crypto.PublicKey) error {
	if _, err := headAlgorithm(public); err != nil {
		return err
	}
	if len(h.Signature) == 0 {
		return errors.New("this tree head has no signature")
	}
	sth, err := h.signed()
	if err != nil {
		return err
	}
	if a := sth.TreeHeadSignature.Algorithm; a.Hash != tls.SHA256 {
		return errors.New("the signature of this tree head is not over a SHA-256")
	}
	verifier, err := ct.NewSignatureVerifier(public)
	if err != nil {
		return err
	}
	if err := verifier.VerifySTHSignature(sth); err != nil {
		return errors.New("the signature of this tree head is not by this key")
	}
	return nil
}

// HeadSince gives the head of the whole ledger with the proof of RFC 6962
// §2.1.2 that it extends an earlier one, so that somebody without the ledger can
// check it, too. An error means that it does not.
func (b *Book) HeadSince(before TreeHead, at time.Time) (TreeHead, error) {
	now, err := b.TreeHead(at)
	if err != nil {
		return TreeHead{}, err
	}
	if before.Size > now.Size {
		return TreeHead{}, fmt.Errorf("this ledger has %d entries, and the head that was kept is of %d", now.Size, before.Size)
	}
	now.Since = &Since{Size: before.Size, Root: before.Root}
	if before.Size > 0 && before.Size < now.Size {
		if now.Consistency, err = b.consistency(before.Size); err != nil {
			return TreeHead{}, err
		}
	}
	return now, now.ExtendsSince()
}

// errNotExtended is the verdict that auditors keep heads for.
var errNotExtended = errors.New("it does not extend the ledger of the head that was kept: entries were changed, removed or put in")

// ExtendsSince checks the proof that a head carries.
func (h TreeHead) ExtendsSince() error {
	switch {
	case h.Since == nil:
		return errors.New("this tree head proves nothing about an earlier one")
	case h.Since.Size == 0 && !bytes.Equal(h.Since.Root, rfc6962.DefaultHasher.EmptyRoot()):
		return errNotExtended
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, h.Since.Size, h.Size, h.Consistency, h.Since.Root, h.Root); err != nil {
		return errNotExtended
	}
	return nil
}

// consistency makes the proof between the first entries and all of them.
func (b *Book) consistency(size uint64) ([][]byte, error) {
	nodes, err := proof.Consistency(size, uint64(len(b.Entries)))
	if err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(nodes.IDs))
	for _, id := range nodes.IDs {
		hash, err := b.node(id)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
}

// node gives the hash of one full subtree.
func (b *Book) node(id compact.NodeID) ([]byte, error) {
	from, to := id.Coverage()
	return subtree(b.Entries[from:to])
}

// subtree gives the RFC 6962 root over some entries, at least one.
func subtree(entries []Entry) ([]byte, error) {
	factory := &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	r := factory.NewEmptyRange(0)
	for _, e := range entries {
		leaf, err := hash32(e.Leaf)
		if err != nil {
			return nil, err
		}
		if err := r.Append(leaf, nil); err != nil {
			return nil, err
		}
	}
	return r.GetRootHash(nil)
}

// Find gives the head of the first entries that a hash stands for: the tree
// hash, or the hash that the chain had there.
func (b *Book) Find(hash string) (TreeHead, error) {
	if _, err := hash32(hash); err != nil {
		return TreeHead{}, err
	}
	factory := &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	r := factory.NewEmptyRange(0)
	if hash == plan.EmptyHead().Hash || hash == hex.EncodeToString(rfc6962.DefaultHasher.EmptyRoot()) {
		return TreeHead{Format: HeadFormat, Root: rfc6962.DefaultHasher.EmptyRoot()}, nil
	}
	for _, e := range b.Entries {
		leaf, err := hash32(e.Leaf)
		if err != nil {
			return TreeHead{}, err
		}
		if err := r.Append(leaf, nil); err != nil {
			return TreeHead{}, err
		}
		root, err := r.GetRootHash(nil)
		if err != nil {
			return TreeHead{}, err
		}
		if e.Head == hash || hex.EncodeToString(root) == hash {
			return TreeHead{Format: HeadFormat, Size: uint64(e.Number), Root: root}, nil
		}
	}
	return TreeHead{}, errors.New("no entries of this ledger have that hash, as chain or as tree: " + errNotExtended.Error())
}
