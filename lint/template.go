package lint

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"
	ast "text/template/parse"
	"time"
)

// stepTemplate is one template that a provisioner uses.
type stepTemplate struct {
	// where names the provisioner and the kind.
	where string
	// ssh says that the template makes SSH certificates.
	ssh bool
	// missing says why there is no text; empty when there is one.
	missing string
	// twice is the file that is named beside a text, and never read.
	twice string
	// data is what templateData gives.
	data map[string]any
	trial
}

// trial is what trying a template showed.
type trial struct {
	// broken says why the text is no template, or gives no JSON.
	broken string
	// unread are keys of the JSON that step-ca does not read.
	unread []string
	// uses is every place where the text names a variable.
	uses []use
	// rendered is what came out, for every requester that was tried; nil when
	// the template cannot be tried here.
	rendered []document
}

// document is the JSON that a template gave.
type document map[string]any

// errNotHere is for functions that only a real step-ca has: what they give
// cannot be known, so nothing is said about it.
var errNotHere = errors.New("this function is not tried here")

// readTemplates finds the templates of all provisioners and tries them.
func (t *stepTree) readTemplates() {
	for i, p := range t.config.Authority.Provisioners {
		if p.Options == nil {
			continue
		}
		for _, kind := range []struct {
			name    string
			options *stepTemplateOptions
		}{{"x509", p.Options.X509}, {"ssh", p.Options.SSH}} {
			if kind.options == nil || kind.options.Template == "" && kind.options.TemplateFile == "" {
				continue
			}
			s := stepTemplate{where: p.where(i) + ", " + kind.name, ssh: kind.name == "ssh"}
			s.read(kind.options, t)
			t.templates = append(t.templates, s)
		}
	}
}

// read finds the text as step-ca does, and tries it.
func (s *stepTemplate) read(o *stepTemplateOptions, t *stepTree) {
	if len(o.TemplateData) > 0 {
		if err := json.Unmarshal(o.TemplateData, &s.data); err != nil {
			s.broken = "templateData is no object"
			return
		}
	}
	source := strings.TrimSpace(o.Template)
	if source != "" {
		s.twice = o.TemplateFile
	}
	switch {
	case source == "":
		i := slices.IndexFunc(t.files, func(f File) bool {
			return sameFile(o.TemplateFile, f.Path) || path.Clean(o.TemplateFile) == path.Clean(f.Path)
		})
		if i < 0 {
			s.missing = fmt.Sprintf("the tree has no %s", o.TemplateFile)
			return
		}
		source = string(t.files[i].Data)
	case !strings.HasPrefix(source, "{"):
		decoded, err := base64.StdEncoding.DecodeString(source)
		if err != nil {
			s.broken = "template is neither JSON nor base64"
			return
		}
		source = string(decoded)
	}
	s.try(source, t)
}

// try parses the text and runs it for every requester, unless the same was
// tried before.
func (s *stepTemplate) try(source string, t *stepTree) {
	data, err := json.Marshal(s.data)
	if t.memory == nil || err != nil {
		s.carryOut(source, t)
		return
	}
	parts := [][]byte{[]byte(source), data, fmt.Append(nil, s.ssh), t.moment().AppendFormat(nil, time.RFC3339Nano)}
	s.trial = *recall(&t.memory.templates, parts, func() *trial {
		s.carryOut(source, t)
		done := s.trial
		return &done
	})
}

func (s *stepTemplate) carryOut(source string, t *stepTree) {
	meter := &meter{}
	parsed, err := template.New("template").Funcs(templateFunctions(t.moment(), meter)).Parse(source)
	if err != nil {
		s.broken = fmt.Sprintf("it cannot be parsed: %v", err)
		return
	}
	var trees []*ast.Tree
	for _, part := range parsed.Templates() {
		if part.Tree != nil {
			trees = append(trees, part.Tree)
		}
	}
	slices.SortFunc(trees, func(a, b *ast.Tree) int { return strings.Compare(a.Name, b.Name) })
	s.uses = walkAll(trees)
	meter.install(trees)
	for i, data := range s.requesters() {
		meter.used = 0
		out := &bounded{left: maxRendered}
		err := parsed.Execute(out, data)
		if err == nil {
			s.keep(out.Bytes(), i == 0)
			continue
		}
		// What users send of their own has a shape that only they know, and so has
		// what others say of them.
		unknown := s.looksIntoKey() || len(s.userKeys()) > 0 || s.asksOthers(data)
		switch {
		case i != 0 || errors.Is(err, errNotHere):
		case errors.Is(err, errTooLong):
			s.broken = "it does not come to an end, or writes more than a certificate could hold"
		case !unknown:
			s.broken = fmt.Sprintf("it cannot be carried out: %v", err)
		}
	}
}

