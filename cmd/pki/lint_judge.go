package main

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"pki.internal/lint"
	"pki.internal/plan/tbs/public"
)

// bench is what objects are judged with.
type bench struct {
	linter    *lint.Linter
	app       *app
	now       time.Time
	issuers   [][]byte // of --issuer, the issuer first
	previous  []byte
	bulk      bool
	clients   []string
	weakKeys  *lint.WeakKeys
	logs      *lint.Logs
	hierarchy *lint.Hierarchy
	ssh       []sshSigner
}

// sshSigner is a key that signs SSH certificates of one kind.
type sshSigner struct {
	host bool
	key  lint.KnownKey
}

// bench reads what the flags name.
func (a *app) bench(linter *lint.Linter, o lintOptions) (*bench, error) {
	b := &bench{linter: linter, app: a, bulk: o.bulk, clients: o.clients, now: a.now()}
	var err error
	if o.at != "" {
		if b.now, err = readAt(o.at); err != nil {
			return nil, &usageError{err}
		}
	}
	if o.issuer != "" {
		text, err := os.ReadFile(o.issuer)
		if err != nil {
			return nil, err
		}
		b.issuers, _ = split(text)
	}
	if o.previous != "" {
		text, err := os.ReadFile(o.previous)
		if err != nil {
			return nil, err
		}
		ders, _ := split(text)
		b.previous = ders[0]
	}
	if b.weakKeys, err = readWeakKeys(o.weakKeys); err != nil {
		return nil, err
	}
	if o.logs != "" {
		text, err := os.ReadFile(o.logs)
		if err != nil {
			return nil, err
		}
		if b.logs, err = lint.ReadLogs(text); err != nil {
			return nil, fmt.Errorf("%s: %w", o.logs, err)
		}
	}
	return b, nil
}

// readAt reads an instant, or a day, which begins at midnight UTC.
func readAt(text string) (time.Time, error) {
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("--at %q is neither an instant such as 2027-06-01T09:00:00Z nor a day such as 2027-06-01", text)
}

// judgeAll gathers everything that is named, and judges each object with what
// the others say of it.
func (b *bench) judgeAll(names []string) ([]judged, error) {
	gathered, err := b.gather(names)
	if err != nil {
		return nil, err
	}
	var certificates, lists []lint.KnownCertificate
	for i, der := range b.issuers {
		certificates = append(certificates, lint.KnownCertificate{Owner: fmt.Sprintf("--issuer, certificate %d", i+1), DER: der})
	}
	for _, g := range gathered {
		known := lint.KnownCertificate{Owner: g.label(), DER: g.der}
		switch g.kind {
		case kindCertificate:
			certificates = append(certificates, known)
		case kindCRL:
			lists = append(lists, known)
		case kindSSH:
			if spki, host, ok := lint.SSHAuthority(g.text); ok {
				b.ssh = append(b.ssh, sshSigner{host, lint.KnownKey{Owner: "the authority of " + g.label(), SPKI: spki}})
			}
		}
	}
	// A single object has nobody beside it.
	if len(gathered)+len(b.issuers) > 1 {
		b.hierarchy = lint.NewHierarchy(certificates, lists)
	}
	judgeable := b.estates(gathered)
	found := make([]judged, len(judgeable)) // in the order of what was asked
	inParallel(len(judgeable), func(i int) { found[i] = b.judge(judgeable[i]) })
	return found, nil
}

// estates gets the facts of every estate, and leaves those out that have none.
func (b *bench) estates(all []gathered) []gathered {
	var judgeable []gathered
	for _, g := range all {
		known := true
		if g.kind == kindWhole {
			g.estate, known = b.wholeEstate(g.file, all)
		}
		if known {
			judgeable = append(judgeable, g)
		}
	}
	return judgeable
}

