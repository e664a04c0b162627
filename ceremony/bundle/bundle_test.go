package bundle_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"pki.internal/ceremony/bundle"
	"pki.internal/plan"
)

func files(names ...string) []plan.File {
	var all []plan.File
	for _, name := range names {
		all = append(all, plan.File{Path: name, Data: []byte(strings.Repeat(name+"\n", 50))})
	}
	return all
}

func manifest(kind bundle.Kind) bundle.Manifest {
	m := bundle.Manifest{Kind: kind, Estate: "acme", Environment: "lab", Audience: plan.Confidential, Ledger: plan.EmptyHead()}
	if kind == bundle.ToCeremony {
		m.Plan = "plan.json"
	}
	return m
}

func write(t testing.TB, m bundle.Manifest, all []plan.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bundle.Write(&b, m, all); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var input = []string{"plan.json", "main.pki.hcl", "csr/eu.csr", "templates/x509/leaf.tpl", "ledger.jsonl", "csr/eu-2.csr"}

func TestRoundTrip(t *testing.T) {
	all := files(input...)
	text := write(t, manifest(bundle.ToCeremony), all)
	b, err := bundle.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	if len(b.Files) != len(all) || b.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("%d files, digest %s", len(b.Files), b.SHA256)
	}
	for _, f := range all {
		if have, found := b.File(f.Path); !found || !bytes.Equal(have.Data, f.Data) || have.Mode != 0o644 {
			t.Errorf("%s: %t, %q", f.Path, found, have.Data)
		}
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	if again := write(t, manifest(bundle.ToCeremony), all); !bytes.Equal(again, text) {
		t.Error("the order in which files are given changes the bundle")
	}
}

// TestTarReadsIt lists and unpacks a bundle with the system's tar.
func TestTarReadsIt(t *testing.T) {
	c := exec.Command("tar", "-tvf", "-")
	c.Stdin = bytes.NewReader(write(t, manifest(bundle.ToCeremony), files(input...)))
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(input)+1 || !strings.HasSuffix(lines[0], " "+bundle.ManifestName) || strings.Count(string(out), "-rw-r--r--") != len(lines) {
		t.Errorf("%s", out)
	}
}

// TestEveryByteCounts flips and cuts a bundle everywhere: it is read whole and
// right, or not at all.
func TestEveryByteCounts(t *testing.T) {
	text := write(t, manifest(bundle.FromCeremony), files("ledger.jsonl", "certs/a.crt"))
	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 1 << (i % 8)
		if _, err := bundle.Read(bytes.NewReader(changed)); err == nil {
			t.Fatalf("byte %d of %d does not matter", i, len(text))
		}
		if _, err := bundle.Read(bytes.NewReader(text[:i])); err == nil {
			t.Fatalf("%d of %d bytes are a bundle", i, len(text))
		}
	}
	if _, err := bundle.Read(bytes.NewReader(append(text, 0))); err == nil {
		t.Error("bytes after the end")
	}
}

