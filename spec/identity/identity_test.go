package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/crypto/ssh"
)

// people makes one private key of each kind, as files hold them.
func people(t *testing.T) map[string][]byte {
	t.Helper()
	made := map[string][]byte{}
	add := func(name string, key any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if block, err := ssh.MarshalPrivateKey(key, ""); err == nil {
			made["ssh "+name] = pem.EncodeToMemory(block)
		}
		text, err := json.Marshal(jose.JSONWebKey{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		made["jwk "+name] = text
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	add("ed25519", ed, err)
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		add(curve.Params().Name, k, err)
	}
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	add("rsa", k, err)
	return made
}

func TestSignAndVerify(t *testing.T) {
	message := []byte(`{"plan":"one"}`)
	var others []Key
	for name, text := range people(t) {
		t.Run(name, func(t *testing.T) {
			private, err := ParsePrivate(text, nil)
			if err != nil {
				t.Fatal(err)
			}
			public, err := Parse(private.Public().Text())
			if err != nil {
				t.Fatal(err)
			}
			if public.Text() != private.Public().Text() || public.Fingerprint() != private.Public().Fingerprint() || public.Material() == "" {
				t.Errorf("the public key is not itself after parsing: %s", public.Text())
			}
			signature, err := private.SignStatement(rand.Reader, "pki-approval", message)
			if err != nil {
				t.Fatal(err)
			}
			if err := public.Verify("pki-approval", message, signature); err != nil {
				t.Errorf("a sound signature: %v", err)
			}
			for what, err := range map[string]error{
				"another message": public.Verify("pki-approval", []byte(`{"plan":"two"}`), signature),
				"another purpose": public.Verify("pki-head", message, signature),
				"no key":          Key{}.Verify("pki-approval", message, signature),
			} {
				if !errors.Is(err, ErrSignature) {
					t.Errorf("%s: %v", what, err)
				}
			}
			for _, other := range others {
				if other.Verify("pki-approval", message, signature) == nil {
					t.Error("another key verifies it")
				}
			}
			others = append(others, public)
		})
	}
}

// TestOneKeyTwoSpellings knows a key pair in both forms.
func TestOneKeyTwoSpellings(t *testing.T) {
	all := people(t)
	for _, name := range []string{"ed25519", "P-256", "P-384", "P-521", "rsa"} {
		a, errA := ParsePrivate(all["ssh "+name], nil)
		b, errB := ParsePrivate(all["jwk "+name], nil)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if a.Public().Material() != b.Public().Material() {
			t.Errorf("%s: two spellings are two keys", name)
		}
	}
}

// TestOpenSSH exchanges signatures with ssh-keygen in both directions.
func TestOpenSSH(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("ssh-keygen is not here: ", err)
	}
	dir := t.TempDir()
	run := func(stdin string, args ...string) {
		t.Helper()
		c := exec.Command("ssh-keygen", args...)
		c.Dir, c.Stdin = dir, strings.NewReader(stdin)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen %v: %v\n%s", args, err, out)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const message = `{"plan":"one"}`
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		run("", "-q", "-t", kind, "-N", "a passphrase", "-C", "ada@example", "-f", kind)
		if !Encrypted([]byte(read(kind))) {
			t.Error("an encrypted key looks open")
		}
		if _, err := ParsePrivate([]byte(read(kind)), []byte("another")); !errors.Is(err, ErrPassphrase) {
			t.Errorf("a wrong passphrase: %v", err)
		}
		private, err := ParsePrivate([]byte(read(kind)), []byte("a passphrase"))
		if err != nil {
			t.Fatal(err)
		}
		public, err := Parse(read(kind + ".pub"))
		if err != nil {
			t.Fatal(err)
		}
		signature, err := private.SignStatement(rand.Reader, "pki-approval", []byte(message))
		if err != nil {
			t.Fatal(err)
		}
		write("ours.sig", signature)
		write("allowed", "ada "+read(kind+".pub"))
		run(message, "-Y", "verify", "-f", "allowed", "-I", "ada", "-n", "pki-approval", "-s", "ours.sig")

		run("", "-q", "-p", "-P", "a passphrase", "-N", "", "-f", kind)
		write("message", message)
		run("", "-q", "-Y", "sign", "-n", "pki-approval", "-f", kind, "message")
		if err := public.Verify("pki-approval", []byte(message), read("message.sig")); err != nil {
			t.Errorf("%s: a signature of ssh-keygen: %v", kind, err)
		}
		if err := os.Remove(filepath.Join(dir, "message.sig")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	private := people(t)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	smallJWK, err := json.Marshal(jose.JSONWebKey{Key: &small.PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	smallSSH, err := ssh.NewPublicKey(&small.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                             "empty",
		"hello":                        "neither an SSH public key",
		"ssh-ed25519 AAAA":             "neither an SSH public key",
		string(private["ssh ed25519"]): "private key",
		string(private["jwk ed25519"]): "not a public key alone",
		`{"kty":"oct","k":"AAAA"}`:     "not a public key alone",
		`{"kty":"EC","crv":"P-256","x":"","y":""}`: "its JWK",
		string(smallJWK): "needs 2048 bits",
		string(ssh.MarshalAuthorizedKey(smallSSH)): "needs 2048 bits",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
	}
}

// TestForeignAlgorithms does not let a JWS choose how it is checked.
func TestForeignAlgorithms(t *testing.T) {
	private, err := ParsePrivate(people(t)["jwk rsa"], nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: private.jwk.Key}, (&jose.SignerOptions{}).WithType("x"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	if err := private.Public().Verify("x", []byte("message"), text); err == nil {
		t.Error("an RS256 signature counts for a key that signs with PS256")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUEx3HRW0qZxLBzZ9p2mAiHgAGvG+J4cK7qZ6zq1+pU a@b", "")
	f.Add(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`, "a.b.c")
	f.Fuzz(func(t *testing.T, text, signature string) {
		k, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(k.Text())
		if err != nil || again.Text() != k.Text() || again.Material() != k.Material() {
			t.Fatalf("%q comes back as %q (%v)", k.Text(), again.Text(), err)
		}
		if k.Verify("x", []byte("m"), signature) == nil {
			t.Fatal("a made-up signature verifies")
		}
	})
}
