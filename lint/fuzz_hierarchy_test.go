package lint

import (
	"bytes"
	"testing"
)

// FuzzKind shows that telling kinds, and taking bundles apart, ends for every
// input, and that what a parser takes is told as what it is.
func FuzzKind(f *testing.F) {
	root := rootScene(f, "", nil).blocks[0].Bytes
	list := listScene(f, "", nil, nil).blocks[0].Bytes
	request := requestFixtures()[0].pass(f).blocks[0].Bytes
	for kind, der := range map[string][]byte{ObjectCertificate: root, ObjectCRL: list, ObjectCSR: request} {
		if got := KindOf(der); got != kind {
			f.Errorf("a %s is told as %q", kind, got)
		}
		if got := KindOf(append(bytes.Clone(der), 0)); got != kind {
			f.Errorf("a %s with an octet behind it is told as %q", kind, got)
		}
		f.Add(der)
	}
	f.Add([]byte{0x30, 0x03, 0x0a, 0x01, 0x06})
	f.Fuzz(func(_ *testing.T, der []byte) {
		KindOf(der)
		for _, inner := range Unwrap(der) {
			KindOf(inner)
		}
		First(der)
		IsTemplate("x.tpl", der)
		IsUnit(der)
	})
}

// FuzzHierarchy shows that no certificate or list among good ones makes the
// judge panic or go round for ever, wherever its names and keys point.
func FuzzHierarchy(f *testing.F) {
	l := mustNew(f, "private")
	s := certificateScene(f, "", nil)
	lists := listScene(f, "", nil, nil)
	for _, block := range s.blocks {
		f.Add(block.Bytes, lists.blocks[0].Bytes)
	}
	f.Fuzz(func(t *testing.T, der, list []byte) {
		certs := []KnownCertificate{{"root", s.blocks[1].Bytes}, {"issuing", s.blocks[0].Bytes}, {"fuzzed", der}}
		h := NewHierarchy(certs, []KnownCertificate{{"list", lists.blocks[1].Bytes}, {"fuzzed list", list}})
		for _, c := range certs {
			sound(t, l.Certificate(h.Surround(Certificate{DER: c.DER, Preview: true}), testNow))
		}
		sound(t, l.CRL(h.SurroundList(CRL{DER: list}), testNow))
		h.AnsweredFor(list)
	})
}

// FuzzConfigAlone shows that no text makes the judge of a single ca.json, or of
// a single template, panic.
func FuzzConfigAlone(f *testing.F) {
	l := mustNew(f, "private")
	f.Add([]byte(`{"authority": {"provisioners": [{"type": "ACME", "name": "a", "options": {"webhooks": [{}]}}]}, "crl": {"idpURL": "%"}}`))
	f.Add([]byte(`{"subject": {{ toJson .Subject }}, "keyUsage": ["{{ .KU }}"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		sound(t, l.StepCAConfig(File{Data: text}, testNow))
		sound(t, l.Template(File{Path: "x.tpl", Data: text}))
	})
}
