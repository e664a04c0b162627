package lint

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scene is a fixture: an object with its surroundings, and what is expected of
// it.
type scene struct {
	about       string
	kind        string
	role        Role
	draft       bool
	nextSigning time.Time
	// facts are further lines of context, as "key: value".
	facts []string
	// also are the loud findings beside that of the rule which the fixture is
	// for, as "severity id".
	also   []string
	blocks []*pem.Block
}

// stage is what a certificate is made from; a case changes it before the
// certificate is signed.
type stage struct {
	*scene
	rootKey, key, signer crypto.Signer
	root, subject        *x509.Certificate
	// parent is the issuer as the signer sees it. The certificate that is
	// handed in as issuer's is not changed with it.
	parent *x509.Certificate
	others []KnownKey
}

// certificateScene is an issuing authority under a root, with a change.
func certificateScene(t testing.TB, about string, change func(*stage)) scene {
	return subordinateScene(t, about, nil, change)
}

// subordinateScene is an issuing authority under a root that was changed
// first.
func subordinateScene(t testing.TB, about string, changeRoot func(*x509.Certificate), change func(*stage)) scene {
	t.Helper()
	s := scene{about: about, kind: ObjectCertificate, role: RoleIssuing}
	rootKey, key := testKey(t, "ecdsa-p384", "root"), testKey(t, "ecdsa-p256", "issuing")
	root := rootTemplate(t, rootKey)
	if changeRoot != nil {
		changeRoot(root)
	}
	rootDER := signCertificate(t, root, root, rootKey, rootKey)
	g := &stage{scene: &s, rootKey: rootKey, key: key, signer: rootKey, root: root,
		subject: issuingTemplate(t, key), parent: parse(t, rootDER)}
	if change != nil {
		change(g)
	}
	der := signCertificate(t, g.subject, g.parent, g.key, g.signer)
	s.add("CERTIFICATE", der)
	s.add("CERTIFICATE", rootDER)
	for _, other := range g.others {
		s.blocks = append(s.blocks, &pem.Block{Type: "PUBLIC KEY", Headers: map[string]string{"Owner": other.Owner}, Bytes: other.SPKI})
	}
	return s
}

// rootScene is a root with a change.
func rootScene(t testing.TB, about string, change func(*stage)) scene {
	t.Helper()
	s := scene{about: about, kind: ObjectCertificate, role: RoleRoot}
	key := testKey(t, "ecdsa-p384", "root")
	g := &stage{scene: &s, rootKey: key, key: key, signer: key, subject: rootTemplate(t, key)}
	g.parent = g.subject
	if change != nil {
		change(g)
	}
	s.add("CERTIFICATE", signCertificate(t, g.subject, g.parent, g.key, g.signer))
	return s
}

// listStage is what a list is made from.
type listStage struct {
	*scene
	signer         crypto.Signer
	list, previous *x509.RevocationList
	// parent is the issuer as the signer sees it.
	parent *x509.Certificate
}

// listScene is a root's list after another one, with a change of the root and
// a change of the list.
func listScene(t testing.TB, about string, changeRoot func(*x509.Certificate), change func(*listStage)) scene {
	t.Helper()
	s := scene{about: about, kind: ObjectCRL, nextSigning: crlFrom.AddDate(0, 0, 365)}
	key := testKey(t, "ecdsa-p384", "root")
	root := rootTemplate(t, key)
	if changeRoot != nil {
		changeRoot(root)
	}
	issuer := signCertificate(t, root, root, key, key)
	previous := crlTemplate(t, rootCRLURL, true)
	previous.Number.SetInt64(6)
	previous.ThisUpdate = previous.ThisUpdate.AddDate(0, 0, -14)
	previous.RevokedCertificateEntries[0].RevocationTime = previous.ThisUpdate.Add(-time.Hour)
	list := crlTemplate(t, rootCRLURL, true)
	list.RevokedCertificateEntries[0].RevocationTime = previous.RevokedCertificateEntries[0].RevocationTime
	g := &listStage{scene: &s, signer: key, list: list, previous: previous, parent: parse(t, issuer)}
	if change != nil {
		change(g)
	}
	sign := func(template *x509.RevocationList, parent *x509.Certificate, signer crypto.Signer) []byte {
		der, err := x509.CreateRevocationList(nil, template, parent, signer)
		noError(t, err)
		return der
	}
	// Go does not make a list without a public key that may sign lists.
	g.parent.KeyUsage |= x509.KeyUsageCRLSign
	s.add("X509 CRL", sign(g.list, g.parent, g.signer))
	s.add("X509 CRL", sign(g.previous, g.parent, g.signer))
	s.add("CERTIFICATE", issuer)
	return s
}

