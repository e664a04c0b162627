package shamir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/plugin"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the test vectors; they are frozen, so only a new format may")

// TestWordList holds the list to the one that the world knows.
func TestWordList(t *testing.T) {
	if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(wordList))); sum != "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda" {
		t.Errorf("SHA-256 %s", sum)
	}
	if !strings.Contains(Decoder, "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda") {
		t.Error("the printed decoder names another list")
	}
	starts := map[string]bool{}
	for _, w := range words() {
		starts[w[:min(distinct, len(w))]] = true
	}
	if len(words()) != 1<<wordBits || len(starts) != 1<<wordBits || !slices.IsSorted(words()) {
		t.Errorf("%d words, %d beginnings", len(words()), len(starts))
	}
}

// vector is one frozen set: whoever writes another program checks it with
// these.
type vector struct {
	Name      string        `json:"name"`
	Stream    string        `json:"stream"` // name of the randomness: block i is SHA-256(name ‖ i as 4 bytes)
	SecretHex string        `json:"secret_hex"`
	Threshold int           `json:"threshold"`
	Holders   []string      `json:"holders"`
	Purpose   string        `json:"purpose"`
	Set       setJSON       `json:"set"`
	Shares    []vectorShare `json:"shares"`
}

type vectorShare struct {
	JSON  shareJSON `json:"json"`
	QR    string    `json:"qr"`
	Words []string  `json:"words"`
}

