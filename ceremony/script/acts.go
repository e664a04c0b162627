package script

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pki.internal/plan"
	"pki.internal/spec"
)

// most is how many acts of one kind by one key have a step each. More of them
// share one, because nobody listens to the two hundredth certificate.
const most = 4

// acts carries out the plan, and changes tokens where they do not all fit.
func (w *writer) acts() {
	w.phase = phaseActs
	for _, group := range w.groups() {
		stores := w.storesOf(group[0])
		if len(group) > 1 && group[1].Kind != group[0].Kind {
			for _, store := range w.storesOf(group[1]) {
				if !slices.Contains(stores, store) {
					stores = append(stores, store)
				}
			}
		}
		for _, store := range stores {
			w.plug(store)
		}
		s := w.act(group)
		for _, store := range stores {
			if w.isToken(store) {
				s.Needs = append(s.Needs, Fact{tokenThing(store), inReader})
			}
		}
		s.Needs = append(s.Needs, Fact{begun, known})
		w.add(s)
	}
}

// groups puts acts that belong together into one step each: a run of acts that
// are alike, or of pairs such as a key and its certificate, over and over.
func (w *writer) groups() [][]plan.Action {
	p := w.plan
	var all [][]plan.Action
	for at := 0; at < len(p.Actions); {
		end := at + 1
		for _, period := range []int{1, 2} {
			if n := w.run(at, period); n > most*period || period == 1 && n > 1 && p.Actions[at].Kind == plan.GenerateProvisionerKey {
				end = at + n
				break
			}
		}
		all = append(all, p.Actions[at:end])
		at = end
	}
	return all
}

// run counts the acts from one on that repeat the first ones, whole periods.
func (w *writer) run(at, period int) int {
	p := w.plan
	n := period
	for at+n < len(p.Actions) && w.alike(p.Actions[at+n%period], p.Actions[at+n]) {
		n++
	}
	return n - n%period
}

// alike reports whether two acts are of one kind, and ask for one key, or for
// one store of them.
func (w *writer) alike(a, b plan.Action) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case plan.EstablishShares, plan.ReshareSecret, plan.InitializeToken, plan.AppointOfficers, plan.BackUpKey, plan.SealKey, plan.ProveKey:
		return false
	case plan.GenerateKey, plan.GenerateSSHKey:
		return a.Key().Store == b.Key().Store
	}
	one, _ := a.Issuer()
	other, _ := b.Issuer()
	if a.Kind == plan.SignCRL || a.Kind == plan.SignOCSP { // by the keys of one store
		first, _ := w.storeOfKey(one)
		second, _ := w.storeOfKey(other)
		return first == second
	}
	return one.Address == other.Address && one.Generation == other.Generation
}

// act is the step of one act, or of several that are alike.
func (w *writer) act(group []plan.Action) Step {
	a := group[0]
	s := Step{Role: spec.Operator, Does: Act, Title: Title(a), Irreversible: a.Irreversible, Minutes: 2, Expect: expected(a)}
	for _, one := range group {
		s.Actions = append(s.Actions, one.Number)
		s.Irreversible = s.Irreversible || one.Irreversible
	}
	if len(group) > 1 && group[1].Kind != a.Kind {
		s.Title = fmt.Sprintf("%s; %s; and %d more pairs of this kind", s.Title, lower(Title(group[1])), len(group)/2-1)
		s.Minutes += len(group) / 10
	} else if len(group) > 1 {
		s.Title = fmt.Sprintf("%s, and %d more of this kind", s.Title, len(group)-1)
		s.Minutes += len(group) / 10
	}
	switch a.Kind {
	case plan.GenerateKey, plan.GenerateSSHKey:
		s.Reads = "Where the key is made, its algorithm, and then the SHA-256 of its public key."
		s.Minutes = 3
	case plan.SignCertificate:
		s.Reads = "Subject, issuer, validity, path length, serial number; then the SHA-256 of the certificate."
		s.Minutes = 3
	case plan.BackUpKey:
		s.Reads = "From where the key goes and where to; then the way that the screen tells, and that both signed one challenge."
		s.Minutes = 3
	case plan.ProveKey:
		s.Reads = "Whose key it is, where it is, and the challenge that it signed."
	case plan.SignRequest:
		s.Reads = "The name and the key in the request; then the SHA-256 of the request."
	case plan.SignCRL:
		s.Reads = "Number, dates and entries of the CRL."
	case plan.EstablishShares:
		s.Role, s.Minutes = "custodians", handOut(a.EstablishShares)
	case plan.ReshareSecret:
		s.Role, s.Minutes = "custodians", handOut(a.ReshareSecret)
	case plan.GenerateProvisionerKey, plan.AppointOfficers, plan.Move, plan.Forget:
		s.Minutes = 1
	}
	// A CRL can be followed by another, but its number and signature are spent.
	_, signs := a.Issuer()
	asks := s.Irreversible || signs
	switch {
	case asks && len(group) > 1 && group[1].Kind != a.Kind:
		s.Ask, s.Words = AskWords, fmt.Sprintf("%s %d times", strings.TrimSuffix(words(a, 2), " 2 times"), len(group)/2)
	case asks:
		s.Ask, s.Words = AskWords, words(a, len(group))
	}
	return s
}

