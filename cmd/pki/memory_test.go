package main

import (
	"runtime"
	"testing"
	"time"
)

// TestPercentFor holds the growth of a heap against its bounds.
func TestPercentFor(t *testing.T) {
	const mega = 1 << 20
	for live, want := range map[uint64]int{0: 400, 4 * mega: 400, 51 * mega: 400, 64 * mega: 300, 100 * mega: 156, 128 * mega: 100, 1000 * mega: 100} {
		if have := percentFor(live); have != want {
			t.Errorf("with %d MiB in use the heap grows by %d%%, not %d%%", live/mega, have, want)
		}
	}
}

// TestAfterEachCollection needs to be told of one collection after another.
func TestAfterEachCollection(t *testing.T) {
	told := make(chan bool, 10)
	afterEachCollection(func() { told <- true })
	for i := range 3 {
		runtime.GC()
		select {
		case <-told:
		case <-time.After(10 * time.Second):
			t.Fatalf("collection %d was not told", i)
		}
	}
}
