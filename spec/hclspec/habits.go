package hclspec

import "regexp"

var quotedWord = regexp.MustCompile(`"([a-z_]+)"`)

// habit finds a word of Terraform's in what the library says is not expected,
// and what to write here instead.
func habit(detail string) (word, instead string) {
	found := quotedWord.FindStringSubmatch(detail)
	if found == nil {
		return "", ""
	}
	return found[1], terraformHabits()[found[1]]
}

// terraformHabits says what people mean by words of Terraform that an estate
// does not have.
func terraformHabits() map[string]string {
	return map[string]string{
		"terraform":       "An estate needs no settings and no back end: its state is ledger.jsonl beside it. Remove the block; the folder is named by estate \"NAME\" { … }.",
		"provider":        "Nothing has to be configured before it is used; where keys live is a key_store block. Remove it.",
		"resource":        "Every kind of thing has a block type of its own, such as authority \"NAME\" { … } or online_ca \"NAME\" { … }. Write that.",
		"data":            "What exists already is read with file(), csvdecode() and jsondecode(), or taken in by authority \"NAME\" { import { … } }. Write that.",
		"module":          "There are no modules: all files of a folder are one estate. Describe repeated blocks once, with for_each, and share values with locals.",
		"output":          "Nothing reads outputs: pki plan --json and pki show --json give every value. Remove it.",
		"check":           "Conditions stand in the validation blocks of variables; pki lint and jq rules judge plans. Remove it.",
		"import":          "What other software made is taken in by an import block inside the authority. Move it there.",
		"count":           "Every instance has a name, because its key outlives its place in a list. Write for_each = toset([\"a\", \"b\"]).",
		"depends_on":      "The order follows from the references. Remove it.",
		"dynamic":         "A nested block is written out, once or several times. For blocks that differ, give the whole block a for_each, or write two blocks; a list such as permitted_dns may be computed.",
		"prevent_destroy": "Nothing here destroys a key. Write prevent_replace = true to refuse plans that replace it.",
		"ignore_changes":  "A certificate does not change once it is signed, so nothing is ignored. Remove it.",

		"create_before_destroy": "A new key is always made beside the old one, which goes on signing its lists. Remove it.",
		"replace_triggered_by":  "Only generation replaces a key. Write generation = 2 when that is meant.",
	}
}
