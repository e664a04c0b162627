package spec

import "testing"

func TestKeepsOut(t *testing.T) {
	n := &NameConstraints{PermittedDNS: []string{"ACME.internal"}, ExcludedDNS: []string{"secret.acme.internal"}, PermittedIP: []string{"10.0.0.0/8", "fd00::/8"}, ExcludedIP: []string{"10.9.0.0/16"}}
	for name, want := range map[string]bool{
		"acme.internal": false, "ca.Acme.internal": false, "notacme.internal": true, "internal": true, "localhost": true,
		"secret.acme.internal": true, "a.secret.acme.internal": true, "nosecret.acme.internal": false,
		"10.1.2.3": false, "::ffff:10.1.2.3": false, "10.9.0.1": true, "192.168.1.1": true, "fd00::1": false, "2001:db8::1": true,
	} {
		if got := n.keepsOut(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (*NameConstraints)(nil).keepsOut("localhost") || (&NameConstraints{ExcludedIP: []string{"0.0.0.0/0"}}).keepsOut("localhost") {
		t.Error("a kind of names that no list names is kept out")
	}
}
