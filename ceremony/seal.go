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

// seal makes a CA's signature. It is the only function of the module that
// does, and it signs nothing but what lint has cleared. The signature is
// verified in software before anyone sees it. An error after the key was asked
// means that a signature may exist.
func seal(ctx context.Context, key hsm.Key, a spec.Algorithm, spki []byte, cleared lint.Cleared) ([]byte, error) {
	message := cleared.TBS()
	if len(message) == 0 {
		return nil, errors.New("nothing was cleared for signing")
	}
	digest, opts, err := tbs.Digest(a, message)
	if err != nil {
		return nil, err
	}
	signature, err := key.Sign(ctx, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if err := tbs.Verify(a, spki, message, signature); err != nil {
		return nil, fmt.Errorf("the key store gave a wrong signature, which has been thrown away: %w", err)
	}
	return tbs.Assemble(message, a, signature)
}
