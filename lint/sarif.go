package lint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// Report is one object that was judged, as [Linter.SARIF] writes it.
type Report struct {
	// File is the path of the object's file, as the user gave it.
	File string
	// Object tells objects of one file apart, such as "object 2". It may be
	// empty.
	Object string
	// Line is where the object begins in its file; zero is the first.
	Line int
	// Findings is what was found.
	Findings []Finding
}

// Names that SARIF 2.1.0 fixes.
const (
	sarifVersion = "2.1.0"
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sarifTool    = "pki lint"
)

// The objects of a SARIF log that we write (OASIS SARIF 2.1.0 §3.13 and on).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifToolBox   `json:"tool"`
		ColumnKind string         `json:"columnKind"`
		Results    []sarifResult  `json:"results"`
		Properties map[string]any `json:"properties"`
	}
	sarifToolBox struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string         `json:"id"`
		ShortDescription sarifText      `json:"shortDescription"`
		FullDescription  sarifText      `json:"fullDescription"`
		Help             sarifText      `json:"help"`
		Default          sarifLevel     `json:"defaultConfiguration"`
		Properties       map[string]any `json:"properties"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Properties   map[string]any     `json:"properties"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"name"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

// SARIF writes reports as one SARIF 2.1.0 log: every rule of ours, every lint
// of zlint that found something, and the findings in the order in which they
// come. A waived finding is suppressed, with its reason. The version is that of
// the program, and may be empty.
func (l *Linter) SARIF(version string, reports []Report) ([]byte, error) {
	rules, index := l.sarifRules(reports)
	results := []sarifResult{}
	for _, report := range reports {
		for _, f := range report.Findings {
			result := sarifFinding(report, f)
			result.RuleIndex = index[f.Lint]
			results = append(results, result)
		}
	}
	log := sarifLog{Schema: sarifSchema, Version: sarifVersion, Runs: []sarifRun{{
		Tool:       sarifToolBox{sarifDriver{Name: sarifTool, Version: version, Rules: rules}},
		ColumnKind: "unicodeCodePoints",
		Results:    results,
		Properties: map[string]any{"profile": l.profile, "lintSet": l.SetDigest()},
	}}}
	return json.MarshalIndent(log, "", "  ")
}

// sarifRules describes every rule that a result may name, and says where each
// stands.
func (l *Linter) sarifRules(reports []Report) ([]sarifRule, map[string]int) {
	var rules []sarifRule
	index := map[string]int{}
	add := func(id, title, harm, citation, advice, source string, severity Severity) {
		if _, known := index[id]; known {
			return
		}
		help := title + "."
		if harm != "" {
			help += "\n\nWho was bitten: " + harm + "."
		}
		if advice != "" {
			help += "\n\nWhat to do: " + advice + "."
		}
		if citation != "" {
			help += "\n\nWritten in: " + citation + "."
		}
		index[id] = len(rules)
		rules = append(rules, sarifRule{
			ID: id, ShortDescription: sarifText{title}, FullDescription: sarifText{title + " (" + citation + ")"}, Help: sarifText{help},
			Default:    sarifLevel{sarifLevelOf(severity)},
			Properties: map[string]any{"citation": citation, "source": source, "tags": []string{"pki", source}},
		})
	}
	for _, r := range l.rules {
		add(r.ID, r.Title, r.Harm, r.Citation, r.Advice, SourcePKI, r.Severity)
	}
	for _, report := range reports {
		for _, f := range report.Findings {
			add(f.Lint, l.z.describe(f), f.Harm, f.Citation, f.Advice, f.Source, f.Severity)
		}
	}
	return rules, index
}

// sarifFinding is a finding without the place of its rule.
func sarifFinding(report Report, f Finding) sarifResult {
	location := sarifLocation{Physical: sarifPhysical{sarifArtifact{sarifURI(report.File)}, sarifRegion{max(report.Line, 1)}}}
	if report.Object != "" {
		location.Logical = []sarifLogical{{report.Object}}
	}
	message := f.Detail
	if f.Advice != "" {
		message += ". " + f.Advice
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{f.Lint, report.File, report.Object, f.Detail}, "\x00")))
	result := sarifResult{
		RuleID: f.Lint, Level: sarifLevelOf(f.Severity), Message: sarifText{message}, Locations: []sarifLocation{location},
		Fingerprints: map[string]string{"finding/v1": hex.EncodeToString(sum[:])},
		Properties:   map[string]any{"severity": f.Severity.String(), "citation": f.Citation, "source": f.Source},
	}
	if f.Waived != "" {
		result.Suppressions = []sarifSuppression{{Kind: "external", Justification: f.Waived}}
	}
	return result
}

// sarifLevelOf is the level of a severity. SARIF has none above error.
func sarifLevelOf(s Severity) string {
	switch s {
	case Notice:
		return "note"
	case Warn:
		return "warning"
	}
	return "error"
}

// sarifURI writes a path as a URI reference: relative paths stay relative to
// where the program ran. A colon in the first segment would read as a scheme.
func sarifURI(path string) string {
	path = strings.ReplaceAll(path, "\\", "/")
	u := url.URL{Path: path}
	if strings.HasPrefix(path, "/") {
		u.Scheme = "file"
	}
	return u.String()
}

// describe is what zlint says a lint is about, or else the detail of the
// finding.
func (z *zlints) describe(f Finding) string {
	if i := slices.IndexFunc(z.certificates, func(l certificateLint) bool { return l.Name == f.Lint }); i >= 0 {
		return z.certificates[i].Description
	}
	if i := slices.IndexFunc(z.crls, func(l crlLint) bool { return l.Name == f.Lint }); i >= 0 {
		return z.crls[i].Description
	}
	return f.Detail
}
