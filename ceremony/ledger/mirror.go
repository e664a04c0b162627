package ledger

import (
	"errors"
	"fmt"
	"time"

	"pki.internal/plan"
)

// Mirror is one ledger on several media. It goes on as long as one of them
// takes the entries, and says in the ledger which were lost.
type Mirror struct {
	*Book // what is on the media that are left
	media []*Medium
	clock func() time.Time
}

// Medium is one place where a ledger is kept.
type Medium struct {
	Name  string // for people: "estate", or the folder of a copy
	File  *File
	There func() error // nil while the medium is where it was; nil for no check
	Lost  error        // why nothing is written to it any more
}

// commit puts an entry on the medium, if that is still there.
func (m *Medium) commit(f following) error {
	if m.There != nil {
		if err := m.There(); err != nil {
			return err
		}
	}
	return m.File.commit(f)
}

// NewMirror makes one ledger of the one that leads and its copies, which must
// have the same entries (see CatchUp).
func NewMirror(clock func() time.Time, first *Medium, copies ...*Medium) (*Mirror, error) {
	for _, c := range copies {
		if c.File.Head() != first.File.Head() {
			return nil, fmt.Errorf("%s does not have the entries of %s", c.Name, first.Name)
		}
	}
	book := *first.File.Book
	return &Mirror{Book: &book, media: append([]*Medium{first}, copies...), clock: clock}, nil
}

// Media lists the media, lost ones too; the leading one is first.
func (m *Mirror) Media() []*Medium { return m.media }

// Append adds a fact on every medium that is left. When it returns without
// error the entry is on disk at least once.
func (m *Mirror) Append(fact plan.Event) error {
	f, err := m.next(fact, m.media[0].File.rand)
	if err != nil {
		return err
	}
	var lost []*Medium
	var causes []error
	kept := 0
	for _, medium := range m.media {
		if medium.Lost != nil {
			continue
		}
		if err := medium.commit(f); err != nil {
			lost, causes = append(lost, medium), append(causes, err)
			continue
		}
		kept++
	}
	if kept == 0 {
		return errors.Join(causes...) // none is lost: the next try may do
	}
	m.take(f)
	for i, medium := range lost {
		medium.Lost = causes[i]
	}
	for _, medium := range lost {
		if err := m.record(medium); err != nil {
			return err
		}
	}
	return nil
}

// Lose gives a medium up, on which something else than the ledger could not be
// written. An error means that it was the last one.
func (m *Mirror) Lose(medium *Medium, cause error) error {
	if medium.Lost != nil {
		return nil
	}
	if m.Left() == 1 {
		return cause
	}
	medium.Lost = cause
	return m.record(medium)
}

// Left counts the media that are written to.
func (m *Mirror) Left() int {
	n := 0
	for _, medium := range m.media {
		if medium.Lost == nil {
			n++
		}
	}
	return n
}

// record enters the loss of a medium into the ledger on the others.
func (m *Mirror) record(lost *Medium) error {
	now := m.clock().UTC().Truncate(time.Second)
	if last := m.State().LastTime; now.Before(last) {
		now = last
	}
	return m.Append(plan.Event{
		Kind: plan.MediumLost, Time: now, Audience: plan.Restricted,
		Medium: &plan.LostMedium{Medium: lost.Name, Entries: len(lost.File.Entries), Error: lost.Lost.Error()},
	})
}

// Mend cuts off a torn entry of the leading medium and says what was cut.
func (m *Mirror) Mend() (bytes int, digest string, err error) { return m.media[0].File.Mend() }

// CatchUp writes the entries that a copy lacks. A copy that is ahead, or that
// has other entries, is an error and is left as it is.
func (l *File) CatchUp(to *Book) error {
	if _, _, err := l.Mend(); err != nil {
		return err
	}
	have := len(l.Entries)
	switch {
	case have > len(to.Entries):
		return &AheadError{Have: have, Want: len(to.Entries)}
	case have > 0 && l.Entries[have-1].Head != to.Entries[have-1].Head:
		return errors.New("it holds another ledger; use an empty folder, or find out which ledger is right")
	}
	for i := have; i < len(to.Entries); i++ {
		line, err := plan.Canonical(to.Entries[i])
		if err != nil {
			return err
		}
		if err := l.commit(following{to.Entries[i], to.states[i], append(line, '\n')}); err != nil {
			return err
		}
	}
	return nil
}

// AheadError is a copy with more entries than the ledger that leads.
type AheadError struct{ Have, Want int }

// Error says how far it is ahead.
func (e *AheadError) Error() string {
	return fmt.Sprintf("it has %d entries, and the estate's ledger has %d", e.Have, e.Want)
}
