package render_test

import (
	"strings"
	"testing"

	"pki.internal/render"
	"pki.internal/spec"
)

// site renders the site of a scene after its ceremony.
func (s *scene) site(t *testing.T) map[string]string {
	t.Helper()
	s.mustTree(t)
	files, err := render.Site(s.estate, s.state)
	must(t, err)
	byPath := map[string]string{}
	for _, f := range files {
		byPath[f.Path] = string(f.Data)
	}
	return byPath
}

// TestSite looks at who answers each URL: a file, a step-ca behind the web
// server, or a step-ca itself.
func TestSite(t *testing.T) {
	s := twoTier()
	site := s.site(t)
	if got := site["README.txt"]; !strings.Contains(got, "Answered by step-ca itself") || strings.Contains(site["nginx.conf"], "ca.example.internal") {
		t.Errorf("the list that step-ca has at its own address:\n%s\n%s", got, site["nginx.conf"])
	}
	for _, want := range []string{"\npublish certs/root.cer\n", "\npublish crls/root.crl\n", "\npublish certs/issuing.cer\n"} {
		if !strings.Contains(site["publish.sh"], want) {
			t.Errorf("publish.sh has no %q", want)
		}
	}
	if strings.Contains(site["publish.sh"], "issuing.crl") {
		t.Error("the ceremony's list would stand in for the one that step-ca signs")
	}

	// Hosts are the same in capitals: a second server of one name gets no request.
	s = twoTier()
	s.estate.Authorities[1].CAIssuersURLs = []string{"http://PKI.Example.internal/Second.cer"}
	site = s.site(t)
	if conf := site["nginx.conf"]; strings.Count(conf, "server_name pki.example.internal;") != 1 || !strings.Contains(conf, "/Second.cer") {
		t.Errorf("not one server with both:\n%s", conf)
	}

	s = nodes()
	s.estate.Authorities[1].CRL.URLs = []string{"http://[fd00::9]:8080/i.crl"}
	s.mustTree(t)
	s.estate.Authorities[0].CRL.Presign = 2
	site = s.site(t)
	for file, wants := range map[string][]string{
		"nginx.conf": {"server ca1.example.internal:80;", "server [fd00::2]:80;", "server_name [fd00::9];", "listen 8080;", "location = /i.crl", "default_type application/pkix-cert;"},
		"Caddyfile":  {"http://[fd00::9]:8080 {", "reverse_proxy ca1.example.internal:80 [fd00::2]:80 {", "http://pki.example.internal {"},
		"README.txt": {"   root.crl\n"},
	} {
		for _, want := range wants {
			if !strings.Contains(site[file], want) {
				t.Errorf("%s has no %q\n%s", file, want, site[file])
			}
		}
	}
	if strings.Contains(site["publish.sh"], "\npublish crls/root.crl") || !strings.Contains(site["publish.sh"], `[ -e "$to/root.crl" ] || publish crls/root.crl`) {
		t.Errorf("a list that is signed ahead would be put back by every publication:\n%s", site["publish.sh"])
	}

	// What certificates that are out there name is served on, whatever the estate
	// says now.
	s.estate.Authorities[0].CAIssuersURLs = []string{"http://new.example.internal/root.cer"}
	if urls := s.site(t)["urls.tsv"]; !strings.Contains(urls, "http://new.example.internal/root.cer\troot.cer\t") || !strings.Contains(urls, "http://pki.example.internal/root.cer\troot.cer\t") {
		t.Errorf("an old URL is gone:\n%s", urls)
	}
}

// TestPublishedURLs is about warnings: a URL that leads to a step-ca which does
// not answer it, and one that no web server can be told.
func TestPublishedURLs(t *testing.T) {
	s := twoTier()
	if d := render.Check(s.estate); len(d) > 0 {
		t.Errorf("a good estate is warned of %v", d)
	}
	s.estate.Authorities[0].CRL.URLs = []string{"http://ca.example.internal/root.crl"}
	s.estate.Authorities[0].CAIssuersURLs = []string{"http://pki.example.internal/a;b{}.cer", "http://pki.example.internal/a/../b.cer", "http://pki.example.internal/c.cer?{}.cer"}
	var got []string
	for _, d := range render.Check(s.estate) {
		if d.Severity != spec.Warning {
			t.Errorf("an error: %v", d)
		}
		got = append(got, d.Summary)
	}
	if want := "URL that a web server cannot be told|URL that a web server cannot be told|URL that a web server cannot be told|URLs that step-ca does not answer"; strings.Join(got, "|") != want {
		t.Errorf("warnings: %q", got)
	}
	for name, text := range s.site(t) {
		if strings.Contains(text, "{}.cer") || strings.Contains(text, "/../b.cer") {
			t.Errorf("%s has the URL:\n%s", name, text)
		}
	}
	s.ca.InsecureAddress = "127.0.0.1:80"
	for _, d := range render.Check(s.estate) {
		if d.Summary == "URLs that step-ca does not answer" {
			t.Errorf("a listener behind the web server: %v", d)
		}
	}
}

// TestTwoLists is about two online CAs of one authority.
func TestTwoLists(t *testing.T) {
	s := twoTier()
	second := *s.ca
	second.Origin = named("online_ca", "us")
	s.estate.OnlineCAs = append(s.estate.OnlineCAs, &second)
	summaries := func() (all string) {
		for _, d := range render.Check(s.estate) {
			all += d.Summary + "\n"
		}
		return all
	}
	if !strings.Contains(summaries(), "Two CRLs of one authority") {
		t.Error("two lists from two databases pass")
	}
	shared := &spec.Database{Type: "postgresql", DataSource: "postgresql://step@db/ca?passfile=secrets/pgpass", Name: "ca"}
	s.ca.Database, second.Database = shared, shared
	if strings.Contains(summaries(), "Two CRLs of one authority") {
		t.Error("two nodes on one database are refused")
	}
	s.ca.Database, second.Database = twoTier().ca.Database, twoTier().ca.Database
	second.CRL = nil
	if strings.Contains(summaries(), "Two CRLs of one authority") {
		t.Error("one list is refused")
	}
}
