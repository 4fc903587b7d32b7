package access

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock/internal/patience"
)

// Callers who never came back keep nobody from coming back.
func TestReturning_ForgetsThoseFirstWhoseTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r returning
		numbered := func(n uint64) (k waitKey) {
			binary.BigEndian.PutUint64(k[:], n)
			return k
		}
		for n := range uint64(maxKnown - 1) {
			r.add(numbered(n + 1))
		}
		time.Sleep(patience.Grace + time.Second)
		r.add(numbered(maxKnown))
		r.add(numbered(maxKnown + 1))
		if len(r.until) != 2 || !r.take(numbered(maxKnown)) || !r.take(numbered(maxKnown+1)) {
			t.Errorf("one who comes back in time was forgotten; %d are known", len(r.until))
		}
		if r.take(numbered(maxKnown)) || r.take(numbered(1)) {
			t.Error("a place that was taken up, or given up, is there to come back to")
		}
	})
}
