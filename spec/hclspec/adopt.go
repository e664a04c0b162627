package hclspec

import (
	"encoding/pem"

	"pki.internal/spec"
)

type rawImport struct {
	spec.Origin

	Certificate string `hcl:"certificate" doc:"the certificate, a file below the estate's folder such as \"import/root.crt\""`
	CRL         string `hcl:"crl,optional" doc:"the last CRL, a file such as \"import/root.crl\""`
	Index       string `hcl:"index,optional" doc:"openssl's list of what was issued, a file such as \"import/index.txt\""`
	Key         string `hcl:"key,optional" doc:"the encrypted key in a file store, such as \"keys/root.key\""`
	KeyID       string `hcl:"key_id,optional" doc:"CKA_ID of the key on a token, in lower-case hex"`
	KeyLabel    string `hcl:"key_label,optional" doc:"CKA_LABEL of the key on a token"`
}

// adopted reads what an import block names.
func (x *linker) adopted(raw *rawImport) *spec.Import {
	if raw == nil {
		return nil
	}
	i := &spec.Import{
		Origin: raw.Origin, Path: raw.Certificate, CRLPath: raw.CRL, IndexPath: raw.Index,
		KeyFile: raw.Key, KeyID: raw.KeyID, KeyLabel: raw.KeyLabel,
	}
	i.Certificate = x.readImport(raw, "certificate", raw.Certificate, "CERTIFICATE")
	i.CRL = x.readImport(raw, "crl", raw.CRL, "X509 CRL")
	i.Index = x.readImport(raw, "index", raw.Index, "")
	return i
}

// readImport takes a file as PEM of one type or as DER; without a type, as it
// is.
func (x *linker) readImport(raw *rawImport, argument, name, kind string) []byte {
	if name == "" {
		return nil
	}
	text, err := x.read(name)
	if err != nil {
		x.diags.Report(raw.Origin, argument, "Import that cannot be read", "%s: %s. Put the file there; it is named relative to the estate's folder.", name, plainError(err))
		return nil
	}
	b, _ := pem.Decode(text)
	switch {
	case kind == "" || b == nil:
		return text
	case b.Type != kind:
		x.diags.Report(raw.Origin, argument, "Import of another kind", "%s holds PEM of type %q, and %q is wanted here. Name the right file.", name, b.Type, kind)
	}
	return b.Bytes
}
