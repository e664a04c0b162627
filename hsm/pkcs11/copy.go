package pkcs11

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"filippo.io/mldsa"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// carrier is how a wrapping key comes to be on two tokens: encrypted under a
// key that the second token made for it, or out of this computer's memory,
// where whoever reads that memory has it.
type carrier struct {
	name string
	hash uint // of RSA-OAEP; 0 for memory
}

// carriers lists the ways in the order in which they are tried.
func carriers() []carrier {
	return []carrier{{"RSA_PKCS_OAEP, SHA-256", ckmSHA256}, {"RSA_PKCS_OAEP, SHA-1", ckmSHA1}, {inMemory, 0}}
}

const inMemory = "this computer's memory"

// wraps lists the mechanisms that keys are wrapped with, in the order in which
// they are tried: those that keep a key's length first, then the one that may
// fill it up with zeros, then the one whose result anybody may change without
// its being noticed. What comes out on the other side must sign, whichever it
// was.
func wraps() []uint { return []uint{ckmAESWrapKWP, ckmAESWrapPad, ckmAESWrap, ckmAESCBCPad} }

// link is a wrapping key that two tokens have for a while.
type link struct {
	from, to         *Store
	carrier          carrier
	fromKey, toKey   uint
	fromLeft, toLeft []uint // other handles, to be destroyed
}

// end destroys what was made for a link. It lives in sessions, so whatever is
// not destroyed here goes with them.
func (l *link) end(ctx context.Context) {
	for _, side := range []struct {
		store   *Store
		handles []uint
	}{{l.from, append(l.fromLeft, l.fromKey)}, {l.to, append(l.toLeft, l.toKey)}} {
		for _, h := range side.handles {
			if h != 0 {
				_, _ = side.store.client.call(ctx, request{Op: "destroy", Handle: h}, nil)
			}
		}
	}
}

// other gives the token that a store of the contract is.
func other(to hsm.Store) (*Store, error) {
	s, is := to.(*Store)
	if !is {
		return nil, fmt.Errorf("a key of a token is copied to another token and nowhere else: %w", hsm.ErrUnsupported)
	}
	return s, nil
}

// one asks for something that gives one handle.
func (s *Store) one(ctx context.Context, q request, secret []byte) (uint, error) {
	r, err := s.client.call(ctx, q, secret)
	if err != nil {
		return 0, onToken(err, s.token)
	}
	if len(r.Handles) == 0 || r.Handles[0] == 0 {
		return 0, s.fail(hsm.ErrMismatch, "send the report of pki token test to the vendor", "the module gives no object for %s", q.Op)
	}
	return r.Handles[0], nil
}

// connect makes a wrapping key that both tokens have.
func (s *Store) connect(ctx context.Context, to *Store, by carrier) (*link, error) {
	l := &link{from: s, to: to, carrier: by}
	make := l.carry
	if by.hash == 0 {
		make = l.remember
	}
	if err := make(ctx); err != nil {
		l.end(ctx)
		return nil, err
	}
	return l, nil
}

// remember gives both tokens a wrapping key out of this computer's memory.
func (l *link) remember(ctx context.Context) (err error) {
	kek := make([]byte, 32)
	defer clear(kek)
	if _, err := rand.Read(kek); err != nil {
		return err
	}
	if l.fromKey, err = l.from.one(ctx, request{Op: "import_key"}, kek); err != nil {
		return err
	}
	l.toKey, err = l.to.one(ctx, request{Op: "import_key"}, kek)
	return err
}

