package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"pki.internal/hsm/filestore"
	"pki.internal/plan"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// commands are the words of scripts beside testscript's own:
//
//	exitcode N COMMAND…      run it; its exit code must be N
//	jsonfield FILE [PATH [VALUE]]
//	                         FILE is one JSON object, and has VALUE at PATH
//	says TEXT                standard error has TEXT, however its lines are broken
//	masked FILE              write FILE to stdout, hashes and words as xx
//	tree DIR                 write the mode and path of each file to stdout
//	replace FILE OLD NEW     change the one place where OLD stands
//	flip FILE OFFSET         turn one bit; below zero counts from the end
//	reseal PLAN PATH VALUE   change one value of canonical JSON, encode and sum it again
//	request FILE KIND        a certificate request, sound or with a fault
//	forge LEDGER KIND        add an entry of a kind, with the right hashes
//	softhsm DIR              a SoftHSM of the script's own, with its tokens in DIR
//	planned EXAMPLE DIR      an estate with plan.json, made by pki itself
//	held EXAMPLE DIR         the same after its ceremony
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exitcode": exitcode, "jsonfield": jsonfield, "says": says, "masked": masked, "tree": listTree,
		"replace": replace, "flip": flip, "reseal": reseal, "forge": forge, "request": request,
		"softhsm": softHSM,
		"planned": func(ts *testscript.TestScript, _ bool, args []string) { copyEstate(ts, args, false) },
		"held":    func(ts *testscript.TestScript, _ bool, args []string) { copyEstate(ts, args, true) },
	}
}

func usage(ts *testscript.TestScript, neg, bad bool, text string) {
	if neg || bad {
		ts.Fatalf("usage: %s", text)
	}
}

func exitcode(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) < 2, "exitcode N COMMAND…")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == want:
	case err == nil && want == 0:
	case err == nil:
		ts.Fatalf("exit code 0, want %d", want)
	default:
		ts.Fatalf("%v, want exit code %d", err, want)
	}
}

func jsonfield(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg && len(args) != 2, len(args) < 1 || len(args) > 3, "jsonfield FILE [PATH [VALUE]]")
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	d.UseNumber()
	object := map[string]any{}
	if err := d.Decode(&object); err != nil {
		ts.Fatalf("%s is not a JSON object: %v", args[0], err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		ts.Fatalf("%s holds more than one JSON object", args[0])
	}
	if len(args) == 1 {
		return
	}
	value, err := walk(object, args[1])
	switch {
	case neg && err == nil:
		ts.Fatalf("%s has %s: %v", args[0], args[1], *value.at)
	case neg:
		return
	}
	ts.Check(err)
	if len(args) == 2 {
		return
	}
	have := fmt.Sprint(*value.at)
	if _, isText := (*value.at).(string); !isText {
		text, err := json.Marshal(*value.at)
		ts.Check(err)
		have = string(text)
	}
	if have != args[2] {
		ts.Fatalf("%s is %s, want %s", args[1], have, args[2])
	}
}

// place is where in a JSON value something stands.
type place struct {
	at  *any
	set func(any)
}

// walk follows a path such as result.plan.actions.0.kind; len is a list's
// length.
func walk(value any, path string) (place, error) {
	p := place{at: &value}
	for _, name := range strings.Split(path, ".") {
		switch v := (*p.at).(type) {
		case map[string]any:
			found, has := v[name]
			if !has {
				return p, fmt.Errorf("%s: there is no %q among %v", path, name, slices.Sorted(maps.Keys(v)))
			}
			p = place{&found, func(to any) { v[name] = to }}
		case []any:
			if name == "len" {
				var n any = len(v)
				return place{at: &n}, nil
			}
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return p, fmt.Errorf("%s: a list of %d has no place %q", path, len(v), name)
			}
			p = place{&v[i], func(to any) { v[i] = to }}
		default:
			return p, fmt.Errorf("%s: nothing below %v", path, *p.at)
		}
	}
	return p, nil
}

// margins are what a message's lines begin and end with.
var margins = regexp.MustCompile(`\s*\n[\s│]*`)

func says(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, false, len(args) != 1, "says TEXT")
	if has := strings.Contains(margins.ReplaceAllString(ts.ReadFile("stderr"), " "), args[0]); has == neg {
		ts.Fatalf("standard error says %q: %t", args[0], has)
	}
}

// spoken matches what differs from run to run: long hex, and lines of words.
var spoken = regexp.MustCompile(`\b[0-9a-f]{16,}\b|(?m)^  ([A-Za-z]+ +){7}[A-Za-z]+$`)

func masked(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) != 1, "masked FILE")
	text := strings.ReplaceAll(ts.ReadFile(args[0]), ts.Getenv("WORK"), "$WORK")
	_, err := io.WriteString(ts.Stdout(), spoken.ReplaceAllString(text, "xx"))
	ts.Check(err)
}

func listTree(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) != 1, "tree DIR")
	lines, err := listing(ts.MkAbs(args[0]))
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), strings.Join(lines, "\n"))
}

// listing gives the mode and path of every file below a folder.
func listing(dir string) ([]string, error) {
	var lines []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			lines = append(lines, fmt.Sprintf("%v %s", info.Mode(), p))
		}
		return err
	})
	return lines, err
}

func replace(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) != 3, "replace FILE OLD NEW")
	name, text := ts.MkAbs(args[0]), ts.ReadFile(args[0])
	if n := strings.Count(text, args[1]); n != 1 {
		ts.Fatalf("%q stands %d times in %s", args[1], n, args[0])
	}
	ts.Check(os.WriteFile(name, []byte(strings.Replace(text, args[1], args[2], 1)), 0o644))
}

