package spec

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func at(file string, from, to int) *Range {
	return &Range{File: file, Start: Pos{Line: 1 + from/10, Byte: from}, End: Pos{Byte: to}}
}

// TestSorted gives one order from any order, and keeps what only looks alike.
func TestSorted(t *testing.T) {
	want := Diagnostics{
		{Severity: Error, Summary: "A", Detail: "Of no place.", Address: "authority.a"},
		{Severity: Error, Summary: "A", Detail: "Of no place.", Address: "authority.b"},
		{Severity: Error, Summary: "B", Detail: "One.", Range: at("a.pki.hcl", 5, 9)},
		{Severity: Error, Summary: "B", Detail: "One.", Range: at("a.pki.hcl", 5, 10)},
		{Severity: Error, Summary: "B", Detail: "Two.", Range: at("a.pki.hcl", 5, 9)},
		{Severity: Warning, Summary: "A", Detail: "One.", Range: at("a.pki.hcl", 5, 9)},
		{Severity: Warning, Summary: "B", Detail: "One.", Range: at("a.pki.hcl", 5, 9)},
		{Severity: Error, Summary: "A", Detail: "One.", Range: at("a.pki.hcl", 50, 51)},
		{Severity: Error, Summary: "A", Detail: "One.", Range: at("b.pki.hcl", 1, 2)},
	}
	source := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		mixed := slices.Concat(want, want[2:5], want)
		source.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		before := slices.Clone(mixed)
		if have := mixed.Sorted(); !reflect.DeepEqual(have, want) {
			t.Fatalf("Sorted:\n%s\nwant:\n%s", have.Error(), want.Error())
		}
		if !reflect.DeepEqual(mixed, before) {
			t.Fatal("Sorted changed what it was given")
		}
	}
	if (Diagnostics{}).HasErrors() || (Diagnostics{{Severity: Warning}}).HasErrors() || !want.HasErrors() {
		t.Error("HasErrors takes warnings for errors, or errors for warnings")
	}
}

// TestTwoBlocksOneMistake keeps the same mistake of two places twice, and
// the same mistake found twice once.
func TestTwoBlocksOneMistake(t *testing.T) {
	o := Origin{Address: Address{Kind: "authority", Name: "a"}, Block: *at("a.pki.hcl", 1, 2), Attributes: map[string]Range{"validity": *at("a.pki.hcl", 20, 30)}}
	var d Diagnostics
	d.Report(o, "validity", "Wrong", "It is %d%% wrong.", 50)
	d.Report(o, "validity", "Wrong", "It is %d%% wrong.", 50)
	d.Warn(o, "issuer", "Odd", "It is odd.")
	d.Report(Origin{}, "", "Wrong", "No file is to blame.")
	sorted := d.Sorted()
	want := Diagnostics{
		{Severity: Error, Summary: "Wrong", Detail: "No file is to blame.", Address: "estate"},
		{Severity: Warning, Summary: "Odd", Detail: "It is odd.", Address: "authority.a", Range: at("a.pki.hcl", 1, 2)},
		{Severity: Error, Summary: "Wrong", Detail: "It is 50% wrong.", Address: "authority.a", Range: at("a.pki.hcl", 20, 30)},
	}
	if !reflect.DeepEqual(sorted, want) {
		t.Errorf("have %+v", sorted)
	}
	if have := sorted.Error(); have != "Wrong: No file is to blame.\na.pki.hcl:1: Odd: It is odd.\na.pki.hcl:3: Wrong: It is 50% wrong." {
		t.Errorf("Error = %s", have)
	}
	text, err := json.Marshal(sorted[1])
	if err != nil || string(text) != `{"severity":"warning","summary":"Odd","detail":"It is odd.","address":"authority.a","range":{"file":"a.pki.hcl","start":{"line":1,"column":0,"byte":1},"end":{"line":0,"column":0,"byte":2}}}` {
		t.Errorf("JSON = %s, %v", text, err)
	}
	if Severity(0).String() != "invalid severity" {
		t.Error("the zero severity has a name")
	}
}
