package ledger_test

import (
	"bytes"
	"testing"

	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
)

// tenThousand gives a ledger of 10,000 entries: the ceremony of writeLedger, and
// facts of the room after it. What signatures cost comes on top, each as much as
// one verification.
func tenThousand(tb testing.TB) []byte {
	tb.Helper()
	root := writeLedger(tb)
	l, err := ledger.Open(root, "ledger.jsonl", bytes.NewReader(make([]byte, 1<<20)))
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	for len(l.Entries) < 10_000 {
		add(tb, l, plan.Event{Kind: plan.MediumLost, Medium: &plan.LostMedium{Medium: "/media/b", Entries: len(l.Entries), Error: "write ledger.jsonl: input/output error"}})
	}
	return text(tb, root)
}

// BenchmarkReadTenThousand replays a ledger of 10,000 entries.
func BenchmarkReadTenThousand(b *testing.B) {
	whole := tenThousand(b)
	for b.Loop() {
		book, _, err := ledger.Read(whole)
		if err != nil || len(book.Entries) != 10_000 {
			b.Fatal(err)
		}
	}
}
