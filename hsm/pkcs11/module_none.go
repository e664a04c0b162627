//go:build !cgo || !(linux || darwin || freebsd)

package pkcs11

// module is the twin of the one that loads vendors' code: this build cannot.
type module struct{}

func newModule([]byte) *module { return &module{} }

func (*module) perform(*request, []byte) (*reply, error) {
	return nil, fault{Kind: "unsupported", Text: noPKCS11}
}
