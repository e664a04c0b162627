package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/ceremony/ledger"
	"pki.internal/hsm"
	"pki.internal/hsm/filestore"
	"pki.internal/hsm/pkcs11"
	"pki.internal/plan"
	"pki.internal/spec"
)

type applyOptions struct {
	resume, yes bool
	lastTry     bool
	copies      []string
	sheets      string
	shares      []string
	identities  []string
	vars        variables
}

func applyCommand(a *app) *cobra.Command {
	var o applyOptions
	c := &cobra.Command{
		Use:   "apply [PLAN]",
		Short: "Carry a plan out in a ceremony; without a plan, render",
		Long: `With a saved plan: the ceremony. The plan is made again from the estate and the
ledger and must come out the same to the byte; then keys are made and
certificates and CRLs signed, each linted before and after, verified in
software and entered into the ledger before its file appears.

Without a plan: write every file that needs no ceremony key (certificates and
CRLs from the ledger, rendered configuration) and say which actions wait for a
ceremony. Without a plan no ceremony key can be reached.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				if o.resume || o.yes || o.sheets != "" || len(o.shares)+len(o.identities)+len(o.copies) > 0 {
					return &usageError{fmt.Errorf("--resume, --yes, --copy, --sheets, --share and --identity belong to a plan: pki apply PLAN")}
				}
				return a.applyRender(o.vars)
			}
			if o.vars.count() > 0 {
				return &usageError{fmt.Errorf("--var belongs to pki plan; a saved plan holds its variables")}
			}
			return a.applyPlan(c.Context(), args[0], o)
		},
	}
	c.Flags().BoolVar(&o.resume, "resume", false, "go on with an interrupted ceremony of this plan")
	c.Flags().BoolVar(&o.yes, "yes", false, "answer the confirmation; lab estates only")
	c.Flags().BoolVar(&o.lastTry, "last-pin-try", false, "log in to a token although it has one try left before it locks")
	c.Flags().StringVar(&o.sheets, "sheets", "", "folder for the pages of new shares without a recipient, to be printed; else their words are shown for writing down")
	c.Flags().StringArrayVar(&o.shares, "share", nil, "file with a custodian's share; may be repeated, and what is missing is asked for")
	c.Flags().StringArrayVar(&o.identities, "identity", nil, "file of age identities that open encrypted shares; may be repeated")
	c.Flags().StringArrayVar(&o.copies, "copy", nil, "folder on another medium that gets the ledger and every output as well; may be repeated")
	o.vars.flags(c)
	return c
}

func (a *app) applyPlan(ctx context.Context, name string, o applyOptions) error {
	// Where people are asked, a helper process is not what takes long.
	helpers := &pkcs11.Helpers{}
	defer func() { helpers.Close() }()
	t, err := a.takeUp(name, o.yes, func(p *plan.Plan) {
		if o.yes {
			helpers = pkcs11.StartHelpers(len(p.Needs.Tokens))
		}
	})
	if err != nil {
		return err
	}
	defer t.root.Close()
	p, digest, root, estate, self := t.plan, t.digest, t.root, t.estate, t.tool
	helpers.Load(ctx, neededTokens(p, estate, o.lastTry))
	given, err := readApprovals(name)
	if err != nil {
		return err
	}
	request := ceremony.Request{Approvals: given, Plan: p, Digest: digest, Estate: estate, Now: a.now(), Tool: self, Resume: o.resume, Built: buildTime()}
	admitted, err := a.admit(root, request)
	if err != nil {
		return err
	}
	file, err := ledger.Open(root, ledgerName, rand.Reader)
	if err != nil {
		return err
	}
	defer file.Close()
	kept, err := a.openMedia(root, file, o.copies, p)
	if err != nil {
		return err
	}
	defer kept.Close()
	screen := newDesk(a, admitted, digest, o)
	screen.resume = file.State().Open != nil
	noted, isRehearsed := readRehearsal(name, digest)
	screen.rehearsed = rehearsedTitle(noted, isRehearsed)
	people := &custody{app: a, root: root, sheets: o.sheets, files: o.shares, identities: o.identities, resumed: o.resume}
	defer people.close()
	room := &ceremony.Room{
		Clock: a.now, Rand: rand.Reader, Tool: self,
		Desk:    screen,
		Secrets: askSecrets{root: root, environment: p.Estate.Environment, estate: estate},
		Stores:  stores{root: root, lastTry: o.lastTry, helpers: helpers}, Book: kept, Files: kept, Custody: people,
		Interfaces: testOnlyInterfaces, Copies: len(o.copies), Unattended: o.yes,
	}
	if isRehearsed {
		room.Rehearsed = []string{noted.Plan}
	}
	if err := room.Run(ctx, admitted); err != nil {
		return a.interrupted(kept.State(), name, err)
	}
	if err := kept.estateLost(); err != nil {
		return err
	}
	if err := a.afterCeremony(kept, root, estate, admitted); err != nil {
		return err
	}
	if failed := drillFailed(p, kept.State()); failed != nil && a.json {
		return errors.Join(&saidError{}, failed)
	} else if failed != nil {
		return failed
	}
	return nil
}

// neededTokens gives the tokens that a plan needs, as they are opened.
func neededTokens(p *plan.Plan, estate *spec.Estate, lastTry bool) []pkcs11.Options {
	var tokens []pkcs11.Options
	for _, k := range estate.KeyStores {
		if k.Token != nil && slices.ContainsFunc(p.Needs.Tokens, func(n plan.TokenNeeded) bool { return n.Store == k.Address }) {
			tokens = append(tokens, tokenStore(k.Token, lastTry))
		}
	}
	return tokens
}

// admit judges the plan on a ledger that nothing writes to yet. A torn entry
// is no obstacle to going on: only the ceremony cuts it off.
func (a *app) admit(root *os.Root, r ceremony.Request) (*ceremony.Admitted, error) {
	book, torn, err := ledger.Load(root.FS(), ledgerName)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ledgerName, err)
	}
	if len(torn) > 0 && !r.Resume {
		return nil, fmt.Errorf("%s: %w", ledgerName, ledger.ErrTorn)
	}
	r.History, a.ledger = book, book.State()
	return ceremony.Admit(r)
}

// interrupted adds to an error what the ledger says about it.
func (a *app) interrupted(s plan.State, name string, err error) error {
	if s.Open == nil {
		return err
	}
	return fmt.Errorf("%w\n%d of %d actions are in the ledger; when the cause is mended, go on with %s apply %s --resume",
		err, s.Open.Done, len(s.Open.Plan.Actions), a.self(), name)
}

// afterCeremony renders what has become possible and says what there is.
func (a *app) afterCeremony(book *media, root *os.Root, estate *spec.Estate, admitted *ceremony.Admitted) error {
	p := admitted.Plan()
	if err := removeRenamed(root, book.StateAt(p.Ledger.Entries), book.State()); err != nil {
		return err
	}
	rendered, err := a.writeRendered(root, estate, book.State())
	if err != nil {
		return err
	}
	var concerned []spec.Address
	var written []string
	for _, action := range p.Actions {
		if action.Kind == plan.SignCertificate {
			concerned = append(concerned, action.Address)
		}
		written = append(written, action.Outputs()...)
	}
	written = append(written, plan.SumsName)
	result := map[string]any{"ledger": book.Head(), "written": append(written, rendered.Written...), "actions": len(p.Actions)}
	if len(book.copies()) > 0 {
		result["copies"] = book.copies()
	}
	return a.emit("apply", result, func(w io.Writer) {
		fmt.Fprintf(w, "\nThe ceremony is finished: %s, and the ledger has %s.\n\n", count(len(p.Actions), "action"), count(book.Head().Entries, "entry"))
		printTree(w, book.State())
		printFingerprints(w, book.State(), concerned)
		fmt.Fprintf(w, "\nWritten:\n")
		for _, name := range append(written, rendered.Written...) {
			fmt.Fprintf(w, "  %s\n", name)
		}
		fmt.Fprintf(w, "  %s, head %s\n", ledgerName, book.Head().Hash)
		for _, c := range book.copies() {
			if c.Lost != "" {
				fmt.Fprintf(w, "  LOST: the copy in %s, %s\n", c.Dir, c.Lost)
			} else {
				fmt.Fprintf(w, "  the same in %s\n", c.Dir)
			}
		}
		fmt.Fprintf(w, "\nNext:\n")
		for _, step := range a.nextSteps(estate, book.State()) {
			fmt.Fprintf(w, "  - %s\n", wrap(step, a.width-4, "    "))
		}
	})
}

// stores opens the key stores of an estate's folder.
type stores struct {
	root    *os.Root
	lastTry bool
	helpers *pkcs11.Helpers // may be nil
}

func (s stores) token(t *spec.Token) pkcs11.Options {
	o := tokenStore(t, s.lastTry)
	o.Helpers = s.helpers
	return o
}

// Open opens a store; its kind has been validated with the estate.
func (s stores) Open(ctx context.Context, k *spec.KeyStore, secret []byte) (hsm.Store, error) {
	var store hsm.Store
	var err error
	if k.Token != nil {
		store, err = pkcs11.Open(ctx, s.token(k.Token), secret)
	} else {
		store, err = filestore.Open(s.root, k.Path, secret)
	}
	if err != nil {
		return nil, err
	}
	return watchedStore{store}, nil
}

// CanInitialize looks for a token that could be made ready.
func (s stores) CanInitialize(ctx context.Context, k *spec.KeyStore, officerPIN, pin int, resumed bool) error {
	return pkcs11.CanReady(ctx, s.token(k.Token), k.Token.Label, officerPIN, pin, resumed)
}

// Initialize makes the empty token of a key store ready.
func (s stores) Initialize(ctx context.Context, k *spec.KeyStore, officerPIN, pin []byte, resumed bool) (ceremony.Initialized, error) {
	testOnlyEffect("before token " + k.Token.Label)
	token, adopted, evidence, err := pkcs11.Ready(ctx, s.token(k.Token), k.Token.Label, officerPIN, pin, resumed)
	testOnlyEffect("after token " + k.Token.Label)
	return ceremony.Initialized{Serial: token.Serial, Adopted: adopted, Evidence: evidence}, err
}

// watchedStore lets tests end the process around each effect.
type watchedStore struct{ hsm.Store }

// CanMake passes the question on; a store that says nothing can.
func (s watchedStore) CanMake(a spec.Algorithm) error {
	if able, can := s.Store.(hsm.Able); can {
		return able.CanMake(a)
	}
	return nil
}

// copier gives the store as one that copies keys, or the reason why not.
func (s watchedStore) copier() (hsm.Copier, error) {
	c, can := s.Store.(hsm.Copier)
	if !can {
		return nil, fmt.Errorf("its keys are not copied: %w", hsm.ErrUnsupported)
	}
	return c, nil
}

// behind gives the driver's own store, which is what another driver knows.
func behind(s hsm.Store) hsm.Store {
	if watched, is := s.(watchedStore); is {
		return watched.Store
	}
	return s
}

// CanCopy passes the question on.
func (s watchedStore) CanCopy(ctx context.Context, a spec.Algorithm, to hsm.Store) (hsm.Way, error) {
	c, err := s.copier()
	if err != nil {
		return hsm.Way{}, err
	}
	return c.CanCopy(ctx, a, behind(to))
}

// Copy copies a key to another store.
func (s watchedStore) Copy(ctx context.Context, q hsm.Copying) (hsm.Copied, error) {
	c, err := s.copier()
	if err != nil {
		return hsm.Copied{}, err
	}
	q.To = behind(q.To)
	testOnlyEffect("before copy " + q.At.Label)
	copied, err := c.Copy(ctx, q)
	testOnlyEffect("after copy " + q.At.Label)
	return copied, err
}

// Seal ends that a key may leave.
func (s watchedStore) Seal(ctx context.Context, k hsm.KeySpec, spki []byte) ([]hsm.Evidence, error) {
	c, err := s.copier()
	if err != nil {
		return nil, err
	}
	testOnlyEffect("before seal " + k.Label)
	evidence, err := c.Seal(ctx, k, spki)
	testOnlyEffect("after seal " + k.Label)
	return evidence, err
}

// Vacant passes the question on; a store that says nothing is asked when the key
// is made.
func (s watchedStore) Vacant(ctx context.Context, k hsm.KeySpec) error {
	if vacant, can := s.Store.(hsm.Vacant); can {
		return vacant.Vacant(ctx, k)
	}
	return nil
}

// Survey passes the question on; files hold no halves of keys.
func (s watchedStore) Survey(ctx context.Context) ([]string, error) {
	if surveyed, can := s.Store.(hsm.Surveyed); can {
		return surveyed.Survey(ctx)
	}
	return nil, nil
}

func (s watchedStore) Generate(ctx context.Context, k hsm.KeySpec) (hsm.Key, []hsm.Evidence, error) {
	testOnlyEffect("before key " + k.Label)
	key, evidence, err := s.Store.Generate(ctx, k)
	testOnlyEffect("after key " + k.Label)
	return key, evidence, err
}
