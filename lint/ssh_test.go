package lint

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// sshScene is a fixture: an SSH certificate, written with the library that most
// Go programs use, and what is known of it.
type sshScene struct {
	about  string
	cert   ssh.Certificate
	signer crypto.Signer
	// algorithm is the signature's, where it is not the key's first.
	algorithm string
	// facts are lines of context.
	facts []string
	// spoil changes the certificate after it was signed.
	spoil bool
}

// sshLeaf is a user's certificate as it should be, with a change.
func sshLeaf(t testing.TB, about string, change func(*sshScene)) []byte {
	t.Helper()
	public, err := ssh.NewPublicKey(testKey(t, "ed25519", "ada").Public())
	noError(t, err)
	s := &sshScene{about: about, signer: testKey(t, "ed25519", "ssh user authority"), cert: ssh.Certificate{
		Nonce: []byte("a nonce of the fixture"), Key: public, Serial: 7, CertType: ssh.UserCert, KeyId: "ada@acme.example",
		ValidPrincipals: []string{"ada"}, ValidAfter: uint64(testNow.Unix()), ValidBefore: uint64(testNow.Add(16 * time.Hour).Unix()),
		Permissions: ssh.Permissions{Extensions: map[string]string{"permit-pty": ""}},
	}}
	if change != nil {
		change(s)
	}
	signer, err := ssh.NewSignerFromSigner(s.signer)
	noError(t, err)
	if s.algorithm != "" {
		signer, err = ssh.NewSignerWithAlgorithms(signer.(ssh.AlgorithmSigner), []string{s.algorithm})
		noError(t, err)
	}
	noError(t, s.cert.SignCert(steadyReader{}, signer))
	if s.spoil {
		s.cert.KeyId = "eve@acme.example"
	}
	line := bytes.TrimSpace(ssh.MarshalAuthorizedKey(&s.cert))
	text := s.about + "\n\n"
	for _, fact := range s.facts {
		text += fact + "\n"
	}
	return append([]byte(text), append(line, '\n')...)
}

// steadyReader is randomness that a fixture can repeat: a nonce.
type steadyReader struct{}

func (steadyReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// sshFixtures is every rule about SSH certificates, with what makes the
// certificate bad, and where that matters what makes it good.
func sshFixtures(t testing.TB) map[string][2]func(*sshScene) {
	shared := func(key crypto.Signer) func(*sshScene) {
		return func(s *sshScene) {
			s.facts = append(s.facts, "other key: "+base64.StdEncoding.EncodeToString(spki(t, key)))
		}
	}
	rsaOf := func(bits uint) ssh.PublicKey {
		n := new(big.Int).Lsh(big.NewInt(1), bits)
		key, err := ssh.NewPublicKey(&rsa.PublicKey{N: n.Sub(n, big.NewInt(1)), E: 65537})
		noError(t, err)
		return key
	}
	return map[string][2]func(*sshScene){
		"e_ssh_ca_key_shared_with_x509": {shared(testKey(t, "ecdsa-p384", "root")), shared(testKey(t, "ed25519", "ssh user authority"))},
		"e_ssh_cert_forever":            {nil, func(s *sshScene) { s.cert.ValidBefore = ssh.CertTimeInfinity }},
		"e_ssh_empty_principals":        {nil, func(s *sshScene) { s.cert.ValidPrincipals = nil }},
		"e_ssh_sha1_ca_signature": {func(s *sshScene) { s.signer = testKey(t, "rsa-4096", "x") }, func(s *sshScene) {
			s.signer, s.algorithm = testKey(t, "rsa-4096", "x"), ssh.KeyAlgoRSA
		}},
		"e_ssh_signature_invalid": {nil, func(s *sshScene) { s.spoil = true }},
		"e_ssh_expired": {nil, func(s *sshScene) {
			s.cert.ValidAfter, s.cert.ValidBefore = uint64(testNow.Add(-16*time.Hour).Unix()), uint64(testNow.Unix())
		}},
		"w_ssh_lives_long": {nil, func(s *sshScene) {
			s.cert.ValidBefore = s.cert.ValidAfter + 365*24*3600
		}},
		"e_ssh_weak_key": {func(s *sshScene) { s.cert.Key = rsaOf(2048) }, func(s *sshScene) { s.cert.Key = rsaOf(1024) }},
		"w_ssh_not_yet_valid": {nil, func(s *sshScene) {
			s.cert.ValidAfter, s.cert.ValidBefore = uint64(testNow.Add(time.Hour).Unix()), uint64(testNow.Add(2*time.Hour).Unix())
		}},
		"w_ssh_principal_matches_nobody": {nil, func(s *sshScene) { s.cert.ValidPrincipals = []string{"ada", "dev-*", "on call"} }},
		"w_ssh_user_cert_extensions":     {nil, func(s *sshScene) { s.cert.Extensions["permit-agent-forwarding"] = "" }},
		"e_ssh_serial_or_keyid_missing":  {nil, func(s *sshScene) { s.cert.Serial, s.cert.KeyId = 0, "" }},
		"e_ssh_unknown_critical_option": {func(s *sshScene) { s.cert.CriticalOptions = map[string]string{"source-address": "10.0.0.0/8"} }, func(s *sshScene) {
			s.cert.CriticalOptions = map[string]string{"no-weekends@acme.example": ""}
		}},
	}
}

// judgeSSH runs the linter over a fixture's text.
func judgeSSH(t testing.TB, l *Linter, text []byte) []Finding {
	t.Helper()
	var c SSHCertificate
	for line := range strings.Lines(string(text)) {
		if key, ok := strings.CutPrefix(line, "other key: "); ok {
			der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key))
			noError(t, err)
			c.OtherKeys = append(c.OtherKeys, KnownKey{Owner: "authority.other", SPKI: der})
		}
		if IsSSH([]byte(line)) {
			c.Data = []byte(line)
		}
	}
	return l.SSH(c, testNow)
}

