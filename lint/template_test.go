package lint

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// templateDetails is what the rules about templates say of one template of a
// JWK provisioner, as "id: detail".
func templateDetails(t testing.TB, kind, source, data string) []string {
	t.Helper()
	options := map[string]any{"template": source}
	if !strings.HasPrefix(strings.TrimSpace(source), "{") {
		options = map[string]any{"templateFile": "templates/x.tpl"}
	}
	if data != "" {
		options["templateData"] = json.RawMessage(data)
	}
	config, err := json.Marshal(map[string]any{"root": "r", "crt": "c", "key": "k", "address": ":443", "dnsNames": []string{"ca.acme.internal"}, "db": map[string]any{"type": "badgerv2", "dataSource": "db"}, "authority": map[string]any{"provisioners": []any{
		map[string]any{"type": "ACME", "name": "a", "options": map[string]any{kind: options}},
	}}})
	noError(t, err)
	var said []string
	for _, f := range mustNew(t, "private").StepCA([]File{{Path: "config/ca.json", Data: config}, {Path: "templates/x.tpl", Data: []byte(source)}}) {
		said = append(said, f.Lint+": "+f.Detail)
	}
	return said
}

// TestTemplates walks what templates do. The default templates of step-ca are
// among those that are left in peace.
func TestTemplates(t *testing.T) {
	const head = `"subject": {{ toJson .Subject }}, "sans": {{ toJson .SANs }}`
	for name, c := range map[string]struct{ kind, source, data, want string }{
		"step-ca's leaf": {"x509", "{\n\t\"subject\": {{ toJson .Subject }},\n\t\"sans\": {{ toJson .SANs }},\n" +
			"{{- if typeIs \"*rsa.PublicKey\" .Insecure.CR.PublicKey }}\n\t\"keyUsage\": [\"keyEncipherment\", \"digitalSignature\"],\n{{- else }}\n\t\"keyUsage\": [\"digitalSignature\"],\n{{- end }}\n\t\"extKeyUsage\": [\"serverAuth\", \"clientAuth\"]\n}", "", ""},
		"ssh":                   {"ssh", `{"type": {{ toJson .Type }}, "keyId": {{ toJson .KeyID }}, "principals": {{ toJson .Principals }}, "extensions": {{ toJson .Extensions }}}`, "", ""},
		"through the root":      {"x509", `{` + head + `, "emailAddresses": [{{ with .Token }}{{ toJson $.Insecure.User.mail }}{{ end }}]}`, "", "e_tmpl_insecure_cr_used"},
		"through a variable":    {"x509", `{` + head + `{{ $m := .Insecure.User.mail }}, "emailAddresses": [{{ toJson $m }}]}`, "", "e_tmpl_insecure_cr_used"},
		"through the dot":       {"x509", `{` + head + `, "emailAddresses": [{{ with .Insecure.User.mail }}{{ toJson . }}{{ end }}]}`, "", "e_tmpl_insecure_cr_used"},
		"compared":              {"x509", `{` + head + `{{ if eq .Insecure.User.unit "ops" }}, "policyIdentifiers": [{{ toJson .Insecure.User.unit }}]{{ end }}}`, "", ""},
		"compared, then else":   {"x509", `{` + head + `{{ if eq .Insecure.User.unit "ops" }}{{ else }}, "uris": {{ toJson .Insecure.User.unit }}{{ end }}}`, "", "e_tmpl_insecure_cr_used"},
		"asked for only":        {"x509", `{` + head + `{{ if .Insecure.User.long }}, "ocspServer": []{{ end }}}`, "", ""},
		"any constraints":       {"x509", `{` + head + `, "basicConstraints": {{ toJson .Insecure.User.bc }}}`, "", "e_tmpl_insecure_cr_used e_tmpl_is_ca_reachable"},
		"injection":             {"x509", `{"subject": "{{ .Subject.CommonName }}"}`, "", "e_tmpl_is_ca_reachable e_tmpl_unescaped_value"},
		"in any case":           {"x509", `{` + head + `, "BASICCONSTRAINTS": {"ISCA": true}}`, "", "e_tmpl_is_ca_reachable"},
		"printf":                {"x509", `{"subject": {"commonName": "{{ printf "%s.x" .Token.sub }}"}}`, "", "e_tmpl_is_ca_reachable e_tmpl_unescaped_value"},
		"printf to toJson":      {"x509", `{"subject": {"commonName": {{ printf "%s.x" .Token.sub | toJson }}}}`, "", ""},
		"no such function":      {"x509", `{"subject": {{ env "HOME" | toJson }}}`, "", "e_tmpl_not_json_or_missing_var"},
		"unclosed":              {"x509", `{"subject": {{ toJson .Subject }`, "", "e_tmpl_not_json_or_missing_var"},
		"one brace too many":    {"x509", `{` + head + `}}`, "", "e_tmpl_not_json_or_missing_var"},
		"two objects":           {"x509", `{` + head + `}{"crlDistributionPoints": ["http://x"]}`, "", "e_tmpl_not_json_or_missing_var"},
		"set by templateData":   {"x509", `{` + head + `, "ocspServer": {{ toJson .ocsp }}}`, `{"ocsp": []}`, ""},
		"set by nobody":         {"x509", `{` + head + `, "ocspServer": {{ toJson .ocsp }}}`, "", "e_tmpl_not_json_or_missing_var"},
		"optional":              {"x509", `{` + head + `{{ with .ocsp }}, "ocspServer": {{ toJson . }}{{ end }}}`, "", ""},
		"in a loop":             {"x509", `{` + head + `, "ocspServer": [{{ range $i, $u := .ocsp }}{{ if $i }},{{ end }}{{ toJson $u }}{{ end }}]}`, `{"ocsp": ["http://a", "http://b"]}`, ""},
		"a function of sprig's": {"x509", `{` + head + `, "extensions": [{"id": "1.2.3", "value": {{ asn1Enc "x" | toJson }}}]}`, "", ""},
		"a key of nobody's":     {"x509", `{` + head + `, "crlDistributionPoint": ["http://x"]}`, "", "e_tmpl_not_json_or_missing_var"},
		"a key in the subject":  {"x509", `{"subject": {"cn": "x"}, "sans": {{ toJson .SANs }}}`, "", "e_tmpl_not_json_or_missing_var"},
		"keys in any case":      {"x509", `{` + head + `, "OCSPSERVER": [], "keyusage": []}`, "", ""},
		"an x509 key in ssh":    {"ssh", `{"type": {{ toJson .Type }}, "keyId": {{ toJson .KeyID }}, "principals": {{ toJson .Principals }}, "keyUsage": []}`, "", "e_tmpl_not_json_or_missing_var"},
		"without an end":        {"x509", `{{ range 2000000000 }}{{ end }}{` + head + `}`, "", "e_tmpl_not_json_or_missing_var"},
		"calls itself":          {"x509", `{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}{` + head + `}`, "", "e_tmpl_not_json_or_missing_var"},
		"data is a list":        {"x509", `{` + head + `}`, `[]`, "e_tmpl_not_json_or_missing_var"},
		"refuses":               {"x509", `{{ if ne .Token.email "x" }}{{ fail "no" }}{{ end }}{` + head + `}`, "", ""},
	} {
		var ids []string
		for _, said := range templateDetails(t, c.kind, c.source, c.data) {
			id, _, _ := strings.Cut(said, ":")
			ids = append(ids, id)
		}
		slices.Sort(ids)
		if got := strings.Join(slices.Compact(ids), " "); got != c.want {
			t.Errorf("%s: %q, want %q: %q", name, got, c.want, templateDetails(t, c.kind, c.source, c.data))
		}
	}
}

