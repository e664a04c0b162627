package render

import (
	"encoding/pem"
	"fmt"

	"pki.internal/plan"
	"pki.internal/spec"
)

// trustPaths gives the files of ca.json's root and federatedRoots.
func trustPaths(o *spec.OnlineCA) (roots rootPaths, federated []string) {
	roots = rootPaths{rootPath}
	for _, a := range o.AdditionalRoots {
		roots = append(roots, additionalPath(a))
	}
	for _, a := range o.FederatedAuthorities {
		federated = append(federated, "certs/federated-"+a.Address.FileName()+".crt")
	}
	for i := range o.FederatedRoots {
		federated = append(federated, federatedPath(i))
	}
	return roots, federated
}

func additionalPath(a *spec.Authority) string { return "certs/root-" + a.Address.FileName() + ".crt" }

func federatedPath(i int) string { return fmt.Sprintf("certs/federated-file-%d.crt", i+1) }

// trustFiles are the certificates that clients are told to trust beside the
// online CA's own root.
func trustFiles(s plan.State, o *spec.OnlineCA) []plan.File {
	var files []plan.File
	add := func(path string, a *spec.Authority) {
		have, _ := s.Authority(a.Address) // Waiting has found it
		files = append(files, plan.File{Path: path, Mode: 0o644, Data: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: have.Certificate})})
	}
	for _, a := range o.AdditionalRoots {
		add(additionalPath(a), a)
	}
	for _, a := range o.FederatedAuthorities {
		add("certs/federated-"+a.Address.FileName()+".crt", a)
	}
	for i, f := range o.FederatedRoots {
		files = append(files, plan.File{Path: federatedPath(i), Mode: 0o644, Data: joinPEM([]spec.PEM{f})})
	}
	return files
}
