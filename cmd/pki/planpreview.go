package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"pki.internal/ceremony"
	"pki.internal/plan"
	"pki.internal/plan/tbs"
)

// previewNote stands above every preview. Tools that read PEM pass over it.
const previewNote = `PREVIEW: not a certificate or CRL that anybody may trust. It shows what a
ceremony will sign. Public keys and key identifiers of keys that do not exist
yet are stand-ins whose private halves everyone has, and the signature is by
such a key or by nobody.

`

// writePreviews writes every certificate and CRL of a plan into a new folder,
// for publication and comment before the ceremony: PEM, DER and words.
func writePreviews(dir string, p *plan.Plan) (int, error) {
	if _, err := os.Lstat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return 0, &ceremony.Refusal{Fact: dir + " is already there, and previews of two plans must not be mixed", Next: "choose another folder, or remove it"}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	n := 0
	for _, action := range p.Actions {
		files, err := previewFiles(action)
		if err != nil {
			return n, fmt.Errorf("action %d: %w", action.Number, err)
		}
		for _, f := range files {
			if err := (folderFiles{root}).Write(f); err != nil {
				return n, fmt.Errorf("%s: %w", filepath.Join(dir, f.Path), err)
			}
			n++
		}
	}
	return n, nil
}

// previewFiles gives the preview of one action, none when it signs neither a
// certificate nor a CRL.
func previewFiles(action plan.Action) ([]plan.File, error) {
	var draft *plan.Draft
	kind := "CERTIFICATE"
	switch action.Kind {
	case plan.SignCertificate:
		draft = &action.SignCertificate.Draft
	case plan.SignCRL:
		draft, kind = &action.SignCRL.Draft, "X509 CRL"
	default:
		return nil, nil
	}
	der := draft.Preview
	if draft.TBS != nil {
		issuer, _ := action.Issuer()
		var err error
		if der, err = tbs.Draft(draft.TBS, issuer.Algorithm); err != nil {
			return nil, err
		}
	}
	base := path.Base(draft.Outputs[0])
	name := strings.TrimSuffix(base, path.Ext(base)) + ".preview"
	if kind == "X509 CRL" {
		name = strings.TrimSuffix(base, path.Ext(base)) + ".crl.preview"
	}
	var words bytes.Buffer
	words.WriteString(previewNote)
	fmt.Fprintf(&words, "%s\n\n", actionName(action))
	var rows []string
	if c, err := x509.ParseCertificate(der); err == nil {
		rows = fieldRows(describeCertificate(c))
	} else if l, err := x509.ParseRevocationList(der); err == nil {
		rows = fieldRows(describeCRL(l))
	}
	table(&words, rows...)
	text := append([]byte(previewNote), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	return []plan.File{
		{Path: name + ".pem", Mode: 0o644, Data: text}, {Path: name + ".der", Mode: 0o644, Data: der}, {Path: name + ".txt", Mode: 0o644, Data: words.Bytes()},
	}, nil
}

func fieldRows(fields []field) []string {
	rows := make([]string, 0, len(fields))
	for _, f := range fields {
		rows = append(rows, f.Name+"\t"+f.Value)
	}
	return rows
}
