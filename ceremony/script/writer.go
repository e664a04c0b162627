package script

import (
	"fmt"
	"slices"
	"strings"

	"pki.internal/plan"
	"pki.internal/spec"
)

// The parts of a ceremony, in order.
const (
	phaseOpen   = "Open"
	phaseSafe   = "Out of the safe"
	phaseHost   = "The computer"
	phaseReady  = "Secrets and tokens"
	phaseDecide = "Go or no-go"
	phaseActs   = "Keys and signatures"
	phaseCheck  = "Check"
	phaseClose  = "Close"
)

// writer puts the steps of a script together.
type writer struct {
	script *Script
	plan   *plan.Plan
	formal bool // people confirm each step; a lab asks for one confirmation
	people bool // there are officers beside the one who types
	phase  string
	in     []spec.Address // tokens in readers, the longest unused first
	places map[keyOf]spec.Address
}

func (w *writer) add(s Step) {
	s.Phase = w.phase
	if !w.formal && s.Does != Go {
		s.Ask = AskNothing
	}
	w.script.Steps = append(w.script.Steps, s)
}

// who gives the role that acts, or whoever types when nobody has it.
func (w *writer) who(role string) string {
	if slices.Contains(w.plan.Needs.Roles, role) {
		return role
	}
	return spec.Operator
}

// formally adds a step that people take and the program knows nothing of. One
// person alone needs no script for it.
func (w *writer) formally(s Step) {
	if w.people {
		s.Ask = AskDone
		w.add(s)
	}
}

func (w *writer) open() {
	w.phase = phaseOpen
	w.formally(Step{
		Role: w.who(spec.Administrator), Title: "Open the ceremony", Minutes: 3,
		Reads: fmt.Sprintf("This is a %s of the estate %q, environment %s. Each of us may stop it at any time. Whatever is not as this script says is an exception: we write down its step, what was expected, what happened and what we decide. Up to the decision nothing is made that cannot be taken back.",
			lower(w.script.Variant), w.plan.Estate.Name, w.plan.Estate.Environment),
		Expect: "everyone has this script, with the same digest on the first page",
	})
	if w.people {
		w.add(Step{
			Role: spec.Operator, Does: SignIn, Title: "Say who is here", Minutes: 2, Ask: AskNames,
			Reads: "Everyone says name and role, and signs the first page. Phones leave the room.", Shows: "the names are typed",
			Expect: w.attendance(), Sets: []Fact{{people, present}},
		})
	}
}

// attendance says who has to be there.
func (w *writer) attendance() string {
	var who []string
	for _, role := range w.plan.Needs.Roles {
		switch role {
		case spec.Witness:
			who = append(who, counted(w.plan.Needs.Witnesses, "witness", "witnesses"))
		case spec.Auditor:
		default:
			who = append(who, "the "+role)
		}
	}
	return strings.Join(who, ", ") + "; nobody is two of them"
}

// safe fetches the tokens.
func (w *writer) safe() {
	w.phase = phaseSafe
	for _, t := range w.plan.Needs.Tokens {
		w.script.Tokens = append(w.script.Tokens, t.Store)
		fact := tokenThing(t.Store)
		w.add(Step{
			Role: w.who(spec.Controller), Title: "Fetch " + tokenName(t), Subject: t.Store, Ask: AskDone, Minutes: 3,
			Reads:  "The number of the bag, and the number that the last record has for it.",
			Expect: "the numbers are the same and the seal is whole; open it in view of everyone",
			Needs:  []Fact{{fact, inSafe}}, Sets: []Fact{{fact, onTable}},
		})
	}
}

func tokenName(t plan.TokenNeeded) string {
	switch {
	case t.Label != "" && t.Serial != "":
		return fmt.Sprintf("the token %q, serial %s", t.Label, t.Serial)
	case t.Label != "":
		return fmt.Sprintf("the token %q", t.Label)
	}
	return "the token with serial " + t.Serial
}

func (w *writer) host() {
	w.phase = phaseHost
	p := w.plan
	w.add(Step{
		Role: w.who(spec.Witness), Does: Host, Title: "Look at the computer", Ask: AskDone, Minutes: 3,
		Reads: "No cable and no radio is connected to this computer.", Shows: "pki doctor",
		Expect: networkWanted(p), Sets: []Fact{{network, known}},
	})
	w.add(Step{
		Role: w.who(spec.Witness), Does: Clock, Title: "Compare the clock", Ask: AskClock, Minutes: 2,
		Reads:  "The date and time in UTC on a clock that is not this computer's.",
		Expect: fmt.Sprintf("not two minutes apart, and between %s and %s", stamp(p.Window.NotBefore), stamp(p.Window.NotAfter)),
		Sets:   []Fact{{clock, known}},
	})
	if p.Needs.Copies > 0 {
		w.add(Step{
			Role: spec.Operator, Does: Media, Title: "Put in " + counted(p.Needs.Copies, "medium", "media") + " for copies", Ask: AskDone, Minutes: 2,
			Expect: "each is empty or holds this ledger; every entry goes to each of them", Sets: []Fact{{media, known}},
		})
	}
	ledger := "the ledger is empty: this is the first ceremony"
	if p.Ledger.Entries > 0 {
		ledger = fmt.Sprintf("%d entries with head %.16s…, and every file of earlier ceremonies as the ledger has it", p.Ledger.Entries, p.Ledger.Hash)
	}
	w.add(Step{
		Role: spec.Operator, Does: Outputs, Title: "Verify what earlier ceremonies gave", Minutes: 1, Expect: ledger,
	})
	w.add(Step{
		Role: w.who(spec.Administrator), Does: Digest, Title: "Read the digest of the plan aloud", Ask: AskDigest, Minutes: 3,
		Reads: "The 32 words on the first page. " + w.auditors() + " compares them with a print of their own.", Shows: "the digest in words",
		Expect: "every word is the same", Sets: []Fact{{digest, known}}, Needs: []Fact{{clock, known}},
	})
}

