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
// but them, and is done at the end by as many workers as there are processors.
type verdict struct {
	origin spec.Origin
	what   string
	draft  *Draft
	find   func() []lint.Finding
	found  []lint.Finding
}

// judgeLater notes an object that is built. find must not change anything.
func (m *maker) judgeLater(o spec.Origin, what string, d *Draft, find func() []lint.Finding) {
	m.verdicts = append(m.verdicts, &verdict{origin: o, what: what, draft: d, find: find})
}

// judgeAll judges what has been built, and reports in the order in which it
// was built.
func (m *maker) judgeAll() {
	inParallel(len(m.verdicts), func(i int) { m.verdicts[i].found = m.verdicts[i].find() })
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
