package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Most of the time that a large estate takes is memory that is cleaned up again
// and again while it grows. So the heap may grow to five times of what is in
// use before it is cleaned, as long as that is below roomyHeap, and to twice of
// it above.
const (
	roomyHeap    = 256 << 20
	usualPercent = 100 // growth between two cleanings, as Go has it
	roomyPercent = 400
)

// collectLess cleans up less often, from now on to the end of the process.
func collectLess() {
	debug.SetGCPercent(roomyPercent)
	afterEachCollection(func() { debug.SetGCPercent(percentFor(liveHeap())) })
}

// percentFor is how much a heap may grow of which so much is in use.
func percentFor(live uint64) int {
	if live == 0 {
		return roomyPercent
	}
	growth := (roomyHeap - float64(live)) * 100 / float64(live)
	return int(min(max(growth, usualPercent), roomyPercent))
}

// liveHeap is how much was in use when the heap was cleaned last, in bytes.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// afterEachCollection does something each time the heap was cleaned: a
// finalizer runs when its object is found to be out of use.
func afterEachCollection(do func()) {
	type marker struct{ _ [16]byte }
	runtime.SetFinalizer(&marker{}, func(*marker) {
		do()
		afterEachCollection(do)
	})
}
