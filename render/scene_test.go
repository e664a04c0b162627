package render_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"testing"
	"time"

	"pki.internal/plan"
	"pki.internal/plan/tbs"
	"pki.internal/render"
	"pki.internal/spec"
)

// named gives a block's origin.
func named(kind, name string) spec.Origin {
	return spec.Origin{Address: spec.Address{Kind: kind, Name: name}}
}

func span(d time.Duration) *spec.Span { return new(spec.Span(d)) }

// scene is an estate and the online CA that a test renders.
type scene struct {
	estate *spec.Estate
	ca     *spec.OnlineCA
	state  plan.State
}

// twoTier is a whole estate: a root, an issuing authority, and an online CA
// with one provisioner of each kind, one of them with a template of its own.
func twoTier() *scene {
	online := &spec.Secret{Origin: named("secret", "online"), Prompt: true}
	store := &spec.KeyStore{Origin: named("key_store", "file"), Kind: "file", Path: "keys", Password: online}
	subject := func(cn string) spec.Name {
		return spec.NewName(map[string][]string{"common_name": {cn}, "organization": {"Example"}}, nil)
	}
	root := &spec.Authority{
		Origin: named("authority", "root"), Subject: subject("Example Root CA"),
		Key: &spec.Key{Store: store, Algorithm: spec.ECDSAP384}, Validity: spec.Duration{Years: 20},
		CAIssuersURLs: []string{"http://pki.example.internal/root.cer"},
		CRL:           &spec.CRL{URLs: []string{"http://pki.example.internal/root.crl"}, ValidFor: spec.Duration{Days: 400}},
	}
	issuing := &spec.Authority{
		Origin: named("authority", "issuing"), Issuer: root, Subject: subject("Example Issuing CA"),
		Key: &spec.Key{Store: store, Algorithm: spec.ECDSAP256}, Validity: spec.Duration{Years: 5},
		ExtendedKeyUsage: []spec.ExtKeyUsage{"server_auth", "client_auth"},
		CAIssuersURLs:    []string{"http://pki.example.internal/issuing.cer"},
		CRL:              &spec.CRL{URLs: []string{"http://ca.example.internal/1.0/crl?a=1&b=<2>"}, ValidFor: spec.Duration{Days: 7}},
	}
	template := &spec.Template{
		Origin: named("template", "server"), Kind: "x509", File: "templates/server.tpl",
		Text: []byte("{\n  \"subject\": {{ toJson .Subject }},\n  \"sans\": {{ toJson .SANs }},\n  \"crlDistributionPoints\": {{ toJson .crl_urls }}\n}\n"),
		Data: json.RawMessage(`{"unit":"Ops","serial":12345678901234567890}`),
	}
	jwk := &spec.Provisioner{
		Origin: named("provisioner", "admin"), Kind: "jwk", Password: online,
		Claims: &spec.Claims{MinTLS: span(5 * time.Minute), DefaultTLS: span(12 * time.Hour), MaxTLS: span(48 * time.Hour), AllowRenewalAfterExpiry: new(false)},
	}
	acme := &spec.Provisioner{
		Origin: named("provisioner", "web"), Kind: "acme", Template: template,
		Challenges: []string{"http-01", "tls-alpn-01"}, ForceCN: true, Claims: &spec.Claims{DisableRenewal: new(true)},
	}
	ca := &spec.OnlineCA{
		Origin: named("online_ca", "eu"), Authority: issuing,
		DNSNames: []string{"ca.example.internal", "10.0.0.5"}, Listen: ":443", InsecureAddress: ":80",
		Provisioners: []*spec.Provisioner{jwk, acme},
		Database:     &spec.Database{Type: "badgerv2", DataSource: "db"},
		CRL:          &spec.OnlineCRL{Enabled: true, GenerateOnRevoke: true, CacheDuration: span(24 * time.Hour), RenewPeriod: span(12 * time.Hour)},
		Claims:       &spec.Claims{MaxTLS: span(72 * time.Hour)},
	}
	estate := &spec.Estate{
		Name: "example", Environment: spec.Production,
		Secrets: []*spec.Secret{online}, KeyStores: []*spec.KeyStore{store},
		Authorities: []*spec.Authority{root, issuing}, Templates: []*spec.Template{template},
		Provisioners: []*spec.Provisioner{jwk, acme}, OnlineCAs: []*spec.OnlineCA{ca},
	}
	return &scene{estate: estate, ca: ca}
}

// tree renders the scene after a ceremony.
func (s *scene) tree(t *testing.T) ([]plan.File, error) {
	t.Helper()
	if s.state.LastTime.IsZero() {
		s.state = ceremony(t, s.estate, -1)
	}
	return render.Tree(s.estate, s.state, s.ca)
}

