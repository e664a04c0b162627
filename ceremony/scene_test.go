package ceremony_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"testing"
	"time"

	"pki.internal/ceremony"
	"pki.internal/ceremony/ledger"
	"pki.internal/ceremony/script"
	"pki.internal/hsm"
	"pki.internal/plan"
	"pki.internal/shamir"
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

// errCut is a power cut: nothing runs after it.
var errCut = errors.New("power cut")

// scene is an estate's folder with a ledger on a real disk and keys in memory.
// Every effect counts; the one numbered cutAt fails, before it happened or,
// with cutAfter, right after.
type scene struct {
	t         testing.TB
	dir       *os.Root
	estate    *spec.Estate
	now       time.Time
	tool      plan.Tool
	keys      *memoryStore
	files     map[string]plan.File
	effects   []string
	cutAt     int
	after     bool
	desk      deskFunc
	secrets   int
	plan      *plan.Plan // being carried out
	step      script.Step
	said      []string
	answers   map[string][]string // by step title or prompt; each is given once
	asked     []string
	up        []string // interfaces of the network
	people    *people
	rand      io.Reader
	rehearsed bool
	offered   map[spec.Address]string // secret that each store was last opened with
}

type deskFunc func(*plan.Plan) error

var planTime = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

func newScene(t testing.TB, example string) *scene {
	t.Helper()
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	s := &scene{
		t: t, dir: dir, estate: load(t, example), now: planTime.Add(time.Hour), tool: plan.Tool{Version: "test", SHA256: "00"},
		files: map[string]plan.File{}, desk: func(*plan.Plan) error { return nil },
	}
	s.rand = rand.Reader
	s.people, s.offered = &people{scene: s, kept: map[shamir.SetID]map[string]*shamir.Share{}}, map[spec.Address]string{}
	s.keys = &memoryStore{scene: s, keys: map[string]*ecdsa.PrivateKey{}}
	return s
}

