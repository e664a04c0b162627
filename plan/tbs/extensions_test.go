package tbs

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"testing"

	"pki.internal/spec"
)

// TestExtensionsByHand holds encodings against DER written by hand from
// RFC 5280, so that one misreading cannot hide in writer and reader.
func TestExtensionsByHand(t *testing.T) {
	uri := func(s string) string { return fmt.Sprintf("86%02x%x", len(s), s) }
	a, b := uri("http://a/"), uri("http://b/")
	for name, c := range map[string]struct {
		have func() (Extension, error)
		want string // OID, criticality and value
	}{
		"key usage":      {KeyUsageCA, "2.5.29.15 true 03020106"},
		"path length 0":  {func() (Extension, error) { return BasicConstraintsCA(0) }, "2.5.29.19 true 30060101ff020100"},
		"path length 2":  {func() (Extension, error) { return BasicConstraintsCA(2) }, "2.5.29.19 true 30060101ff020102"},
		"usages":         {func() (Extension, error) { return ExtKeyUsage([]spec.ExtKeyUsage{"client_auth"}) }, "2.5.29.37 false 300a06082b06010505070302"},
		"key identifier": {func() (Extension, error) { return FixedAuthorityKeyID([]byte{1, 2}) }, "2.5.29.35 false 300480020102"},
		// Two places of one list are one distribution point (§4.2.1.13).
		"CDP":       {func() (Extension, error) { return CRLDistributionPoints([]string{"http://a/", "http://b/"}) }, "2.5.29.31 false 301c301aa018a016" + a + b},
		"IDP":       {func() (Extension, error) { return IssuingDistributionPoint([]string{"http://a/"}, false) }, "2.5.29.28 true 300fa00da00b" + a},
		"IDP of CA": {func() (Extension, error) { return IssuingDistributionPoint([]string{"http://a/"}, true) }, "2.5.29.28 true 3012a00da00b" + a + "8201ff"},
		"AIA":       {func() (Extension, error) { return AuthorityInfoAccess([]string{"http://a/"}) }, "1.3.6.1.5.5.7.1.1 false 3017301506082b06010505073002" + a},
		"names": {func() (Extension, error) {
			return NameConstraints(&spec.NameConstraints{Critical: true, PermittedDNS: []string{"a.b"}, ExcludedIP: []string{"10.0.0.0/8"}})
		}, "2.5.29.30 true 3017a00730058203612e62a10c300a8708" + "0a000000" + "ff000000"},
		"IPv6": {func() (Extension, error) {
			return NameConstraints(&spec.NameConstraints{PermittedIP: []string{"fd00::/9"}})
		}, "2.5.29.30 false 3026a024302287" + "20" + "fd" + zeros(15) + "ff80" + zeros(14)},
		"mail and URI": {func() (Extension, error) {
			return NameConstraints(&spec.NameConstraints{PermittedEmail: []string{"x@y"}, ExcludedURI: []string{".z"}})
		}, "2.5.29.30 false 3011a00730058103784079a106300486022e7a"},
	} {
		e, err := c.have()
		if have := fmt.Sprintf("%s %v %x", e.OID, e.Critical, e.Value); err != nil || have != c.want {
			t.Errorf("%s = %s, %v; want %s", name, have, err, c.want)
		}
		var value asn1.RawValue
		if rest, err := asn1.Unmarshal(e.Value, &value); err != nil || len(rest) > 0 {
			t.Errorf("%s is not one DER value: %v", name, err)
		}
	}
}

func zeros(n int) string { return hex.EncodeToString(make([]byte, n)) }

func TestEncodeNameByHand(t *testing.T) {
	der := must[[]byte](t)(EncodeName(spec.Name{{Type: "country", Value: "DE"}, {Type: "organization", Value: "Ä & C"}}))
	want := "301e" + "310b3009060355040613024445" + "310f300d060355040a0c06" + hex.EncodeToString([]byte("Ä & C"))
	if have := hex.EncodeToString(der); have != want {
		t.Errorf("name = %s, want %s", have, want)
	}
	if empty := must[[]byte](t)(EncodeName(nil)); !bytes.Equal(empty, []byte{0x30, 0}) {
		t.Errorf("the empty name is %x", empty)
	}
	if _, err := EncodeName(spec.Name{{Type: "colour", Value: "blue"}}); err == nil {
		t.Error("an unknown attribute was encoded")
	}
}

func TestExtensionsRefuse(t *testing.T) {
	if _, err := ExtKeyUsage([]spec.ExtKeyUsage{"any"}); err == nil {
		t.Error("an unknown usage was encoded")
	}
	for _, n := range []*spec.NameConstraints{{PermittedIP: []string{"10.0.0.0"}}, {ExcludedIP: []string{"10.0.0.0/33"}}, {PermittedIP: []string{"fe80::%eth0/64"}}} {
		if _, err := NameConstraints(n); err == nil {
			t.Errorf("%v was encoded", n)
		}
	}
}
