package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"pki.internal/lint"
)

// Kinds of what is judged, as they are shown.
const (
	kindCertificate = "certificate"
	kindCRL         = "CRL"
	kindRequest     = "request"
	kindOCSP        = "OCSP response"
	kindSSH         = "SSH certificate"
	kindUnit        = "unit"
	kindEstate      = "estate"
	kindTree        = "step-ca tree"
	kindConfig      = "ca.json"
	kindTemplate    = "template"
	kindKey         = "key, not judged"
)

// gathered is one object of a file, or one step-ca tree.
type gathered struct {
	file   string // as the user knows it
	object string // which object of the file, where it holds several
	line   int    // where it begins; 0 where lines mean nothing
	kind   string
	der    []byte
	text   []byte // the whole file, for what is no DER
	mode   fs.FileMode
	tree   []lint.File
	estate lint.Estate // facts of an estate as a whole
}

func (g gathered) label() string {
	if g.object == "" {
		return g.file
	}
	return g.file + ", " + g.object
}

// maxObject bounds the files that a search through a folder opens: the largest
// CRLs there are have some tens of megabytes.
const maxObject = 64 << 20

// gather reads everything that is named.
func (b *bench) gather(names []string) ([]gathered, error) {
	var all []gathered
	for _, name := range names {
		found, err := b.gatherOne(name)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (b *bench) gatherOne(name string) ([]gathered, error) {
	if name == "-" {
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return nil, err
		}
		return objectsOf("-", text, 0o600), nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return b.gatherFolder(name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return objectsOf(name, text, info.Mode()), nil
}

// gatherFolder takes every folder that a step-ca starts in as one object, and
// besides every file that looks like something to judge.
func (b *bench) gatherFolder(name string) ([]gathered, error) {
	files, trees, err := walkFiles(name)
	if err != nil {
		return nil, err
	}
	var all []gathered
	for _, dir := range trees {
		tree, err := readTree(dir)
		if err != nil {
			return nil, err
		}
		all = append(all, gathered{file: dir, kind: kindTree, tree: tree})
	}
	if holdsEstate(name) {
		all = append(all, gathered{file: name, kind: kindWhole})
	}
	inTree := func(path string) bool {
		return slices.ContainsFunc(trees, func(dir string) bool { return strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/") || dir == "." })
	}
	for _, f := range files {
		text, err := os.ReadFile(f.path)
		if errors.Is(err, fs.ErrPermission) {
			fmt.Fprintf(b.app.stderr, "note: %s may not be read, so it was not judged\n", f.path)
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, g := range objectsOf(f.path, text, f.mode) {
			partOfTree := g.kind == kindConfig || g.kind == kindTemplate || g.kind == kindUnit
			if g.kind == kindKey || !worthJudging(g) || partOfTree && inTree(f.path) {
				continue
			}
			all = append(all, g)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no ca.json and no certificate, CRL, request, OCSP response, SSH certificate, template or unit; name a file, or a step-ca folder such as /etc/step-ca", name)
	}
	return all, nil
}

// foundFile is a file that a search came upon.
type foundFile struct {
	path string
	mode fs.FileMode
}

// walkFiles lists the files below a folder, and the folders in which a step-ca
// starts. Symbolic links to files are followed, as certificate stores and
// mounted secrets are made of them; of several names of one file, the first
// that is no digest counts.
func walkFiles(name string) (files []foundFile, trees []string, err error) {
	first := map[string]int{}
	digest := regexp.MustCompile(`^[0-9a-f]{8}\.r?[0-9]+$`)
	err = filepath.WalkDir(name, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) && p != name {
			return fs.SkipDir
		}
		if err != nil {
			return err
		}
		base := filepath.Base(p)
		if d.IsDir() {
			// Git's own files, a database's, and the folders behind a mounted secret.
			if p != name && (base == ".git" || base == "db" || strings.HasPrefix(base, "..")) {
				return fs.SkipDir
			}
			return nil
		}
		info, err := os.Stat(p)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxObject {
			return nil // a link to nothing, a socket, or a file without end
		}
		if base == "ca.json" {
			dir := filepath.Dir(p)
			if filepath.Base(dir) == "config" && dir != filepath.Clean(name) {
				dir = filepath.Dir(dir)
			}
			trees = append(trees, dir)
		}
		real, err := filepath.EvalSymlinks(p)
		if err != nil {
			return nil
		}
		if i, known := first[real]; known {
			if digest.MatchString(filepath.Base(files[i].path)) {
				files[i].path = p
			}
			return nil
		}
		first[real] = len(files)
		files = append(files, foundFile{p, info.Mode()})
		return nil
	})
	return files, trees, err
}

// worthJudging says whether an object that was found, and not named, is one:
// what cannot be told must at least be called like one.
func worthJudging(g gathered) bool {
	if g.kind != "" {
		return g.kind != kindUnit || bytes.Contains(g.text, []byte("step-ca"))
	}
	known := []string{".crt", ".cer", ".der", ".crl", ".csr", ".p10", ".p7b", ".p7c", ".ocsp"}
	armoured := func(what string) bool {
		return bytes.HasPrefix(g.text, []byte(what)) || bytes.Contains(g.text, []byte("\n"+what))
	}
	return slices.Contains(known, strings.ToLower(filepath.Ext(g.file))) || armoured("-----BEGIN CERT") || armoured("-----BEGIN X509 CRL")
}

// objectsOf tells what is in a file. An object that nobody knows has no kind,
// and is judged as a certificate, which says what is wrong with it.
func objectsOf(name string, text []byte, mode fs.FileMode) []gathered {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // as some editors begin a file
	whole := func(kind string) []gathered {
		return []gathered{{file: name, kind: kind, text: text, mode: mode}}
	}
	switch {
	case strings.HasSuffix(name, ".pki.hcl"):
		return whole(kindEstate)
	case strings.HasSuffix(name, ".service"), lint.IsUnit(text):
		return whole(kindUnit)
	case lint.IsSSH(text):
		return whole(kindSSH)
	case isConfig(name, text):
		return whole(kindConfig)
	case lint.IsTemplate(name, text):
		return whole(kindTemplate)
	}
	ders, types, lines := splitLines(text)
	var all []gathered
	for i, der := range ders {
		for _, one := range unwrap(der, types[i]) {
			one.file, one.line, one.mode = name, lines[i], mode
			if one.kind == "" {
				one.text = text
			}
			all = append(all, one)
		}
	}
	judgeable := slices.DeleteFunc(slices.Clone(all), func(g gathered) bool { return g.kind == kindKey })
	if len(judgeable) > 0 {
		all = judgeable
	}
	for i := range all {
		if len(all) > 1 {
			all[i].object = fmt.Sprintf("object %d", i+1)
		}
	}
	return all
}

// isConfig says whether a file is step-ca's configuration.
func isConfig(name string, text []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return filepath.Base(name) == "ca.json"
	}
	has := func(key string) bool {
		for member := range members {
			if strings.EqualFold(member, key) {
				return true
			}
		}
		return false
	}
	return filepath.Base(name) == "ca.json" || has("authority") && (has("crt") || has("key") || has("dnsNames") || has("address"))
}

// unwrap tells the kind of an object, by its PEM type or by its shape, and
// takes bundles apart.
func unwrap(der []byte, pemType string) []gathered {
	one := func(kind string) []gathered { return []gathered{{kind: kind, der: der}} }
	switch {
	case strings.Contains(pemType, "KEY"), strings.Contains(pemType, "PARAMETERS"):
		return one(kindKey)
	case strings.Contains(pemType, "OCSP"):
		return one(kindOCSP)
	case strings.Contains(pemType, "REQUEST"):
		return one(kindRequest)
	case strings.Contains(pemType, "CRL"):
		return one(kindCRL)
	case pemType == "TRUSTED CERTIFICATE":
		return []gathered{{kind: kindCertificate, der: lint.First(der)}}
	case strings.Contains(pemType, "CERTIFICATE"):
		return one(kindCertificate)
	}
	if inner := lint.Unwrap(der); len(inner) > 0 {
		var all []gathered
		for _, i := range inner {
			all = append(all, unwrap(i, "")...)
		}
		return all
	}
	switch lint.KindOf(der) {
	case lint.ObjectCertificate:
		return one(kindCertificate)
	case lint.ObjectCRL:
		return one(kindCRL)
	case lint.ObjectCSR:
		return one(kindRequest)
	case lint.ObjectOCSP:
		return one(kindOCSP)
	}
	return one("")
}

// split takes PEM apart; anything else is one DER object.
func split(text []byte) (ders [][]byte, types []string) {
	ders, types, _ = splitLines(text)
	return ders, types
}

// splitLines is split with the line at which each object begins. DER that was
// written in base64 without armour is read, too.
func splitLines(text []byte) (ders [][]byte, types []string, lines []int) {
	line, at := 1, 0
	for rest := text; ; {
		block, after := pem.Decode(rest)
		if block == nil {
			break
		}
		used := text[at : len(text)-len(after)]
		begin := bytes.Index(used, []byte("-----BEGIN"))
		ders, types = append(ders, block.Bytes), append(types, block.Type)
		lines = append(lines, line+bytes.Count(used[:max(begin, 0)], []byte("\n")))
		line += bytes.Count(used, []byte("\n"))
		at, rest = len(text)-len(after), after
	}
	if len(ders) > 0 {
		return ders, types, lines
	}
	bare := bytes.Join(bytes.Fields(text), nil)
	if der, err := base64.StdEncoding.DecodeString(string(bare)); err == nil && len(der) > 0 && lint.KindOf(der) != "" {
		return [][]byte{der}, []string{""}, []int{0}
	}
	return [][]byte{text}, []string{""}, []int{0}
}

// maxTree bounds a step-ca tree: configuration, certificates and templates.
const maxTree = 1000

// readTree reads a folder as step-ca would see it, without its database. What
// may not be read is there without content, as keys are for who does not run
// step-ca.
func readTree(dir string) ([]lint.File, error) {
	files, _, err := walkFiles(dir)
	if err != nil {
		return nil, err
	}
	if len(files) > maxTree {
		return nil, fmt.Errorf("%s holds more than %d files; name the step-ca folder itself", dir, maxTree)
	}
	var tree []lint.File
	for _, f := range files {
		data, err := os.ReadFile(f.path)
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		name, err := filepath.Rel(dir, f.path)
		if err != nil {
			return nil, err
		}
		tree = append(tree, lint.File{Path: filepath.ToSlash(name), Mode: f.mode, Data: data})
	}
	return tree, nil
}
