package plan_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"pki.internal/plan"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// wantDiagnostic makes a plan that must not come about, for one reason.
func wantDiagnostic(t *testing.T, e *spec.Estate, s plan.State, in plan.Inputs, summary string) {
	t.Helper()
	p, diags := plan.Make(e, s, in)
	if p != nil {
		t.Errorf("a plan was made, want %q", summary)
	}
	for _, d := range diags {
		if d.Summary == summary {
			if !strings.HasSuffix(d.Detail, ".") && !strings.HasSuffix(d.Detail, "?") {
				t.Errorf("detail %q is no sentence", d.Detail)
			}
			return
		}
	}
	t.Errorf("diagnostics %v, want %q", diags, summary)
}

func TestLintStopsThePlan(t *testing.T) {
	e := loadExample(t, "two-tier")
	e.Authorities[1].NameConstraints = &spec.NameConstraints{Origin: e.Authorities[1].Origin, Critical: true, PermittedDNS: []string{"acme.internal"}}
	wantDiagnostic(t, e, plan.State{}, someInputs, "Lint refuses the certificate") // an open type: any IP address would pass
}

// TestLabURLs lets a lab publish on this machine, and nobody else.
func TestLabURLs(t *testing.T) {
	for environment, good := range map[spec.Environment]bool{spec.Lab: true, spec.Rehearsal: false} {
		e := loadExample(t, "two-tier")
		e.Environment = environment
		e.Authorities[0].CRL.URLs = []string{"http://127.0.0.1:8080/root.crl"}
		p, diags := plan.Make(e, plan.State{}, someInputs)
		if (p != nil) != good {
			t.Errorf("%s: %v", environment, diags)
		}
	}
}

func TestWaivers(t *testing.T) {
	hole := func() *spec.Estate {
		e := loadExample(t, "two-tier")
		issuing := e.Authorities[1]
		issuing.NameConstraints = &spec.NameConstraints{Origin: issuing.Origin, Critical: true, PermittedDNS: []string{"acme.internal"}}
		e.Lint.Waivers = []spec.Waiver{{
			Origin: e.Lint.Origin, Lint: "e_ica_nc_type_hole", Object: issuing.Address, Reason: "no IP names here", Citation: "CPS 7.1.5", Until: "2027-01-01",
		}}
		return e
	}
	p := mustMake(t, hole(), plan.State{}, someInputs)
	if len(p.Lint.Waivers) != 1 || p.Actions[3].SignCertificate.Findings[0].Waived != "no IP names here" {
		t.Errorf("waivers %+v, findings %+v", p.Lint.Waivers, p.Actions[3].SignCertificate.Findings)
	}
	late := someInputs
	late.At = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	wantDiagnostic(t, hole(), plan.State{}, late, "Waiver has expired")
	unused := hole()
	unused.Authorities[1].NameConstraints = nil
	wantDiagnostic(t, unused, plan.State{}, someInputs, "Waiver that waives nothing")
	misspelt := hole()
	misspelt.Lint.Waivers[0].Lint = "e_ica_nc_typ_hole"
	wantDiagnostic(t, misspelt, plan.State{}, someInputs, "Waiver of an unknown lint")
	other := hole()
	other.Lint.Waivers[0].Object = other.Authorities[0].Address
	wantDiagnostic(t, other, plan.State{}, someInputs, "Lint refuses the certificate")
}

func TestAbsoluteDates(t *testing.T) {
	e := loadExample(t, "two-tier")
	e.Authorities[1].Validity = spec.Duration{Years: 21} // spec's own rule compares durations; here real dates
	wantDiagnostic(t, e, plan.State{}, someInputs, "Certificate outlives its issuer")

	e = loadExample(t, "two-tier")
	e.Authorities[1].CRL.ValidFor = spec.Duration{Years: 6}
	wantDiagnostic(t, e, plan.State{}, someInputs, "CRL outlives its issuer")

	e = loadExample(t, "two-tier")
	e.Authorities[0].Validity = spec.Duration{Years: 9000}
	wantDiagnostic(t, e, plan.State{}, someInputs, "Certificate that never ends")
}

