package stepca_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPublication has nginx and Caddy serve the rendered site, with a real
// step-ca behind it, and openssl fetch what certificates point to.
func TestPublication(t *testing.T) {
	tools(t)
	servers := map[string]func(*testing.T, *bench, string){"nginx": startNginx, "caddy": startCaddy}
	port := listen(t)
	port.Close()
	b := own(t, &bench{hcl: "site.pki.hcl.tmpl", data: map[string]any{"Site": portOf(port)}})
	www := filepath.Join(b.folder, "www")
	if out := b.must(t, "sh", b.published("rendered/site/publish.sh"), www); strings.Count(out, "\n") != 3 {
		t.Errorf("a first publication says %q", out)
	}
	if out := b.must(t, "sh", b.published("rendered/site/publish.sh"), www); out != "" {
		t.Errorf("a second publication says %q", out)
	}
	for _, name := range []string{"nginx", "caddy"} {
		t.Run(name, func(t *testing.T) {
			servers[name](t, b, www)
			b.answers(t, portOf(port))
			for _, url := range strings.Split(strings.TrimSpace(string(b.file(t, "rendered/site/urls.tsv"))), "\n")[1:] {
				b.isPublished(t, strings.Split(url, "\t"), www)
			}
			b.refuses(t, fmt.Sprintf("http://localhost:%d", portOf(port)))
			b.followsURLs(t)
		})
	}
}

func (b *bench) file(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(b.published(name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// siteConfig is a rendered configuration with the test's folder in it.
func (b *bench) siteConfig(t *testing.T, name, www string) string {
	t.Helper()
	text := strings.ReplaceAll(string(b.file(t, "rendered/site/"+name)), "/var/www/pki", www)
	if _, err := os.Stat("/proc/net/if_inet6"); err != nil { // a machine without IPv6
		text = strings.ReplaceAll(text, "    listen [::]:", "    # listen [::]:")
	}
	file := filepath.Join(b.folder, name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func startNginx(t *testing.T, b *bench, www string) {
	program(t, "nginx")
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	text := fmt.Sprintf("%spid %s/nginx.pid;\nerror_log stderr;\nevents { }\nhttp {\n  access_log off;\n  include %s;\n}\n", user, b.folder, b.siteConfig(t, "nginx.conf", www))
	main := filepath.Join(b.folder, "main.conf")
	if err := os.WriteFile(main, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	b.serve(t, "nginx", exec.Command("nginx", "-p", b.folder, "-c", main, "-g", "daemon off;"))
}

func startCaddy(t *testing.T, b *bench, www string) {
	caddy := program(t, "caddy")
	main := filepath.Join(b.folder, "Caddyfile.main")
	if err := os.WriteFile(main, fmt.Appendf(nil, "{\n\tadmin off\n}\nimport %s\n", b.siteConfig(t, "Caddyfile", www)), 0o644); err != nil {
		t.Fatal(err)
	}
	b.serve(t, "caddy", exec.Command(caddy, "run", "--adapter", "caddyfile", "--config", main))
}

func (b *bench) serve(t *testing.T, name string, c *exec.Cmd) {
	t.Helper()
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	c.Env = append(os.Environ(), "HOME="+b.folder, "XDG_CONFIG_HOME="+b.folder, "XDG_DATA_HOME="+b.folder)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Signal(os.Interrupt)
		c.Wait()
		show(t, name, log.String())
	})
}

// answers waits until the web server listens.
func (b *bench) answers(t *testing.T, port int) {
	t.Helper()
	if err := b.ca.until("the web server answers", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("localhost:%d", port))
		if err == nil {
			c.Close()
		}
		return err == nil
	}); err != nil {
		t.Fatal(err)
	}
}

// isPublished fetches one line of urls.tsv and wants what it says.
func (b *bench) isPublished(t *testing.T, row []string, www string) {
	t.Helper()
	response, err := b.client.Get(row[0])
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	body.ReadFrom(response.Body)
	if kinds, caches := response.Header.Values("Content-Type"), response.Header.Values("Cache-Control"); response.StatusCode != http.StatusOK ||
		len(kinds) != 1 || kinds[0] != row[2] || len(caches) != 1 || caches[0] != row[3] {
		t.Errorf("%s: %s, %q, %q; want %q", row[0], response.Status, kinds, caches, row[2:])
	}
	if strings.HasPrefix(row[1], "step-ca ") {
		if list, err := x509.ParseRevocationList(body.Bytes()); err != nil {
			t.Errorf("%s: %v", row[0], err)
		} else if err := list.CheckSignatureFrom(readLeaf(t, b.chain, "").Certificate); err != nil {
			t.Errorf("%s: %v", row[0], err)
		}
		return
	}
	if want, err := os.ReadFile(filepath.Join(www, row[1])); err != nil || !bytes.Equal(want, body.Bytes()) {
		t.Errorf("%s is not www/%s (%v)", row[0], row[1], err)
	}
}

// refuses asks for what is not published, and in ways that nothing is.
func (b *bench) refuses(t *testing.T, site string) {
	t.Helper()
	for _, path := range []string{"/", "/issuing.cer", "/.root.crl.new", "/certs/", "/1.0/crl", "/root.crl/../../estate.pki.hcl", "/certs/%2e%2e/%2e%2e/estate.pki.hcl"} {
		request, err := http.NewRequest(http.MethodGet, site, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.URL.Opaque = path
		response, err := b.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusNotFound && response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	response, err := b.client.Post(site+"/root.crl", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode < 400 {
		t.Errorf("a POST is answered by %s", response.Status)
	}
}

// followsURLs has openssl go where the certificates point, before a revocation
// and after it.
func (b *bench) followsURLs(t *testing.T) {
	t.Helper()
	b.expect(t, "the intermediate", b.published("certs/issuing.crt"), ": OK", "-crl_check", "-crl_download")
	l := b.jwkLeaf(t)
	b.expect(t, "a leaf", l.crt, ": OK", "-crl_check", "-crl_download")
	b.must(t, "step", b.online("ca", "revoke", "--cert", l.crt, "--key", l.key)...)
	b.expect(t, "a revoked leaf", l.crt, "certificate revoked", "-crl_check", "-crl_download")
}