func flip(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) != 2, "flip FILE OFFSET")
	name, text := ts.MkAbs(args[0]), []byte(ts.ReadFile(args[0]))
	i, err := strconv.Atoi(args[1])
	ts.Check(err)
	if i < 0 {
		i += len(text)
	}
	text[i] ^= 1
	ts.Check(os.WriteFile(name, text, 0o644))
}

func reseal(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) != 3, "reseal PLAN PATH VALUE")
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	d.UseNumber()
	var p, value any
	ts.Check(d.Decode(&p))
	if err := json.Unmarshal([]byte(args[2]), &value); err != nil {
		value = args[2]
	}
	found, err := walk(p, args[1])
	ts.Check(err)
	if fmt.Sprint(*found.at) == fmt.Sprint(value) {
		ts.Fatalf("%s is %v already", args[1], value)
	}
	found.set(value)
	if members, ok := p.(map[string]any); ok && members["sum"] != nil {
		members["sum"] = ""
		open, err := plan.Canonical(members)
		ts.Check(err)
		members["sum"] = sha256Hex(open)
	}
	text, err := plan.Canonical(p)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o644))
}

// copyEstate gives a script an estate of its own. The first one of a kind is
// made by the program; the others are copies.
func copyEstate(ts *testscript.TestScript, args []string, ceremony bool) {
	usage(ts, false, len(args) != 2, "planned|held EXAMPLE DIR")
	from, err := estates.of(args[0], ceremony)
	ts.Check(err)
	ts.Check(copyTree(from, ts.MkAbs(args[1])))
}

// estates are made once for all tests, on the day that scripts take place.
var estates = estateCache{made: map[string]func() (string, error){}}

type estateCache struct {
	sync.Mutex
	dir  string
	made map[string]func() (string, error)
}

// of gives the folder of an estate, which must not be changed.
func (c *estateCache) of(example string, ceremony bool) (string, error) {
	c.Lock()
	if c.dir == "" {
		var err error
		if c.dir, err = os.MkdirTemp("", "pki-estates"); err != nil {
			c.Unlock()
			return "", err
		}
	}
	name := filepath.Join(c.dir, fmt.Sprintf("%s-%t", example, ceremony))
	if c.made[name] == nil {
		c.made[name] = sync.OnceValues(func() (string, error) { return name, c.make(example, name, ceremony) })
	}
	made := c.made[name]
	c.Unlock()
	return made()
}

func (c *estateCache) make(example, dir string, ceremony bool) error {
	if !ceremony {
		if out, err := pki(nil, "init", "--example", example, dir); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		out, err := pki(nil, "-C", dir, "plan", "--out", filepath.Join(dir, "plan.json"))
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	}
	from, err := c.of(example, false)
	if err != nil {
		return err
	}
	if err := copyTree(from, dir); err != nil {
		return err
	}
	if out, err := pki(nil, "-C", dir, "apply", filepath.Join(dir, "plan.json"), "--yes"); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// copyTree copies a folder with its modes. The new folder must not exist.
func copyTree(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s is already there", to)
	}
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// pki runs the program and gives all that it says.
func pki(env []string, args ...string) (string, error) {
	c := exec.Command("pki", args...)
	c.Env = append(append(os.Environ(), envNow+"="+today, "NO_COLOR=1"), env...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.String(), err
}

// estate gives a test a copy of an estate.
func estate(t *testing.T, example string, ceremony bool) string {
	t.Helper()
	from, err := estates.of(example, ceremony)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "estate")
	if err := copyTree(from, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// must runs the program and expects it to succeed.
func must(t *testing.T, env []string, args ...string) string {
	t.Helper()
	out, err := pki(env, args...)
	if err != nil {
		t.Fatalf("pki %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// request writes a certificate request with the wanted fault.
func request(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) < 2 || len(args) > 4, "request FILE sound|forged|rsa1024|preview|key [KEY PASSWORDFILE]")
	var signer crypto.Signer
	var err error
	switch args[1] {
	case "rsa1024":
		signer, err = rsa.GenerateKey(rand.Reader, 1024)
	case "preview":
		signer, err = tbs.PreviewKey(spec.ECDSAP384, 0)
	case "key":
		signer, err = filestore.Decrypt([]byte(ts.ReadFile(args[2])), bytes.TrimSpace([]byte(ts.ReadFile(args[3]))))
	default:
		signer, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	ts.Check(err)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "asked"}}, signer)
	ts.Check(err)
	if args[1] == "forged" {
		der[len(der)-1] ^= 1
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), 0o644))
}

// forge adds an entry that follows from the one above as the law of the form
// says, and holds nothing but its kind.
func forge(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) != 2, "forge LEDGER KIND")
	text := ts.ReadFile(args[0])
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var last struct{ Head string }
	ts.Check(json.Unmarshal([]byte(lines[len(lines)-1]), &last))
	fact := map[string]any{"kind": args[1], "time": today, "audience": "public"}
	if args[1] == string(plan.CeremonyFinished) {
		fact[args[1]] = plan.Finished{}
	}
	canonical, err := plan.Canonical(fact)
	ts.Check(err)
	salt := make([]byte, 16)
	commitment := sha256.Sum256(append(bytes.Clone(salt), canonical...))
	leaf := sha256.Sum256(append([]byte{0, 0}, commitment[:]...))
	above, err := hex.DecodeString(last.Head)
	ts.Check(err)
	head := sha256.Sum256(slices.Concat([]byte{2}, above, leaf[:]))
	line, err := plan.Canonical(map[string]any{
		"n": len(lines) + 1, "leaf": hex.EncodeToString(leaf[:]), "head": hex.EncodeToString(head[:]), "salt": salt, "fact": fact,
	})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text+string(line)+"\n"), 0o644))
}
