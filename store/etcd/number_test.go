package etcd

import (
	"testing"
	"time"
)

// An engine that has not heard of numbers given out before is what a restored
// snapshot leaves, however fast they were given out.
func TestDraw_RisesBeyondWhatARestoredSnapshotForgot(t *testing.T) {
	const numbers = 20_000
	var before, restored engine
	last := uint64(0)
	for range numbers {
		last = before.draw(1)
	}
	time.Sleep(2 * numbers * time.Microsecond) // half as fast as a million a second
	if first := restored.draw(1); first <= last || first >= 1<<53 {
		t.Errorf("%d was given out, and after the restore %d", last, first)
	}
}
