package plan

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"pki.internal/lint"
)

// ruleMark is how many bytes of the SHA-256 of a rule's name a plan keeps. It
// is enough to tell a thousand rules apart, and keeps names out of ledgers.
const ruleMark = 4

// ruleNames lists the rules of a linter by name, each once.
func ruleNames(l *lint.Linter) []string {
	names := l.ZLints()
	for _, r := range l.Rules() {
		names = append(names, r.ID)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ruleMarks gives the marks of rules, in the order of their names.
func ruleMarks(names []string) []byte {
	marks := make([]byte, 0, ruleMark*len(names))
	for _, name := range names {
		sum := sha256.Sum256([]byte(name))
		marks = append(marks, sum[:ruleMark]...)
	}
	return marks
}

// newRules lists the rules that the last ceremony did not know. A ledger
// whose last plan kept no marks says nothing about that.
func newRules(names []string, before []byte) []string {
	if len(before) == 0 {
		return nil
	}
	known := map[string]bool{}
	for mark := range slices.Chunk(before, ruleMark) {
		known[string(mark)] = true
	}
	var found []string
	for _, name := range names {
		if !known[string(ruleMarks([]string{name}))] {
			found = append(found, name)
		}
	}
	return found
}

// likely asks after the lint that a word is most like: the one with the longest
// beginning and the longest end in common, if both make up most of it.
func likely(word string, known []string) string {
	best, score := "", len(word)*2/3
	for _, k := range known {
		n, m := 0, 0
		for n < len(word) && n < len(k) && word[n] == k[n] {
			n++
		}
		for m < len(word)-n && m < len(k)-n && word[len(word)-1-m] == k[len(k)-1-m] {
			m++
		}
		if n+m > score {
			best, score = k, n+m
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}