// handOut is how long a set takes: every custodian copies and proves a share.
func handOut(s *plan.SharesAction) int { return 2 + 5*s.Count }

// Title says what an action does, in a few words.
func Title(a plan.Action) string {
	switch a.Kind {
	case plan.GenerateKey, plan.GenerateSSHKey:
		return fmt.Sprintf("Make the %s key of %s", a.Key().Algorithm.Title(), label(a.Address, a.Key().Generation))
	case plan.SignCertificate:
		return "Sign the certificate of " + label(a.Address, a.SignCertificate.Generation)
	case plan.SignCRL:
		ahead := ""
		if a.SignCRL.Slot > 0 {
			ahead = ", ahead of its time"
		}
		return fmt.Sprintf("Sign CRL %s of %s%s", a.SignCRL.Number, a.Address, ahead)
	case plan.SignOCSP:
		return "Sign the OCSP response about " + a.Address.String()
	case plan.SignRequest:
		return "Sign the request for a certificate of " + label(a.Address, a.SignRequest.Key.Generation)
	case plan.GenerateProvisionerKey:
		return "Make the key of " + a.Address.String()
	case plan.BackUpKey:
		return fmt.Sprintf("Back the key of %s up in %s", label(a.Address, a.BackUpKey.Key.Generation), a.BackUpKey.Key.Store)
	case plan.SealKey:
		return "Seal the key of " + label(a.Address, a.SealKey.Generation)
	case plan.ProveKey:
		return fmt.Sprintf("Have the key of %s in %s sign for the record", label(a.Address, a.ProveKey.Generation), a.ProveKey.Store)
	case plan.InitializeToken:
		return fmt.Sprintf("Make the token %q ready", a.InitializeToken.Label)
	case plan.AppointOfficers:
		return "Appoint " + counted(len(a.AppointOfficers.Officers), "officer", "officers")
	case plan.EstablishShares:
		return fmt.Sprintf("Share %s among %d, so that %d have it", a.Address, a.EstablishShares.Count, a.EstablishShares.Threshold)
	case plan.ReshareSecret:
		return fmt.Sprintf("Share %s anew among %d, so that %d have it", a.Address, a.ReshareSecret.Count, a.ReshareSecret.Threshold)
	case plan.Move:
		return "Rename " + a.Address.String()
	case plan.Forget:
		return "Let go of " + a.Address.String()
	case plan.Adopt:
		return "Take in " + a.Address.String()
	}
	return string(a.Kind) + " " + a.Address.String()
}

func label(a spec.Address, generation int) string { return plan.Label(a, generation) }

// expected says what must come of an action.
func expected(a plan.Action) string {
	switch a.Kind {
	case plan.GenerateKey, plan.GenerateSSHKey:
		if a.Key().Extractable {
			return "one key more than before on the token, which can leave it encrypted until it is sealed, and nothing else changed"
		}
		if a.Key().OnToken() {
			return "one key more than before on the token, which cannot leave it, and nothing else changed"
		}
		return "one key more than before, encrypted in a file, and nothing else changed"
	case plan.SignCertificate, plan.SignCRL:
		return "the bytes of the plan, no new finding of lint, a signature that verifies"
	case plan.SignOCSP, plan.SignRequest:
		return "the bytes of the plan, and a signature that verifies"
	case plan.EstablishShares, plan.ReshareSecret:
		return "every custodian proves a share from what he or she keeps, and all of them together give the secret"
	case plan.BackUpKey:
		return "key and copy sign one challenge, and both signatures verify; the copy does not leave its place"
	case plan.ProveKey:
		return "its signature over a new challenge verifies under the public key in the ledger"
	case plan.SealKey:
		return "the token says that the key is not extractable, and every attempt to get it out is refused"
	case plan.InitializeToken:
		return "the token was empty and has its label and both PINs"
	case plan.Adopt:
		return "the key proves itself"
	}
	return "an entry in the ledger"
}

// words are what is typed before something that cannot be undone.
func words(a plan.Action, n int) string {
	name := a.Address.Name
	if a.Address.Key != "" {
		name += " " + a.Address.Key
	}
	verb := "do"
	switch a.Kind {
	case plan.GenerateKey, plan.GenerateSSHKey:
		verb = "make key"
	case plan.SignCertificate:
		verb = "sign"
	case plan.SignCRL:
		verb, name = "sign crl", a.SignCRL.Number+" "+name
	case plan.SignOCSP:
		verb = "sign ocsp"
	case plan.SignRequest:
		verb = "sign request"
	case plan.BackUpKey:
		verb = "back up"
	case plan.SealKey:
		verb = "seal"
	case plan.InitializeToken:
		verb = "initialise"
	case plan.EstablishShares, plan.ReshareSecret:
		verb = "share"
	}
	if n > 1 {
		return fmt.Sprintf("%s %d times", verb, n)
	}
	return verb + " " + name
}

