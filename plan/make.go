package plan

import (
	"crypto"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"pki.internal/lint"
	"pki.internal/plan/tbs"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// Inputs is all that a plan depends on beside the estate and the ledger.
type Inputs struct {
	At        time.Time     // ceremony date; cut to whole seconds of UTC
	Window    spec.Duration // how long after At the plan may run
	Seed      [32]byte      // drawn once for the plan
	Tool      Tool
	Variables map[string]string

	RestoreDrill []string // whose keys prove themselves; nothing else is planned then
}

// Remake gives the inputs that a plan was made with, so that it can be made
// again and compared.
func (p *Plan) Remake() (Inputs, error) {
	in := Inputs{At: p.At, Tool: p.Tool, Variables: p.Estate.Variables, RestoreDrill: p.RestoreDrill}
	seed, err := hex.DecodeString(p.Seed)
	if err != nil || len(seed) != len(in.Seed) {
		return in, errors.New("the plan's seed is not 32 bytes in hex")
	}
	copy(in.Seed[:], seed)
	hours := p.Window.NotAfter.Sub(p.Window.NotBefore)
	if hours%time.Hour != 0 || hours <= 0 || !p.Window.NotBefore.Equal(p.At) {
		return in, errors.New("the plan's window does not begin at its date and last whole hours")
	}
	in.Window = spec.Duration{Hours: int(hours / time.Hour)}
	return in, nil
}

// Make gives the plan of the next ceremony: everything that the estate wants
// and the state does not have. A plan without actions means that nothing is
// missing. Every certificate and CRL in it has been built whole and linted;
// with an error among the diagnostics there is no plan.
func Make(e *spec.Estate, s State, in Inputs) (*Plan, spec.Diagnostics) {
	p, _, diags := MakeEncoded(e, s, in)
	return p, diags
}

// MakeEncoded is Make with what Encode gives for the plan, which was needed for
// its sum.
func MakeEncoded(e *spec.Estate, s State, in Inputs) (*Plan, []byte, spec.Diagnostics) {
	in.At = in.At.UTC().Truncate(time.Second)
	m := &maker{
		estate: e, state: s, in: in, family: familyOf(e), around: s.neighbours(), materials: map[spec.Address]*material{}, olderMaterials: map[spec.Address][]*material{},
		previews: map[spec.Algorithm]int{}, crlReasons: map[int]string{}, crlBlasts: map[int]*Blast{}, adopted: map[spec.Address]Generation{}, numbers: map[spec.Address]*big.Int{},
	}
	if !m.prepare() {
		return nil, nil, m.diags.Sorted()
	}
	if len(in.RestoreDrill) > 0 {
		m.restoreDrill()
	} else {
		m.wants()
	}
	m.judgeAll()
	m.needs()
	m.judgeEstate()
	m.sealChanges()
	m.unusedWaivers()
	m.inheritedWaivers()
	m.forgotten()
	var text []byte
	if !m.diags.HasErrors() {
		var err error
		if text, err = m.plan.sealed(); err != nil {
			m.say("Plan that cannot be written", "%s. This is a fault of the program; please report it.", err)
		}
	}
	if m.diags.HasErrors() {
		return nil, nil, m.diags.Sorted()
	}
	return m.plan, text, m.diags.Sorted()
}

// wants plans everything that the estate wants and the state does not have.
func (m *maker) wants() {
	e := m.estate
	m.officers()
	m.shares() // before any key, because nothing may be locked with a secret that is not proven
	m.moves()
	for _, a := range e.IssuanceOrder() {
		m.authority(a)
	}
	for _, x := range e.Crosses {
		m.cross(x)
	}
	for _, r := range e.Responders {
		m.responder(r)
	}
	m.findRevocations()
	for _, a := range e.IssuanceOrder() {
		m.crl(a)
	}
	for _, a := range e.IssuanceOrder() {
		m.ocsp(a)
	}
	for _, a := range e.SSHAuthorities {
		m.sshKey(a)
	}
	for _, p := range e.Provisioners {
		m.provisioner(p)
	}
}

type maker struct {
	estate    *spec.Estate
	state     State
	in        Inputs
	plan      *Plan
	linter    *lint.Linter
	policy    lint.Policy
	waived    map[int]bool // waivers that matched something
	diags     spec.Diagnostics
	family    family
	around    *neighbours
	materials map[spec.Address]*material // of the key that signs from now on
	revoked   map[spec.Address][]revoked // by the authority that issued
	previews  map[spec.Algorithm]int     // preview keys taken, by algorithm
	secrets   []*spec.Secret
	changes   []Change
	adopted   map[spec.Address]Generation
	verdicts  []*verdict
	bench     *bench // nil before the first verdict

	// olderMaterials are those of every key that the ledger has of an
	// authority, oldest first, the one that signed until now included.
	olderMaterials map[spec.Address][]*material
	crlReasons     map[int]string            // why a list is due, by action
	crlBlasts      map[int]*Blast            // what hangs below what it revokes, by action
	numbers        map[spec.Address]*big.Int // of the newest list planned, by authority
}

// material is what later actions need to know of an authority's key and
// certificate, real or previewed.
type material struct {
	ref         KeyRef
	stand       crypto.Signer // preview key, nil when the real key exists
	spki        []byte        // real, or of the preview key
	certificate *x509.Certificate
	imported    bool // other software made the key
}

// real reports whether the key exists.
func (m *material) real() bool { return m.stand == nil }

func (m *maker) say(summary, detail string, args ...any) {
	m.diags = append(m.diags, spec.Diagnostic{Severity: spec.Error, Summary: summary, Detail: fmt.Sprintf(detail, args...)})
}

// prepare checks what concerns the whole plan and fills its head.
func (m *maker) prepare() bool {
	s, e := m.state, m.estate
	switch {
	case s.Open != nil:
		m.say("A ceremony is not finished",
			"The ledger holds a ceremony with %d of %d actions done. Finish it with pki apply PLAN --resume; its plan's digest begins with %.16s.",
			s.Open.Done, len(s.Open.Plan.Actions), s.Open.Digest)
	case s.Estate != "" && (s.Estate != e.Name || s.Environment != e.Environment):
		m.diags.Report(e.Origin, "", "Ledger of another estate",
			"The ledger here belongs to the %s estate %q. A ledger never changes its name or its environment. Use a folder of its own for %q.", s.Environment, s.Estate, e.Name)
	case m.in.At.Before(s.LastTime):
		m.say("Ceremony date lies in the past",
			"The newest entry of the ledger is of %s, and the ceremony date is %s. Set the clock right, or give a later --at.", stamp(s.LastTime), stamp(m.in.At))
	}
	profile, failOn := e.Lint.Profile, lint.Error
	if profile == "" {
		profile = "private"
	}
	if e.Lint.FailOn != "" {
		parsed, err := lint.ParseSeverity(e.Lint.FailOn)
		if err != nil {
			m.diags.Report(e.Lint.Origin, "fail_on", "Unknown severity", "%s.", err)
		}
		failOn = parsed
	}
	linter, err := lint.New(profile)
	if err != nil {
		m.diags.Report(e.Lint.Origin, "profile", "Unknown lint profile", "%s.", err)
	}
	if m.diags.HasErrors() {
		return false
	}
	m.linter, m.policy, m.waived = linter, lint.Policy{FailOn: failOn}, map[int]bool{}
	m.plan = &Plan{
		Format: Format, Tool: m.in.Tool,
		Estate: EstateRef{Name: e.Name, Environment: e.Environment, Inputs: e.Inputs, Variables: m.in.Variables},
		Ledger: s.head(), At: m.in.At,
		Window: Window{NotBefore: m.in.At, NotAfter: m.in.Window.From(m.in.At)},
		Seed:   hex.EncodeToString(m.in.Seed[:]),
		Lint:   LintRef{Profile: profile, FailOn: failOn, Set: linter.SetDigest()},
		Needs:  Needs{Roles: []string{}, Secrets: []spec.Address{}},
	}
	names := ruleNames(linter)
	m.plan.Lint.Rules, m.plan.Lint.New = ruleMarks(names), newRules(names, s.lastRules)
	m.plan.Actions = []Action{}
	m.waivers(names, profile)
	return !m.diags.HasErrors()
}

// waivers takes over the estate's waivers; one that has ended, or that is of no
// lint of the profile, is an error.
func (m *maker) waivers(known []string, profile string) {
	for _, w := range m.estate.Lint.Waivers {
		if !slices.Contains(known, w.Lint) {
			m.diags.Report(w.Origin, "lint", "Waiver of an unknown lint",
				"Profile %s has no lint %q.%s pki lint --list shows all.", profile, w.Lint, likely(w.Lint, known))
			continue
		}
		until, err := time.Parse(time.DateOnly, w.Until)
		if err != nil || !m.in.At.Before(until) {
			m.diags.Report(w.Origin, "until", "Waiver has expired",
				"The waiver of %s for %s ended on %s, and the ceremony is on %s. Mend the finding, or decide anew and write a later date.",
				w.Lint, w.Object, w.Until, m.in.At.Format(time.DateOnly))
			continue
		}
		m.policy.Waivers = append(m.policy.Waivers, lint.Waiver{
			Lint: w.Lint, Object: w.Object.String(), Reason: w.Reason, Citation: w.Citation, Author: w.Author, Until: until,
		})
		m.plan.Lint.Waivers = append(m.plan.Lint.Waivers, WaiverRef{
			Lint: w.Lint, Object: w.Object, Reason: w.Reason, Citation: w.Citation, Author: w.Author, Until: w.Until,
		})
	}
}

// unusedWaivers refuses a waiver that waives nothing in a plan that signs for
// its object: it would hide the next finding of that name.
func (m *maker) unusedWaivers() {
	for i, w := range m.estate.Lint.Waivers {
		concerned := slices.ContainsFunc(m.plan.Actions, func(a Action) bool {
			return a.Address == w.Object && (a.Kind == SignCertificate || a.Kind == SignCRL)
		})
		if concerned && !m.waived[i] {
			m.diags.Report(w.Origin, "lint", "Waiver that waives nothing", "%s does not find %s. Remove the waiver.", w.Lint, w.Object)
		}
	}
}

// forgotten warns of authorities that the ledger has and the estate no longer
// describes: a renamed block would otherwise make a new CA in silence.
func (m *maker) forgotten() {
	described := map[spec.Address]bool{}
	for _, a := range m.estate.Authorities {
		described[a.Address] = true
	}
	for _, have := range m.state.Authorities() {
		if have.Forgotten || described[have.Address] || m.letGo(have.Address) {
			continue
		}
		m.diags = append(m.diags, spec.Diagnostic{
			Severity: spec.Warning, Summary: "Authority is no longer described", Address: have.Address.String(),
			Detail: fmt.Sprintf("The ledger has %s, and the estate does not. Its key and certificate stay as they are. If the block was renamed, write moved { from = %s, to = … }, each on a line: without it a new name is a new authority. If it was taken out, write removed { from = %s }.", have.Address, have.Address, have.Address),
		})
	}
}

// judge lints an object of the plan: a finding that fails stops the plan,
// and points at the block that the object comes from.
func (m *maker) judge(o spec.Origin, what string, findings []lint.Finding) []lint.Finding {
	judged, pass := m.policy.Judge(o.Address.String(), findings, m.in.At)
	for _, f := range judged {
		if f.Waived == "" {
			continue
		}
		for i, w := range m.estate.Lint.Waivers {
			if w.Lint == f.Lint && w.Object == o.Address {
				m.waived[i] = true
			}
		}
	}
	if pass {
		return judged
	}
	for _, f := range judged {
		if f.Waived == "" && f.Severity >= m.policy.FailOn {
			m.diags.Report(o, "", "Lint refuses the "+what, "%s. %s (%s, %s). Nothing has been made.", f.Detail, f.Advice, f.Lint, f.Citation)
		}
	}
	return judged
}

func (m *maker) add(a Action) int {
	a.Number = len(m.plan.Actions) + 1
	m.plan.Actions = append(m.plan.Actions, a)
	return a.Number
}

// draw derives bytes from the plan's seed, so that anyone with the plan can
// derive them again. The ledger's head keeps two plans of one seed apart.
func (m *maker) draw(purpose string, address spec.Address, generation string, n int) []byte {
	info := fmt.Sprintf("pki plan v1|%s|%s|%s", purpose, address, generation)
	head, err := hex.DecodeString(m.plan.Ledger.Hash)
	if err != nil {
		m.say("Ledger head is not hexadecimal", "%s. Run pki verify.", err)
	}
	out, err := hkdf.Key(sha256.New, m.in.Seed[:], head, info, n)
	if err != nil {
		m.say("Seed cannot be used", "%s. Make the plan again.", err)
	}
	return out
}

// authority plans key and certificate of an authority that lacks them, and
// notes what there is of one that has them.
func (m *maker) authority(a *spec.Authority) {
	have, known := m.state.Authority(a.Address)
	if known && have.Certificate != nil {
		m.existing(a, have)
		return
	}
	if a.Issuer != nil {
		if issuer := m.materials[a.Issuer.Address]; issuer == nil || issuer.certificate == nil {
			return // the issuer's trouble has been reported
		} else if !issuer.described(a.Issuer) && a.Import == nil {
			return // it waits for the issuer's next key
		}
	}
	if a.Import != nil {
		m.adopt(a, have)
		return
	}
	g, _ := have.At(have.last())
	switch {
	case known && a.CSR == nil: // its key was made, and the ceremony ended there
		m.materials[a.Address] = materialOf(a.Address, g)
		m.useSecret(a.Key.Store.Password)
		m.certificate(a, nil)
	default:
		m.fresh(a)
	}
}

// fresh plans a key that nobody has yet, or takes it from a request, and its
// certificate.
func (m *maker) fresh(a *spec.Authority) {
	if m.keyless(a) {
		return
	}
	if a.CSR != nil {
		m.fromCSR(a)
		return
	}
	if m.generateKey(a) {
		m.certificate(a, nil)
	}
}

func refOf(address spec.Address, g Generation) KeyRef {
	ref := KeyRef{Address: address, Generation: g.Number, SPKI: g.spki}
	// An algorithm that cannot be told stays empty and fails the signing.
	ref.Algorithm, _ = tbs.AlgorithmOfSPKI(ref.SPKI)
	if g.Key != nil { // whose entry also says how it signs
		ref.Algorithm = g.Key.Key.Algorithm
	}
	return ref
}

func (m *maker) generateKey(a *spec.Authority) bool {
	algorithm := a.Key.Algorithm
	stand, err := tbs.PreviewKey(algorithm, m.previews[algorithm.KeyType()])
	if err != nil {
		m.diags.Report(a.Origin, "key", "Key that cannot be previewed", "%s.", err)
		return false
	}
	m.previews[algorithm.KeyType()]++
	spki, err := public.Marshal(stand.Public())
	if err != nil {
		m.diags.Report(a.Origin, "key", "Key that cannot be previewed", "%s.", err)
		return false
	}
	for _, store := range append([]*spec.KeyStore{a.Key.Store}, a.Key.Backup...) {
		m.initializeToken(store)
	}
	key := KeyAction{
		Generation: a.KeyGeneration(), Store: a.Key.Store.Address, Algorithm: algorithm,
		KeyID: m.idInStore("key id", a.Address, a.KeyGeneration(), a.Key), Label: keyName(a),
		Extractable: a.Key.Policy() == spec.WrapThenSeal,
	}
	key.Location = m.location(a.Key.Store, key.KeyID, key.Label)
	number := m.add(Action{Kind: GenerateKey, Address: a.Address, Irreversible: true, GenerateKey: &key})
	m.materials[a.Address] = &material{
		ref:   KeyRef{Address: a.Address, Generation: a.KeyGeneration(), Algorithm: algorithm, MadeBy: number},
		stand: stand, spki: spki,
	}
	m.around.addKey(Label(a.Address, a.KeyGeneration()), spki)
	m.useSecret(a.Key.Store.Password)
	m.backUpNew(a, key)
	return true
}

// keyName gives the label of an authority's key: its file name, and from the
// second generation on the generation.
func keyName(a *spec.Authority) string {
	if a.KeyGeneration() > spec.FirstGeneration {
		return fmt.Sprintf("%s.g%d", a.Address.FileName(), a.KeyGeneration())
	}
	return a.Address.FileName()
}

// initializeToken plans to make a token ready before the first key that goes
// to it, once in its life.
func (m *maker) initializeToken(k *spec.KeyStore) {
	if k.Token == nil || !k.Token.Initialize || k.Password == nil || k.Token.OfficerPIN == nil {
		return
	}
	_, done := m.state.Token(k.Address)
	used := len(m.state.KeysOf(k.Address)) > 0
	planned := slices.ContainsFunc(m.plan.Actions, func(a Action) bool { return a.Kind == InitializeToken && a.Address == k.Address })
	if done || used || planned {
		return
	}
	m.add(Action{
		Kind: InitializeToken, Address: k.Address, Irreversible: true,
		InitializeToken: &TokenAction{
			Module: k.Token.Module, Label: k.Token.Label, PIN: k.Password.Address, OfficerPIN: k.Token.OfficerPIN.Address,
			PINForm: k.PINForm(false).String(), OfficerPINForm: k.PINForm(true).String(),
		},
	})
	m.useSecret(k.Token.OfficerPIN)
	m.useSecret(k.Password)
}

func (m *maker) useSecret(s *spec.Secret) {
	if s != nil && !slices.Contains(m.secrets, s) { // a pin pad needs none
		m.secrets = append(m.secrets, s)
	}
}

// provisioner plans the key of a JWK provisioner that has none.
func (m *maker) provisioner(p *spec.Provisioner) {
	if p.Kind != "jwk" {
		return
	}
	if _, known := m.state.Provisioner(p.Address); known {
		return
	}
	m.useSecret(p.Password)
	m.add(Action{
		Kind: GenerateProvisionerKey, Address: p.Address,
		GenerateProvisionerKey: &ProvisionerAction{Algorithm: "ES256", Password: p.Password.Address, Iterations: pbes2Iterations},
	})
}

// pbes2Iterations is the work of one guess at a provisioner's password
// (OWASP's 2023 figure for PBKDF2-HMAC-SHA256, and what step writes).
const pbes2Iterations = 600_000

func (m *maker) needs() {
	if len(m.plan.Actions) == 0 {
		return
	}
	for _, s := range m.secrets {
		m.plan.Needs.Secrets = append(m.plan.Needs.Secrets, s.Address)
	}
	m.needsCustodians()
	m.needsRoom()
}

// ours finds the authority that has a public key already, in another
// generation than the one at hand.
func (m *maker) ours(spki []byte, a *spec.Authority) (string, bool) {
	found := m.around.keys(spki, Label(a.Address, a.KeyGeneration()))
	if len(found) == 0 {
		return "", false
	}
	return found[0].Owner, true
}
