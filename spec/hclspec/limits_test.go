package hclspec

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// TestLimits keeps one file of an estate, and what its expressions nest,
// within bounds, and leaves long but flat ones alone.
func TestLimits(t *testing.T) {
	big := folderOf(t, strings.Repeat("# a comment\n", maxFile/12+1))
	if _, diags := Load(big, nil); !strings.Contains(diagnosticsText(diags), "larger than 16 MiB") {
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
		if text := diagnosticsText(diags); !strings.Contains(text, "Value out of bounds") && !strings.Contains(text, "more digits than an estate can need") {
			t.Errorf("%s: %.300s", name, text)
		}
	}
}

// TestNumbersStaySmall keeps text that reads as a huge number from becoming
// one, wherever the language would convert it: written out, the number would
// fill the memory.
func TestNumbersStaySmall(t *testing.T) {
	for name, large := range map[string]string{
		"sum":         `tostring("1e99999999" + 1)`,
		"made up":     `"${join("", ["1e", "99999999"]) * 1}"`,
		"negation":    `"${-"1e99999999"}"`,
		"comparison":  `"1e99999999" > 3`,
		"conversion":  `tostring(tonumber("1e99999999"))`,
		"argument":    `element(["a"], "1e99999999")`,
		"json":        `tostring(jsondecode("1e99999999"))`,
		"sum of list": `sum(["1e99999999"])`,
		"validations": `"x"`,
	} {
		main := "locals {\n  a = " + large + "\n}\n"
		if name == "validations" {
			main = "variable \"v\" {\n  default = \"1e99999999\"\n  validation {\n    condition     = \"${var.v + 1}\" == \"\"\n    error_message = \"No.\"\n  }\n}\n"
		}
		_, diags := Load(folderOf(t, main), nil)
		if text := diagnosticsText(diags); !strings.Contains(text, "more digits than an estate can need") {
			t.Errorf("%s: %.300s", name, text)
		}
	}
	main := "variable \"v\" {\n  type = list(string)\n}\n"
	if _, diags := Load(folderOf(t, main), map[string]string{"v": `["1e99999999" + 1]`}); !diags.HasErrors() {
		t.Error("a huge number came in by --var")
	}
}

// TestLongChain bounds how many values may wait for one another.
func TestLongChain(t *testing.T) {
	var b strings.Builder
	b.WriteString("locals {\n  a0 = 1\n")
	for i := range maxChain + 10 {
		fmt.Fprintf(&b, "  a%d = local.a%d\n", i+1, i)
	}
	b.WriteString("}\nlocals {\n  z = local.a" + fmt.Sprint(maxChain+10) + "\n}\n")
	_, diags := Load(folderOf(t, strings.Replace(b.String(), "a0 = 1", "a0 = local.z0\n  z0 = 1", 1)), nil)
	if text := diagnosticsText(diags); text != "" && !strings.Contains(text, "Reference chain too long") {
		t.Errorf("%.300s", text)
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
