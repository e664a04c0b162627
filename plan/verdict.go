package plan

import (
	"runtime"
	"sync"
	"sync/atomic"

	"pki.internal/lint"
	"pki.internal/spec"
)

// verdict is the judgement of one object of the plan. Objects are built one
// after the other, because each needs its issuer; judging them needs nothing
// but them, and goes on beside it on every processor.
type verdict struct {
	origin spec.Origin
	what   string
	draft  *Draft
	find   func() []lint.Finding
	found  []lint.Finding
}

// bench judges what is put before it, in any order.
type bench struct {
	queue  chan *verdict
	judges sync.WaitGroup
}

func openBench() *bench {
	b := &bench{queue: make(chan *verdict, 256)}
	for range runtime.GOMAXPROCS(0) {
		b.judges.Go(func() {
			for v := range b.queue {
				v.found = v.find()
			}
		})
	}
	return b
}

// judgeLater has an object judged that is built. find must not change anything,
// nor read what is still going to change.
func (m *maker) judgeLater(o spec.Origin, what string, d *Draft, find func() []lint.Finding) {
	if m.bench == nil {
		m.bench = openBench()
	}
	v := &verdict{origin: o, what: what, draft: d, find: find}
	m.verdicts = append(m.verdicts, v)
	m.bench.queue <- v
}

// judgeAll waits until everything is judged, and reports in the order in which
// it was built.
func (m *maker) judgeAll() {
	if m.bench == nil {
		return
	}
	close(m.bench.queue)
	m.bench.judges.Wait()
	for _, v := range m.verdicts {
		v.draft.Findings = m.judge(v.origin, v.what, v.found)
	}
}

// inParallel calls do for every number below n, on all processors, and
// returns when every call has.
func inParallel(n int, do func(int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers < 2 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	wait.Wait()
}
