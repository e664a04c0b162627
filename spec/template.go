package spec

import (
	"bytes"
	"encoding/json"
	"text/template/parse"
)

// Template is a step-ca template: text that gives JSON once step-ca has put
// names and data into it.
type Template struct {
	Origin
	Kind string // "x509" or "ssh"
	File string // relative to the estate's folder, "" for one that stands in the HCL
	Text []byte
	Data json.RawMessage // a JSON object, nil when none
}

// Where names the template's text in a message.
func (t *Template) Where() string {
	if t.File == "" {
		return "its inline text"
	}
	return t.File
}

// attribute is where the text is written.
func (t *Template) attribute() string {
	if t.File == "" {
		return "inline"
	}
	return "file"
}

// GivenByStepCA is what step-ca tells a template itself. Template data of the
// same name would take its place: with SANs, everybody would be issued names
// that nobody proved.
func GivenByStepCA() []string {
	return []string{
		"Subject", "SANs", "Token", "Insecure", "User", "CR", "AuthorizationCrt", "AuthorizationChain", "Webhooks",
		"Type", "KeyID", "Principals", "Extensions", "CriticalOptions",
	}
}

// known reports whether there are templates of that kind.
func (t *Template) known() bool { return t.Kind == "x509" || t.Kind == "ssh" }

// validate refuses what step-ca would find out at the first request, and
// answer with an internal error. Which functions exist is step-ca's to know;
// whether the text gives a certificate, lint judges.
func (t *Template) validate(d *Diagnostics) {
	if !t.known() {
		d.Report(t.Origin, "kind", "Unknown kind of template", "%q is not a kind of template. Write \"x509\" or \"ssh\".", t.Kind)
	}
	_, file := t.Attributes["file"]
	_, inline := t.Attributes["inline"]
	switch {
	case file && inline:
		d.Report(t.Origin, "inline", "Two texts for one template", "A template is in a file or stands here, not both. Remove one of file and inline.")
		return
	case t.Text == nil && t.File != "":
		return // that it cannot be read has been reported
	case len(bytes.TrimSpace(t.Text)) == 0:
		d.Report(t.Origin, t.attribute(), "Template without text", "With an empty template step-ca would refuse every request. Write the template in a file or inline, or remove the block.")
		return
	}
	tree := parse.New(t.Address.FileName())
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(string(t.Text), "", "", map[string]*parse.Tree{}); err != nil {
		d.Report(t.Origin, t.attribute(), "Template that does not parse", "step-ca would start with it and refuse every request: %s. Correct %s.", err, t.Where())
	}
	var data map[string]json.RawMessage
	if json.Unmarshal(t.Data, &data) != nil {
		return // reported where it is read
	}
	for _, reserved := range GivenByStepCA() {
		if _, taken := data[reserved]; taken {
			d.Report(t.Origin, "data", "Template data in the place of what was proved", "The key %q would replace what step-ca has checked. Rename it.", reserved)
		}
	}
}
