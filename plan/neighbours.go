package plan

import (
	"crypto/x509"

	"pki.internal/lint"
)

// neighbours are the certificates and keys around one under judgement, found
// by what the rules of lint compare: subject, issuer and serial number, key.
// What no rule could compare is not handed over, so that judging the last of
// ten thousand takes no longer than judging the first.
type neighbours struct {
	bySubject map[string][]neighbour
	bySerial  map[string][]neighbour // issuer and serial number
	byKey     map[string][]string    // owners
}

type neighbour struct {
	owner string
	cert  *x509.Certificate
}

func newNeighbours() *neighbours {
	return &neighbours{map[string][]neighbour{}, map[string][]neighbour{}, map[string][]string{}}
}

// add makes a certificate a neighbour of all that are judged after it.
func (n *neighbours) add(owner string, c *x509.Certificate) {
	one := neighbour{owner, c}
	n.bySubject[string(c.RawSubject)] = append(n.bySubject[string(c.RawSubject)], one)
	n.bySerial[serialKey(c)] = append(n.bySerial[serialKey(c)], one)
}

func (n *neighbours) addKey(owner string, spki []byte) {
	n.byKey[string(spki)] = append(n.byKey[string(spki)], owner)
}

func serialKey(c *x509.Certificate) string {
	return string(c.RawIssuer) + "\x00" + c.SerialNumber.Text(16)
}

// around gives the certificates that rules may compare with one: those of its
// subject, those of its serial number, and everything on the way up.
func (n *neighbours) around(c *x509.Certificate) []lint.KnownCertificate {
	var found []lint.KnownCertificate
	taken := map[*x509.Certificate]bool{}
	take := func(all []neighbour) {
		for _, one := range all {
			if !taken[one.cert] {
				taken[one.cert] = true
				found = append(found, lint.KnownCertificate{Owner: one.owner, DER: one.cert.Raw})
			}
		}
	}
	take(n.bySubject[string(c.RawSubject)])
	take(n.bySerial[serialKey(c)])
	seen := map[string]bool{}
	for up := []string{string(c.RawIssuer)}; len(up) > 0; up = up[1:] {
		if seen[up[0]] {
			continue
		}
		seen[up[0]] = true
		take(n.bySubject[up[0]])
		for _, one := range n.bySubject[up[0]] {
			up = append(up, string(one.cert.RawIssuer))
		}
	}
	return found
}

// keys gives the owners of a key but one.
func (n *neighbours) keys(spki []byte, but string) []lint.KnownKey {
	var found []lint.KnownKey
	for _, owner := range n.byKey[string(spki)] {
		if owner != but {
			found = append(found, lint.KnownKey{Owner: owner, SPKI: spki})
		}
	}
	return found
}

// neighbours gives everything that the ledger knows.
func (s State) neighbours() *neighbours {
	n := newNeighbours()
	for _, a := range s.Authorities() {
		for _, g := range a.Generations {
			n.addKey(Label(a.Address, g.Number), g.spki)
			for _, c := range g.Certificates {
				n.add(Label(a.Address, g.Number), c.parsed)
			}
		}
	}
	for _, k := range s.SSHKeys() {
		n.addKey(k.Address.String(), k.SPKI)
	}
	for _, x := range s.Crosses() {
		for _, c := range x.Certificates {
			n.add(x.Address.String(), c.parsed)
		}
	}
	for _, r := range s.Responders() {
		for _, c := range r.Certificates {
			n.add(r.Address.String(), c.parsed)
			n.addKey(r.Address.String(), c.parsed.RawSubjectPublicKeyInfo)
		}
	}
	return n
}