func TestSSHFixtures(t *testing.T) {
	l := mustNew(t, "private")
	for rule, changes := range sshFixtures(t) {
		for i, verdict := range []string{"pass", "fail"} {
			text := golden(t, filepath.Join("testdata", ObjectSSH, rule+"."+verdict+".txt"), sshLeaf(t, rule+", "+verdict+".", changes[i]))
			var want []string
			if verdict == "fail" {
				want = []string{fmt.Sprintf("%s %s", prefixSeverity(rule), rule)}
			}
			if got := slices.Compact(words(judgeSSH(t, l, text))); !slices.Equal(got, want) {
				t.Errorf("%s.%s: findings are %q, want %q", rule, verdict, got, want)
			}
		}
	}
}

// TestSSHVariants walks lives, kinds and forms of keys.
func TestSSHVariants(t *testing.T) {
	l := mustNew(t, "private")
	for name, c := range map[string]struct {
		change func(*sshScene)
		given  SSHCertificate
		want   string
	}{
		"too long":   {nil, SSHCertificate{Longest: time.Hour}, "e_ssh_cert_forever: valid for 57600 seconds, and 1h0m0s is allowed"},
		"just right": {nil, SSHCertificate{Longest: 16 * time.Hour}, ""},
		"never":      {func(s *sshScene) { s.cert.ValidBefore = s.cert.ValidAfter }, SSHCertificate{}, "e_ssh_cert_forever: valid from 1773576000 and before 1773576000: never|e_ssh_expired: valid until 2026-03-15T12:00:00Z, and it is 2026-03-15T12:00:00Z"},
		"a program":  {nil, SSHCertificate{Automation: true}, "w_ssh_user_cert_extensions: a program uses the certificate, and no source-address says from where"},
		"a host with an option": {func(s *sshScene) {
			s.cert.CertType, s.cert.CriticalOptions = ssh.HostCert, map[string]string{"source-address": "::/0"}
		}, SSHCertificate{}, `e_ssh_unknown_critical_option: critical option "source-address"`},
		"a host that forwards": {func(s *sshScene) {
			s.cert.CertType, s.cert.Extensions = ssh.HostCert, map[string]string{"permit-agent-forwarding": ""}
		}, SSHCertificate{}, ""},
	} {
		text := sshLeaf(t, "x", c.change)
		c.given.Data = text[bytes.LastIndexByte(text[:len(text)-1], '\n')+1:]
		var said []string
		for _, f := range l.SSH(c.given, testNow) {
			said = append(said, f.Lint+": "+f.Detail)
		}
		if got := strings.Join(said, "|"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for _, algorithm := range []string{"ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-4096"} {
		key := testKey(t, algorithm, "x")
		public, err := ssh.NewPublicKey(key.Public())
		noError(t, err)
		if got := sshSPKI(public.Marshal()); !bytes.Equal(got, spki(t, key)) {
			t.Errorf("%s: the key in SSH's format is %x in X.509's", algorithm, got)
		}
	}
}

// TestSSHUnreadable shows that what is no certificate says so.
func TestSSHUnreadable(t *testing.T) {
	l := mustNew(t, "private")
	text := sshLeaf(t, "x", nil)
	fields := strings.Fields(string(text[bytes.LastIndexByte(text[:len(text)-1], '\n')+1:]))
	wire, err := base64.StdEncoding.DecodeString(fields[1])
	noError(t, err)
	if got := l.SSH(SSHCertificate{Data: wire}, testNow); len(got) > 0 {
		t.Errorf("the wire format has findings %v", got)
	}
	for name, data := range map[string][]byte{
		"empty": nil, "cut": wire[:len(wire)-1], "longer": append(slices.Clone(wire), 0), "no base64": []byte("ssh-ed25519-cert-v01@openssh.com ???"),
		"a plain key": []byte("ssh-ed25519 AAAA"),
	} {
		if got := l.SSH(SSHCertificate{Data: data}, testNow); len(got) != 1 || got[0].Severity != Fatal || got[0].Lint != idUnparsable {
			t.Errorf("%s: findings are %+v", name, got)
		}
	}
}

// FuzzSSH holds our reader against the library's: what that reads, ours reads
// in the same way.
func FuzzSSH(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", ObjectSSH, "*.txt"))
	noError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		noError(f, err)
		lines := strings.Fields(string(text))
		wire, err := base64.StdEncoding.DecodeString(lines[len(lines)-1])
		noError(f, err)
		f.Add(wire)
	}
	l := mustNew(f, "private")
	f.Fuzz(func(t *testing.T, wire []byte) {
		sound(t, l.SSH(SSHCertificate{Data: wire, OtherKeys: []KnownKey{{Owner: "x"}}}, testNow))
		key, err := ssh.ParsePublicKey(wire)
		cert, is := key.(*ssh.Certificate)
		if err != nil || !is || cert.CertType != ssh.UserCert && cert.CertType != ssh.HostCert {
			return
		}
		own, err := readSSH(wire)
		if err != nil {
			t.Skip("ours is stricter")
		}
		if own.serial != cert.Serial || own.keyID != cert.KeyId || own.before != cert.ValidBefore || own.after != cert.ValidAfter ||
			!slices.Equal(own.principals, cert.ValidPrincipals) || own.signatureFormat != cert.Signature.Format || len(own.extensions) != len(cert.Extensions) {
			t.Errorf("ours is %+v, the library's %+v", own, cert)
		}
	})
}
