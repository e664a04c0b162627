package spec

import (
	"regexp"
	"strings"
)

// Import says what an authority brings with it that was made by other
// software: it is adopted as it is, and nothing is signed for that.
type Import struct {
	Origin
	Path        string // of the certificate
	Certificate []byte // DER
	CRLPath     string
	CRL         []byte // DER of the last list, nil when there is none
	IndexPath   string
	Index       []byte // openssl's index.txt, nil when there is none
	KeyFile     string // below a file store's path, relative to the estate
	KeyID       string // CKA_ID on a token, hex
	KeyLabel    string // CKA_LABEL on a token
}

var hexPattern = regexp.MustCompile(`^([0-9a-f]{2})+$`)

// validateImport holds an import block against where the key is said to be.
func (a *Authority) validateImport(d *Diagnostics) {
	i := a.Import
	if i == nil {
		return
	}
	switch {
	case a.CSR != nil:
		d.Report(i.Origin, "", "Import beside a request", "%s comes with a certificate already, so it needs no csr. Remove one of them.", a.Address)
	case a.Key == nil && (i.KeyFile != "" || i.KeyID != "" || i.KeyLabel != ""):
		d.Report(i.Origin, "key", "Imported key without a store", "Nothing says in which key store the key is. Add a key block, or remove this when the key stays elsewhere.")
	case a.Key == nil || a.Key.Store == nil:
	case a.Key.Store.Token != nil && (i.KeyFile != "" || !hexPattern.MatchString(i.KeyID)):
		d.Report(i.Origin, "key_id", "Imported key that cannot be found",
			"The key is on a token. Write key_id = \"…\", its CKA_ID in lower-case hex as pki token inspect shows it, and no key.")
	case a.Key.Store.Token == nil && (i.KeyID != "" || i.KeyLabel != ""):
		d.Report(i.Origin, "key_id", "Imported key that cannot be found", "The key is in a file store. Write key = \"%s/NAME.key\", and no key_id.", a.Key.Store.Path)
	case a.Key.Store.Token == nil && !strings.HasPrefix(i.KeyFile, a.Key.Store.Path+"/"):
		d.Report(i.Origin, "key", "Imported key outside its store",
			"%q does not lie in %s. Copy the encrypted PKCS#8 file there, under the password of the store, and write key = \"%s/NAME.key\".", i.KeyFile, a.Key.Store.Path, a.Key.Store.Path)
	}
	if i.KeyFile != "" {
		localPath(d, i.Origin, "key", i.KeyFile)
	}
}

// keyless reports whether nothing says where the authority's key is.
func (a *Authority) keyless() bool { return a.Key == nil && a.CSR == nil }