// keep reads what the template gave. Only an honest requester's document says
// that a template is broken.
func (s *stepTemplate) keep(out []byte, honest bool) {
	var d document
	decoder := json.NewDecoder(bytes.NewReader(out))
	err := decoder.Decode(&d)
	switch {
	case err != nil && honest:
		s.broken = fmt.Sprintf("it does not give JSON: %v", err)
	case err == nil && honest && len(bytes.TrimSpace(out[decoder.InputOffset():])) > 0:
		s.broken = "something stands behind the JSON value: step-ca drops it"
	}
	if d != nil && honest {
		s.unread = d.unread(s.ssh)
	}
	if d != nil {
		s.rendered = append(s.rendered, d)
	}
}

// x509Keys and sshKeys are what step-ca reads of a template's JSON, in small
// letters (encoding/json does not look at the case). It drops any other.
const (
	x509Keys = " version subject rawsubject issuer serialnumber dnsnames emailaddresses ipaddresses uris sans notbefore notafter extensions" +
		" keyusage extkeyusage unknownextkeyusage subjectkeyid authoritykeyid ocspserver issuingcertificateurl crldistributionpoints" +
		" policyidentifiers basicconstraints nameconstraints signaturealgorithm "
	sshKeys     = " nonce serial type keyid principals validafter validbefore criticaloptions extensions reserved signaturekey signature "
	subjectKeys = " country organization organizationalunit locality province streetaddress postalcode serialnumber commonname extranames "
)

// unread lists the keys that step-ca would drop.
func (d document) unread(ssh bool) []string {
	known := x509Keys
	if ssh {
		known = sshKeys
	}
	unread := d.outside(known, "")
	if subject, is := d.get("subject").(map[string]any); is && !ssh {
		unread = append(unread, document(subject).outside(subjectKeys, "subject.")...)
	}
	if constraints, is := d.get("basicConstraints").(map[string]any); is && !ssh {
		unread = append(unread, document(constraints).outside(" isca maxpathlen ", "basicConstraints.")...)
	}
	return unread
}

func (d document) outside(known, at string) []string {
	var keys []string
	for _, k := range slices.Sorted(maps.Keys(d)) {
		if strings.ContainsRune(k, ' ') || !strings.Contains(known, " "+strings.ToLower(k)+" ") {
			keys = append(keys, at+k)
		}
	}
	return keys
}

// looksIntoKey says whether the template reads parts of the request's key,
// which is not there to be read.
func (s *stepTemplate) looksIntoKey() bool {
	return slices.ContainsFunc(s.uses, func(u use) bool {
		i := slices.Index(u.chain, "PublicKey")
		return i >= 0 && i+1 < len(u.chain)
	})
}

// asksOthers says whether the template reads what a webhook, another
// certificate or a login's own claims say, of which only the usual claims are
// known here.
func (s *stepTemplate) asksOthers(data map[string]any) bool {
	claims, _ := data["Token"].(map[string]any)
	return slices.ContainsFunc(s.uses, func(u use) bool {
		if len(u.chain) < 2 {
			return false
		}
		_, usual := claims[u.chain[1]]
		return slices.Contains([]string{"Webhooks", "AuthorizationCrt", "AuthorizationChain"}, u.chain[0]) || u.chain[0] == "Token" && !usual
	})
}

// moment is the clock that templates see: the one that was handed in, or the
// start of the issuing certificate, or a fixed day.
func (t *stepTree) moment() time.Time {
	switch {
	case !t.now.IsZero():
		return t.now
	case t.issuing != nil:
		return t.issuing.NotBefore
	}
	return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
}

// maxRendered bounds what a template may write: a certificate is far smaller.
const maxRendered = 1 << 20

var errTooLong = errors.New("the template writes without end")

// bounded is a buffer with an end.
type bounded struct {
	bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}

// Types that step-ca gives to templates: only their fields matter.
type (
	templateSubject struct {
		Country            []string `json:"country,omitempty"`
		Organization       []string `json:"organization,omitempty"`
		OrganizationalUnit []string `json:"organizationalUnit,omitempty"`
		Locality           []string `json:"locality,omitempty"`
		Province           []string `json:"province,omitempty"`
		StreetAddress      []string `json:"streetAddress,omitempty"`
		PostalCode         []string `json:"postalCode,omitempty"`
		SerialNumber       string   `json:"serialNumber,omitempty"`
		CommonName         string   `json:"commonName,omitempty"`
		ExtraNames         []any    `json:"extraNames,omitempty"`
	}
	templateName struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	}
)

