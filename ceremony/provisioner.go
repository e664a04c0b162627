package ceremony

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"

	"github.com/go-jose/go-jose/v4"

	"pki.internal/plan"
)

// provisionerKey makes a JWK provisioner's key the way step-ca takes it: the
// key's id is its RFC 7638 thumbprint, and the private half is a compact JWE
// under the provisioner's password.
func (c *ceremony) provisionerKey(a plan.Action) (Result, error) {
	planned := a.GenerateProvisionerKey
	password := c.secrets[planned.Password]
	if len(password) == 0 {
		return Result{}, fmt.Errorf("%s has no value", planned.Password)
	}
	public, private, err := newJWK(c.Rand)
	if err != nil {
		return Result{}, err
	}
	salt := make([]byte, 16)
	if _, err := io.ReadFull(c.Rand, salt); err != nil {
		return Result{}, fmt.Errorf("drawing a salt: %w", err)
	}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{
		Algorithm: jose.PBES2_HS256_A128KW, Key: password, PBES2Count: planned.Iterations, PBES2Salt: salt,
	}, (&jose.EncrypterOptions{}).WithContentType("jwk+json"))
	if err != nil {
		return Result{}, err
	}
	sealed, err := encrypter.Encrypt(private)
	if err != nil {
		return Result{}, err
	}
	compact, err := sealed.CompactSerialize()
	if err != nil {
		return Result{}, err
	}
	return Result{}, c.append(plan.Event{
		Kind:        plan.ProvisionerKeyMade,
		Provisioner: &plan.ProvKey{Action: a.Number, Address: a.Address, JWK: string(public), JWE: compact},
	})
}

// newJWK makes an ES256 key and gives both halves as JSON, the public one in
// canonical form.
func newJWK(rand io.Reader) (public, private []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		return nil, nil, err
	}
	jwk := jose.JSONWebKey{Key: key, Use: "sig", Algorithm: string(jose.ES256)}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, nil, err
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	if private, err = json.Marshal(jwk); err != nil {
		return nil, nil, err
	}
	public, err = plan.Canonical(jwk.Public())
	return public, private, err
}
