package spec

import (
	"fmt"
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
	case a.Key == nil && (i.KeyFile != "" || i.KeyID != "" || i.KeyLabel != ""):
		d.Report(i.Origin, "key", "Imported key without a store", "Nothing says in which key store the key is. Add a key block, or remove this when the key stays elsewhere.")
	case a.Key == nil || a.Key.Store == nil:
	case i.KeyFile == "" && i.KeyID == "" && i.KeyLabel == "": // the ledger has the key, or the plan says where it has to be
	case a.Key.Store.Token != nil && (i.KeyFile != "" || !hexPattern.MatchString(i.KeyID)):
		d.Report(i.Origin, "key_id", "Imported key that cannot be found", "%s.", i.Where(a.Key.Store))
	case a.Key.Store.Token == nil && (i.KeyID != "" || i.KeyLabel != ""):
		d.Report(i.Origin, "key_id", "Imported key that cannot be found", "%s.", i.Where(a.Key.Store))
	case a.Key.Store.Token == nil && !strings.HasPrefix(i.KeyFile, a.Key.Store.Path+"/"):
		d.Report(i.Origin, "key", "Imported key outside its store",
			"%q does not lie in %s. Copy the encrypted PKCS#8 file there, under the password of the store, and write key = \"%s/NAME.key\".", i.KeyFile, a.Key.Store.Path, a.Key.Store.Path)
	}
	if i.KeyFile != "" {
		localPath(d, i.Origin, "key", i.KeyFile)
	}
}

// Where says how an import names a key in a store of that kind.
func (i *Import) Where(store *KeyStore) string {
	if store.Token != nil {
		return "The key is on a token. Write key_id = \"…\", its CKA_ID in lower-case hex as pki token inspect shows it, and no key"
	}
	return fmt.Sprintf("The key is in a file store. Write key = \"%s/NAME.key\", and no key_id", store.Path)
}

// keyless reports whether nothing says where the authority's key is.
func (a *Authority) keyless() bool { return a.Key == nil && a.CSR == nil }

// External reports whether nothing of the authority is known but its
// certificate: nothing can be signed with its key here.
func (a *Authority) External() bool { return a.Import != nil && a.keyless() }

// CertifiedElsewhere reports whether somebody else signs the authority's
// certificates: it asks with a request, and takes in what comes back.
func (a *Authority) CertifiedElsewhere() bool { return a.Issuer != nil && a.Issuer.External() }