// plug brings a key store's token into a reader. Where there are fewer readers
// than tokens, the one that was not used for longest makes room.
func (w *writer) plug(store spec.Address) {
	at := slices.IndexFunc(w.plan.Needs.Tokens, func(t plan.TokenNeeded) bool { return t.Store == store })
	if at < 0 {
		return
	}
	if i := slices.Index(w.in, store); i >= 0 {
		w.in = append(slices.Delete(w.in, i, i+1), store)
		return
	}
	t, fact := w.plan.Needs.Tokens[at], tokenThing(store)
	s := Step{
		Role: spec.Operator, Does: Insert, Title: "Put " + tokenName(t) + " into a reader", Subject: store, Minutes: 1, Ask: AskDone,
		Expect: "pki token list shows its label and serial", Needs: []Fact{{fact, onTable}}, Sets: []Fact{{fact, inReader}},
	}
	if n := w.plan.Needs.Readers; n > 0 && len(w.in) >= n {
		out := w.in[0]
		w.in = w.in[1:]
		s.Does, s.Out, s.Title = Swap, out, fmt.Sprintf("Take out the token of %s and put in %s", out, tokenName(t))
		s.Needs = append(s.Needs, Fact{tokenThing(out), inReader})
		s.Sets = append(s.Sets, Fact{tokenThing(out), onTable})
	}
	w.in = append(w.in, store)
	w.add(s)
}

// isToken reports whether a key store is a token.
func (w *writer) isToken(store spec.Address) bool {
	return slices.ContainsFunc(w.plan.Needs.Tokens, func(t plan.TokenNeeded) bool { return t.Store == store })
}

// pluggedIn is what a step needs that uses a key store.
func (w *writer) pluggedIn(store spec.Address) []Fact {
	if !slices.Contains(w.in, store) {
		return nil
	}
	return []Fact{{tokenThing(store), inReader}}
}

func (w *writer) check() {
	w.phase = phaseCheck
	w.add(Step{
		Role: spec.Operator, Does: Files, Title: "Write the files and read them again", Minutes: 1,
		Expect: "every file has the digest that the ledger gives",
	})
	if w.drill() {
		w.formally(Step{
			Role: w.who(spec.Auditor), Title: "Check on another computer", Minutes: 5, Shows: "pki verify",
			Expect: "every key that was tried is there with today's date, and its signature verifies",
		})
		return
	}
	w.formally(Step{
		Role: w.who(spec.Auditor), Title: "Check on another computer, with other software", Minutes: 5,
		Shows:  "sha256sum -c SHA256SUMS; openssl x509 -in FILE -noout -fingerprint -sha256",
		Expect: "the digests and fingerprints that stand on the screen; the witnesses write them into their record",
	})
}

// close puts everything back and ends.
func (w *writer) close() {
	w.phase = phaseClose
	for _, t := range w.plan.Needs.Tokens {
		fact := tokenThing(t.Store)
		where := onTable
		if slices.Contains(w.in, t.Store) {
			where = inReader
		}
		w.add(Step{
			Role: w.who(spec.Controller), Title: "Put " + tokenName(t) + " back into the safe", Subject: t.Store, Ask: AskDone, Minutes: 3,
			Reads: "The number of the new bag, which everyone writes down.", Expect: "in a new bag, sealed, in its own safe",
			Needs: []Fact{{fact, where}}, Sets: []Fact{{fact, inSafe}},
		})
	}
	if len(w.plan.Needs.Custodians) > 0 {
		w.formally(Step{
			Role: "custodians", Title: "Seal the shares again", Minutes: 3,
			Reads: "The number of each new envelope, which everyone writes down.", Expect: "whoever brought a share takes it back, in a new envelope, sealed",
		})
	}
	w.formally(Step{
		Role: w.who(spec.Administrator), Title: "Read the exceptions", Minutes: 2,
		Reads: "Every exception, its decision, and who took it.", Expect: "everyone says whether the record is right",
	})
	w.add(Step{
		Role: spec.Operator, Does: Close, Title: "End the ceremony", Minutes: 2, Shows: "the head of the ledger",
		Expect: "the last entry is on disk; everyone writes the head into their record and signs it",
	})
}

// duties lists what is to be done afterwards, the estate's own before what
// follows from the plan.
func duties(p *plan.Plan) []plan.Duty {
	all := slices.Clone(p.Needs.Duties)
	published := false
	for _, a := range p.Actions {
		published = published || a.Kind == plan.SignCRL || a.Kind == plan.SignCertificate
	}
	named := func(name string) bool {
		return slices.ContainsFunc(all, func(d plan.Duty) bool { return d.Name == name })
	}
	day := p.At.Add(24 * time.Hour)
	if !named("keep") {
		all = append(all, plan.Duty{Name: "keep", Owner: spec.Operator, By: day, Text: "Carry the ledger and the files back (pki bundle open), have pki verify pass, and commit them."})
	}
	if published && !named("publish") {
		all = append(all, plan.Duty{Name: "publish", Owner: spec.Administrator, By: day, Text: "Publish certificates and CRLs where their URLs point, and the fingerprints in two places."})
	}
	slices.SortStableFunc(all, func(a, b plan.Duty) int { return strings.Compare(stamp(a.By), stamp(b.By)) })
	return all
}