// request makes a PKCS#10 request with a key.
func request(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "asks"}, DNSNames: []string{"a.example"},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestRequests(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	preview, err := tbs.PreviewKey(spec.ECDSAP256, 3)
	if err != nil {
		t.Fatal(err)
	}
	broken := request(t, p256)
	broken[len(broken)-1] ^= 1
	for summary, der := range map[string][]byte{
		"Request without proof of possession": broken,
		"Request with an unsuitable key":      request(t, weak),
		"Request with a preview key":          request(t, preview),
		"Request that cannot be read":         []byte("not a request"),
	} {
		t.Run(summary, func(t *testing.T) {
			e := loadExample(t, "csr-from-kms")
			e.Authorities[1].CSR.DER = der
			wantDiagnostic(t, e, plan.State{}, someInputs, summary)
		})
	}
	e := loadExample(t, "csr-from-kms")
	e.Authorities[1].CSR.DER = request(t, p256)
	csr := mustMake(t, e, plan.State{}, someInputs).Actions[2].SignCertificate
	spki, err := x509.MarshalPKIXPublicKey(p256.Public())
	if err != nil {
		t.Fatal(err)
	}
	if string(csr.Subject.SPKI) != string(spki) {
		t.Error("the certificate is not for the request's key")
	}
	if len(csr.CSR.Ignored) != 2 {
		t.Errorf("ignored %q, want the subject and the name", csr.CSR.Ignored)
	}
}

// TestTwoRequestsWithOneKey refuses a key that another authority of the same
// plan has.
func TestTwoRequestsWithOneKey(t *testing.T) {
	e := loadExample(t, "csr-from-kms")
	second := *e.Authorities[1]
	second.Address.Name = "us"
	second.Subject = spec.NewName(map[string][]string{"common_name": {"another"}}, nil)
	e.Authorities = append(e.Authorities, &second)
	wantDiagnostic(t, e, plan.State{}, someInputs, "Request with one of our own keys")
}

func TestTooManyPreviews(t *testing.T) {
	e := loadExample(t, "two-tier")
	template := *e.Authorities[1]
	for i := range 70 {
		a := template
		a.Key = &spec.Key{Origin: a.Key.Origin, Store: a.Key.Store, Algorithm: spec.Ed25519}
		a.Address.Name = "a" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		e.Authorities = append(e.Authorities, &a)
	}
	wantDiagnostic(t, e, plan.State{}, someInputs, "Key that cannot be previewed")
}

// TestPrivateProvisionerKeyIsRefused keeps private keys out of ledgers.
func TestPrivateProvisionerKeyIsRefused(t *testing.T) {
	e := loadExample(t, "two-tier")
	e.Authorities, e.OnlineCAs = nil, nil
	p := mustMake(t, e, plan.State{}, someInputs)
	digest, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	s, err := plan.State{}.Apply(plan.Event{
		Kind: plan.CeremonyBegun, Time: someInputs.At, Audience: plan.Public,
		Begun: &plan.Begun{Plan: p, PlanDigest: hex.EncodeToString(digest[:])},
	}, plan.Head{Entries: 1, Hash: "01"})
	if err != nil {
		t.Fatal(err)
	}
	for jwk, good := range map[string]bool{`{"kty":"EC"}`: true, `{"d":"x","kty":"EC"}`: false, `{"k":"x"}`: false, `[`: false} {
		_, err := s.Apply(plan.Event{
			Kind: plan.ProvisionerKeyMade, Time: someInputs.At, Audience: plan.Public,
			Provisioner: &plan.ProvKey{Action: 1, Address: p.Actions[0].Address, JWK: jwk, JWE: "a.b.c.d.e"},
		}, plan.Head{Entries: 2, Hash: "02"})
		if (err == nil) != good {
			t.Errorf("%s: %v", jwk, err)
		}
	}
}
