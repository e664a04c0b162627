package ceremony

import (
	"context"
	"errors"
	"fmt"

	"pki.internal/hsm"
	"pki.internal/lint"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// sealObject makes a signed certificate or CRL of what was cleared.
func sealObject(ctx context.Context, key hsm.Key, a spec.Algorithm, spki []byte, cleared lint.Cleared) ([]byte, error) {
	message := cleared.TBS()
	if len(message) == 0 {
		return nil, errors.New("nothing was cleared for signing")
	}
	signature, err := seal(ctx, key, a, spki, cleared)
	if err != nil {
		return nil, err
	}
	return tbs.Assemble(message, a, signature)
}

// SealCRL makes the signature of a CRL that no plan speaks of: an online CA's,
// signed between ceremonies. spki is the public key of the issuer's
// certificate. It signs nothing but a CRL that lint has cleared, and makes no
// other object.
func SealCRL(ctx context.Context, key hsm.Key, a spec.Algorithm, spki []byte, cleared lint.Cleared) ([]byte, error) {
	if cleared.Kind() != lint.ObjectCRL {
		return nil, errors.New("only a CRL may be signed outside a ceremony")
	}
	return seal(ctx, key, a, spki, cleared)
}

// SealRequest makes a signing request, with which an authority of ours asks
// somebody else's for its certificate. It signs nothing but a request.
func SealRequest(ctx context.Context, key hsm.Key, a spec.Algorithm, spki []byte, cleared lint.Cleared) ([]byte, error) {
	if cleared.Kind() != lint.ObjectCSR {
		return nil, errors.New("only a request may be made of this")
	}
	return sealObject(ctx, key, a, spki, cleared)
}

// seal makes a CA's signature. It is the only function of the module that
// does, and it signs nothing but what lint has cleared: the bytes that lint
// read, or the digest that lint took of them. The signature is verified in
// software before anyone sees it. An error after the key was asked means that
// a signature may exist.
func seal(ctx context.Context, key hsm.Key, a spec.Algorithm, spki []byte, cleared lint.Cleared) ([]byte, error) {
	digest, err := digestOf(a, cleared)
	if err != nil {
		return nil, err
	}
	opts, err := tbs.SignerOptions(a)
	if err != nil {
		return nil, err
	}
	signature, err := key.Sign(ctx, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if err := tbs.VerifyDigest(a, spki, digest, signature); err != nil {
		return nil, fmt.Errorf("the key store gave a wrong signature, which has been thrown away: %w", err)
	}
	return signature, nil
}

// digestOf gives what the key signs.
func digestOf(a spec.Algorithm, cleared lint.Cleared) ([]byte, error) {
	if message := cleared.TBS(); len(message) > 0 {
		digest, _, err := tbs.Digest(a, message)
		return digest, err
	}
	digest, hash := cleared.Digest()
	opts, err := tbs.SignerOptions(a)
	if err != nil {
		return nil, err
	}
	if len(digest) == 0 || hash == 0 || hash != opts.HashFunc() {
		return nil, errors.New("nothing was cleared for signing with this algorithm")
	}
	return digest, nil
}
