package etcd

import (
	"testing"
	"time"
)

// A view of what stood there earlier is what a restored snapshot leaves: it has
// not heard of the numbers since, however fast they were given out.
func TestNext_RisesBeyondWhatARestoredSnapshotForgot(t *testing.T) {
	v := &view{rev: 7, head: head{Seq: 3}}
	const numbers = 20_000
	before, last := newBatch(v, 0), uint64(0)
	for range numbers {
		last = before.next()
	}
	time.Sleep(2 * numbers * time.Microsecond) // half as fast as a million a second
	if first := newBatch(v, 0).next(); first <= last || first >= 1<<53 {
		t.Errorf("%d was given out, and after the restore %d", last, first)
	}
}
