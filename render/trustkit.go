package render

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"pki.internal/plan"
	"pki.internal/spec"
)

//go:embed text/FINGERPRINTS.txt
var fingerprintsText string

//go:embed text/TRUST.txt
var trustText string

// told is one certificate on the sheet of fingerprints.
type told struct {
	Name, What      string
	Subject, Serial string
	From, Until     string
	SHA256, Hex     string
	SHA1, KeyID     string
	Words           []string
}

// trustKit is what the texts of the trust folder are told.
type trustKit struct {
	*host
	Roots, Below []told
	SSHKeys      []sshFingerprint
}

type sshFingerprint struct{ What, Fingerprint string }

// trustKitFiles are for whoever is to trust the online CA: its roots in every
// form that an operating system asks for, and what to do with them.
func (h *host) trustKitFiles(s plan.State, o *spec.OnlineCA, sh shell) []plan.File {
	kit := trustKit{host: h, SSHKeys: sshFingerprints(sh)}
	var roots, chain [][]byte
	var files []plan.File
	add := func(name string, data []byte) {
		files = append(files, plan.File{Path: "trust/" + name, Mode: 0o644, Data: data})
	}
	own, _ := s.Root(o.Authority.Address)
	addRoot := func(a spec.Address, der []byte) {
		roots = append(roots, der)
		kit.Roots = append(kit.Roots, tell(a, "root", der))
		add(a.FileName()+".crt", pemOf(der))
		add(a.FileName()+".cer", der)
	}
	addRoot(own.Address, own.Certificate)
	for _, a := range o.AdditionalRoots {
		if have, _ := s.Authority(a.Address); a.Address != own.Address {
			addRoot(a.Address, have.Certificate)
		}
	}
	for rest := s.ChainPEM(o.Authority.Address); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		chain = append(chain, block.Bytes)
	}
	above := o.Authority.Chain() // from the authority up, as ChainPEM
	for i, der := range chain {
		kit.Below = append(kit.Below, tell(above[i].Address, "intermediate", der))
	}
	var all []byte
	for _, der := range roots {
		all = append(all, pemOf(der)...)
	}
	add("roots.pem", all)
	add("roots.p7b", certsOnly(roots))
	add("chain.p7b", certsOnly(append(chain, own.Certificate)))
	add("FINGERPRINTS.txt", fillText(fingerprintsText, kit))
	add("TRUST.txt", fillText(trustText, kit))
	return files
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// tell reads what people compare.
func tell(a spec.Address, what string, der []byte) told {
	sum, short := sha256.Sum256(der), sha1.Sum(der) // SHA-1 is what Windows shows, and nothing rests on it
	t := told{
		Name: a.FileName(), What: what, Hex: hex.EncodeToString(sum[:]),
		SHA256: colons(sum[:]), SHA1: colons(short[:]), Words: plan.WordLines(sum[:]),
	}
	if c, err := x509.ParseCertificate(der); err == nil { // the ledger's certificates parse
		t.Subject = oneLine(c.Subject.String())
		t.Serial, t.KeyID = colons(c.SerialNumber.Bytes()), colons(c.SubjectKeyId)
		t.From, t.Until = c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339)
	}
	return t
}

// oneLine keeps a name from looking like another line of a sheet.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return '?'
		}
		return r
	}, s)
}

func colons(data []byte) string {
	words := make([]string, 0, len(data))
	for _, b := range data {
		words = append(words, fmt.Sprintf("%02X", b))
	}
	return strings.Join(words, ":")
}

// sshFingerprints gives those of the keys that sign for SSH, as ssh-keygen -l
// shows them.
func sshFingerprints(sh shell) []sshFingerprint {
	var prints []sshFingerprint
	for _, f := range sh.files {
		what := map[string]string{"ssh/host_ca.pub": "signs for hosts", "ssh/user_ca.pub": "signs for users"}[f.Path]
		if what == "" {
			continue
		}
		for line := range strings.Lines(string(f.Data)) {
			words := strings.Fields(line)
			if len(words) < 2 {
				continue
			}
			blob, err := base64.StdEncoding.DecodeString(words[1])
			if err != nil {
				continue // sshKeyOf has read it
			}
			sum := sha256.Sum256(blob)
			prints = append(prints, sshFingerprint{what, "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])})
		}
	}
	return prints
}

// certsOnly is a PKCS #7 bundle, which is a SignedData without content and
// without signers (RFC 5652 §5.1, RFC 8551 §3.7). Windows and Java take roots
// and chains in this form.
func certsOnly(certificates [][]byte) []byte {
	sorted := slices.Clone(certificates)
	slices.SortFunc(sorted, slices.Compare) // DER: a SET OF is in the order of its encodings (X.690 §11.6)
	type contentInfo struct{ Type asn1.ObjectIdentifier }
	type signedData struct {
		Version          int
		DigestAlgorithms asn1.RawValue
		Content          contentInfo
		Certificates     asn1.RawValue
		SignerInfos      asn1.RawValue
	}
	empty := asn1.RawValue{Tag: asn1.TagSet, IsCompound: true}
	inner := signedData{
		Version: 1, DigestAlgorithms: empty, SignerInfos: empty,
		Content:      contentInfo{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}},
		Certificates: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: slices.Concat(sorted...)},
	}
	der, err := asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content signedData `asn1:"explicit,tag:0"`
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, inner})
	if err != nil {
		panic(err) // nothing in it depends on what is given
	}
	return der
}
