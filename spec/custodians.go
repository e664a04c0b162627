package spec

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Custodians are the people who hold the shares of generated secrets. Any
// Threshold of them give a secret back; with groups, enough people of any
// Threshold groups do.
type Custodians struct {
	Origin
	Threshold  int
	Holders    []Holder // in the order of their shares, from 1; those of groups in the order of the groups
	Groups     []CustodianGroup
	Sharing    int      // how often the secret has been shared among the same people, from 1
	DrillEvery Duration // how long a share counts as there after it was proven; a year when not written
}

// CustodianGroup is the people of one site, or of one firm.
type CustodianGroup struct {
	Origin
	Name      string
	Threshold int // how many of its people stand for it
	Count     int // of its people
}

// Holder is one custodian. A share is encrypted to the recipient; without one
// it is shown for writing down, or printed.
type Holder struct {
	Origin
	Name      string  // as it stands on the sheet
	Recipient string  // age recipient
	Identity  string  // lab only: file of the age identity that stands for the person, below the estate's folder
	Site      string  // where the share is kept; empty when sites do not matter
	Group     string  // empty without groups
	Officer   Address // who the holder is in ceremonies; empty when the names say it, or when the holder has no part
}

// Limits of shares and of the secrets that a ceremony makes. The format of
// shares has the same ones, and a test of the ceremony holds them together.
const (
	MinShareThreshold = 2   // one share alone would be a copy for everyone
	MaxShareHolders   = 32  // more people are never drilled in a year
	MinSecretLength   = 26  // characters of 5 bits: 130 bits, which nobody guesses
	MaxSecretLength   = 128 // more is not typed from paper
	DefaultSecret     = 32  // characters: 160 bits
	maxSharings       = 999 // a secret that was shared more often is worn out
	maxShareLabel     = 64  // bytes of holder and purpose: they are typed with the share
	maxGroupedSecret  = 32  // a group's share is itself shared, and has 128 bytes at most
	maxGroupLabel     = 52  // bytes of purpose and group name, for the same reason
)

// SecretBits gives the entropy of a made secret of so many characters.
func SecretBits(length int) int { return length * 5 }

// Purpose is what stands on every share of a secret.
func (e *Estate) Purpose(s *Secret) string { return e.Name + "/" + s.Address.FileName() }

func (e *Estate) validateCustodians(d *Diagnostics) {
	for _, c := range e.Custodians {
		c.validate(d, e.Environment)
		e.validateSeparation(d, c)
		if !slices.ContainsFunc(e.Secrets, func(s *Secret) bool { return s.Custodians == c }) {
			d.Warn(c.Origin, "", "Custodians without a secret", "No secret is shared among them. Add secret \"NAME\" { custodians = %s }, or remove the block.", c.Address)
		}
	}
	for _, s := range e.Secrets {
		if s.Custodians == nil {
			continue
		}
		if purpose := e.Purpose(s); len(purpose) > maxShareLabel {
			d.Report(s.Origin, "", "Name too long for a share", "%q would stand on every share and has %d bytes; %d are the most. Choose a shorter name for the secret.", purpose, len(purpose), maxShareLabel)
		}
		if len(s.Custodians.Groups) > 0 && s.Length > maxGroupedSecret {
			d.Report(s.Origin, "length", "Secret too long for groups", "A group's share is itself shared, which leaves room for %d characters; this secret has %d. Leave length out.", maxGroupedSecret, s.Length)
		}
		for _, g := range s.Custodians.Groups {
			if n := len(e.Purpose(s)) + len(g.Name); n > maxGroupLabel {
				d.Report(g.Origin, "", "Name too long for a share", "%q and %q have %d bytes together; %d are the most. Choose a shorter name for the group.", e.Purpose(s), g.Name, n, maxGroupLabel)
			}
		}
		e.validateUse(d, s)
	}
}

