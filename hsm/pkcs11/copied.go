package pkcs11

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// inbox is the RSA key of a session under which other tokens send this one a
// wrapping key.
type inbox struct {
	private uint
	public  *rsa.PublicKey
	id      []byte
}

// shut makes a key of a token one that never leaves it again, sees that the
// token says so, and tries to get it out all the same.
func (s *Store) shut(ctx context.Context, id []byte, handle uint) (object, error) {
	private, err := s.reread(ctx, id, handle)
	if err != nil {
		return private, err
	}
	if extractable, told := private.Flags["extractable"]; extractable || !told {
		if _, err := s.client.call(ctx, request{Op: "set", Handle: handle, Mechanism: ckaExtract, Data: []byte{0}}, nil); err != nil {
			return private, onToken(err, s.token)
		}
		if private, err = s.reread(ctx, id, handle); err != nil {
			return private, err
		}
	}
	if name, bad := canLeave(private, false); bad {
		return private, s.fail(hsm.ErrMismatch, "do not use this token for keys with a backup", "the key was sealed, but the token says %s", name)
	}
	return private, s.keeps(ctx, private)
}

// reread gives a private key as the token says it is now.
func (s *Store) reread(ctx context.Context, id []byte, handle uint) (object, error) {
	found, err := s.objects(ctx, request{ByID: id, Full: true})
	if err != nil {
		return object{}, err
	}
	for _, o := range found {
		if o.Class == ckoPrivate && o.Handle == handle {
			return o, nil
		}
	}
	return object{}, s.fail(hsm.ErrNotFound, "see with pki token inspect what it holds", "the key with the id %x is no longer listed", id)
}

// keeps tries to get a key out in every way that the token lists, which must
// be refused.
func (s *Store) keeps(ctx context.Context, private object) error {
	attempts, err := s.confinement(ctx, private.Handle, ulong(private.Values["key_type"]), false)
	if err != nil {
		return err
	}
	for _, one := range attempts {
		if one.Outcome == spec.AttemptSucceeded {
			return s.fail(hsm.ErrMismatch, "treat this token as software", "it gives away a key that it calls not extractable (%s)", one.Attempt)
		}
	}
	return nil
}

// Copy puts a copy of a key onto another token.
func (s *Store) Copy(ctx context.Context, c hsm.Copying) (hsm.Copied, error) {
	to, err := other(c.To)
	if err != nil {
		return hsm.Copied{}, err
	}
	if c.Resumed {
		switch p, err := to.pair(ctx, c.At); {
		case err == nil:
			copied, err := to.accept(ctx, p, c)
			copied.Adopted = err == nil
			return copied, err
		case !errors.Is(err, hsm.ErrNotFound):
			return hsm.Copied{}, err
		}
	}
	p, err := s.pair(ctx, c.Key)
	if err != nil {
		return hsm.Copied{}, err
	}
	original, err := s.use(ctx, p, c.Key, c.SPKI)
	if err != nil {
		return hsm.Copied{}, err
	}
	if _, err := to.free(ctx, c.At); err != nil {
		return hsm.Copied{}, err
	}
	before, err := to.settled(ctx)
	if err != nil {
		return hsm.Copied{}, err
	}
	if err := s.fetch(ctx, to, original, c); err != nil {
		return hsm.Copied{}, err
	}
	if p, err = to.pair(ctx, c.At); err != nil {
		return hsm.Copied{}, fmt.Errorf("the copy was made, and then: %w", err)
	}
	copied, err := to.accept(ctx, p, c)
	if err != nil {
		return hsm.Copied{}, fmt.Errorf("the copy was made, and then: %w", err)
	}
	after, err := to.settled(ctx)
	if err != nil {
		return hsm.Copied{}, err
	}
	if problem := differ(before, after, []uint{1, 2}); problem != "" {
		return hsm.Copied{}, to.fail(hsm.ErrMismatch, "compare with pki token inspect, and find out who else uses this token", "the copy was made, but %s", problem)
	}
	return copied, nil
}

// settled lists what is on a token, without the RSA key of this session.
func (s *Store) settled(ctx context.Context) ([]object, error) {
	all, err := s.objects(ctx, request{})
	return slices.DeleteFunc(all, func(o object) bool { return s.inbox.id != nil && bytes.Equal(o.ID, s.inbox.id) }), err
}

// fetch sends a key over the way that was found.
func (s *Store) fetch(ctx context.Context, to *Store, original *key, c hsm.Copying) error {
	i := slices.IndexFunc(carriers(), func(by carrier) bool { return by.name == c.Way.Carrier })
	j := slices.IndexFunc(wraps(), func(m uint) bool { return mechanismName(m) == c.Way.Wrap })
	if i < 0 || j < 0 {
		return s.fail(hsm.ErrUnsupported, "run the command again", "the way by %q and %q is not one that was found", c.Way.Carrier, c.Way.Wrap)
	}
	l, err := s.connect(ctx, to, carriers()[i])
	if err != nil {
		return err
	}
	defer l.end(ctx)
	_, err = l.send(ctx, wraps()[j], original.handle, to.copies(original.public, c.At, true))
	return err
}

// accept completes a copy that has come, proves that it is the key, and sees
// that it does not leave again.
func (s *Store) accept(ctx context.Context, p keyPair, c hsm.Copying) (hsm.Copied, error) {
	if p.public == nil {
		public, err := parseSPKI(c.SPKI)
		if err != nil {
			return hsm.Copied{}, err
		}
		if err := s.addPublic(ctx, public, p.private.Values["ec_params"], c.At); err != nil {
			return hsm.Copied{}, err
		}
		if p, err = s.pair(ctx, c.At); err != nil {
			return hsm.Copied{}, err
		}
	}
	k, err := s.use(ctx, p, c.At, c.SPKI)
	if err != nil {
		return hsm.Copied{}, err
	}
	if k.pair.private, err = s.shut(ctx, c.At.ID, k.handle); err != nil {
		return hsm.Copied{}, err
	}
	return hsm.Copied{Key: k, Evidence: k.Evidence(ctx)}, nil
}

// addPublic puts the public half of a copy beside it.
func (s *Store) addPublic(ctx context.Context, public crypto.PublicKey, params []byte, at hsm.KeySpec) error {
	t := template{{ckaClass, ulongBytes(ckoPublic)}, {ckaKeyType, ulongBytes(keyTypeOf(public))}, {ckaToken, []byte{1}}, {ckaLabel, []byte(at.Label)}, {ckaID, at.ID}}
	t = append(t, publicValues(public, params)...)
	_, err := s.one(ctx, request{Op: "create", Private: []template{append(slices.Clone(t), attribute{ckaVerify, []byte{1}}), t}}, nil)
	return err
}

// Seal makes a key, of which there are copies now, one that never leaves its
// token again.
func (s *Store) Seal(ctx context.Context, k hsm.KeySpec, spki []byte) ([]hsm.Evidence, error) {
	p, err := s.pair(ctx, k)
	if err != nil {
		return nil, err
	}
	sealed, err := s.use(ctx, p, k, spki)
	if err != nil {
		return nil, err
	}
	if sealed.pair.private, err = s.shut(ctx, k.ID, sealed.handle); err != nil {
		return nil, err
	}
	return sealed.Evidence(ctx), nil
}
