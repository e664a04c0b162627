package hclspec

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestLimits keeps one file of an estate, and what its expressions nest,
// within bounds, and leaves long but flat ones alone.
func TestLimits(t *testing.T) {
	big := folderOf(t, strings.Repeat("# a comment\n", maxFile/12+1))
	if _, diags := Load(big, nil); !strings.Contains(diagnosticsText(diags), "at most 16 MiB") {
		t.Errorf("a file of more than 16 MiB:\n%s", diagnosticsText(diags))
	}
	flat := "locals {\n" + strings.Repeat("  # comment\n", 3) + "  l = [\n" + strings.Repeat("    { a = -1, b = \"${local.s}-${local.s}\" }, # one\n", 700) + "  ]\n  s = \"x\"\n" +
		"  t = <<EOT\n" + strings.Repeat("${local.s} . - + text\n", 300) + "EOT\n" + strings.Repeat("\n", 3)
	for i := range 700 {
		flat += "  v" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26) + " = local.s == \"x\" && !false\n"
	}
	mustLoad(t, flat+"}\n", nil)
	for name, deep := range map[string]string{
		"parentheses":  strings.Repeat("(", 20_000) + "1" + strings.Repeat(")", 20_000),
		"lists":        strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
		"negations":    strings.Repeat("!", 20_000) + "true",
		"conditionals": strings.Repeat("true?1:", 20_000) + "1",
		"sums":         strings.Repeat("1+", 20_000) + "1",
		"templates":    strings.Repeat("\"${", 20_000) + "1" + strings.Repeat("}\"", 20_000),
		"indices":      "local.b" + strings.Repeat("[0]", 20_000),
		"attributes":   "local.b" + strings.Repeat(".c", 20_000),
		"lines":        "{ for x in [] : x => " + strings.Repeat("!\n", 20_000) + "true }",
		"directives":   "\"" + strings.Repeat("%{ if true }", 20_000) + "\"",
		"big number":   "1e100000000",
		"small number": "1e-401",
		"long number":  strings.Repeat("9", 500),
	} {
		_, diags := Load(folderOf(t, "locals {\n  a = "+deep+"\n}\n"), nil)
		if text := diagnosticsText(diags); !strings.Contains(text, "Expression out of bounds") {
			t.Errorf("%s: %.300s", name, text)
		}
	}
}

// TestValuesStaySmall stops expressions that blow a value up step by step.
func TestValuesStaySmall(t *testing.T) {
	for name, large := range map[string]string{
		"number":   "  a0 = 1e300\n  a1 = local.a0 * local.a0 * local.a0 * local.a0 * local.a0 * local.a0\n  a2 = local.a1 * local.a1 * local.a1 * local.a1 * local.a1 * local.a1\n  a3 = local.a2 * local.a2 * local.a2\n",
		"members":  "  a0 = [1,2,3,4,5,6,7,8,9,0]\n  a1 = [for x in local.a0 : local.a0]\n  a2 = [for x in local.a0 : local.a1]\n  a3 = [for x in local.a0 : local.a2]\n  a4 = [for x in local.a0 : local.a3]\n",
		"infinity": "  a = 1 / 0\n",
	} {
		_, diags := Load(folderOf(t, "locals {\n"+large+"}\n"), nil)
		if text := diagnosticsText(diags); !strings.Contains(text, "Value out of bounds") {
			t.Errorf("%s: %.300s", name, text)
		}
	}
}

// TestEstateIsBounded refuses many files that are too much together.
func TestEstateIsBounded(t *testing.T) {
	folder := folderOf(t, "")
	comments := []byte(strings.Repeat("# a comment\n", maxFile/12))
	for _, name := range []string{"c1", "c2", "c3"} {
		folder[name+Suffix] = &fstest.MapFile{Data: comments}
	}
	if _, diags := Load(folder, nil); !strings.Contains(diagnosticsText(diags), "more than 32 MiB together") {
		t.Errorf("48 MiB of files:\n%s", diagnosticsText(diags))
	}
}