// judge judges one object.
func (b *bench) judge(g gathered) judged {
	j := judged{File: g.label(), Kind: g.kind, path: g.file, object: g.object, line: g.line}
	file := lint.File{Path: filepath.Base(g.file), Mode: g.mode, Data: g.text}
	switch g.kind {
	case kindTree:
		j.Findings = b.linter.StepCAAt(g.tree, b.now)
	case kindConfig:
		j.Findings = b.linter.StepCAConfig(file, b.now)
	case kindTemplate:
		j.Findings = b.linter.Template(file)
	case kindEstate:
		j.Findings = b.linter.Estate(lint.Estate{Texts: []lint.File{file}}, b.now)
	case kindWhole:
		j.Findings = b.linter.Estate(g.estate, b.now)
	case kindUnit:
		j.Findings = b.linter.Unit(file)
	case kindSSH:
		j.Findings = b.linter.SSH(b.sshCertificate(g), b.now)
	case kindOCSP:
		j.Findings = b.linter.OCSP(b.response(g.der), b.now)
	case kindRequest:
		j.Findings = b.linter.Request(b.request(g.der))
	case kindCRL:
		j.Findings = b.linter.CRL(b.list(g.der), b.now)
	case kindKey:
		// A key says nothing without its certificate.
	default:
		j.Kind = kindCertificate
		j.Findings = b.linter.Certificate(b.certificate(g.der), b.now)
	}
	return j
}

// certificate puts a certificate among the others. An issuer that was named
// is the issuer where none of those that are there fits.
func (b *bench) certificate(der []byte) lint.Certificate {
	c := lint.Certificate{DER: der, Preview: b.bulk, Clients: b.clients, WeakKeys: b.weakKeys, Logs: b.logs}
	if b.hierarchy != nil {
		c = b.hierarchy.Surround(c)
	}
	isIssuer := slices.ContainsFunc(b.issuers, func(i []byte) bool { return bytes.Equal(i, der) })
	if len(b.issuers) > 0 && !c.HasIssuer() && !isIssuer && !standsAlone(der) {
		c.Issuer, c.LikeNamed = b.issuers[0], ""
	}
	return c
}

// standsAlone says whether a certificate is signed by its own key.
func standsAlone(der []byte) bool {
	c, err := x509.ParseCertificate(der)
	return err == nil && bytes.Equal(c.RawSubject, c.RawIssuer) && public.CheckCertificate(c, c) == nil
}

func (b *bench) list(der []byte) lint.CRL {
	c := lint.CRL{DER: der, Previous: b.previous}
	if b.hierarchy != nil {
		c = b.hierarchy.SurroundList(c)
	}
	if c.Issuer == nil && len(b.issuers) > 0 {
		c.Issuer = b.issuers[0]
	}
	return c
}

func (b *bench) request(der []byte) lint.Request {
	r := lint.Request{DER: der}
	if parsed, err := x509.ParseCertificateRequest(der); err == nil && b.hierarchy != nil {
		r.OtherKeys = b.hierarchy.Authorities(parsed.RawSubject)
	}
	return r
}

// response finds the authority that a response answers for.
func (b *bench) response(der []byte) lint.OCSPResponse {
	r := lint.OCSPResponse{DER: der}
	if b.hierarchy != nil {
		r.Issuer = b.hierarchy.AnsweredFor(der)
	}
	if r.Issuer == nil && len(b.issuers) > 0 {
		r.Issuer = b.issuers[0]
	}
	return r
}

// sshCertificate compares the authority's key with those of the X.509
// authorities, and with those that sign the other kind.
func (b *bench) sshCertificate(g gathered) lint.SSHCertificate {
	c := lint.SSHCertificate{Data: g.text}
	if b.hierarchy != nil {
		c.OtherKeys = b.hierarchy.Authorities(nil)
	}
	_, host, _ := lint.SSHAuthority(g.text)
	for _, signer := range b.ssh {
		if signer.host != host {
			c.OtherKeys = append(c.OtherKeys, signer.key)
		}
	}
	return c
}
