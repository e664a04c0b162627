package main

import (
	"cmp"
	"runtime"
	"sync"
	"sync/atomic"
)

// begin does something beside everything else; the result waits for it.
func begin[T any](do func() (T, error)) (wait func() (T, error)) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := do()
		done <- outcome{value, err}
	}()
	return func() (T, error) {
		o := <-done
		return o.value, o.err
	}
}

// inParallel does something for every number below n, on every processor.
func inParallel(n int, do func(int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}

// tryInParallel does all of it, whatever goes wrong, and gives the error of the
// lowest number that has one.
func tryInParallel(n int, do func(int) error) error {
	errs := make([]error, n)
	inParallel(n, func(i int) { errs[i] = do(i) })
	return cmp.Or(errs...)
}