// requestScene is a signing request, with a change of its bytes.
func requestScene(t testing.TB, about string, key crypto.Signer, algorithm x509.SignatureAlgorithm, change func([]byte)) scene {
	t.Helper()
	s := scene{about: about, kind: ObjectCSR}
	der, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{Subject: name("ACME Issuing CA G1"), SignatureAlgorithm: algorithm}, key)
	noError(t, err)
	if change != nil {
		change(der)
	}
	s.add("CERTIFICATE REQUEST", der)
	return s
}

func (s *scene) add(kind string, der []byte) {
	s.blocks = append(s.blocks, &pem.Block{Type: kind, Bytes: der})
}

// as adds a certificate or request of the surroundings. The label says what
// it is there for; the text belongs to the label.
func (s *scene) as(label, text, kind string, der []byte) {
	s.blocks = append(s.blocks, &pem.Block{Type: kind, Headers: map[string]string{"As": label, "Text": text}, Bytes: der})
}

// fact adds a line of context.
func (s *scene) fact(key string, value any) {
	s.facts = append(s.facts, fmt.Sprintf("%s: %v", key, value))
}

// encode writes the fixture: what it is, what is known, what is expected, and
// the objects. The object that is judged comes first.
func (s scene) encode(want []string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\n", s.about)
	fmt.Fprintf(&b, "kind: %s\n", s.kind)
	if s.role != RoleUnknown {
		fmt.Fprintf(&b, "role: %s\n", s.role)
	}
	if s.draft {
		fmt.Fprintf(&b, "draft: true\n")
	}
	if !s.nextSigning.IsZero() {
		fmt.Fprintf(&b, "next signing: %s\n", date(s.nextSigning))
	}
	for _, fact := range s.facts {
		fmt.Fprintf(&b, "%s\n", fact)
	}
	for _, w := range want {
		fmt.Fprintf(&b, "finding: %s\n", w)
	}
	for _, block := range s.blocks {
		fmt.Fprintf(&b, "\n%s", describe(block))
		b.Write(pem.EncodeToMemory(block))
	}
	return b.Bytes()
}

// describe says in words what a reviewer wants to know of an object.
func describe(block *pem.Block) string {
	switch block.Type {
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Sprintf("certificate that Go refuses: %v\n", err)
		}
		text := fmt.Sprintf("certificate of %s, by %s\n  serial %x, %s to %s, CA %t, path length %d, key usage %b\n",
			c.Subject, c.Issuer, c.SerialNumber, date(c.NotBefore), date(c.NotAfter), c.IsCA, c.MaxPathLen, c.KeyUsage)
		text += fmt.Sprintf("  SKI %x, AKI %x, %s, CDP %v\n", c.SubjectKeyId, c.AuthorityKeyId, c.SignatureAlgorithm, c.CRLDistributionPoints)
		return text
	case "X509 CRL":
		c, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return fmt.Sprintf("list that Go refuses: %v\n", err)
		}
		text := fmt.Sprintf("list number %v by %s, %s to %s\n  AKI %x, %s\n",
			c.Number, c.Issuer, date(c.ThisUpdate), date(c.NextUpdate), c.AuthorityKeyId, c.SignatureAlgorithm)
		for _, e := range c.RevokedCertificateEntries {
			text += fmt.Sprintf("  revokes %x, reason %d\n", e.SerialNumber, e.ReasonCode)
		}
		return text
	}
	return strings.ToLower(block.Type) + "\n"
}