// carry lets the first token make a wrapping key, which the second one gets
// encrypted under an RSA key of its own. This computer sees neither.
func (l *link) carry(ctx context.Context) error {
	for _, s := range []*Store{l.from, l.to} {
		if _, listed := s.mechanism(ckmRSAOAEP); !listed {
			return s.fail(hsm.ErrUnsupported, "", "it has no mechanism %s", mechanismName(ckmRSAOAEP))
		}
	}
	private, public, err := l.to.receiver(ctx)
	if err != nil {
		return err
	}
	imported, err := l.from.one(ctx, request{Op: "create", Private: withUse(template{
		{ckaClass, ulongBytes(ckoPublic)}, {ckaKeyType, ulongBytes(0)}, {ckaToken, []byte{0}}, {ckaWrap, []byte{1}},
		{ckaModulus, public.N.Bytes()}, {ckaExponent, big.NewInt(int64(public.E)).Bytes()},
	}, ckaEncrypt)}, nil)
	if err != nil {
		return err
	}
	l.fromLeft = append(l.fromLeft, imported)
	yes, no := []byte{1}, []byte{0}
	size := attribute{ckaValueLen, ulongBytes(32)}
	if l.fromKey, err = l.from.one(ctx, request{Op: "secret_key", Mechanism: ckmAESKeyGen, Private: []template{
		{{ckaToken, no}, {ckaWrap, yes}, {ckaSensitive, yes}, {ckaExtract, yes}, size}, {{ckaToken, no}, {ckaWrap, yes}, {ckaExtract, yes}, size},
	}}, nil); err != nil {
		return err
	}
	q := request{Op: "wrap_key", Handle: l.fromKey, With: imported, Mechanism: ckmRSAOAEP, Hash: l.carrier.hash}
	r, err := l.from.client.call(ctx, q, nil)
	if err != nil {
		return onToken(err, l.from.token)
	}
	aes := template{{ckaClass, ulongBytes(ckoSecret)}, {ckaKeyType, ulongBytes(ckkAES)}, {ckaToken, no}, {ckaUnwrap, yes}}
	q = request{Op: "unwrap_key", With: private, Mechanism: ckmRSAOAEP, Hash: l.carrier.hash, Data: r.Data, Private: []template{
		append(slices.Clone(aes), attribute{ckaSensitive, yes}, attribute{ckaExtract, no}), aes, append(slices.Clone(aes), size),
	}}
	l.toKey, err = l.to.one(ctx, q, nil)
	return err
}

// withUse gives a template, and the same with one use more for tokens that
// want a key to be told its uses in pairs.
func withUse(t template, use uint) []template {
	return []template{t, append(slices.Clone(t), attribute{use, []byte{1}})}
}

// receiver gives the RSA key of the session under which this token is sent a
// wrapping key. It is made once, because that takes seconds.
func (s *Store) receiver(ctx context.Context) (uint, *rsa.PublicKey, error) {
	if s.inbox.public != nil {
		return s.inbox.private, s.inbox.public, nil
	}
	id, err := s.drawID(ctx, s.wholeID())
	if err != nil {
		return 0, nil, err
	}
	yes, no := []byte{1}, []byte{0}
	public := template{{ckaToken, no}, {ckaWrap, yes}, {ckaBits, ulongBytes(3072)}, {ckaExponent, []byte{1, 0, 1}}, {ckaID, id}}
	private := template{{ckaToken, no}, {ckaPrivate, yes}, {ckaSensitive, yes}, {ckaExtract, no}, {ckaUnwrap, yes}, {ckaID, id}}
	made, err := s.client.call(ctx, request{
		Op: "generate", Mechanism: ckmRSAKeyGen, Public: withUse(public, ckaEncrypt), Private: withUse(private, ckaDecrypt),
	}, nil)
	if err != nil {
		return 0, nil, onToken(err, s.token)
	}
	if len(made.Handles) != 2 {
		return 0, nil, s.fail(hsm.ErrMismatch, "send the report of pki token test to the vendor", "the module gives no objects for a key")
	}
	half, err := s.publicHalf(ctx, id, made.Handles[0])
	if err == nil {
		err = s.kept(half, id)
	}
	if err != nil {
		return 0, nil, err
	}
	if key, err := publicKey(half); err == nil {
		if rsaKey, is := key.(*rsa.PublicKey); is && rsaKey.N.BitLen() == 3072 {
			s.inbox = inbox{made.Handles[1], rsaKey, id}
			return s.inbox.private, rsaKey, nil
		}
	}
	return 0, nil, s.fail(hsm.ErrMismatch, "send the report of pki token test to the vendor", "the public half of an RSA key of the session cannot be read")
}

// wrapping gives a request with the parameter that a mechanism takes.
func wrapping(op string, mechanism uint) (request, error) {
	q := request{Op: op, Mechanism: mechanism}
	if mechanism == ckmAESCBCPad {
		q.Parameter = make([]byte, aes.BlockSize)
		if _, err := rand.Read(q.Parameter); err != nil {
			return q, err
		}
	}
	return q, nil
}