// mustTree is tree for a scene that renders, by path.
func (s *scene) mustTree(t *testing.T) map[string]string {
	t.Helper()
	files, err := s.tree(t)
	if err != nil {
		t.Fatal(err)
	}
	byPath := map[string]string{}
	for _, f := range files {
		byPath[f.Path] = string(f.Data)
	}
	return byPath
}

// What a provisioner's ceremony records: any key and any JWE will do here.
const (
	publicJWK = `{"alg":"ES256","crv":"P-256","kid":"k1","kty":"EC","use":"sig","x":"eA","y":"eQ"}`
	secretJWE = "aGVhZA.a2V5.aXY.dGV4dA.dGFn"
)

// ceremony does the estate's plan with fixed keys, up to a number of actions
// or to the end, and gives the state that its ledger adds up to.
func ceremony(t *testing.T, e *spec.Estate, actions int) plan.State {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var s plan.State
	p, diags := plan.Make(e, s, plan.Inputs{At: at, Window: spec.Duration{Days: 1}, Seed: [32]byte{7}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	entries := 0
	apply := func(e plan.Event) {
		entries++
		e.Time, e.Audience = at, plan.AudienceOf(e)
		next, err := s.Apply(e, plan.Head{Entries: entries, Hash: "00"})
		if err != nil {
			t.Fatalf("%s: %v", e.Kind, err)
		}
		s = next
	}
	digest, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	apply(plan.Event{Kind: plan.CeremonyBegun, Begun: &plan.Begun{Plan: p, PlanDigest: hexOf(digest[:])}})
	keys := map[spec.Address]crypto.Signer{}
	for _, a := range p.Actions {
		if a.Number > actions && actions >= 0 {
			return s
		}
		for _, e := range perform(t, s, a, keys) {
			apply(e)
		}
	}
	apply(plan.Event{Kind: plan.CeremonyFinished, Finished: &plan.Finished{PlanDigest: hexOf(digest[:]), Actions: len(p.Actions)}})
	return s
}

func perform(t *testing.T, s plan.State, a plan.Action, keys map[spec.Address]crypto.Signer) []plan.Event {
	t.Helper()
	signed := func(message []byte, by plan.KeyRef) []byte {
		signature, err := tbs.Sign(keys[by.Address], by.Algorithm, message)
		must(t, err)
		der, err := tbs.Assemble(message, by.Algorithm, signature)
		must(t, err)
		return der
	}
	switch a.Kind {
	case plan.GenerateKey, plan.GenerateSSHKey:
		key := fixedKey(t, a.Address, a.Key().Algorithm)
		keys[a.Address] = key
		spki, err := x509.MarshalPKIXPublicKey(key.Public())
		must(t, err)
		return []plan.Event{
			{Kind: plan.KeyWasIntended, KeyIntended: &plan.KeyIntended{Action: a.Number, Key: *a.Key()}},
			{Kind: plan.KeyWasMade, KeyMade: &plan.KeyMade{Action: a.Number, Address: a.Address, Key: *a.Key(), SPKI: spki}},
		}
	case plan.SignCertificate:
		built, err := s.CertificateTBS(a.SignCertificate)
		must(t, err)
		return []plan.Event{{Kind: plan.CertificateSigned, Certificate: &plan.Signed{
			Action: a.Number, Address: a.Address, Generation: a.SignCertificate.Generation, DER: signed(built, a.SignCertificate.Issuer)}}}
	case plan.SignCRL:
		built, err := s.CRLTBS(a.SignCRL)
		must(t, err)
		return []plan.Event{{Kind: plan.CRLSigned, CRL: &plan.Signed{
			Action: a.Number, Address: a.Address, Number: a.SignCRL.Number, DER: signed(built, a.SignCRL.Issuer)}}}
	}
	return []plan.Event{{Kind: plan.ProvisionerKeyMade, Provisioner: &plan.ProvKey{Action: a.Number, Address: a.Address, JWK: publicJWK, JWE: secretJWE}}}
}

// fixedKey is the same for the same address, so that goldens can hold what it
// signed.
func fixedKey(t *testing.T, a spec.Address, algorithm spec.Algorithm) crypto.Signer {
	t.Helper()
	curve, size := elliptic.P256(), 32
	if algorithm == spec.ECDSAP384 {
		curve, size = elliptic.P384(), 48
	}
	sum := sha256.Sum256([]byte(a.String()))
	scalar := make([]byte, size)
	copy(scalar[1:], sum[:]) // a leading zero keeps it below the order
	key, err := ecdsa.ParseRawPrivateKey(curve, scalar)
	must(t, err)
	return key
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