// judge runs the linter over the fixture's text, as it was read from disk.
func judge(t testing.TB, l *Linter, text []byte) []Finding {
	t.Helper()
	header, _, _ := bytes.Cut(text, []byte("-----BEGIN "))
	fields := func(key string) []string {
		var values []string
		for _, line := range strings.Split(string(header), "\n") {
			if value, ok := strings.CutPrefix(line, key+": "); ok {
				values = append(values, value)
			}
		}
		return values
	}
	field := func(key string) string { return strings.Join(fields(key), "") }
	parts := map[string][][]byte{}
	var others []KnownKey
	around := map[string][]*pem.Block{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if label := block.Headers["As"]; label != "" {
			around[label] = append(around[label], block)
			continue
		}
		parts[block.Type] = append(parts[block.Type], block.Bytes)
		if block.Type == "PUBLIC KEY" {
			others = append(others, KnownKey{Owner: block.Headers["Owner"], SPKI: block.Bytes})
		}
	}
	at := func(kind string, i int) []byte {
		if i < len(parts[kind]) {
			return parts[kind][i]
		}
		return nil
	}
	draft := field("draft") == "true"
	switch field("kind") {
	case ObjectCertificate:
		c := Certificate{DER: at("CERTIFICATE", 0), Issuer: at("CERTIFICATE", 1), Draft: draft, OtherKeys: others}
		for role := RoleUnknown; role <= RoleLeaf; role++ {
			if role.String() == field("role") {
				c.Role = role
			}
		}
		surround(t, &c, fields, around)
		return l.Certificate(c, testNow)
	case ObjectCRL:
		c := CRL{DER: at("X509 CRL", 0), Previous: at("X509 CRL", 1), Issuer: at("CERTIFICATE", 0), Draft: draft}
		if next := field("next signing"); next != "" {
			parsed, err := time.Parse(time.RFC3339, next)
			noError(t, err)
			c.NextSigning = parsed
		}
		surroundCRL(t, &c, fields, around)
		return l.CRL(c, testNow)
	case ObjectCSR:
		r := Request{DER: at("CERTIFICATE REQUEST", 0), OtherKeys: others}
		for _, sum := range fields("approved") {
			_, err := hex.Decode(r.Approved[:], []byte(sum))
			noError(t, err)
		}
		for _, grant := range fields("grant") {
			r.Grant = &Grant{}
			noError(t, json.Unmarshal([]byte(grant), r.Grant))
		}
		return l.Request(r)
	}
	t.Fatalf("the fixture has kind %q: use certificate, crl or csr", field("kind"))
	return nil
}

// one is the first block of a label, or nil.
func one(blocks []*pem.Block) []byte {
	if len(blocks) == 0 {
		return nil
	}
	return blocks[0].Bytes
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	noError(t, err)
	return at
}

// surround reads the surroundings of a certificate.
func surround(t testing.TB, c *Certificate, fields func(string) []string, around map[string][]*pem.Block) {
	t.Helper()
	var err error
	for _, v := range fields("signing") {
		c.Signing = instant(t, v)
	}
	for _, v := range fields("needed until") {
		c.NeededUntil = instant(t, v)
	}
	for _, v := range fields("longest") {
		c.Longest, err = time.ParseDuration(v)
		noError(t, err)
	}
	for _, v := range fields("tiers below") {
		c.TiersBelow, err = strconv.Atoi(v)
		noError(t, err)
	}
	for _, v := range fields("transcript") {
		var sum [32]byte
		_, err = hex.Decode(sum[:], []byte(v))
		noError(t, err)
		c.Transcript = append(c.Transcript, sum)
	}
	for _, v := range fields("log") {
		spki, err := base64.StdEncoding.DecodeString(v)
		noError(t, err)
		c.Logs = &Logs{}
		noError(t, c.Logs.Add("a log", spki))
	}
	for _, v := range fields("weak key") {
		c.WeakKeys = &WeakKeys{}
		noError(t, c.WeakKeys.Add(strings.NewReader(v)))
	}
	c.OwnListURLs, c.Clients = fields("own list"), fields("client")
	told := func(key string) string { return strings.Join(fields(key), "") }
	c.LikeNamed, c.SharedFactor, c.NextSerial, c.RevokedBy = told("like named"), told("shared factor"), told("next serial"), told("revoked by")
	c.Request, c.Twin, c.AnswersFor = one(around["request"]), one(around["twin"]), one(around["answers for"])
	for _, b := range around["other"] {
		c.Others = append(c.Others, KnownCertificate{Owner: b.Headers["Text"], DER: b.Bytes})
	}
	for _, b := range around["published"] {
		data := b.Bytes
		if strings.HasSuffix(b.Headers["Text"], ".pem") {
			data = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: data})
		}
		c.Published = append(c.Published, Published{URL: b.Headers["Text"], Data: data})
	}
}

// surroundCRL reads the surroundings of a list.
func surroundCRL(t testing.TB, c *CRL, fields func(string) []string, around map[string][]*pem.Block) {
	t.Helper()
	for _, v := range fields("issued") {
		serial, until, _ := strings.Cut(v, " until ")
		n, ok := new(big.Int).SetString(serial, 16)
		if !ok {
			t.Fatalf("serial %q is no number", serial)
		}
		issued := Issued{Serial: n}
		if until != "" {
			issued.NotAfter = instant(t, until)
		}
		c.Issued = append(c.Issued, issued)
	}
	for _, v := range fields("list of") {
		for role := RoleUnknown; role <= RoleLeaf; role++ {
			if role.String() == v {
				c.Role = role
			}
		}
	}
	c.LikeNamed = strings.Join(fields("like named"), "")
	c.Base = one(around["base"])
	for _, b := range around["covers"] {
		c.Covers = append(c.Covers, b.Bytes)
	}
}
