package plan_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pki.internal/plan"
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

const profileEstate = `estate "n" {
  environment = "lab"
}

secret "lab" {
  prompt = true
}

key_store "file" "lab" {
  path     = "keys"
  password = secret.lab
}

authority "root" {
  subject {
    common_name = "Root"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity        = "20y"
  ca_issuers_urls = ["http://pki.acme.example/root.crt"]
  crl {
    urls      = ["http://pki.acme.example/root.crl"]
    valid_for = "200d"
  }
}

authority "sub" {
  issuer = authority.root
  subject {
    rdns = ["C=DE", "O=ACME", "CN=Sub+UID=7"]
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity           = "5y"
  extended_key_usage = ["server_auth", "1.3.6.1.4.1.99999.7"]
  certificate_policy {
    oid    = "1.3.6.1.4.1.99999.1"
    cps    = ["https://pki.acme.example/cps"]
    notice = "For tests"
  }
  extension {
    oid      = "1.3.6.1.4.1.99999.9"
    critical = true
    der      = "BAMBAgM="
  }
  name_constraints {
    CONSTRAINTS
  }
}
`

func planProfile(t *testing.T, constraints string) (*plan.Plan, spec.Diagnostics) {
	t.Helper()
	text := strings.Replace(profileEstate, "CONSTRAINTS", constraints, 1)
	loaded, diags := hclspec.Load(fstest.MapFS{"a.pki.hcl": {Data: []byte(text)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return plan.Make(loaded.Estate, plan.State{}, someInputs)
}

// TestProfileReachesTheBytes follows every argument of a profile into the
// preview's DER, as crypto/x509 reads it.
func TestProfileReachesTheBytes(t *testing.T) {
	p, diags := planProfile(t, `permitted_dns = ["acme.internal"]
    permitted_ip  = ["10.0.0.0/8"]`)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var sub *x509.Certificate
	for _, a := range p.Actions {
		if a.Kind == plan.SignCertificate && a.Address.Name == "sub" {
			var err error
			if sub, err = x509.ParseCertificate(a.SignCertificate.Draft.Preview); err != nil {
				t.Fatal(err)
			}
			for word, want := range map[string]string{
				"certificate_policy": "1.3.6.1.4.1.99999.1 https://pki.acme.example/cps For tests",
				"extension":          "1.3.6.1.4.1.99999.9 critical 0403010203",
				"subject":            "CN=Sub+UID=7,O=ACME,C=DE", "extended_key_usage": " server_auth 1.3.6.1.4.1.99999.7",
			} {
				if a.SignCertificate.Want[word] != want {
					t.Errorf("the plan wants %s = %q", word, a.SignCertificate.Want[word])
				}
			}
		}
	}
	if sub == nil {
		t.Fatal("no certificate is planned")
	}
	own := slices.IndexFunc(sub.Extensions, func(e pkix.Extension) bool { return e.Id.String() == "1.3.6.1.4.1.99999.9" })
	switch {
	case len(sub.Policies) != 1 || sub.Policies[0].String() != "1.3.6.1.4.1.99999.1":
		t.Errorf("policies %v", sub.Policies)
	case !slices.Equal(sub.IssuingCertificateURL, []string{"http://pki.acme.example/root.crt"}):
		t.Errorf("AIA %v", sub.IssuingCertificateURL)
	case len(sub.UnknownExtKeyUsage) != 1 || sub.UnknownExtKeyUsage[0].String() != "1.3.6.1.4.1.99999.7":
		t.Errorf("usages %v", sub.UnknownExtKeyUsage)
	case own < 0 || hex.EncodeToString(sub.Extensions[own].Value) != "0403010203":
		t.Error("the extension in DER is not there")
	case len(sub.Subject.Names) != 4:
		t.Errorf("subject %v", sub.Subject)
	}
}

// TestNameConstraintExamples asks the verifier in both directions, for every
// kind of name.
func TestNameConstraintExamples(t *testing.T) {
	all := `permitted_dns = ["acme.internal"]
    permitted_ip    = ["10.0.0.0/8", "fd00::/8"]
    excluded_email  = ["evil.example"]
    permitted_uri   = [".acme.internal"]
    excluded_directory = ["C=US"]
`
	for name, c := range map[string]struct{ examples, want string }{
		"good": {`accepts = ["host.acme.internal", "10.1.2.3", "fd00::1", "a@good.example", "https://x.acme.internal/", "C=DE, CN=x"]
    refuses = ["example.com", "11.0.0.1", "a@evil.example", "https://x.example/", "C=us, CN=x"]`, ""},
		"wrongly accepted": {`refuses = ["host.acme.internal"]`, "Name that would be accepted"},
		"wrongly refused":  {`accepts = ["example.com"]`, "Name that would be refused"},
		"address":          {`accepts = ["11.0.0.1"]`, "Name that would be refused"},
		"mail":             {`accepts = ["a@evil.example"]`, "Name that would be refused"},
		"url":              {`accepts = ["https://x.example/"]`, "Name that would be refused"},
		"directory":        {`accepts = ["C=US, O=ACME"]`, "Name that would be refused"},
		"other directory":  {`refuses = ["C=DE, O=ACME"]`, "Name that would be accepted"},
		"nonsense":         {`refuses = ["=x"]`, "Examples that cannot be checked"},
	} {
		_, diags := planProfile(t, all+c.examples)
		var found []string
		for _, d := range diags {
			if d.Severity == spec.Error {
				found = append(found, d.Summary)
			}
		}
		if text := strings.Join(found, ", "); text != c.want {
			t.Errorf("%s: %q, want %q\n%v", name, text, c.want, diags)
		}
	}
}
