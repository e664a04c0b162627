package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"pki.internal/examples"
	"pki.internal/spec"
)

// askedEstate is what a person answered: an example, and what to call its
// things.
type askedEstate struct {
	example, organization, country, host, algorithm string
}

// question is one line on the terminal. An empty answer is the default.
type question struct {
	words, preset string
	check         func(string) error
	into          *string
}

var publicHost = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)

// askEstate asks a few questions. Only the two-tier example takes names; the
// others are read and changed by hand.
func askEstate(ctx context.Context) (*askedEstate, error) {
	tty, err := terminal("someone must say what the estate is to be", "run it on a terminal, or give --example NAME")
	if err != nil {
		return nil, err
	}
	defer tty.Close()
	asked := &askedEstate{}
	fmt.Fprintln(tty, "An empty answer takes what stands in brackets.")
	if err := ask(ctx, tty, question{"Which example, of " + strings.Join(examples.Names(), ", "), "two-tier", isOneOf(examples.Names()), &asked.example}); err != nil {
		return nil, err
	}
	if asked.example != "two-tier" {
		return asked, nil
	}
	for _, q := range []question{
		{"Organization", "ACME", nameCheck("organization"), &asked.organization},
		{"Country, two letters", "US", nameCheck("country"), &asked.country},
		{"Host that publishes CRLs over plain http", "pki.acme.example", hostCheck, &asked.host},
		{"Kind of keys", "ecdsa-p384", algorithmCheck, &asked.algorithm},
	} {
		if err := ask(ctx, tty, q); err != nil {
			return nil, err
		}
	}
	return asked, nil
}

// maxAnswers is how often a question is repeated before nobody is there.
const maxAnswers = 5

func ask(ctx context.Context, tty *os.File, q question) error {
	for range maxAnswers {
		fmt.Fprintf(tty, "%s [%s]: ", q.words, q.preset)
		line, err := readLine(ctx, tty)
		if err != nil {
			return fmt.Errorf("stopped at %q, and nothing was written: %w", q.words, err)
		}
		if line = strings.TrimSpace(line); line == "" {
			line = q.preset
		}
		if err := q.check(line); err != nil {
			fmt.Fprintf(tty, "  %s\n", err)
			continue
		}
		*q.into = line
		return nil
	}
	return fmt.Errorf("%q had no good answer in %d tries; nothing was written", q.words, maxAnswers)
}

func isOneOf(words []string) func(string) error {
	return func(s string) error {
		if !slices.Contains(words, s) {
			return fmt.Errorf("%q is none of them", s)
		}
		return nil
	}
}

// nameCheck holds an answer against the rules of a name attribute, and keeps
// out what HCL reads as more than text.
func nameCheck(word string) func(string) error {
	return func(s string) error {
		if strings.ContainsAny(s, "\"\\{}$%") {
			return fmt.Errorf("%q has quotes, backslashes, braces, $ or %%; write it into the files afterwards", s)
		}
		return spec.Name{{Type: word, Value: s}}.Check()
	}
}

func hostCheck(s string) error {
	if !publicHost.MatchString(s) {
		return fmt.Errorf("%q is not a host name in small letters, such as pki.acme.example", s)
	}
	return nil
}

func algorithmCheck(s string) error {
	var words []string
	for _, a := range spec.Algorithms() {
		words = append(words, string(a))
	}
	if err := isOneOf(words)(s); err != nil {
		return fmt.Errorf("%q is none of %s", s, strings.Join(words, ", "))
	}
	return nil
}

// change puts the answers into the text of the two-tier example.
func (e *askedEstate) change(text string) string {
	if e.example != "two-tier" {
		return text
	}
	return strings.NewReplacer(
		`estate "acme"`, fmt.Sprintf("estate %q", e.slug()),
		`"ACME `, `"`+e.organization+` `, `"ACME"`, `"`+e.organization+`"`, `"US"`, `"`+e.country+`"`,
		"pki.acme.example", e.host, `"ecdsa-p384"`, `"`+e.algorithm+`"`,
	).Replace(text)
}

// slug makes a name of the organization.
func (e *askedEstate) slug() string {
	word := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == ' ':
			return r
		}
		return -1
	}, strings.ToLower(e.organization))
	word = strings.Join(strings.Fields(word), "-")
	word = strings.TrimSuffix(word[:min(len(word), 40)], "-")
	if !spec.ValidName(word) {
		return "pki"
	}
	return word
}