// drill reports whether the plan tries what is there, and makes nothing.
func (w *writer) drill() bool { return len(w.plan.RestoreDrill) > 0 }

// auditors says who compares what is read.
func (w *writer) auditors() string {
	for _, role := range []string{spec.Auditor, spec.Witness} {
		if slices.Contains(w.plan.Needs.Roles, role) {
			return "The " + role
		}
	}
	return "Somebody"
}

func networkWanted(p *plan.Plan) string {
	if n := p.Needs.Network; len(n) > 0 {
		return "no network but " + strings.Join(n, ", ") + ", which the plan allows"
	}
	return "no network; swap, core dumps and printers as pki doctor wants them"
}

// secrets gets what opens the stores, and opens those that are there.
func (w *writer) secrets() {
	w.phase = phaseReady
	for _, secret := range w.plan.Needs.Secrets {
		if w.madeHere(secret) {
			continue
		}
		w.add(w.secret(secret))
	}
	for _, store := range w.opened() {
		w.plug(store)
		keys := w.keysIn(store)
		s := Step{
			Role: spec.Operator, Does: KeyStore, Title: "Open " + store.String(), Subject: store, Minutes: 1,
			Expect: w.opens(), Needs: w.pluggedIn(store),
		}
		if len(keys) > 0 {
			s.Title, s.Minutes = fmt.Sprintf("Have %s prove %s", strings.Join(keys, ", "), itself(len(keys))), 2
			s.Expect = "the key signs a challenge that verifies under the key of the last output"
		}
		w.add(s)
	}
}

// opens says what is expected of a key store. One whose secret this plan makes
// opens only then; which one that is, no plan says.
func (w *writer) opens() string {
	const good = "it opens; a new key finds its place empty"
	if slices.ContainsFunc(w.plan.Actions, func(a plan.Action) bool { return a.Kind == plan.EstablishShares }) {
		return good + "; or its secret is still to be made, and it opens when it is"
	}
	return good
}

func itself(n int) string {
	if n == 1 {
		return "itself"
	}
	return "themselves"
}

// secret is the step that gets a secret that exists, or one that somebody
// chooses.
func (w *writer) secret(secret spec.Address) Step {
	s := Step{
		Role: spec.Operator, Does: Secret, Subject: secret, Title: "Enter " + secret.String(), Minutes: 1,
		Expect: "nothing of it is on the screen", Sets: []Fact{{secretThing(secret), known}},
	}
	for _, c := range w.plan.Needs.Custodians {
		if c.Secret != secret {
			continue
		}
		of := counted(c.Threshold, "custodian", "custodians")
		if c.Groups {
			of = counted(c.Threshold, "group", "groups")
		}
		s.Role, s.Title, s.Minutes = "custodians", fmt.Sprintf("Put %s together from %s of %d", secret, of, c.Count), 3*c.Threshold
		s.Reads = "One custodian after the other comes to the screen alone."
		s.Expect = "every share is checked before the next, and the secret before it is used"
	}
	return s
}

// madeHere reports whether this plan makes a secret.
func (w *writer) madeHere(secret spec.Address) bool {
	return slices.ContainsFunc(w.plan.Actions, func(a plan.Action) bool {
		return a.Kind == plan.EstablishShares && a.Address == secret
	})
}

// opened lists the key stores that can be opened before anything is made.
func (w *writer) opened() []spec.Address {
	var all, later []spec.Address
	for _, a := range w.plan.Actions {
		if a.Kind == plan.InitializeToken {
			later = append(later, a.Address)
		}
	}
	add := func(store spec.Address) {
		if !slices.Contains(later, store) && !slices.Contains(all, store) {
			all = append(all, store)
		}
	}
	if w.drill() { // what does not open in a drill is for the record
		return nil
	}
	for _, k := range w.plan.Needs.Keys {
		add(k.Store)
	}
	for _, a := range w.plan.Actions {
		if k := a.Key(); k != nil {
			add(k.Store)
		}
		if b := a.BackUpKey; b != nil {
			add(b.Key.Store)
		}
	}
	return all
}

func (w *writer) keysIn(store spec.Address) []string {
	var names []string
	for _, k := range w.plan.Needs.Keys {
		if k.Store == store {
			names = append(names, "the key of "+plan.Label(k.Address, k.Generation))
		}
	}
	return names
}

// decide is the point of no return.
func (w *writer) decide() {
	w.phase = phaseDecide
	reads, shows := "Does anyone object? From here on what is made stays made.", "what will be made"
	if w.drill() {
		reads, shows = "Does anyone object? Nothing is made in this drill: every key signs one challenge, which is neither a certificate nor a CRL.", "what will be tried"
	}
	w.add(Step{
		Role: w.who(spec.Administrator), Does: Go, Title: "Decide", Ask: AskWords, Words: GoWords, Minutes: 2,
		Reads: reads, Shows: shows, Expect: "nobody objects",
		Sets: []Fact{{begun, known}}, Needs: []Fact{{digest, known}, {network, known}},
	})
}

// GoWords are what people type before anything is made.
const GoWords = "carry out this plan"

func stamp(t interface{ Format(string) string }) string { return t.Format("2006-01-02 15:04:05 UTC") }

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }
