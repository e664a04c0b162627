package tbs

import (
	"crypto/x509"
	"strings"
	"testing"

	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// TestRequest reads a request of every algorithm back with crypto/x509.
func TestRequest(t *testing.T) {
	for _, a := range spec.Algorithms() {
		k := keyOf(t, a, 1)
		name := must[[]byte](t)(EncodeName(spec.Name{{Type: "country", Value: "DE"}, {Type: "common_name", Value: "Größe CA"}}))
		r := Request{Subject: name, PathLength: 0}
		info := must[[]byte](t)(r.Build(k.spki))
		der := must[[]byte](t)(Assemble(info, a, must[[]byte](t)(Sign(k.private, a, info))))
		c, err := x509.ParseCertificateRequest(der)
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		if err := public.CheckRequest(c); err != nil {
			t.Errorf("%s: %v", a, err)
		}
		if c.Subject.String() != "CN=Größe CA,C=DE" || len(c.Extensions) != 2 || string(c.Extensions[0].Value) != "\x30\x06\x01\x01\xff\x02\x01\x00" || string(c.Extensions[1].Value) != "\x03\x02\x01\x06" {
			t.Errorf("%s: %s with %v", a, c.Subject, c.Extensions)
		}
		r.Rehearsal = true
		marked := must[[]byte](t)(r.Build(k.spki))
		if m, err := x509.ParseCertificateRequest(must[[]byte](t)(Draft(marked, a))); err != nil || !RequestFromRehearsal(m) || RequestFromRehearsal(c) {
			t.Errorf("%s: a rehearsal's request bears no mark, or another does: %v", a, err)
		}
		r.Rehearsal, r.PathLength = false, -1
		if info := string(must[[]byte](t)(r.Build(k.spki))); strings.Contains(info, "\x01\x01\xff\x02\x01") {
			t.Errorf("%s: a path length that nobody asked for", a)
		}
	}
	if _, err := (Request{Subject: []byte{0x30, 0}}).Build(nil); err == nil {
		t.Error("a request without a key")
	}
	if _, err := (Request{}).Build([]byte{0x30, 0}); err == nil {
		t.Error("a request without a name")
	}
}
