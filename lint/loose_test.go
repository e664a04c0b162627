package lint

import "testing"

func TestOnThisHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST.": true, "idp.localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"localhost.acme.example": false, "notlocalhost": false, "128.0.0.1": false, "": false, "127.0.0.1.acme.example": false,
	} {
		if got := onThisHost(host); got != want {
			t.Errorf("onThisHost(%q) = %t", host, got)
		}
	}
}
