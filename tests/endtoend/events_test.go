package endtoend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

// A stream that resumes over restarts of the server, killed ones too, shows
// every event once, those from the other server too.
func resumesOverARestart(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	ctx, cancel := context.WithCancel(t.Context())
	var got []uint64
	const total = 120
	ended := make(chan error, 1)
	var start uint64
	go func() {
		for e, err := range dial(t, s.url()).Watch(ctx, editlock.WatchQuery{After: &start}) {
			if err != nil {
				ended <- err
				return
			}
			if got = append(got, e.Seq); len(got) == total {
				cancel()
			}
		}
		ended <- nil
	}()
	for n := range total / 2 {
		id := editlock.ID{Mode: "event", ID: fmt.Sprint(n)}
		if _, err := look.Capture(as(t.Context(), "writer"), id, nil); err != nil {
			t.Fatal(err)
		}
		if n%15 == 7 {
			s.restart()
		}
		if _, err := look.Release(as(t.Context(), "writer"), id, editlock.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	page, err := look.History(t.Context(), editlock.HistoryQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var want []uint64
	for _, e := range slices.Backward(page.Entries) {
		want = append(want, e.Seq)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-history +stream):\n%s", diff)
	}
}
