package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/ceremony/script"
	"pki.internal/hsm"
	"pki.internal/hsm/filestore"
	"pki.internal/plan"
	"pki.internal/plan/tbs/public"
	"pki.internal/shamir"
	"pki.internal/spec"
)

func ceremonyRehearseCommand(a *app) *cobra.Command {
	var o rehearseOptions
	c := &cobra.Command{
		Use:   "rehearse PLAN",
		Short: "Hold the ceremony of a plan on throw-away keys",
		Long: `Walk through the very steps of a plan, with keys in memory that are forgotten at
the end. Keys and secrets that are in the safe stay there: others stand in for
them, nobody is asked for a PIN, and no custodian for a share. The estate, its
ledger and its tokens are not touched. Certificates and CRLs bear a critical
extension that no software knows, so that none of them can be taken for the real
one, and pki refuses them.

It says how long each step took, and notes beside the plan (PLAN.rehearsal) that
it was rehearsed; pki apply shows that before the decision.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.ceremonyRehearse(c.Context(), args[0], o) },
	}
	c.Flags().StringVar(&o.out, "out", "", "write certificates and CRLs, marked as they are, to this new folder")
	c.Flags().BoolVar(&o.yes, "yes", false, "answer every question, to see only whether it works")
	return c
}

type rehearseOptions struct {
	out string
	yes bool
}

// rehearsalFormat names the version of the note beside a plan.
const rehearsalFormat = "pki-rehearsal/1"

// rehearsal is what is known of one afterwards.
type rehearsal struct {
	Format   string          `json:"format"`
	Plan     string          `json:"plan"` // digest, hex
	At       time.Time       `json:"at"`
	Tool     plan.Tool       `json:"tool"`
	Answered bool            `json:"answered"` // by people, and not by --yes
	Steps    []rehearsedStep `json:"steps"`
}

type rehearsedStep struct {
	Step    int    `json:"step"`
	Title   string `json:"title"`
	Planned int    `json:"planned_minutes"`
	Took    int    `json:"took_seconds"`
}

func (a *app) ceremonyRehearse(ctx context.Context, name string, o rehearseOptions) error {
	t, err := a.takeUp(name, false, nil)
	if err != nil {
		return err
	}
	defer t.root.Close()
	p, digest, estate, self := t.plan, t.digest, t.estate, t.tool
	book, err := a.book(t.root)
	if err != nil {
		return err
	}
	memory := filestore.NewMemory()
	defer memory.Close()
	standIns, err := standIn(ctx, memory, p, book.State())
	if err != nil {
		return err
	}
	request := ceremony.Request{Plan: p, Digest: digest, Estate: estate, History: book, Now: a.now(), Tool: self}
	admitted, state, err := ceremony.Rehearse(request, standIns)
	if err != nil {
		return err
	}
	files, err := newRehearsalFiles(o.out)
	if err != nil {
		return err
	}
	defer files.Close()
	d := &timedDesk{desk: newDesk(a, admitted, digest, applyOptions{yes: o.yes}), now: a.now}
	room := &ceremony.Room{
		Clock: a.now, Rand: rand.Reader, Tool: self, Desk: d, Secrets: madeUp{}, Stores: standInStores{memory},
		Custody: standInCustody{}, Book: &rehearsalBook{state: state}, Files: files, Copies: p.Needs.Copies, Unattended: o.yes,
	}
	d.say("REHEARSAL: nothing of this counts, and every key is forgotten at the end.\n")
	if err := room.Run(ctx, admitted); err != nil {
		return fmt.Errorf("the rehearsal: %w", err)
	}
	r := &rehearsal{Format: rehearsalFormat, Plan: hex.EncodeToString(digest), At: a.now().UTC().Truncate(time.Second), Tool: self, Answered: !o.yes, Steps: d.steps()}
	note, err := plan.Canonical(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".rehearsal", append(note, '\n'), 0o644); err != nil {
		return err
	}
	return a.emit("ceremony rehearse", r, func(w io.Writer) { a.printRehearsal(w, r, admitted.Script(), name, o.out) })
}

func (a *app) printRehearsal(w io.Writer, r *rehearsal, s *script.Script, name, out string) {
	rows := []string{"  step\tplanned\ttook\t"}
	took := 0
	for _, step := range r.Steps {
		took += step.Took
		rows = append(rows, fmt.Sprintf("  %d\t%s\t%s\t%s", step.Step, script.Length(step.Planned), time.Duration(step.Took)*time.Second, step.Title))
	}
	fmt.Fprintf(w, "\nRehearsed: %s, %s planned, %s taken.\n\n", count(len(r.Steps), "step"), s.Length(), time.Duration(took)*time.Second)
	table(w, rows...)
	fmt.Fprintf(w, "\nNoted in %s.rehearsal.", name)
	if out != "" {
		fmt.Fprintf(w, " What was made lies in %s, and is worth nothing.", out)
	}
	fmt.Fprintln(w)
}

// readRehearsal reads the note beside a plan; false when there is none that is
// about this plan.
func readRehearsal(name string, digest []byte) (*rehearsal, bool) {
	text, err := os.ReadFile(name + ".rehearsal")
	if err != nil || len(text) == 0 {
		return nil, false
	}
	r := &rehearsal{}
	if err := plan.DecodeStrict(text[:len(text)-1], r); err != nil || r.Format != rehearsalFormat {
		return nil, false
	}
	return r, r.Plan == hex.EncodeToString(digest)
}

// rehearsedTitle says whether a plan was rehearsed.
func rehearsedTitle(r *rehearsal, is bool) string {
	if !is {
		return "This plan was NOT rehearsed. Stop, and run pki ceremony rehearse first, unless everyone agrees."
	}
	how := ", by --yes and not by people"
	if r.Answered {
		how = ""
	}
	return "This plan was rehearsed on " + instant(r.At) + how + "."
}

// standIn makes a key for every key that is in the safe, in its place.
func standIn(ctx context.Context, memory *filestore.Memory, p *plan.Plan, s plan.State) (map[string][]byte, error) {
	made := map[string][]byte{}
	places := map[string]hsm.KeySpec{} // of the first stand-in for a key
	make := func(k plan.KeyAction, spki []byte) error {
		at := hsm.KeySpec{Label: k.Label, Location: k.Location, Algorithm: k.Algorithm}
		if first, known := places[string(spki)]; known { // one key in two places
			_, err := memory.Copy(ctx, hsm.Copying{Key: first, At: at})
			return err
		}
		places[string(spki)] = at
		key, _, err := memory.Generate(ctx, at)
		if err != nil {
			return err
		}
		made[string(spki)], err = public.Marshal(key.Public())
		return err
	}
	for _, need := range p.Needs.Keys {
		have, _ := s.Authority(need.Address)
		g, _ := have.At(need.Generation)
		if place, known := g.In(need.Store); known {
			if err := make(place, g.SPKI()); err != nil {
				return nil, err
			}
		}
	}
	for _, action := range p.Actions {
		if adopt := action.Adopt; adopt != nil && adopt.Key != nil {
			if err := make(*adopt.Key, adopt.SPKI); err != nil {
				return nil, err
			}
		}
	}
	return made, nil
}

// timedDesk is the screen of a rehearsal, with a watch beside it.
type timedDesk struct {
	*desk
	now   func() time.Time
	begun []time.Time
	taken []script.Step
}

// Show notes when a step begins.
func (d *timedDesk) Show(s script.Step, p *plan.Plan) {
	d.begun, d.taken = append(d.begun, d.now()), append(d.taken, s)
	d.desk.Show(s, p)
}

// steps says how long each step took.
func (d *timedDesk) steps() []rehearsedStep {
	var all []rehearsedStep
	for i, s := range d.taken {
		end := d.now()
		if i+1 < len(d.begun) {
			end = d.begun[i+1]
		}
		all = append(all, rehearsedStep{Step: s.Number, Title: s.Title, Planned: s.Minutes, Took: int(end.Sub(d.begun[i]) / time.Second)})
	}
	return all
}

// madeUp gives secrets that nobody knows and nothing needs.
type madeUp struct{}

func (madeUp) Secret(_ context.Context, s *spec.Secret, _ bool) ([]byte, error) {
	return shamir.Generate(rand.Reader, max(s.Length, spec.DefaultSecret), nil)
}

// standInStores opens the one store in memory for every key store.
type standInStores struct{ memory *filestore.Memory }

func (s standInStores) Open(context.Context, *spec.KeyStore, []byte) (hsm.Store, error) {
	return unrecorded{s.memory}, nil
}

func (standInStores) CanInitialize(context.Context, *spec.KeyStore, int, int, bool) error { return nil }

func (standInStores) Initialize(context.Context, *spec.KeyStore, []byte, []byte, bool) (ceremony.Initialized, error) {
	return ceremony.Initialized{Serial: "rehearsal"}, nil
}

// unrecorded finds keys by their place alone, because the ledger's keys are
// those that are in the safe.
type unrecorded struct{ *filestore.Memory }

func (u unrecorded) Find(ctx context.Context, k hsm.KeySpec, _ []byte) (hsm.Key, error) {
	return u.Memory.Find(ctx, k, nil)
}

// Close keeps the keys: every key store of a rehearsal is this one.
func (u unrecorded) Close() error { return nil }

// standInCustody takes every share and proves it at once.
type standInCustody struct{}

func (standInCustody) Throws(context.Context, plan.Action) ([]byte, error) { return nil, nil }

func (standInCustody) HandOut(_ context.Context, _ *shamir.Scheme, share *shamir.Share, _ plan.Holder) (ceremony.Handed, error) {
	read, err := shamir.Read([]byte(share.QR()))
	if err != nil {
		return ceremony.Handed{}, err
	}
	return ceremony.Handed{Share: read.Share, How: plan.HandedScreen, ReadBack: "words"}, nil
}

func (standInCustody) Gather(context.Context, spec.Address, *shamir.Scheme, []plan.Holder) ([]*shamir.Share, error) {
	return nil, errors.New("nobody is asked for a share in a rehearsal")
}

// rehearsalBook is a ledger that is forgotten.
type rehearsalBook struct{ state plan.State }

func (b *rehearsalBook) State() plan.State          { return b.state }
func (b *rehearsalBook) StateAt(int) plan.State     { return b.state }
func (b *rehearsalBook) Mend() (int, string, error) { return 0, "", nil }

func (b *rehearsalBook) Append(e plan.Event) error {
	text, err := plan.Canonical(e)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	next, err := b.state.Apply(e, plan.Head{Entries: b.state.Head.Entries + 1, Hash: hex.EncodeToString(sum[:])})
	if err != nil {
		return err
	}
	b.state = next
	return nil
}

// rehearsalFiles keeps what a rehearsal writes in memory, and in a folder when
// one is named.
type rehearsalFiles struct {
	made   map[string]plan.File
	folder *os.Root // nil when nothing is kept
}

func newRehearsalFiles(dir string) (*rehearsalFiles, error) {
	f := &rehearsalFiles{made: map[string]plan.File{}}
	if dir == "" {
		return f, nil
	}
	if err := os.Mkdir(dir, 0o755); errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is already there; name another folder", dir)
	} else if err != nil {
		return nil, err
	}
	var err error
	f.folder, err = os.OpenRoot(dir)
	return f, err
}

// Close closes the folder.
func (f *rehearsalFiles) Close() error {
	if f.folder == nil {
		return nil
	}
	return f.folder.Close()
}

func (f *rehearsalFiles) Read(path string) ([]byte, error) {
	have, known := f.made[path]
	if !known {
		return nil, fs.ErrNotExist
	}
	return have.Data, nil
}

func (f *rehearsalFiles) Write(files ...plan.File) error {
	for _, file := range files {
		f.made[file.Path] = file
	}
	if f.folder == nil {
		return nil
	}
	return folderFiles{f.folder}.Write(files...)
}

func (f *rehearsalFiles) Remove(path string) error {
	delete(f.made, path)
	return nil
}