func load(t testing.TB, example string) *spec.Estate {
	t.Helper()
	loaded, diags := hclspec.Load(os.DirFS("../examples/"+example), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return loaded.Estate
}

// effect counts one effect and fails at the chosen one.
func (s *scene) effect(name string, do func() error) error {
	s.effects = append(s.effects, name)
	if len(s.effects) != s.cutAt {
		if s.cutAt > 0 && len(s.effects) > s.cutAt {
			s.t.Errorf("%s happens after a power cut", name)
		}
		return do()
	}
	if s.after {
		if err := do(); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: %w", name, errCut)
}

func (s *scene) makePlan(at time.Time) *plan.Plan {
	s.t.Helper()
	p, diags := plan.Make(s.estate, s.book().State(), plan.Inputs{At: at, Window: spec.Duration{Days: 7}, Seed: [32]byte{7}, Tool: s.tool})
	if diags.HasErrors() {
		s.t.Fatal(diags)
	}
	return p
}

func (s *scene) book() *ledger.Book {
	s.t.Helper()
	book, _, err := ledger.Load(s.dir.FS(), "ledger.jsonl")
	if err != nil {
		s.t.Fatal(err)
	}
	return book
}

func (s *scene) admit(p *plan.Plan, resume bool) (*ceremony.Admitted, error) {
	s.t.Helper()
	digest, err := p.Digest()
	if err != nil {
		s.t.Fatal(err)
	}
	return ceremony.Admit(ceremony.Request{
		Plan: p, Digest: digest[:], Estate: s.estate, History: s.book(), Now: s.now, Tool: s.tool, Resume: resume,
	})
}

// run holds the ceremony of a plan.
func (s *scene) run(p *plan.Plan, resume bool) error {
	s.t.Helper()
	admitted, err := s.admit(p, resume)
	if err != nil {
		return err
	}
	file, err := ledger.Open(s.dir, "ledger.jsonl", rand.Reader)
	if err != nil {
		return err
	}
	defer file.Close()
	s.plan = p
	return s.room(file).Run(context.Background(), admitted)
}

func (s *scene) room(file *ledger.File) *ceremony.Room {
	return &ceremony.Room{
		Clock: func() time.Time { return s.now }, Rand: s.rand, Desk: s, Secrets: s, Stores: s,
		Book: cutBook{file, s}, Files: s, Tool: s.tool, Custody: s.people,
		Interfaces: func() ([]string, error) { return slices.Clone(s.up), nil }, Rehearsed: s.rehearsals(),
	}
}

// abort ends the open ceremony.
func (s *scene) abort(a *ceremony.Admitted) error {
	s.t.Helper()
	file, err := ledger.Open(s.dir, "ledger.jsonl", rand.Reader)
	if err != nil {
		return err
	}
	defer file.Close()
	why := &plan.ExceptionNoted{Step: 1, Expected: "that it goes on", Happened: "the power failed"}
	_, err = s.room(file).Abort(context.Background(), a, why, false)
	return err
}

// again forgets the power cut.
func (s *scene) again() { s.cutAt, s.effects = 0, nil }

func (s *scene) Show(step script.Step, _ *plan.Plan) { s.step = step }
func (s *scene) Say(text string)                     { s.said = append(s.said, text) }
func (s *scene) Begin(plan.Action)                   {}
func (s *scene) Done(plan.Action, ceremony.Result)   {}

// Ask answers from what was prepared for the step, then as --yes would, or as
// a person who does everything right.
func (s *scene) Ask(_ context.Context, q ceremony.Question) (string, error) {
	if s.step.Does == script.Go && q.Words != "" {
		if err := s.desk(s.plan); err != nil {
			return "", err
		}
	}
	return s.answer(q)
}

func (s *scene) Secret(context.Context, *spec.Secret, bool) ([]byte, error) {
	s.secrets++
	return []byte("correct horse battery staple"), nil
}

func (s *scene) Open(_ context.Context, k *spec.KeyStore, secret []byte) (hsm.Store, error) {
	s.offered[k.Address] = string(secret)
	return s.keys, nil
}

func (s *scene) Read(name string) ([]byte, error) {
	f, ok := s.files[name]
	if key := s.keys.keys[name]; key != nil {
		return []byte("a key"), nil
	}
	if !ok {
		return nil, fs.ErrNotExist
	}
	return f.Data, nil
}

func (s *scene) Write(files ...plan.File) error {
	for _, f := range files {
		if err := s.effect("file "+f.Path, func() error { s.files[f.Path] = f; return nil }); err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) Remove(name string) error { delete(s.files, name); return nil }

// cutBook is the real ledger with power cuts.
type cutBook struct {
	*ledger.File
	scene *scene
}

func (b cutBook) Append(e plan.Event) error {
	return b.scene.effect("entry "+string(e.Kind), func() error { return b.File.Append(e) })
}

// memoryStore keeps keys in memory, by location.
type memoryStore struct {
	scene *scene
	keys  map[string]*ecdsa.PrivateKey
	made  []string
	wrong bool // gives signatures of another key
	lacks spec.Algorithm

	noWay     bool // copies no key
	wrongCopy bool // gives another key as a copy
	sealed    []string
}

func (m *memoryStore) CanMake(a spec.Algorithm) error {
	if a == m.lacks {
		return hsm.ErrUnsupported
	}
	return nil
}

func (m *memoryStore) Generate(_ context.Context, k hsm.KeySpec) (hsm.Key, []hsm.Evidence, error) {
	if m.keys[k.Location] != nil {
		return nil, nil, hsm.ErrExists
	}
	var key *ecdsa.PrivateKey
	err := m.scene.effect("key "+k.Label, func() (err error) {
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		m.keys[k.Location], m.made = key, append(m.made, k.Location)
		return err
	})
	return memoryKey{key, m}, nil, err
}

func (m *memoryStore) Find(_ context.Context, k hsm.KeySpec, spki []byte) (hsm.Key, error) {
	key := m.keys[k.Location]
	if key == nil {
		return nil, hsm.ErrNotFound
	}
	have, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil || (spki != nil && !slices.Equal(have, spki)) {
		return nil, hsm.ErrMismatch
	}
	return memoryKey{key, m}, nil
}

func (m *memoryStore) Close() error { return nil }

type memoryKey struct {
	*ecdsa.PrivateKey
	store *memoryStore
}

func (k memoryKey) Public() crypto.PublicKey { return k.PrivateKey.Public() }

func (k memoryKey) Sign(_ context.Context, digest []byte, opts crypto.SignerOpts) (signature []byte, err error) {
	signer := k.PrivateKey
	if k.store.wrong {
		if signer, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader); err != nil {
			return nil, err
		}
	}
	err = k.store.scene.effect("signature", func() error {
		signature, err = signer.Sign(rand.Reader, digest, opts)
		return err
	})
	return signature, err
}
