package plan_test

import (
	"bytes"
	"os"
	"testing"

	"pki.internal/plan"
	"pki.internal/spec/hclspec"
)

// TestEveryExamplePlansTheSameTwice loads and plans every example twice, each
// time from its files.
func TestEveryExamplePlansTheSameTwice(t *testing.T) {
	entries, err := os.ReadDir("../examples")
	if err != nil {
		t.Fatal(err)
	}
	planned := 0
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		t.Run(e.Name(), func(t *testing.T) {
			var first []byte
			for range 2 {
				loaded, diags := hclspec.Load(os.DirFS("../examples/"+e.Name()), nil)
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				text, err := mustMake(t, loaded.Estate, plan.State{}, someInputs).Encode()
				if err != nil {
					t.Fatal(err)
				}
				if first != nil && !bytes.Equal(first, text) {
					t.Error("two plans of one estate differ")
				}
				first = text
			}
			planned++
		})
	}
	if planned < 3 {
		t.Errorf("only %d examples planned", planned)
	}
}