// TestVectors writes the forms of known secrets with known randomness.
func TestVectors(t *testing.T) {
	var vectors []vector
	for _, v := range []vector{
		{Name: "2 of 3, short", Stream: "vector 1", SecretHex: hex.EncodeToString([]byte("correct horse")), Threshold: 2, Holders: people(3), Purpose: "root_pin"},
		{Name: "3 of 5, a full class", Stream: "vector 2", SecretHex: hex.EncodeToString([]byte("8hw2m0y4q9zr7c5kx1dn3tjv6fbgapes")), Threshold: 3, Holders: people(5), Purpose: "estate acme: secret.root_pin"},
		{Name: "2 of 2, binary, names beyond ASCII", Stream: "vector 3", SecretHex: "00ff00" + strings.Repeat("00", 62), Threshold: 2, Holders: []string{"Zoë Ångström", "李雷"}, Purpose: "Schlüssel"},
	} {
		secret, err := hex.DecodeString(v.SecretHex)
		if err != nil {
			t.Fatal(err)
		}
		set, shares, err := Split(&stream{name: v.Stream}, secret, Policy{v.Threshold, v.Holders, v.Purpose})
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(set.Encode(), &v.Set); err != nil {
			t.Fatal(err)
		}
		for _, s := range shares {
			one := vectorShare{QR: s.QR(), Words: s.Words()}
			if err := json.Unmarshal(s.JSON(), &one.JSON); err != nil {
				t.Fatal(err)
			}
			v.Shares = append(v.Shares, one)
		}
		vectors = append(vectors, v)
	}
	name := filepath.Join("testdata", "vectors.json")
	if *update {
		if err := os.WriteFile(name, encodeJSON(vectors), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	frozen, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(frozen, encodeJSON(vectors)) {
		t.Fatal("what is written differs from the frozen vectors: sheets that people hold could not be read")
	}
	readVectors(t, frozen)
}

// readVectors reads back what is frozen, in every form.
func readVectors(t *testing.T, frozen []byte) {
	var vectors []vector
	if err := json.Unmarshal(frozen, &vectors); err != nil || len(vectors) != 3 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	for _, v := range vectors {
		set, err := ReadSet(encodeJSON(v.Set))
		if err != nil {
			t.Fatal(err)
		}
		var shares []*Share
		for _, s := range v.Shares {
			for _, text := range []string{s.QR, string(encodeJSON(s.JSON)), strings.Join(s.Words, "\n")} {
				r, err := Read([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				shares = append(shares, r.Share)
			}
			if !shares[len(shares)-1].Equal(shares[len(shares)-2]) || !shares[len(shares)-1].Equal(shares[len(shares)-3]) {
				t.Fatal("the forms of one share differ")
			}
			shares = shares[:len(shares)-2]
		}
		if err := set.Prove(shares); err != nil {
			t.Fatal(err)
		}
		secret, err := Combine(shares[len(shares)-v.Threshold:], Use{Purpose: v.Purpose, Set: set})
		if err != nil || hex.EncodeToString(secret) != v.SecretHex {
			t.Errorf("%s: %x, %v", v.Name, secret, err)
		}
	}
}

// TestDecoder recovers with the other program, from words alone.
func TestDecoder(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 here")
	}
	for _, secret := range []string{"correct horse", strings.Repeat("x", 33), strings.Repeat("y", 128)} {
		_, shares := split(t, secret, 3, 5)
		dir := t.TempDir()
		args := []string{"recover.py", "words.txt"}
		for i, s := range shares[1:4] {
			name, text := filepath.Join(dir, s.Holder), s.Text()
			if i == 2 {
				text = []byte(abbreviated(s.Words()))
			}
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, name)
		}
		out, err := exec.Command(python, args...).Output()
		if err != nil || string(out) != secret {
			t.Fatalf("%q, %v", out, err)
		}
		if out, err := exec.Command(python, args[:4]...).CombinedOutput(); err == nil || !strings.Contains(string(out), "3 different shares") {
			t.Fatalf("with two: %q, %v", out, err)
		}
		lines := strings.Replace(string(shares[1].Text()), " "+strings.Fields(shares[1].Words()[7])[2]+" ", " zoo ", 1)
		if err := os.WriteFile(args[2], []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(python, args...).CombinedOutput(); err == nil || !strings.Contains(string(out), "checksum does not hold") {
			t.Fatalf("with a wrong word: %q, %v", out, err)
		}
	}
}

// TestEveryCharacter changes, drops and doubles every character of every form:
// the share must come back as it was, or not at all.
func TestEveryCharacter(t *testing.T) {
	_, shares := split(t, "secret", 2, 3)
	s := shares[1]
	for _, form := range forms {
		text, err := s.Write(form)
		if err != nil {
			t.Fatal(err)
		}
		refused, same := 0, 0
		for i := range text {
			for _, change := range []string{"", "?", " ", "\n", "0", "1", "7", "a", "A", "e", "Z", "#", "}", "\x00", string(text[i]) + string(text[i]), string(text[i] ^ 1), string(text[i] ^ 0x20)} {
				changed := string(text[:i]) + change + string(text[i+1:])
				if changed == string(text) {
					continue
				}
				r, err := Read([]byte(changed))
				switch {
				case err != nil:
					refused++
					var fault *Fault
					if !errors.As(err, &fault) || fault.Next == "" || !(errors.Is(err, ErrDamaged) || errors.Is(err, ErrUnknown)) {
						t.Fatalf("%s, character %d as %q: %v", form, i, change, err)
					}
				case !r.Share.Equal(s):
					t.Fatalf("%s, character %d as %q gives another share", form, i, change)
				default:
					same++
				}
			}
		}
		if refused == 0 || same == 0 {
			t.Errorf("%s: %d refused and %d read; the test does not see both", form, refused, same)
		}
	}
}

// TestEveryWord puts another word of the list in the place of each, and holds
// that it is corrected and its place named.
func TestEveryWord(t *testing.T) {
	_, shares := split(t, "secret", 2, 3)
	s := shares[2]
	lines := s.Words()
	for i := range lines {
		for j := range lineWords {
			for _, step := range []int{1, 2, 3, 17, 1024, 2047} {
				changed := slices.Clone(lines)
				w := strings.Fields(lines[i])
				right := w[j]
				place, _ := lookUp(right)
				w[j] = words()[(int(place)+step)%len(words())]
				changed[i] = strings.Join(w, " ")
				r, err := Read([]byte(strings.Join(changed, "\n")))
				if err != nil || !r.Share.Equal(s) {
					t.Fatalf("line %d word %d: %v", i+1, j+1, err)
				}
				if want := []Correction{{i + 1, j + 1, w[j], right}}; !slices.Equal(r.Corrections, want) {
					t.Fatalf("corrections %#v, want %#v", r.Corrections, want)
				}
			}
		}
	}
}

// TestLostWords restores every two of a line, in every line at once, and
// refuses every three.
func TestLostWords(t *testing.T) {
	_, shares := split(t, "secret", 2, 3)
	s := shares[0]
	lose := func(lost ...int) string {
		var all []string
		for _, line := range s.Words() {
			w := strings.Fields(line)
			for i, at := range lost {
				w[at] = []string{"?", "qqqq", "?"}[i]
			}
			all = append(all, strings.Join(w, " "))
		}
		return strings.Join(all, "\n")
	}
	for i := range lineWords {
		for j := range lineWords {
			r, err := Read([]byte(lose(i, j)))
			want := 2
			if i == j {
				want = 1
			}
			if err != nil || !r.Share.Equal(s) || len(r.Corrections) != want*len(s.Words()) {
				t.Fatalf("words %d and %d lost: %v", i+1, j+1, err)
			}
			for k := range lineWords {
				if k == i || k == j || i == j {
					continue
				}
				if _, err := Read([]byte(lose(i, j, k))); !errors.Is(err, ErrDamaged) || !strings.HasPrefix(err.Error(), "line 1: 3 words cannot be read") {
					t.Fatalf("words %d, %d and %d lost: %v", i+1, j+1, k+1, err)
				}
			}
		}
	}
}

// TestTwoWrongWords holds that more damage than parity can mend never gives a
// share, and that the place is named.
func TestTwoWrongWords(t *testing.T) {
	_, shares := split(t, "secret", 2, 3)
	s := shares[0]
	lines := s.Words()
	rapid.Check(t, func(r *rapid.T) {
		at := rapid.IntRange(0, len(lines)-1).Draw(r, "line")
		w := strings.Fields(lines[at])
		i := rapid.IntRange(0, lineWords-1).Draw(r, "word")
		j := (i + rapid.IntRange(1, lineWords-1).Draw(r, "distance")) % lineWords
		lost := rapid.Bool().Draw(r, "first lost")
		for n, k := range []int{i, j} {
			if other := rapid.SampledFrom(words()).Draw(r, "other"); other != w[k] {
				w[k] = other
			} else {
				r.Skip("the same word")
			}
			if n == 0 && lost {
				w[k] = "?"
			}
		}
		changed := slices.Clone(lines)
		changed[at] = strings.Join(w, " ")
		_, err := Read([]byte(strings.Join(changed, "\n")))
		var fault *Fault
		if !errors.As(err, &fault) || !errors.Is(err, ErrDamaged) || fault.Line != at+1 {
			r.Fatalf("line %d, words %d and %d: %v", at+1, i+1, j+1, err)
		}
	})
}

// TestLines holds what is said of lines that are short, long, swapped,
// missing or of another sheet.
func TestLines(t *testing.T) {
	_, shares := split(t, "secret", 2, 3)
	lines, other := shares[0].Words(), shares[1].Words()
	last := len(lines) - 1
	join := func(l ...string) string { return strings.Join(l, "\n") }
	with := func(i int, line string) string {
		c := slices.Clone(lines)
		c[i] = line
		return join(c...)
	}
	numbered := func(from int) string {
		var b strings.Builder
		for i, l := range lines {
			fmt.Fprintf(&b, "%d. %s\n", from+i, l)
		}
		return b.String()
	}
	for _, c := range []struct{ text, says string }{
		{with(1, lines[1][:strings.LastIndexByte(lines[1], ' ')]), "line 2: it has 7 words, and a line has 8"},
		{with(4, lines[4]+" zoo"), "line 5: it has 9 words"},
		{with(2, lines[5]), "line 3: this is line 6 of a share"},
		{join(append([]string{lines[0]}, lines[2:]...)...), "line 2: this is line 3 of a share"},
		{join(lines[:last]...), fmt.Sprintf("the words end after line %d of %d", last, last+1)},
		{lines[0], "the words end after line 1"},
		{join(append(slices.Clone(lines), other[0])...), fmt.Sprintf("line %d: the share ends with line %d", last+2, last+1)},
		{with(6, other[6]), "together they are not a share"},
		{numbered(2), "line 1: it is numbered 2"},
		{"-----BEGIN CERTIFICATE-----", "it is not a share in any form"},
		{"", "it is not a share in any form"},
		{"# nothing\n\n", "it is not a share in any form"},
		{qrPrefix, "there is nothing in it"},
		{with(last, filled(t, lines[last], last+1)), "what fills the last line is not zero"},
		{spareBits(shares[0].QR()), "its text is not base32"},
		{"PKISHARE2:AA", "it is not a share in any form"},
		{"{}", "JSON that this program does not write"},
		{strings.Replace(string(shares[0].JSON()), shareFormat, "pki-share/2", 1), `its format is "pki-share/2"`},
		{strings.Replace(string(shares[0].JSON()), "alice", "carol", 1), "what its fields say is not what its bytes say"},
		{string(shares[0].JSON()) + string(shares[1].JSON()), "not one JSON object"},
		{"{", "not JSON"},
	} {
		if _, err := Read([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.60q: %v, want %q", c.text, err, c.says)
		}
	}
	// And what is read although it looks different.
	for _, text := range []string{
		numbered(1), strings.ToUpper(join(lines...)), "\n\n# a note\n" + join(lines...) + "\n# another\n", strings.ReplaceAll(join(lines...), " ", "\t  "),
		strings.ToLower(shares[0].QR()) + "\r\n", abbreviated(lines),
		"\uFEFF" + numbered(1), "\uFEFF" + shares[0].QR(), strings.ReplaceAll(join(lines...), " ", ", "),
	} {
		if r, err := Read([]byte(text)); err != nil || !r.Share.Equal(shares[0]) || len(r.Corrections) > 0 {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}

// filled gives the last line with its last bit of data set, and the parity
// that belongs to it.
func filled(t *testing.T, text string, number int) string {
	line, _, err := readLine(number, strings.Fields(text))
	if err != nil {
		t.Fatal(err)
	}
	line[dataWords] |= 1
	line[symbols-2], line[symbols-1] = 0, 0
	restore(line, symbols-2, symbols-1)
	var all []string
	for _, symbol := range line[1:] {
		all = append(all, words()[symbol])
	}
	return strings.Join(all, " ")
}

// spareBits sets the lowest bit of a base32 text, which belongs to no byte.
func spareBits(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	last := strings.IndexByte(alphabet, text[len(text)-1])
	return text[:len(text)-1] + string(alphabet[last|1])
}

// abbreviated gives the first four letters of every word.
func abbreviated(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		for _, w := range strings.Fields(line) {
			b.WriteString(w[:min(distinct, len(w))] + " ")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestTranscript reads line after line as a terminal does, and goes on after
// a mistake.
func TestTranscript(t *testing.T) {
	set, shares := split(t, "secret", 2, 3)
	lines := shares[0].Words()
	var tr Transcript
	if _, known := tr.Lines(); known || tr.Next() != 1 {
		t.Fatal("an empty transcript knows its length")
	}
	for i, line := range lines {
		if tr.Next() != i+1 {
			t.Fatalf("line %d is wanted, want %d", tr.Next(), i+1)
		}
		if _, err := tr.Add("zoo zoo zoo zoo zoo zoo zoo"); err == nil {
			t.Fatal("seven words: accepted")
		}
		if _, err := tr.Add(line); err != nil {
			t.Fatal(err)
		}
	}
	if n := set.Lines(set.Members[0]); n != len(lines) {
		t.Fatalf("the record says %d lines, and there are %d", n, len(lines))
	}
	if n, known := tr.Lines(); !known || n != len(lines) || tr.Next() != 0 {
		t.Fatalf("%d lines, %t, next %d", n, known, tr.Next())
	}
	s, _, err := tr.Share()
	if err != nil || !s.Equal(shares[0]) {
		t.Fatal(err)
	}
	read := tr.bytes
	tr.Wipe()
	if !bytes.Equal(read, make([]byte, len(read))) {
		t.Error("wiped, and still there")
	}
}

// TestParity checks the field and the code by their definitions.
func TestParity(t *testing.T) {
	seen, a := map[uint16]bool{}, uint16(1)
	for range fieldOrder {
		if seen[a] {
			t.Fatal("x does not generate the field")
		}
		seen[a] = true
		if times(a, inverse(a)) != 1 {
			t.Fatalf("the inverse of %d", a)
		}
		a = times(a, 2)
	}
	if a != 1 {
		t.Fatal("the field has another order")
	}
}

// TestHostile holds that nothing is read beyond a limit.
func TestHostile(t *testing.T) {
	endless := &counting{}
	if _, err := ReadFrom(endless); !errors.Is(err, ErrUnknown) || endless.n > 4*maxEncrypted {
		t.Errorf("%v after %d bytes", err, endless.n)
	}
	for _, filler := range []string{"zoo ", "{\n  ", "PKISHARE1:", "zoo zoo zoo zoo zoo zoo zoo zoo\n"} {
		text := bytes.Repeat([]byte(filler), 1<<20/len(filler))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(text)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "no share is that long") {
			t.Errorf("1 MiB of %q: %v", filler, err)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 64<<10 {
			t.Errorf("refusing 1 MiB of %q takes %d bytes", filler, allocated)
		}
	}
}

type counting struct{ n int }

func (c *counting) Read(b []byte) (int, error) {
	c.n += len(b)
	return copy(b, bytes.Repeat([]byte("zoo "), len(b)/4+1)), nil
}

func TestAge(t *testing.T) {
	alice, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	_, shares := split(t, "secret", 2, 3)
	for _, keys := range [][2]string{{alice.Recipient().String(), alice.String()}, {hybrid.Recipient().String(), hybrid.String()}} {
		to, err := ParseRecipient(keys[0], Person{})
		if err != nil || to.String() != keys[0] {
			t.Fatal(err)
		}
		text, err := shares[1].Encrypt(to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Read(text); !errors.Is(err, ErrEncrypted) {
			t.Fatalf("read without an identity: %v", err)
		}
		ids, err := ParseIdentities([]byte("# comment\n\n"+keys[1]+"\n"), Person{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Decrypt(text, ids)
		if err != nil || !r.Share.Equal(shares[1]) {
			t.Fatalf("%+v, %v", r, err)
		}
		for i := range text {
			changed := slices.Clone(text)
			changed[i] ^= 1
			if r, err := Decrypt(changed, ids); err == nil && !r.Share.Equal(shares[1]) {
				t.Fatalf("byte %d changed gives another share", i)
			} else if err == nil && i < len(text)/2 && changed[i] != '\n' && text[i] != '\n' {
				t.Fatalf("byte %d changed: accepted", i)
			}
		}
		stranger, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decrypt(text, Identities{stranger}); !errors.Is(err, ErrEncrypted) || !strings.Contains(err.Error(), "someone else") {
			t.Fatalf("opened by a stranger: %v", err)
		}
	}
	for text, says := range map[string]string{
		alice.String():        "this is an identity, which is private",
		"age1qqqq":            "not an age recipient",
		"ssh-ed25519 AAAA":    "not an age recipient",
		"":                    "not an age recipient",
		"age1pq1qqqqqqqqqqqq": "not an age recipient",
	} {
		if _, err := ParseRecipient(text, Person{}); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), alice.String()) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
	for _, text := range []string{"", "# only a comment", "AGE-SECRET-KEY-1QQQ", alice.String() + "\nrubbish"} {
		if _, err := ParseIdentities([]byte(text), Person{}); err == nil || (strings.Contains(text, "QQQ") && strings.Contains(err.Error(), "QQQ")) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Decrypt(bytes.Repeat([]byte("a"), maxEncrypted+1), Identities{alice}); !errors.Is(err, ErrUnknown) {
		t.Errorf("too long: %v", err)
	}
}

// TestMain is also an age plugin, when it is called by that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "age-plugin-pkitest" {
		os.Exit(m.Run())
	}
	p, err := plugin.New("pkitest")
	if err != nil {
		panic(err)
	}
	p.HandleRecipient(func(data []byte) (age.Recipient, error) { return age.ParseX25519Recipient(string(data)) })
	p.HandleIdentity(func(data []byte) (age.Identity, error) {
		if pin, err := p.RequestValue("PIN", true); err != nil || pin != "1234" {
			return nil, errors.New("wrong PIN")
		}
		return age.ParseX25519Identity(string(data))
	})
	p.RegisterFlags(nil)
	flag.Parse()
	os.Exit(p.Main())
}

// TestPlugin passes a share through a plugin, which asks for a PIN.
func TestPlugin(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	_, shares := split(t, "secret", 2, 2)
	to, err := ParseRecipient(plugin.EncodeRecipient("pkitest", []byte(key.Recipient().String())), Person{})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := shares[0].Encrypt(to); err == nil || !strings.Contains(err.Error(), "age-plugin-pkitest") {
		t.Fatalf("without the plugin: %v", err)
	}
	if err := os.Symlink(self, filepath.Join(os.Getenv("PATH"), "age-plugin-pkitest")); err != nil {
		t.Fatal(err)
	}
	text, err := shares[0].Encrypt(to)
	if err != nil {
		t.Fatal(err)
	}
	for pin, want := range map[string]bool{"1234": true, "4321": false} {
		person := Person{Ask: func(prompt string, secret bool) (string, error) {
			if !secret || !strings.Contains(prompt, "PIN") {
				t.Errorf("asked %q, secret %t", prompt, secret)
			}
			return pin, nil
		}}
		ids, err := ParseIdentities([]byte(plugin.EncodeIdentity("pkitest", []byte(key.String()))), person)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := Decrypt(text, ids); (err == nil && r.Share.Equal(shares[0])) != want {
			t.Errorf("PIN %s: %v", pin, err)
		}
	}
	ids, err := ParseIdentities([]byte(plugin.EncodeIdentity("pkitest", []byte(key.String()))), Person{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decrypt(text, ids); err == nil {
		t.Error("opened although nobody was there to answer")
	}
}

// FuzzRead feeds every decoder. What is read must be read again from every
// form of it; nothing may panic.
func FuzzRead(f *testing.F) {
	_, shares := split(f, "secret", 2, 3)
	for _, form := range forms {
		text, err := shares[0].Write(form)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(abbreviated(shares[1].Words())))
	f.Add([]byte("1 zoo ? zoo zoo zoo zoo zoo zoo"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Read(text)
		if err != nil {
			var fault *Fault
			if r != nil || !errors.As(err, &fault) || fault.Next == "" {
				t.Fatalf("%v, %v", r, err)
			}
			return
		}
		for _, form := range forms {
			again, err := r.Share.Write(form)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := Read(again); err != nil || !back.Share.Equal(r.Share) {
				t.Fatalf("%s: %v", again, err)
			}
		}
	})
}

// FuzzParse skips the outer forms and their checksums.
func FuzzParse(f *testing.F) {
	_, shares := split(f, "secret", 2, 3)
	f.Add(shares[0].encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parse(b)
		if err == nil && !bytes.Equal(s.encode(), b) {
			t.Fatalf("%x is written as %x", b, s.encode())
		}
	})
}

func FuzzReadSet(f *testing.F) {
	set, _ := split(f, "secret", 2, 3)
	f.Add(set.Encode())
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := ReadSet(text)
		if err != nil {
			return
		}
		if again, err := ReadSet(set.Encode()); err != nil || !bytes.Equal(again.Encode(), set.Encode()) {
			t.Fatal(err)
		}
	})
}

func FuzzDecrypt(f *testing.F) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		f.Fatal(err)
	}
	_, shares := split(f, "secret", 2, 2)
	text, err := shares[0].Encrypt(Recipient{"", id.Recipient()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := Decrypt(text, Identities{id}); err == nil && !r.Share.Equal(shares[0]) {
			t.Fatal("another share")
		}
	})
}