// send wraps a key on one token and unwraps it on the other.
func (l *link) send(ctx context.Context, mechanism, handle uint, as []template) (uint, error) {
	q, err := wrapping("wrap_key", mechanism)
	if err != nil {
		return 0, err
	}
	q.Handle, q.With = handle, l.fromKey
	r, err := l.from.client.call(ctx, q, nil)
	if err != nil {
		return 0, onToken(err, l.from.token)
	}
	q.Op, q.Handle, q.With, q.Data, q.Private = "unwrap_key", 0, l.toKey, r.Data, as
	return l.to.one(ctx, q, nil)
}

// copies lists the templates of a private key that is unwrapped: one that may
// sign, may do nothing else, and does not leave again.
func (s *Store) copies(public crypto.PublicKey, at hsm.KeySpec, onToken bool) []template {
	yes, no := []byte{1}, []byte{0}
	stay := map[bool][]byte{true: yes, false: no}[onToken]
	least := template{
		{ckaClass, ulongBytes(ckoPrivate)}, {ckaKeyType, ulongBytes(keyTypeOf(public))}, {ckaToken, stay}, {ckaPrivate, yes},
		{ckaSensitive, yes}, {ckaExtract, no}, {ckaSign, yes}, {ckaLabel, []byte(at.Label)}, {ckaID, at.ID},
	}
	strict := append(slices.Clone(least), attribute{ckaDecrypt, no}, attribute{ckaUnwrap, no}, attribute{ckaSignRecover, no}, attribute{ckaDerive, no})
	all := []template{strict, least}
	if values := publicValues(public, nil); strings.Contains(s.client.library.Manufacturer, "Mozilla") && len(values) > 0 {
		all = append(all, append(slices.Clone(least), attribute{ckaNSSDB, values[len(values)-1].Value})) // it stores keys under that
	}
	return all
}

// publicValues lists the attributes that are a public key. params is how the
// first token wrote the curve, where there are several ways.
func publicValues(public crypto.PublicKey, params []byte) template {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return template{{ckaExponent, big.NewInt(int64(k.E)).Bytes()}, {ckaModulus, k.N.Bytes()}}
	case *ecdsa.PublicKey:
		p, _ := keyPlanOf(algorithmOf(k))
		raw, err := k.Bytes()
		if err != nil {
			return nil
		}
		if raw, err = asn1.Marshal(raw); err != nil {
			return nil
		}
		return template{{ckaECParams, []byte(p.oid)}, {ckaECPoint, raw}}
	case ed25519.PublicKey:
		p, _ := keyPlanOf(spec.Ed25519)
		if len(params) == 0 {
			params = []byte(p.oid)
		}
		raw, err := asn1.Marshal([]byte(k))
		if err != nil {
			return nil
		}
		return template{{ckaECParams, params}, {ckaECPoint, raw}}
	case *mldsa.PublicKey:
		return template{{ckaParameters, ulongBytes(parameterSet(algorithmOf(k)))}, {ckaValue, k.Bytes()}}
	}
	return nil
}

// CanCopy finds a way from this token to another by going it with a throw-away
// key of the session.
func (s *Store) CanCopy(ctx context.Context, a spec.Algorithm, store hsm.Store) (hsm.Way, error) {
	to, err := other(store)
	if err != nil {
		return hsm.Way{}, err
	}
	if _, err := to.can(a); err != nil {
		return hsm.Way{}, err
	}
	var tried []string
	ways := carriers()
	if len(s.shared(to)) == 0 {
		tried, ways = []string{"they have no mechanism in common that wraps keys"}, nil
		if s == to {
			tried = []string{"it lists no mechanism that wraps keys"}
		}
	}
	for _, by := range ways {
		l, err := s.connect(ctx, to, by)
		if err != nil {
			if tried, err = s.note(tried, to, by.name, err); err != nil {
				return hsm.Way{}, err
			}
			continue
		}
		for _, m := range s.shared(to) {
			way := hsm.Way{Carrier: by.name, Wrap: mechanismName(m)}
			if way.Format, err = l.rehearse(ctx, a, m); err == nil {
				l.end(ctx)
				return way, nil
			}
			if tried, err = s.note(tried, to, way.Wrap, err); err != nil {
				return hsm.Way{}, err
			}
		}
		l.end(ctx)
	}
	return hsm.Way{}, s.fail(hsm.ErrUnsupported, `choose another algorithm or other tokens, or write backup_policy = "vendor-clone" and copy the key with the vendor's tool; nothing was made`,
		"a key of %s cannot be copied to token %s: %s", a.Title(), to.token, strings.Join(tried, "; "))
}

