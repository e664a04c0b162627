package lint

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestSARIF holds a log against what the schema of SARIF 2.1.0 requires of the
// objects that we write, and against what code hosts ask for beyond it.
func TestSARIF(t *testing.T) {
	l := mustNew(t, "private")
	root := rootScene(t, "", func(g *stage) { g.subject.KeyUsage = 0; g.subject.CRLDistributionPoints = []string{rootCRLURL} })
	findings := l.Certificate(Certificate{DER: root.blocks[0].Bytes}, testNow)
	findings[0].Waived = "CPS 6.1.5"
	text, err := l.SARIF("1.2.3", []Report{
		{File: "certs/root ca:1.crt", Findings: findings},
		{File: "/etc/pki/empty.crt"},
		{File: "/etc/pki/chain.pem", Object: "object 2", Findings: l.Certificate(Certificate{DER: []byte("x")}, testNow)},
	})
	noError(t, err)
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name, Version string
					Rules         []struct {
						ID                    string
						ShortDescription      struct{ Text string }
						FullDescription, Help struct{ Text string }
						DefaultConfiguration  struct{ Level string }
						Properties            struct{ Citation, Source string }
					}
				}
			}
			Results []struct {
				RuleID              string
				RuleIndex           *int
				Level               string
				Message             struct{ Text string }
				PartialFingerprints map[string]string
				Suppressions        []struct{ Kind, Justification string }
				Locations           []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
					LogicalLocations []struct{ Name string }
				}
			}
		}
	}
	noError(t, json.Unmarshal(text, &log))
	if log.Version != "2.1.0" || !strings.HasSuffix(log.Schema, "sarif-schema-2.1.0.json") || len(log.Runs) != 1 {
		t.Fatalf("the log is of version %q and schema %q, with %d runs", log.Version, log.Schema, len(log.Runs))
	}
	run := log.Runs[0]
	if run.Tool.Driver.Name == "" || run.Tool.Driver.Version != "1.2.3" || len(run.Tool.Driver.Rules) <= len(l.Rules()) {
		t.Errorf("the driver is %q %q with %d rules", run.Tool.Driver.Name, run.Tool.Driver.Version, len(run.Tool.Driver.Rules))
	}
	level := regexp.MustCompile(`^(note|warning|error)$`)
	seen := map[string]bool{}
	for _, r := range run.Tool.Driver.Rules {
		if seen[r.ID] || r.ID == "" {
			t.Errorf("rule %q is there twice", r.ID)
		}
		seen[r.ID] = true
		if r.ShortDescription.Text == "" || !strings.Contains(r.FullDescription.Text, r.Properties.Citation) || !strings.Contains(r.Help.Text, r.Properties.Citation) ||
			r.Properties.Source == SourcePKI && !strings.Contains(r.Help.Text, "What to do: ") || !level.MatchString(r.DefaultConfiguration.Level) {
			t.Errorf("rule %+v is not complete", r)
		}
	}
	if len(run.Results) != len(findings)+1 {
		t.Fatalf("%d results, want %d", len(run.Results), len(findings)+1)
	}
	prints := map[string]bool{}
	for i, r := range run.Results {
		if r.RuleIndex == nil || run.Tool.Driver.Rules[*r.RuleIndex].ID != r.RuleID {
			t.Errorf("result %d names a rule %q that does not stand where it says", i, r.RuleID)
		}
		if r.Message.Text == "" || !level.MatchString(r.Level) || len(r.Locations) != 1 || r.Locations[0].PhysicalLocation.Region.StartLine != 1 {
			t.Errorf("result %+v is not complete", r)
		}
		if print := r.PartialFingerprints["finding/v1"]; len(print) != 64 || prints[print] {
			t.Errorf("result %d has fingerprint %q, which is no digest or not its own", i, print)
		} else {
			prints[print] = true
		}
		if (i == 0) != (len(r.Suppressions) == 1) {
			t.Errorf("result %d has suppressions %+v", i, r.Suppressions)
		}
		if _, err := url.Parse(r.Locations[0].PhysicalLocation.ArtifactLocation.URI); err != nil {
			t.Error(err)
		}
	}
	first, last := run.Results[0], run.Results[len(run.Results)-1]
	if got := first.Locations[0].PhysicalLocation.ArtifactLocation.URI; got != "certs/root%20ca:1.crt" {
		t.Errorf("URI is %q", got)
	}
	if got := first.Suppressions[0]; got.Kind != "external" || got.Justification != "CPS 6.1.5" {
		t.Errorf("suppression is %+v", got)
	}
	if got := last.Locations[0]; got.PhysicalLocation.ArtifactLocation.URI != "file:///etc/pki/chain.pem" || got.LogicalLocations[0].Name != "object 2" || last.RuleID != idUnparsable {
		t.Errorf("the last result is %+v", last)
	}
}

// TestSARIFOfNothing shows that a run without findings has an empty list, which
// a reader tells from a run that did not happen.
func TestSARIFOfNothing(t *testing.T) {
	text, err := mustNew(t, "private").SARIF("", nil)
	noError(t, err)
	if !strings.Contains(string(text), `"results": []`) {
		t.Error("an empty run has no empty list of results")
	}
}

func TestSARIFURI(t *testing.T) {
	for path, want := range map[string]string{
		"a/b.crt": "a/b.crt", "a:b.crt": "./a:b.crt", "/etc/ä.crt": "file:///etc/%C3%A4.crt", `certs\a.crt`: "certs/a.crt", "-": "-",
	} {
		if got := sarifURI(path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}