// TestTemplatesEnd shows that no template keeps the linter busy: loops, values
// that double and templates that call themselves are cut off.
func TestTemplatesEnd(t *testing.T) {
	for name, source := range map[string]string{
		"a long loop":         `{{ range 2000000000 }}{{ end }}{}`,
		"nested loops":        strings.Repeat(`{{ range 1000 }}`, 6) + strings.Repeat(`{{ end }}`, 6) + `{}`,
		"a list that doubles": `{{ $x := list 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ toJson $x }}`,
		"a text that doubles": `{{ $x := "x" }}{{ range 60 }}{{ $x = printf "%s%s" $x $x }}{{ end }}{{ toJson $x }}`,
		"a long repetition":   `{{ repeat 2000000000 "x" }}`,
		"replacements":        `{{ $x := repeat 1000000 "x" }}{{ replace "x" $x $x | len }}`,
		"recursion":           `{{ define "a" }}{{ template "a" . }}{{ template "a" . }}{{ end }}{{ template "a" . }}{}`,
		"wide output":         `{{ range 20000 }}{{ printf "%999999d" 1 }}{{ end }}`,
	} {
		began := time.Now()
		templateDetails(t, "x509", source, "")
		// The promise is a bound, not a speed: without one these take hours.
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
	}
}

// TestUnits walks what units say.
func TestUnits(t *testing.T) {
	const start = "[Service]\nUser=step\nExecStart=/usr/bin/step-ca /etc/step-ca/config/ca.json\n"
	l := mustNew(t, "private")
	for name, c := range map[string]struct{ text, want string }{
		"another program":    {"[Service]\nExecStart=/bin/true\n", ""},
		"dynamic user":       {"[Service]\nDynamicUser=yes\nExecStart=-/usr/bin/step-ca /etc/step-ca/config/ca.json\nCapabilityBoundingSet=\n", ""},
		"uid 0":              {start + "User=0\n", "e_unit_runs_as_root w_unit_sandbox_missing"},
		"in another section": {"[Unit]\nUser=step\n[Service]\nExecStart=step-ca /etc/step-ca/config/ca.json\n", "e_unit_runs_as_root w_unit_sandbox_missing"},
		"pin on the line":    {"[Service]\nUser=step\nExecStart=/usr/bin/step-ca ca.json --kms 'pkcs11:token=a?pin-value=1'\nWorkingDirectory=/\n", "e_unit_secret_in_environment w_unit_sandbox_missing"},
		"a path to one":      {start + "Environment=PIN_FILE=/etc/pin PASSWORD=/run/secret\n", "w_unit_sandbox_missing"},
		"quoted":             {start + `Environment="STEP_CA_PASSWORD=canary"` + "\n", "e_unit_secret_in_environment w_unit_sandbox_missing"},
		"taken back":         {start + "Environment=PIN=canary\nEnvironment=\n", "w_unit_sandbox_missing"},
		"relative program":   {"[Service]\nUser=step\nExecStart=bin/step-ca /etc/step-ca/config/ca.json\n", "e_unit_exec_paths_absent w_unit_sandbox_missing"},
		"nothing at all":     {"", ""},
	} {
		var ids []string
		for _, f := range l.Unit(File{Path: "step-ca.service", Data: []byte(c.text)}) {
			ids = append(ids, f.Lint)
			if strings.Contains(f.Detail, "canary") {
				t.Errorf("%s: a secret is in %q", name, f.Detail)
			}
		}
		slices.Sort(ids)
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestRenderedTree judges the tree that another package renders, as it lies
// there: what we write ourselves has nothing to be said against, notices
// included.
func TestRenderedTree(t *testing.T) {
	tree := readTree(t, filepath.Join("..", "render", "testdata", "tree"))
	if len(tree) < 5 {
		t.Fatalf("the tree has %d files", len(tree))
	}
	l := mustNew(t, "private")
	for _, f := range l.StepCAAt(tree, testNow) {
		t.Errorf("%+v", f)
	}
	seen, _ := readStepTree(tree, testNow, nil)
	if len(seen.templates) != 2 || len(seen.units) != 2 || seen.issuing == nil || seen.clientURL == "" {
		t.Errorf("of the tree, %d templates and %d units were judged", len(seen.templates), len(seen.units))
	}
	for _, s := range seen.templates {
		if len(s.rendered) == 0 {
			t.Errorf("%s was not tried", s.where)
		}
	}
}

// TestUpstreamUnit judges the unit that comes with step-ca, for a key in a
// file and for one in a token.
func TestUpstreamUnit(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "upstream.service"))
	noError(t, err)
	unit := File{Path: "step-ca.service", Data: text}
	for config, want := range map[string]string{
		`"key": "secrets/k"`: "[notice n_unit_condition_skips]",
		`"key": "pkcs11:id=1", "kms": {"uri": "pkcs11:module-path=/m.so;token=t"}`: "[error e_unit_pkcs11_device_blocked error e_unit_pkcs11_device_blocked notice n_unit_condition_skips]",
	} {
		whole := `{"root": "r", "crt": "c", "address": ":443", "dnsNames": ["ca.acme.internal"], "db": {"type": "badgerv2", "dataSource": "db"}, ` + config + `}`
		got := words(mustNew(t, "private").StepCA([]File{unit, {Path: "config/ca.json", Data: []byte(whole)}}))
		if fmt.Sprint(got) != want {
			t.Errorf("%s: findings are %v, want %s", config, got, want)
		}
	}
}