// shared lists the mechanisms that this token wraps with and another unwraps.
func (s *Store) shared(to *Store) []uint {
	return slices.DeleteFunc(wraps(), func(m uint) bool {
		_, here := s.mechanism(m)
		_, there := to.mechanism(m)
		return !here || !there
	})
}

// note adds to what was tried in vain, each once. A token that is gone ends
// the trying.
func (s *Store) note(tried []string, to *Store, what string, err error) ([]string, error) {
	if s.client.broken != nil || to.client.broken != nil || errors.Is(err, context.Canceled) || errors.Is(err, errShortID) {
		return nil, err
	}
	text := what + ": "
	var e *Error
	if errors.As(err, &e) && e.Function != "" && e.Code != 0 {
		text += e.Function + " " + codeName(e.Code)
	} else if errors.As(err, &e) {
		text += e.Fact
	} else {
		text += err.Error()
	}
	if !slices.Contains(tried, text) {
		tried = append(tried, text)
	}
	return tried, nil
}

// rehearse sends a throw-away key over a link, lets the copy sign, seals both,
// and gives the form in which the key travelled.
func (l *link) rehearse(ctx context.Context, a spec.Algorithm, mechanism uint) (string, error) {
	k := hsm.KeySpec{Label: "pki copy rehearsal", Algorithm: a}
	at := k
	var err error
	if k.ID, err = l.from.drawID(ctx, l.from.wholeID()); err != nil {
		return "", err
	}
	original, kept, err := l.from.scratch(ctx, k, false, true)
	if err == nil {
		err = l.from.kept(object{ID: k.ID[:kept]}, k.ID)
	}
	if err != nil {
		return "", err
	}
	defer func() { _, _ = l.from.client.call(ctx, request{Op: "destroy", Handle: original.handle}, nil) }() // it lives in the session
	if at.ID, err = l.to.drawID(ctx, l.to.wholeID()); err != nil {                                          // another, because a token is also tried with itself
		return "", err
	}
	handle, err := l.send(ctx, mechanism, original.handle, l.to.copies(original.public, at, false))
	if err != nil {
		return "", err
	}
	defer func() { _, _ = l.to.client.call(ctx, request{Op: "destroy", Handle: handle}, nil) }()
	if err := (&key{store: l.to, handle: handle, public: original.public}).prove(ctx); err != nil {
		return "", err
	}
	form, err := l.from.form(ctx, mechanism, original.handle)
	if err != nil {
		return "", err
	}
	for _, side := range []struct {
		store  *Store
		id     []byte
		handle uint
	}{{l.from, k.ID, original.handle}, {l.to, at.ID, handle}} {
		if _, err := side.store.shut(ctx, side.id, side.handle); err != nil {
			return "", err
		}
	}
	return form, nil
}

// form looks into what a mechanism makes of a throw-away key, with a wrapping
// key that is made for this and known.
func (s *Store) form(ctx context.Context, mechanism, handle uint) (string, error) {
	kek := make([]byte, 32)
	if _, err := rand.Read(kek); err != nil {
		return "", err
	}
	with, err := s.one(ctx, request{Op: "import_key"}, kek)
	if err != nil && s.client.broken == nil {
		return "a form that was not looked into, because the token takes no key from outside", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _, _ = s.client.call(ctx, request{Op: "destroy", Handle: with}, nil) }()
	q, err := wrapping("wrap_key", mechanism)
	if err != nil {
		return "", err
	}
	q.Handle, q.With = handle, with
	r, err := s.client.call(ctx, q, nil)
	if err != nil {
		return "", onToken(err, s.token)
	}
	return formOf(kek, q.Parameter, r.Data), nil
}
