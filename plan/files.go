package plan

import (
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"pki.internal/spec"
)

// File is a derived file: its path below the estate's folder, with slashes,
// its mode and its bytes.
type File struct {
	Path string
	Mode fs.FileMode
	Data []byte
}

// Names of what an authority's derived files are called (a contract).
func certificateOutputs(a spec.Address, root bool) []string {
	base := "certs/" + a.FileName()
	if root {
		return []string{base + ".crt", base + ".cer"}
	}
	return []string{base + ".crt", base + ".cer", base + ".chain.pem"}
}

func crlOutputs(a spec.Address) []string {
	base := "crls/" + a.FileName() + ".crl"
	return []string{base, base + ".pem"}
}

// SumsName is the file with the digests of the others. sha256sum -c reads it,
// in the estate's folder.
const SumsName = "SHA256SUMS"

// Files gives every certificate and CRL file that the state stands for:
// certificates as PEM, DER and chain without the root; CRLs as DER and PEM; and
// their digests. They can always be made again.
func (s State) Files() []File {
	files := s.signedFiles()
	if len(files) == 0 {
		return nil
	}
	return append(files, File{SumsName, 0o644, sums(files)})
}

// sums gives the digests of files, by their paths.
func sums(files []File) []byte {
	var lines []string
	for _, f := range files {
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(f.Data), f.Path))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[66:], b[66:]) })
	return []byte(strings.Join(lines, ""))
}

// signedFiles gives the files of certificates and CRLs.
func (s State) signedFiles() []File {
	var files []File
	for _, a := range s.Authorities() {
		files = append(files, s.certificateFiles(a)...)
		if a.OCSP != nil {
			files = append(files, File{ocspOutput(a.Address), 0o644, a.OCSP.DER})
		}
		if a.CRL != nil {
			names := crlOutputs(a.Address)
			files = append(files,
				File{names[0], 0o644, a.CRL},
				File{names[1], 0o644, CRLPEM(a.CRL)})
			files = append(files, stackFiles(a)...)
		}
	}
	return files
}

func (s State) certificateFiles(a Authority) []File {
	if a.Certificate == nil {
		return nil
	}
	names := certificateOutputs(a.Address, a.Issuer == a.Address)
	files := []File{{names[0], 0o644, certificatePEM(a.Certificate)}, {names[1], 0o644, a.Certificate}}
	if len(names) > 2 {
		files = append(files, File{names[2], 0o644, s.ChainPEM(a.Address)})
	}
	return files
}

// ChainPEM gives the certificates from an authority up to its root, without
// the root, as PEM.
func (s State) ChainPEM(address spec.Address) []byte {
	var text []byte
	for a := s.authorities[address]; a.Certificate != nil && a.Issuer != a.Address; a = s.authorities[a.Issuer] {
		text = append(text, certificatePEM(a.Certificate)...)
	}
	return text
}

// Root gives the root above an authority.
func (s State) Root(address spec.Address) (Authority, bool) {
	a, ok := s.authorities[address]
	for ok && a.Certificate != nil && a.Issuer != a.Address {
		a, ok = s.authorities[a.Issuer]
	}
	return a, ok && a.Certificate != nil
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