// sampleKey stands for the public key of a request: templates ask for its type
// only. It has no numbers that a template could count to.
type sampleKey string

// These names end the text in which a careless template puts them, and the
// object around it.
const (
	breakout       = `x", "basicConstraints": {"isCA": true, "maxPathLen": 3}, "keyUsage": ["certSign"], "x": "`
	breakoutObject = `x"}, "basicConstraints": {"isCA": true, "maxPathLen": 3}, "keyUsage": ["certSign"], "x": {"x": "`
)

// requesters is what the template is tried with: an honest requester first,
// then ones with what they may choose themselves set to something hostile.
func (s *stepTemplate) requesters() []map[string]any {
	const rsaKey, ecKey = sampleKey("*rsa.PublicKey"), sampleKey("*ecdsa.PublicKey")
	chosen := map[string]any{}
	for _, key := range s.userKeys() {
		chosen[key] = key
	}
	all := []map[string]any{
		s.requester("host.example.internal", ecKey, chosen),
		s.requester("host.example.internal", rsaKey, chosen),
		s.requester(breakout, ecKey, chosen),
		s.requester(breakoutObject, ecKey, chosen),
	}
	for _, key := range s.userKeys() {
		for _, value := range []any{true, breakout, "certSign", []any{"certSign"}, map[string]any{"isCA": true, "maxPathLen": 3}} {
			hostile := map[string]any{}
			for k, v := range chosen {
				hostile[k] = v
			}
			hostile[key] = value
			all = append(all, s.requester("host.example.internal", ecKey, hostile))
		}
	}
	return all
}

// requester is one set of values.
func (s *stepTemplate) requester(name string, key sampleKey, user map[string]any) map[string]any {
	algorithm := "ECDSA"
	if key == "*rsa.PublicKey" {
		algorithm = "RSA"
	}
	data := map[string]any{
		"Token": map[string]any{
			"iss": "admin", "sub": name, "aud": "https://ca.example.internal/1.0/sign", "email": "ada@example.internal", "email_verified": true,
			"iat": 1767225600.0, "nbf": 1767225600.0, "exp": 1767225900.0, "jti": "1", "sans": []any{name}, "groups": []any{}, "preferred_username": "ada",
		},
		"AuthorizationCrt": map[string]any{}, "AuthorizationChain": []any{}, "Webhooks": map[string]any{},
	}
	request := map[string]any{
		"PublicKey": key, "PublicKeyAlgorithm": algorithm, "Subject": templateSubject{CommonName: name},
		"DNSNames": []string{name}, "EmailAddresses": []string{name}, "IPAddresses": []string{}, "URIs": []string{}, "SANs": []templateName{{"dns", name}},
		"Extensions": []any{}, "Type": "user", "KeyID": name, "Principals": []string{name},
	}
	data["Insecure"] = map[string]any{"CR": request, "User": user}
	if s.ssh {
		data["Type"], data["KeyID"], data["Principals"] = "user", name, []string{"ada"}
		data["Extensions"], data["CriticalOptions"] = map[string]any{"permit-pty": ""}, map[string]any{}
	} else {
		data["Subject"], data["SANs"] = templateSubject{CommonName: name}, []templateName{{"dns", name}}
	}
	for k, v := range s.data {
		data[k] = v // step-ca lets templateData win, too
	}
	return data
}

// userKeys is the names below .Insecure.User that the template asks for,
// sorted.
func (s *stepTemplate) userKeys() []string {
	var keys []string
	for _, use := range s.uses {
		if len(use.chain) > 2 && use.chain[0] == "Insecure" && use.chain[1] == "User" && !slices.Contains(keys, use.chain[2]) {
			keys = append(keys, use.chain[2])
		}
	}
	slices.Sort(keys)
	return keys[:min(len(keys), maxUserKeys)]
}

// maxUserKeys bounds how many names of a template are tried.
const maxUserKeys = 32

// texts is a list of strings in the document; a single string is a list of one.
func (d document) texts(key string) []string {
	switch value := d.get(key).(type) {
	case string:
		return []string{value}
	case []any:
		var all []string
		for _, v := range value {
			if s, ok := v.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// get finds a key in any case, as step-ca reads the document. Of several that
// differ in case only, the first in the alphabet is taken.
func (d document) get(key string) any {
	var found []string
	for k := range d {
		if strings.EqualFold(k, key) {
			found = append(found, k)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return d[slices.Min(found)]
}
