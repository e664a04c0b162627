package lint

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"text/template"
	ast "text/template/parse"
)

// templateMarks are keys that only the templates of step-ca have, those of
// X.509 first.
func templateMarks(ssh bool) []string {
	if ssh {
		return []string{`"keyId"`, `"principals"`, `"criticalOptions"`}
	}
	return []string{`"sans"`, `"dnsNames"`, `"keyUsage"`, `"extKeyUsage"`, `"basicConstraints"`}
}

// IsTemplate says whether a text looks like a template of step-ca: its name
// ends like one's or it has an action, and it has keys of a certificate.
func IsTemplate(name string, text []byte) bool {
	trimmed := bytes.TrimSpace(text)
	called := slices.Contains([]string{".tpl", ".tmpl", ".gotmpl"}, strings.ToLower(path.Ext(name)))
	if !called && !bytes.Contains(text, []byte("{{")) || !bytes.HasPrefix(trimmed, []byte("{")) {
		return false
	}
	return slices.ContainsFunc(slices.Concat(templateMarks(false), templateMarks(true)), func(mark string) bool { return bytes.Contains(text, []byte(mark)) })
}

// Template judges one template of step-ca by itself. What templateData would
// give it is not known: a name that step-ca does not set is taken for one of
// those.
func (l *Linter) Template(f File) []Finding {
	s := stepTemplate{where: path.Base(f.Path), data: map[string]any{}}
	s.ssh = slices.ContainsFunc(templateMarks(true), func(mark string) bool { return bytes.Contains(f.Data, []byte(mark)) })
	t := &stepTree{memory: l.memory}
	for _, name := range s.unset(string(f.Data), t) {
		s.data[name] = "sample"
	}
	s.try(string(f.Data), t)
	t.templates = []stepTemplate{s}
	findings := l.run(ObjectStepCA, &object{tree: t})
	sortFindings(findings)
	return findings
}

// unset is the names at the top that a template asks for, and step-ca does not
// set.
func (s *stepTemplate) unset(source string, t *stepTree) []string {
	parsed, err := template.New("template").Funcs(templateFunctions(t.moment(), &meter{})).Parse(source)
	if err != nil {
		return nil // said when it is tried
	}
	var names []string
	for _, part := range parsed.Templates() {
		if part.Tree == nil {
			continue
		}
		for _, u := range walkAll([]*ast.Tree{part.Tree}) {
			if len(u.chain) > 0 && !slices.Contains(given(s.ssh), u.chain[0]) {
				names = append(names, u.chain[0])
			}
		}
	}
	return names
}
