package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pki.internal/lint/crlwalk"
)

// crlDesk is a folder with an authority whose first CRL is published.
type crlDesk struct {
	dir, out string
	issuer   *x509.Certificate
	args     []string
}

func newCRLDesk(t *testing.T) crlDesk {
	t.Helper()
	dir := estate(t, "two-tier", true)
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	issuer, err := readCertificate(in("certs/issuing.crt"))
	if err != nil {
		t.Fatal(err)
	}
	var index strings.Builder
	for i := range 300 {
		fmt.Fprintf(&index, "R\t361231000000Z\t261201090000Z,superseded\t%04X\tunknown\t/CN=x\n", i+1)
	}
	if err := errors.Join(os.WriteFile(in("index.txt"), []byte(index.String()), 0o600), os.Mkdir(in("www"), 0o755)); err != nil {
		t.Fatal(err)
	}
	d := crlDesk{dir: dir, out: in("www/i.crl"), issuer: issuer, args: []string{
		"crl", "sign", "--issuer", in("certs/issuing.crt"), "--key", in("keys/online/issuing.key"), "--password-file", in("secrets/online.txt"),
		"--revoked", in("index.txt"), "--out", in("www/i.crl"),
	}}
	must(t, nil, append(slices.Clone(d.args), "--number", "1")...)
	return d
}

// at is the environment of a run some minutes into the day.
func at(minute int) []string {
	return []string{fmt.Sprintf("%s=2027-01-04T%02d:%02d:00Z", envNow, 10+minute/60, minute%60)}
}

// number reads what a relying party would fetch, which must be whole.
func (d crlDesk) number(t *testing.T) int64 {
	t.Helper()
	file, err := openCRL(d.out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	list, err := file.walk(nil)
	if err == nil {
		err = list.CheckIssuer(d.issuer)
	}
	if err != nil {
		t.Fatalf("the published CRL: %v", err)
	}
	if list.Entries != 300 {
		t.Fatalf("the published CRL has %d entries", list.Entries)
	}
	return list.Number().Int64()
}

// TestKilledWhilePublishing ends the signing of a CRL with SIGKILL at each of
// its effects. What is published is whole at any time, and no number is ever
// given to two lists.
func TestKilledWhilePublishing(t *testing.T) {
	t.Parallel()
	d := newCRLDesk(t)
	record := filepath.Join(t.TempDir(), "effects")
	must(t, append(at(1), envEffects+"="+record), d.args...)
	effects := linesOf(t, record)
	if want := 4 + 2*3; len(effects) != want {
		t.Fatalf("%d effects were seen, want %d: %v", len(effects), want, effects)
	}
	last := d.number(t)
	for i, effect := range effects {
		out, err := pki(append(at(10*(i+1)), fmt.Sprintf("%s=%d", envKill, i+1)), d.args...)
		if !isKilled(err) {
			t.Fatalf("%s: it was not killed: %v\n%s", effect, err, out)
		}
		after := d.number(t)
		if published := slices.Index(effects, "after i.crl"); (i >= published) != (after == last+1) || after < last {
			t.Errorf("%s: number %d is published, %d was before", effect, after, last)
		}
		used := after
		if list := leftover(t, d); list != nil {
			used = max(used, list.Number().Int64())
		}
		must(t, at(10*(i+1)+5), d.args...)
		if last = d.number(t); last != used+1 {
			t.Errorf("%s: the next number is %d, and %d is used", effect, last, used)
		}
		d.tidy(t)
	}
}

// leftover reads the list that a killed run signed and did not publish, nil
// when there is none.
func leftover(t *testing.T, d crlDesk) *crlwalk.List {
	t.Helper()
	file, err := openCRL(d.out + ".new")
	if err != nil {
		return nil
	}
	defer file.Close()
	list, err := file.walk(nil)
	if err != nil {
		return nil
	}
	return list
}

// tidy expects the three files, which agree, and the lock.
func (d crlDesk) tidy(t *testing.T) {
	t.Helper()
	files, err := listing(filepath.Dir(d.out))
	want := []string{"-rw------- .i.crl.lock", "-rw-r--r-- i.crl", "-rw-r--r-- i.crl.json", "-rw-r--r-- i.crl.pem"}
	if err != nil || !slices.Equal(files, want) {
		t.Errorf("files are %v, %v", files, err)
	}
	der, err := os.ReadFile(d.out)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(d.out + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(d.out + ".json")
	if err != nil {
		t.Fatal(err)
	}
	inside, _ := split(pem)
	if !bytes.Equal(inside[0], der) || !strings.Contains(string(manifest), sha256Hex(der)) {
		t.Error("DER, PEM and manifest do not agree")
	}
}

// TestReaderNeverSeesHalfACRL fetches the CRL over and over while it is
// replaced.
func TestReaderNeverSeesHalfACRL(t *testing.T) {
	t.Parallel()
	d := newCRLDesk(t)
	const times = 12
	done := make(chan error, 1)
	go func() {
		defer close(done)
		for i := range times {
			if out, err := pki(at(i), d.args...); err != nil {
				done <- fmt.Errorf("%w\n%s", err, out)
				return
			}
		}
	}()
	seen := map[int64]bool{}
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		seen[d.number(t)] = true
	}
	if len(seen) < times/2 || !seen[1+times] {
		t.Errorf("the reader saw numbers %v", seen)
	}
}

// TestTwoSigners starts many at once. Each that says it is done has a number
// of its own, and the published one is the highest.
func TestTwoSigners(t *testing.T) {
	t.Parallel()
	d := newCRLDesk(t)
	const signers = 6
	codes := make(chan string, signers)
	for range signers {
		go func() {
			out, err := pki(at(1), d.args...)
			switch {
			case err == nil:
				codes <- strings.Fields(out)[2]
			case strings.Contains(out, "another process is signing"), strings.Contains(out, "a clock is wrong"):
				codes <- "refused" // the clock of tests stands still
			default:
				codes <- out
			}
		}()
	}
	numbers := map[string]int{}
	for range signers {
		numbers[<-codes]++
	}
	if numbers["2"] != 1 || numbers["2"]+numbers["refused"] != signers {
		t.Errorf("signers ended with %v", numbers)
	}
	if n := d.number(t); n != 2 {
		t.Errorf("number %d is published", n)
	}
	d.tidy(t)
}