// TestTemplateThatAsksOthers: what a webhook or a login's claim says is not
// known here, so a template that works with it is not broken; one that cannot
// work at all is.
func TestTemplateThatAsksOthers(t *testing.T) {
	for value, want := range map[string]int{
		`{{ toJson (.Webhooks.people.id | b64enc) }}`:                  0,
		`{{ toJson (.Token.department | upper) }}`:                     0,
		`{{ toJson (.AuthorizationCrt.Subject.CommonName | b64enc) }}`: 0,
		`{{ toJson (.Token.email | upper) }}`:                          0,
		`{{ toJson (.Subject.Nothing | upper) }}`:                      1,
	} {
		text, err := json.Marshal(fmt.Sprintf(`{"subject": %s, "sans": {{ toJson .SANs }}, "keyUsage": ["digitalSignature"], "extKeyUsage": ["clientAuth"]}`, value))
		noError(t, err)
		config := serviceConfig(t, fmt.Sprintf(`{"authority": {"provisioners": [{"type": "OIDC", "name": "o", "options": {"x509": {"template": %s}}}]}}`, text))
		if got := stepDetails(t, "e_tmpl_not_json_or_missing_var", map[string]string{"config/ca.json": config}); len(got) != want {
			t.Errorf("%s: %q, want %d", value, got, want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "step-ca", "*", "templates", "*", "*.tpl"))
	noError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		noError(f, err)
		f.Add(string(text), `{"crl_urls": ["http://x"]}`)
	}
	f.Add(`{{ range $i, $e := list 1 2 }}{{ toJson $e }}{{ end }}`, `null`)
	l := mustNew(f, "private")
	f.Fuzz(func(t *testing.T, text, data string) {
		config, err := json.Marshal(map[string]any{"root": "r", "crt": "c", "key": "k", "address": ":443", "dnsNames": []string{"ca.acme.internal"}, "db": map[string]any{"type": "badgerv2", "dataSource": "db"}, "authority": map[string]any{"provisioners": []any{map[string]any{
			"type": "ACME", "name": "a", "options": map[string]any{"x509": map[string]any{"templateFile": "t"}, "ssh": map[string]any{"templateFile": "t"}},
		}}}})
		noError(t, err)
		if json.Valid([]byte(data)) {
			config = []byte(strings.Replace(string(config), `"templateFile":"t"`, `"templateData":`+data+`,"templateFile":"t"`, 1))
		}
		sound(t, l.StepCA([]File{{Path: "config/ca.json", Data: config}, {Path: "t", Data: []byte(text)}}))
	})
}

func FuzzUnit(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "step-ca", "*", "systemd", "*.service"))
	noError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		noError(f, err)
		f.Add(text)
	}
	l := mustNew(f, "private")
	f.Fuzz(func(t *testing.T, text []byte) { sound(t, l.Unit(File{Path: "x.service", Data: text})) })
}
