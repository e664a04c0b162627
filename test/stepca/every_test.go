package stepca_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// every is the online CA with a provisioner of every type. AWS is there and
// never issues: it wants a document that Amazon signed. GCP and Azure are not:
// step-ca fetches their keys at start and disables them where it cannot.
type every struct {
	*bench
	login, pods *ecdsa.PrivateKey // of the identity provider and of Kubernetes
	issuer      string
	hook        net.Listener
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := listenBelow()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// program finds one that test/setup.sh installs.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, filepath.Join("..", "..", ".tools", "bin", name)} {
		if found, err := exec.LookPath(path); err == nil {
			found, _ = filepath.Abs(found)
			return found
		}
	}
	t.Skipf("%s is not installed, so what needs it was not tested: run make test", name)
	return ""
}

// startEvery starts the identity provider first: step-ca asks it at start, and
// disables the provisioner when nobody answers.
func startEvery(t *testing.T) *every {
	t.Helper()
	tools(t)
	e := &every{login: newKey(t), pods: newKey(t), hook: listen(t)}
	e.issuer = e.serveIdentity(t)
	metrics := listen(t)
	metrics.Close()
	scepKey, scepCert := scepIdentity(t)
	pods, err := x509.MarshalPKIXPublicKey(e.pods.Public())
	if err != nil {
		t.Fatal(err)
	}
	nebula := program(t, "nebula-cert")
	mesh := t.TempDir()
	for _, arguments := range [][]string{
		{"ca", "-name", "Mesh", "-out-crt", "ca.crt", "-out-key", "ca.key"},
		{"sign", "-ca-crt", "ca.crt", "-ca-key", "ca.key", "-name", "mesh.every.internal", "-ip", "10.1.2.3/16", "-out-crt", "host.crt", "-out-key", "host.key"},
	} {
		c := exec.Command(nebula, arguments...)
		c.Dir = mesh
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("nebula-cert %v: %v\n%s", arguments, err, out)
		}
	}
	meshCA, err := os.ReadFile(filepath.Join(mesh, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	e.bench = own(t, &bench{
		hcl: "every.pki.hcl.tmpl", passwords: []string{"ssh_host", "ssh_user"},
		files: map[string][]byte{
			"pods.pub": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pods}),
			"scep.crt": scepCert, "nebula.crt": meshCA,
		},
		data: map[string]any{"Issuer": e.issuer, "Hook": fmt.Sprintf("https://localhost:%d/scep", portOf(e.hook)), "Metrics": portOf(metrics)},
		deliver: map[string]string{
			"keys/ssh_host/ssh-host.key": "secrets/ssh-host.key", "secrets/ssh_host.txt": "secrets/ssh-host-password",
			"keys/ssh_user/ssh-user.key": "secrets/ssh-user.key", "secrets/ssh_user.txt": "secrets/ssh-user-password",
		},
		before: func(b *bench, home string) error {
			for _, name := range []string{"host.crt", "host.key"} {
				data, err := os.ReadFile(filepath.Join(mesh, name))
				if err == nil {
					err = os.WriteFile(filepath.Join(b.folder, "mesh-"+name), data, 0o600)
				}
				if err != nil {
					return err
				}
			}
			return os.WriteFile(filepath.Join(home, "secrets", "scep.key"), scepKey, 0o400)
		},
	})
	return e
}

// serveIdentity is an OpenID Connect provider as small as one can be: the
// discovery document, and the keys.
func (e *every) serveIdentity(t *testing.T) string {
	t.Helper()
	l := listen(t)
	issuer := fmt.Sprintf("http://localhost:%d", portOf(l))
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(v) }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", answer(map[string]string{"issuer": issuer, "jwks_uri": issuer + "/keys"}))
	mux.HandleFunc("/keys", answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: e.login.Public(), KeyID: "login", Algorithm: "ES256", Use: "sig"}}}))
	go http.Serve(l, mux)
	return issuer
}

// scepIdentity is the RSA key that SCEP clients encrypt to, and its
// certificate.
func scepIdentity(t *testing.T) (key, certificate []byte) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "SCEP"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// token signs claims as an identity provider or as Kubernetes.
func token(t *testing.T, key *ecdsa.PrivateKey, id string, claims ...any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", id))
	if err != nil {
		t.Fatal(err)
	}
	builder := jwt.Signed(signer)
	for _, c := range claims {
		builder = builder.Claims(c)
	}
	text, err := builder.Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sign asks for a certificate with a token, as step does: POST /1.0/sign.
func (b *bench) sign(t *testing.T, token string, request x509.CertificateRequest) (*x509.Certificate, crypto.Signer, error) {
	t.Helper()
	key := newKey(t)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &request, key)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"csr": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})), "ott": token})
	if err != nil {
		t.Fatal(err)
	}
	response, err := b.client.Post(b.ports.caURL()+"/1.0/sign", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusCreated {
		return nil, nil, fmt.Errorf("%s: %s", response.Status, text)
	}
	certificate, err := issued(text)
	return certificate, key, err
}

