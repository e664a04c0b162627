package ceremony_test

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"pki.internal/ceremony"
	"pki.internal/plan"
	"pki.internal/spec"
)

// TestPINVectors holds PINs against the ones that the program in
// docs/custody.md gives, which is written in Python. They never change: a
// token of today is opened with them in twenty years.
func TestPINVectors(t *testing.T) {
	secret := []byte("0123456789abcdefghjkmnpqrstvwxyz")
	text, err := os.ReadFile("../docs/custody.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, found := strings.Cut(string(text), "```python\n")
	program, _, closed := strings.Cut(program, "```")
	if !found || !closed {
		t.Fatal("docs/custody.md holds no program")
	}
	store := spec.Address{Kind: "key_store", Name: "root"}
	for _, c := range []struct {
		form  string
		user  ceremony.User
		label string
		want  string
	}{
		{"letters:32", ceremony.NormalUser, "acme-root", "v60xrc46sa5713jjymhs8jff01txdv13"},
		{"letters:32", ceremony.SecurityOfficer, "acme-root", "gvgsbyg6dp7mmwntqbkhn9z5gdrch6gk"},
		{"letters:32", ceremony.NormalUser, "acme-root-b", "asyhq03jgxhh4a38665gwmc528h208cz"},
		{"digits:8", ceremony.NormalUser, "acme-root", "00824854"},
		{"hex:16", ceremony.SecurityOfficer, "acme-root", "0b09be06d6744c5a"},
	} {
		form, err := spec.ParsePINForm(c.form)
		if err != nil {
			t.Fatal(err)
		}
		pin, err := ceremony.PIN(secret, form, "acme", store, c.label, c.user)
		if err != nil || string(pin) != c.want {
			t.Errorf("%s %s %s: %s, want %s (%v)", c.form, c.user, c.label, pin, c.want, err)
		}
		python := exec.Command("python3", "-c", program, "acme", store.String(), c.label, string(c.user), form.Alphabet, strconv.Itoa(form.Length))
		python.Stdin = bytes.NewReader(secret)
		if out, err := python.Output(); err != nil || strings.TrimSpace(string(out)) != c.want {
			t.Errorf("the program in docs/custody.md gives %q for %s, want %s (%v)", out, c.form, c.want, err)
		}
	}
}

// TestPINFitsItsForm makes PINs of every form, and sees that each letter comes
// up about as often as any other.
func TestPINFitsItsForm(t *testing.T) {
	store := spec.Address{Kind: "key_store", Name: "root"}
	for _, alphabet := range spec.PINAlphabets() {
		count, total := map[rune]int{}, 0
		for i := range 300 {
			form := spec.PINForm{Alphabet: alphabet, Length: 4 + i%61}
			pin, err := ceremony.PIN([]byte(strings.Repeat("s", 26+i%100)), form, "acme", store, "token", ceremony.NormalUser)
			if err != nil || len(pin) != form.Length {
				t.Fatalf("%s: %q, %v", form, pin, err)
			}
			for _, c := range string(pin) {
				count[c]++
				total++
			}
		}
		n := len(spec.PINForm{Alphabet: alphabet}.Letters())
		if len(count) != n {
			t.Errorf("%s: %d letters came up of %d", alphabet, len(count), n)
		}
		for c, have := range count {
			if have*n < total/2 || have*n > 2*total {
				t.Errorf("%s: %q came up %d times of %d", alphabet, c, have, total)
			}
		}
	}
	if pin, err := ceremony.PIN([]byte("typed"), spec.PINForm{}, "acme", store, "token", ceremony.NormalUser); err != nil || string(pin) != "typed" {
		t.Errorf("a secret that is the PIN itself: %q, %v", pin, err)
	}
	if _, err := ceremony.PIN([]byte("x"), spec.PINForm{Alphabet: "words", Length: 8}, "acme", store, "token", ceremony.NormalUser); err == nil {
		t.Error("an unknown alphabet was taken")
	}
	k := &spec.KeyStore{Origin: spec.Origin{Address: store}}
	if pin, err := ceremony.RecordedPIN(plan.State{}, k, []byte("typed")); err != nil || string(pin) != "typed" {
		t.Errorf("a token that no ceremony made ready: %q, %v", pin, err)
	}
}