// archive writes a tar file as a stranger would, with a manifest that names
// what files say.
func archive(t *testing.T, change func(*tar.Header), more ...tar.Header) []byte {
	t.Helper()
	honest := write(t, manifest(bundle.FromCeremony), files("certs/a.crt", "ledger.jsonl"))
	r := tar.NewReader(bytes.NewReader(honest))
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == "certs/a.crt" {
			change(h)
		}
		if h.Typeflag != tar.TypeReg {
			h.Size, data = 0, nil
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range more {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestHostileArchives are tar files that another reader would unpack.
func TestHostileArchives(t *testing.T) {
	if _, err := bundle.Read(bytes.NewReader(archive(t, func(*tar.Header) {}))); err != nil {
		t.Fatalf("the archive without a change: %v", err)
	}
	for name, change := range map[string]func(*tar.Header){
		"symbolic link": func(h *tar.Header) { h.Typeflag, h.Linkname = tar.TypeSymlink, "/etc/passwd" },
		"hard link":     func(h *tar.Header) { h.Typeflag, h.Linkname = tar.TypeLink, "ledger.jsonl" },
		"device":        func(h *tar.Header) { h.Typeflag, h.Devmajor = tar.TypeBlock, 8 },
		"fifo":          func(h *tar.Header) { h.Typeflag = tar.TypeFifo },
		"folder":        func(h *tar.Header) { h.Typeflag, h.Name = tar.TypeDir, "certs/a.crt/" },
		"other name":    func(h *tar.Header) { h.Name = "certs/b.crt" },
		"dots":          func(h *tar.Header) { h.Name = "certs/../a.crt" },
		"absolute":      func(h *tar.Header) { h.Name = "/certs/a.crt" },
		"mode":          func(h *tar.Header) { h.Mode = 0o4755 },
		"owner":         func(h *tar.Header) { h.Uname = "root" },
		"date":          func(h *tar.Header) { h.ModTime = time.Unix(1, 0) },
		"long name":     func(h *tar.Header) { h.Name, h.Format = "certs/"+strings.Repeat("a", 200), tar.FormatPAX },
		"records":       func(h *tar.Header) { h.PAXRecords, h.Format = map[string]string{"comment": "x"}, tar.FormatPAX },
	} {
		if _, err := bundle.Read(bytes.NewReader(archive(t, change))); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	more := tar.Header{Typeflag: tar.TypeReg, Name: "certs/a.crt", Mode: 0o644, ModTime: time.Unix(0, 0)}
	if _, err := bundle.Read(bytes.NewReader(archive(t, func(*tar.Header) {}, more))); err == nil {
		t.Error("a file twice: accepted")
	}
}

// TestPaths are names that a bundle never has.
func TestPaths(t *testing.T) {
	for _, name := range []string{
		"", ".", "..", "../a", "a/../b", "/etc/passwd", "a//b", "a/", "./a", `a\b`, "C:a", "a\x00b", "a\nb", "é.crt", "a*",
		".git/hooks/pre-commit", "a/.ssh/config", ".hidden", "a.", "a /b", " a", bundle.ManifestName,
		strings.Repeat("a", 101), strings.Repeat("a/", 200) + "b",
	} {
		var b bytes.Buffer
		if err := bundle.Write(&b, manifest(bundle.ToCeremony), append(files("plan.json"), plan.File{Path: name})); err == nil {
			t.Errorf("%q: accepted", name)
		}
	}
	for _, names := range [][]string{{"a", "a"}, {"a", "A"}, {"a", "a/b"}, {"A/b", "a"}, {"A/b", "a/c"}, {"x/A/b", "x/a/c"}} {
		var b bytes.Buffer
		if err := bundle.Write(&b, manifest(bundle.ToCeremony), append(files("plan.json"), files(names...)...)); err == nil {
			t.Errorf("%q: accepted", names)
		}
	}
	for _, name := range []string{"main.pki.hcl", "keys/root.key", "rendered/us/config/ca.json", "certsx"} {
		var b bytes.Buffer
		if err := bundle.Write(&b, manifest(bundle.FromCeremony), files(name)); err == nil {
			t.Errorf("%q comes back from a ceremony", name)
		}
	}
}

// TestManifests are lists that say too much, too little, or lie about sizes.
func TestManifests(t *testing.T) {
	honest := string(write(t, manifest(bundle.ToCeremony), files("plan.json")))
	for name, change := range map[string][2]string{
		"other form":     {"pki-bundle/1", "pki-bundle/2"},
		"unknown key":    {`"estate"`, `"estatE"`},
		"unknown kind":   {`"to_ceremony"`, `"at_ceremony"`},
		"other way":      {`"to_ceremony"`, `"from_ceremony"`},
		"negative size":  {`"size":500`, `"size":-00`},
		"huge size":      {`"size":500`, `"size":9e15`},
		"other plan":     {`"plan":"plan.json"`, `"plan":"plam.json"`},
		"no audience":    {`"confidential"`, `"confidentials"`},
		"missing estate": {`"estate":"acme"`, `"estate":""`},
	} {
		if !strings.Contains(honest, change[0]) {
			t.Fatalf("%s: %q is not there", name, change[0])
		}
		if _, err := bundle.Read(strings.NewReader(strings.Replace(honest, change[0], change[1], 1))); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestLyingSizeCostsNoMemory names a gigabyte and brings a few bytes.
func TestLyingSizeCostsNoMemory(t *testing.T) {
	text := write(t, manifest(bundle.FromCeremony), files("ledger.jsonl"))
	head := bytes.Clone(text[:512])
	copy(head[124:135], "00040000000")
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := bundle.Read(bytes.NewReader(head)); err == nil {
			t.Error("accepted")
		}
	})
	if allocated > 1000 {
		t.Errorf("%f allocations", allocated)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, manifest(bundle.FromCeremony), files("ledger.jsonl", "certs/a.crt")))
	f.Add(write(f, manifest(bundle.ToCeremony), files("plan.json")))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := bundle.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := bundle.Write(&again, b.Manifest, b.Files); err != nil || !bytes.Equal(again.Bytes(), text) {
			t.Errorf("it is written otherwise than read (%v)", err)
		}
	})
}