// issued reads step-ca's answer to a request that it granted.
func issued(text []byte) (*x509.Certificate, error) {
	var answer struct {
		Crt string `json:"crt"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(answer.Crt))
	if block == nil {
		return nil, fmt.Errorf("the answer holds no certificate: %s", text)
	}
	return x509.ParseCertificate(block.Bytes)
}

// TestEveryProvisionerIssues is one test, because one step-ca serves them all.
func TestEveryProvisionerIssues(t *testing.T) {
	e := startEvery(t)
	if lost := e.lost(t, e.ca); len(lost) > 0 {
		t.Fatalf("step-ca dropped or disabled %v", lost)
	}
	t.Run("deploy check", e.deployCheck)
	t.Run("jwk", func(t *testing.T) { e.named(t, e.jwk(t, "jwk.every.internal"), "jwk.every.internal") })
	t.Run("policy", e.policy)
	t.Run("oidc", e.oidc)
	t.Run("x5c", e.x5c)
	t.Run("k8ssa", e.k8ssa)
	t.Run("nebula", e.nebula)
	t.Run("scep", e.scep)
	t.Run("ssh", e.ssh)
}

// jwk gets a leaf for a name from the JWK provisioner.
func (e *every) jwk(t *testing.T, name string, flags ...string) leaf {
	t.Helper()
	crt := filepath.Join(t.TempDir(), "leaf.crt")
	e.must(t, "step", e.online(append([]string{"ca", "certificate", name, crt, crt + ".key", "--provisioner", "admin",
		"--provisioner-password-file", filepath.Join(e.estate, "secrets", "admin.txt")}, flags...)...)...)
	return readLeaf(t, crt, crt+".key")
}

func (e *every) named(t *testing.T, l leaf, name string) {
	t.Helper()
	e.expect(t, name, l.crt, ": OK", "-purpose", "sslserver", "-verify_hostname", name)
	if !slices.Equal(l.CRLDistributionPoints, []string{e.ports.crlURL()}) {
		t.Errorf("its CRL distribution points are %v", l.CRLDistributionPoints)
	}
}

func (e *every) policy(t *testing.T) {
	for _, name := range []string{"jwk.elsewhere.internal", "root.every.internal", "a.b.every.internal"} {
		crt := filepath.Join(t.TempDir(), "leaf.crt")
		out, err := e.run(e.tools["step"], e.online("ca", "certificate", name, crt, crt+".key", "--provisioner", "admin",
			"--provisioner-password-file", filepath.Join(e.estate, "secrets", "admin.txt"))...)
		if err == nil || !strings.Contains(out, "not allowed") && !strings.Contains(out, "not authorized") && !strings.Contains(out, "denied") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func (e *every) oidc(t *testing.T) {
	claims := func(email string) []any {
		return []any{jwt.Claims{
			Issuer: e.issuer, Subject: "ada", Audience: jwt.Audience{"every"}, ID: email,
			IssuedAt: jwt.NewNumericDate(time.Now()), Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute)),
		}, map[string]any{"email": email, "email_verified": true}}
	}
	certificate, _, err := e.sign(t, token(t, e.login, "login", claims("ada@every.internal")...), x509.CertificateRequest{Subject: pkix.Name{CommonName: "ada"}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(certificate.EmailAddresses, []string{"ada@every.internal"}) || len(certificate.CRLDistributionPoints) != 1 {
		t.Errorf("it names %v, with the CRL at %v", certificate.EmailAddresses, certificate.CRLDistributionPoints)
	}
	if _, _, err := e.sign(t, token(t, e.login, "login", claims("eve@elsewhere.internal")...), x509.CertificateRequest{}); err == nil {
		t.Error("somebody of another domain got a certificate")
	}
	if _, _, err := e.sign(t, token(t, e.pods, "login", claims("ada@every.internal")...), x509.CertificateRequest{}); err == nil {
		t.Error("a token of another key got a certificate")
	}
	// step-ca's own template would give an admin any name.
	admin, _, err := e.sign(t, token(t, e.login, "login", claims("root@every.internal")...), x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "ada"}, DNSNames: []string{"db.every.internal"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(admin.DNSNames) > 0 || !slices.Equal(admin.EmailAddresses, []string{"root@every.internal"}) {
		t.Errorf("an admin asked for db.every.internal and got %v %v", admin.DNSNames, admin.EmailAddresses)
	}
}

func (e *every) x5c(t *testing.T) {
	proof := e.jwk(t, "proof.every.internal")
	crt := filepath.Join(t.TempDir(), "leaf.crt")
	e.must(t, "step", e.online("ca", "certificate", "x5c.every.internal", crt, crt+".key", "--provisioner", "chain", "--x5c-cert", proof.crt, "--x5c-key", proof.key)...)
	e.named(t, readLeaf(t, crt, crt+".key"), "x5c.every.internal")
}

// k8ssa has the template make the name from the token: what the request asks
// for is not looked at. The policy allows one label below every.internal.
func (e *every) k8ssa(t *testing.T) {
	pod := func(namespace string) (*x509.Certificate, error) {
		certificate, _, err := e.sign(t, token(t, e.pods, "pods", jwt.Claims{Issuer: "kubernetes/serviceaccount", Subject: "system:serviceaccount:" + namespace + ":web"}, map[string]any{
			"kubernetes.io/serviceaccount/namespace": namespace, "kubernetes.io/serviceaccount/service-account.name": "web",
		}), x509.CertificateRequest{DNSNames: []string{"root.every.internal"}})
		return certificate, err
	}
	certificate, err := pod("shop")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(certificate.DNSNames, []string{"web-shop.every.internal"}) {
		t.Errorf("the pod got %v", certificate.DNSNames)
	}
	if certificate, err := pod("a.b"); err == nil {
		t.Errorf("the policy let %v through", certificate.DNSNames)
	}
}

func (e *every) nebula(t *testing.T) {
	crt := filepath.Join(t.TempDir(), "leaf.crt")
	e.must(t, "step", e.online("ca", "certificate", "mesh.every.internal", crt, crt+".key", "--provisioner", "mesh",
		"--nebula-cert", filepath.Join(e.folder, "mesh-host.crt"), "--nebula-key", filepath.Join(e.folder, "mesh-host.key"))...)
	e.named(t, readLeaf(t, crt, crt+".key"), "mesh.every.internal")
}

// scep has the webhook check the challenge. step-ca trusts for webhooks the
// roots that it serves, so the server shows a leaf of its own.
func (e *every) scep(t *testing.T) {
	client := program(t, "scepclient")
	own := e.jwk(t, "localhost")
	pair, err := tls.LoadX509KeyPair(own.crt, own.key)
	if err != nil {
		t.Fatal(err)
	}
	go http.Serve(tls.NewListener(e.hook, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert}),
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var asked struct {
				Challenge string `json:"scepChallenge"`
			}
			json.NewDecoder(r.Body).Decode(&asked)
			json.NewEncoder(w).Encode(map[string]bool{"allow": asked.Challenge == "sesame"})
		}))
	enroll := func(challenge string) (string, string, error) {
		folder := t.TempDir()
		c := exec.Command(client, "-server-url", fmt.Sprintf("http://127.0.0.1:%d/scep/devices", e.ports.CRL), "-challenge", challenge,
			"-private-key", filepath.Join(folder, "device.key"), "-certificate", filepath.Join(folder, "device.crt"), "-cn", "device.every.internal", "-dnsname", "device.every.internal")
		c.Dir = folder
		out, err := c.CombinedOutput()
		return filepath.Join(folder, "device.crt"), string(out), err
	}
	if crt, out, err := enroll("sesame"); err != nil {
		t.Errorf("%v\n%s", err, out)
	} else {
		e.expect(t, "the device", crt, ": OK")
	}
	if crt, out, err := enroll("guess"); err == nil {
		if _, missing := os.Stat(crt); missing == nil {
			t.Errorf("a wrong challenge got a certificate\n%s", out)
		}
	}
}

// ssh gets certificates for a user and a host, renews the host's with itself
// (sshpop), and holds all against what OpenSSH says.
func (e *every) ssh(t *testing.T) {
	keygen := program(t, "ssh-keygen")
	folder := t.TempDir()
	password := filepath.Join(e.estate, "secrets", "admin.txt")
	common := []string{"--provisioner", "admin", "--provisioner-password-file", password, "--no-password", "--insecure"}
	user, host := filepath.Join(folder, "id"), filepath.Join(folder, "host")
	e.must(t, "step", e.online(append([]string{"ssh", "certificate", "ada", user, "--no-agent"}, common...)...)...)
	e.must(t, "step", e.online(append([]string{"ssh", "certificate", "host.every.internal", host, "--host"}, common...)...)...)
	for crt, want := range map[string][]string{
		user + "-cert.pub": {"user certificate", "ada", e.fingerprint(t, keygen, "user_ca.pub")},
		host + "-cert.pub": {"host certificate", "host.every.internal", e.fingerprint(t, keygen, "host_ca.pub")},
	} {
		out := e.must(t, keygen, "-L", "-f", crt)
		for _, word := range want {
			if !strings.Contains(out, word) {
				t.Errorf("%s does not have %q\n%s", filepath.Base(crt), word, out)
			}
		}
	}
	before, err := os.ReadFile(host + "-cert.pub")
	if err != nil {
		t.Fatal(err)
	}
	e.must(t, "step", e.online("ssh", "renew", host+"-cert.pub", host, "--force")...)
	if after, err := os.ReadFile(host + "-cert.pub"); err != nil || bytes.Equal(before, after) {
		t.Errorf("the host's certificate was not renewed (%v)", err)
	}
	if out, err := e.run(e.tools["step"], e.online(append([]string{"ssh", "certificate", "root", filepath.Join(folder, "root"), "--no-agent"}, common...)...)...); err == nil {
		t.Errorf("the policy allows ada and grace, and root got a certificate\n%s", out)
	}

	// What clients and hosts are told is what the running CA says.
	if out := e.must(t, "step", e.online("ssh", "config", "--roots")...); strings.TrimSpace(out) != firstWords(t, e.published("rendered/eu/ssh/user_ca.pub")) {
		t.Errorf("the CA's key for users is %q", out)
	}
	out := e.must(t, "step", e.online("ssh", "config", "--dry-run", "--host", "--set", "Certificate=c-cert.pub", "--set", "Key=c")...)
	for _, line := range []string{"TrustedUserCAKeys /etc/ssh/user_ca.pub", "HostCertificate /etc/ssh/c-cert.pub", "HostKey /etc/ssh/c"} {
		if !strings.Contains(out, line) {
			t.Errorf("step ssh config --host does not say %q\n%s", line, out)
		}
	}
	e.revokeSSH(t, keygen, folder, user+"-cert.pub")
}

// revokeSSH makes a list of revoked keys as the documents say.
func (e *every) revokeSSH(t *testing.T, keygen, folder, crt string) {
	t.Helper()
	list, ca := filepath.Join(folder, "revoked_keys"), e.published("rendered/eu/ssh/user_ca.pub")
	e.must(t, keygen, "-k", "-f", list, "-s", ca, os.DevNull)
	e.must(t, keygen, "-Q", "-f", list, crt)
	e.must(t, keygen, "-k", "-u", "-f", list, "-s", ca, crt)
	if out, err := e.run(keygen, "-Q", "-f", list, crt); err == nil || !strings.Contains(out, "REVOKED") {
		t.Errorf("the list does not revoke the certificate: %v\n%s", err, out)
	}
}

func (e *every) fingerprint(t *testing.T, keygen, name string) string {
	t.Helper()
	return strings.Fields(e.must(t, keygen, "-l", "-f", e.published("rendered/eu/ssh/"+name)))[1]
}

// firstWords is a public key without its comment.
func firstWords(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text))[:2], " ")
}

// deployCheck runs the script of the tree, on a CA that serves what the tree
// says and with a tree that says otherwise.
func (e *every) deployCheck(t *testing.T) {
	program(t, "curl")
	script := func(tree string) (string, error) {
		return e.run("sh", filepath.Join(tree, "systemd", "deploy-check.sh"), e.ports.caURL())
	}
	if out, err := script(e.published("rendered/eu")); err != nil || !strings.Contains(out, "serves what this folder says") {
		t.Fatalf("%v\n%s", err, out)
	}
	other := filepath.Join(t.TempDir(), "eu")
	if err := os.CopyFS(other, os.DirFS(e.published("rendered/eu"))); err != nil {
		t.Fatal(err)
	}
	change := func(name, old, new string) {
		file := filepath.Join(other, filepath.FromSlash(name))
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, bytes.Replace(text, []byte(old), []byte(new), 1), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	change("systemd/deploy-check.sh", `"name":"web"`, `"name":"new"`)
	if out, err := script(other); err == nil || !strings.Contains(out, "does not have the provisioner") {
		t.Errorf("a provisioner that is not served: %v\n%s", err, out)
	}
	change("certs/intermediate_ca.crt", "M", "N")
	if out, err := script(other); err == nil || !strings.Contains(out, "does not sign with") {
		t.Errorf("another intermediate: %v\n%s", err, out)
	}
}