// validateUse refuses a shared secret where it cannot be had.
func (e *Estate) validateUse(d *Diagnostics, s *Secret) {
	used := false
	for _, p := range e.Provisioners {
		if p.Password == s {
			used = true
			d.Report(p.Origin, "password", "Everyday password with custodians",
				"%s is shared among custodians, who meet in ceremonies, and a provisioner's password is wanted every day. Give the provisioner a secret of its own.", s.Address)
		}
	}
	for _, k := range e.KeyStores {
		isPIN, isOfficer := k.Token != nil && k.Password == s, k.Token != nil && k.Token.OfficerPIN == s
		used = used || k.Password == s || isOfficer
		if isPIN && !k.Token.Initialize {
			d.Report(k.Origin, "pin", "PIN that the token does not have",
				"%s is generated in a ceremony and nobody ever sees it, so the token can have a PIN made from it only when the ceremony initialises the token. Write initialize = true, or take another secret.", s.Address)
		}
	}
	if !used {
		d.Warn(s.Origin, "", "Shared secret without use", "It would be made and handed out, and nothing is locked with it. Use it as the pin, so_pin or password of a key store.")
	}
}

func (c *Custodians) validate(d *Diagnostics, env Environment) {
	if c.Sharing < 1 || c.Sharing > maxSharings {
		d.Report(c.Origin, "sharing", "Number of a sharing", "%d is none. The first is 1; write one more to have the secret shared anew among the same people.", c.Sharing)
	}
	if len(c.Groups) > 0 {
		c.validateGroups(d)
	} else {
		validateThreshold(d, c.Origin, c.Threshold, len(c.Holders), "custodian", "holder")
	}
	names, recipients, sites := map[string]bool{}, map[string]string{}, map[string]int{}
	for _, h := range c.Holders {
		h.validate(d, env)
		if folded := strings.ToLower(h.Name); names[folded] {
			d.Report(h.Origin, "", "One person, two shares", "%q is named twice. Each holder holds one share; name another person.", h.Name)
		} else {
			names[folded] = true
		}
		for _, key := range []string{h.Recipient, h.Identity} {
			if other := recipients[key]; key != "" && other != "" {
				d.Report(h.Origin, "", "One key, two shares", "%s and %s have the same age key, so whoever holds it has two shares. Give each holder a key of their own.", other, h.Name)
			}
			recipients[key] = h.Name
		}
		sites[h.Site]++
	}
	c.validateSites(d, sites)
}

// DrillInterval gives how long a share counts as there after it was proven.
func (c *Custodians) DrillInterval() Duration {
	if c == nil || c.DrillEvery.IsZero() {
		return Duration{Years: 1}
	}
	return c.DrillEvery
}

// validateSeparation sees that those who type and those who direct them do not
// have a secret together: the operator is alone with the keyboard, and the
// administrator says what is typed, so that nobody else would be needed.
func (e *Estate) validateSeparation(d *Diagnostics, c *Custodians) {
	var names []string
	in := map[string]int{}
	for _, h := range c.Holders {
		if e.conducts(h) {
			names = append(names, h.Name)
			in[h.Group]++
		}
	}
	full := in[""] >= c.Threshold
	if len(c.Groups) > 0 {
		own := 0
		for _, g := range c.Groups {
			if in[g.Name] >= g.Threshold {
				own++
			}
		}
		full = own >= c.Threshold
	}
	if full && len(names) > 0 {
		d.Report(c.Origin, "", "Operators with a secret of their own",
			"%s operate or administer ceremonies and hold enough shares among them, so that the secret could be had with nobody else in the room. Give shares to others, or raise the threshold.", strings.Join(names, ", "))
	}
}

// conducts reports whether a holder is an operator or an administrator of
// ceremonies, by reference or by name.
func (e *Estate) conducts(h Holder) bool {
	return slices.ContainsFunc(e.Officers, func(o *Officer) bool {
		if o.Role != Operator && o.Role != Administrator {
			return false
		}
		if h.Officer.Name != "" {
			return h.Officer == o.Address
		}
		return strings.EqualFold(h.Name, o.Name())
	})
}

// validateThreshold sees that a threshold can be reached and is none.
func validateThreshold(d *Diagnostics, o Origin, threshold, n int, people, each string) {
	switch {
	case n > MaxShareHolders:
		d.Report(o, "", "Too many custodians", "%d %ss would hold shares; %d are the most that are ever drilled. Name fewer.", n, people, MaxShareHolders)
	case threshold < MinShareThreshold:
		d.Report(o, "threshold", "Threshold too low", "With a threshold of %d one %s would have the secret alone. Write %d or more.", threshold, people, MinShareThreshold)
	case threshold > n:
		d.Report(o, "threshold", "Threshold that cannot be reached", "%d shares would be needed and there are %d %ss. Name more, or lower the threshold.", threshold, n, each)
	case threshold == n:
		d.Warn(o, "threshold", "No share may ever be lost", "All %d %ss are needed, so one lost share loses the secret. Name more, or lower the threshold.", n, each)
	}
}

