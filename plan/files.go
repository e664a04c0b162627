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

// Names of what an authority's derived files are called (a contract): NAME
// is the newest certificate. One that has been replaced keeps the number of
// its generation and its own in it.
func certificateOutputs(a spec.Address, root bool) []string {
	return certificateNames("certs/"+a.FileName(), root)
}

func olderOutputs(a spec.Address, generation, number int, root bool) []string {
	return certificateNames(fmt.Sprintf("certs/%s.g%d-%d", a.FileName(), generation, number), root)
}

func certificateNames(base string, root bool) []string {
	if root {
		return []string{base + ".crt", base + ".cer"}
	}
	return []string{base + ".crt", base + ".cer", base + ".chain.pem"}
}

// crlOutputs names the list of one key. The name stays with the key, because
// it is published under the URL that the certificates of that key hold.
func crlOutputs(a spec.Address, generation int) []string {
	base := "crls/" + a.FileName()
	if generation > 1 {
		base += fmt.Sprintf(".g%d", generation)
	}
	return []string{base + ".crl", base + ".crl.pem"}
}

// CRLFile names the file of the list that one key of an authority signs, in
// DER.
func CRLFile(a spec.Address, generation int) string { return crlOutputs(a, generation)[0] }

// CertificateFile names the file of the newest certificate of a generation, in
// DER, "" when there is none.
func (s State) CertificateFile(a spec.Address, generation int) string {
	have, _ := s.Authority(a)
	g, _ := have.At(generation)
	last := len(g.Certificates) - 1
	if last < 0 {
		return ""
	}
	root := g.Certificates[last].Issuer == a
	if generation != have.Generation {
		return olderOutputs(a, generation, last+1, root)[1]
	}
	return certificateOutputs(a, root)[1]
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

// OutputsOf gives the files that an action made, but for keys. Those of one
// authority are found without making the files of all others.
func (s State) OutputsOf(a Action) []File {
	names := a.Outputs()
	if a.Key() != nil || len(names) == 0 {
		return nil
	}
	isOther := func(f File) bool { return !slices.Contains(names, f.Path) }
	if authority, known := s.Authority(a.Address); known {
		if files := slices.DeleteFunc(s.filesOf(authority), isOther); len(files) == len(names) {
			return files
		}
	}
	return slices.DeleteFunc(s.signedFiles(), isOther)
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
		files = append(files, s.filesOf(a)...)
	}
	return append(append(files, s.crossFiles()...), s.responderFiles()...)
}

func (s State) filesOf(a Authority) []File {
	var files []File
	if a.OCSP != nil {
		files = append(files, File{ocspOutput(a.Address), 0o644, a.OCSP.DER})
	}
	for _, g := range slices.Backward(a.Generations) {
		if g.Request != nil {
			files = append(files, File{requestOutput(a.Address), 0o644, requestPEM(g.Request)})
			break
		}
	}
	for _, g := range a.Generations {
		files = append(files, s.certificateFiles(a, g)...)
		if g.CRL == nil {
			continue
		}
		names := crlOutputs(a.Address, g.Number)
		files = append(files,
			File{names[0], 0o644, g.CRL},
			File{names[1], 0o644, CRLPEM(g.CRL)})
		files = append(files, stackFiles(a.as(g))...)
	}
	return files
}

func (s State) certificateFiles(a Authority, g Generation) []File {
	var files []File
	for i, c := range g.Certificates {
		root := c.Issuer == a.Address
		names := certificateOutputs(a.Address, root)
		if g.Number != a.Generation || i < len(g.Certificates)-1 {
			names = olderOutputs(a.Address, g.Number, i+1, root)
		}
		files = append(files, File{names[0], 0o644, certificatePEM(c.DER)}, File{names[1], 0o644, c.DER})
		if !root {
			files = append(files, File{names[2], 0o644, s.chainPEM(c)})
		}
	}
	return files
}

// ChainPEM gives the certificates from an authority up to its root, without
// the root, as PEM.
func (s State) ChainPEM(address spec.Address) []byte {
	a, _ := s.Authority(address)
	if a.Certificate == nil || a.Issuer == a.Address {
		return nil
	}
	return s.chainPEM(Issued{DER: a.Certificate, Issuer: a.Issuer, IssuerGeneration: a.IssuerGeneration})
}

func (s State) chainPEM(c Issued) []byte {
	var text []byte
	for {
		text = append(text, certificatePEM(c.DER)...)
		above, self := s.issuerOf(c)
		if above.DER == nil || self {
			return text
		}
		c = above
	}
}

// issuerOf gives the newest certificate of the key that signed another, and
// whether that one is a root's.
func (s State) issuerOf(c Issued) (above Issued, root bool) {
	a, _ := s.Authority(c.Issuer)
	g, _ := a.At(c.IssuerGeneration)
	if len(g.Certificates) == 0 {
		return Issued{}, false
	}
	above = g.Certificates[len(g.Certificates)-1]
	return above, above.Issuer == a.Address
}

// Root gives the root above an authority, as the generation that its chain
// leads to.
func (s State) Root(address spec.Address) (Authority, bool) {
	a, ok := s.Authority(address)
	for ok && a.Certificate != nil && a.Issuer != a.Address {
		above, known := s.Authority(a.Issuer)
		g, has := above.At(a.IssuerGeneration)
		if a, ok = above.as(g), known && has; !ok {
			return a, false
		}
	}
	return a, ok && a.Certificate != nil
}

// as gives the authority as one of its generations says it.
func (a Authority) as(g Generation) Authority {
	return Authority{Address: a.Address, HighestCRL: a.HighestCRL, Retired: a.Retired}.with(g)
}

// below lists the names of the chain files that change with a certificate of
// an authority: those of everything that its key has signed, and so on.
func (s State) below(address spec.Address, generation int) []string {
	var names []string
	for _, a := range s.Authorities() {
		if a.Address != address && a.Issuer == address && a.IssuerGeneration == generation && a.Certificate != nil {
			names = append(names, certificateOutputs(a.Address, false)[2])
			names = append(names, s.below(a.Address, a.Generation)...)
		}
	}
	return names
}

func requestPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