// validateGroups holds both levels against the same rules.
func (c *Custodians) validateGroups(d *Diagnostics) {
	validateThreshold(d, c.Origin, c.Threshold, len(c.Groups), "group", "group")
	seen, lone := map[string]bool{}, false
	for _, g := range c.Groups {
		validateThreshold(d, g.Origin, g.Threshold, g.Count, "custodian", "holder")
		if why := badLabel(g.Name); why != "" || seen[strings.ToLower(g.Name)] {
			d.Report(g.Origin, "", "Name of a group", "%q is named twice, or cannot stand on a share. Give each group a name of its own that prints.", g.Name)
		}
		seen[strings.ToLower(g.Name)] = true
	}
	for _, h := range c.Holders {
		lone = lone || h.Group == ""
		if h.Site != "" {
			d.Report(h.Origin, "site", "Site beside groups", "A group is what a site is: its people have no share of anything without other groups. Remove site.")
		}
	}
	if lone {
		d.Report(c.Origin, "", "Holder outside of groups", "A holder outside of every group would have no share. Put each holder into a group, or write none.")
	}
	if n := len(c.Holders); n > 4*MaxShareHolders {
		d.Report(c.Origin, "", "Too many custodians", "%d people would hold shares; %d are the most. Name fewer.", n, 4*MaxShareHolders)
	}
}

// validateSites sees that no one place has enough shares.
func (c *Custodians) validateSites(d *Diagnostics, sites map[string]int) {
	if sites[""] == len(c.Holders) || len(c.Groups) > 0 {
		return
	}
	if sites[""] > 0 {
		d.Report(c.Origin, "", "Holder without a site", "Some holders have a site and some have none, so nobody can tell what one place holds. Write site for each of them.")
		return
	}
	for _, site := range sortedKeys(sites) {
		if sites[site] >= c.Threshold {
			d.Report(c.Origin, "", "Site that holds the secret", "%d shares are kept at %q and %d are enough, so whoever has that place has the secret. Spread them, or raise the threshold.", sites[site], site, c.Threshold)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (h Holder) validate(d *Diagnostics, env Environment) {
	if why := badLabel(h.Name); why != "" {
		d.Report(h.Origin, "", "Name that cannot stand on a share", "%q %s. Write a name that prints, of at most %d bytes.", h.Name, why, maxShareLabel)
	}
	switch {
	case strings.HasPrefix(strings.ToUpper(h.Recipient), "AGE-"):
		d.Report(h.Origin, "recipient", "Private key in the estate", "This is an age identity, which only its holder may have. Write the recipient that belongs to it, age1…, and make a new identity: this one has been seen.")
	case h.Recipient != "" && !strings.HasPrefix(h.Recipient, "age1"):
		d.Report(h.Origin, "recipient", "Not an age recipient", "%q does not begin with age1. Write the holder's public key, as age-keygen prints it.", h.Recipient)
	}
	if h.Identity == "" {
		return
	}
	localPath(d, h.Origin, "identity", h.Identity)
	switch {
	case env != Lab:
		d.Report(h.Origin, "identity", "Custodian in a file", "In a lab a file may stand for a person; outside one it would be a copy of the share for everyone. Remove identity and write recipient = \"age1…\", or neither for paper.")
	case h.Recipient != "":
		d.Report(h.Origin, "identity", "Two keys for one holder", "The recipient follows from the identity. Remove one of them.")
	case strings.HasPrefix(h.Identity, "shares/") || path.Dir(h.Identity) == ".":
		d.Report(h.Origin, "identity", "Identity in a place that is committed", "%q is a private key among files that go into Git. Write a path below a folder that .gitignore names, such as \"secrets/%s.key\".", h.Identity, h.Name)
	}
}

// badLabel says why a text cannot stand on a share.
func badLabel(s string) string {
	switch {
	case s == "":
		return "is empty"
	case len(s) > maxShareLabel:
		return "is too long"
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }):
		return "has characters that do not print"
	case strings.TrimSpace(s) != s:
		return "begins or ends with a space"
	}
	return ""
}
