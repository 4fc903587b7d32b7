package locktest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock"
)

// capture captures or fails the test.
func capture(ctx context.Context, t *testing.T, l editlock.Locker, id editlock.ID, o *editlock.CaptureOptions) editlock.Mutex {
	t.Helper()
	m, err := l.Capture(ctx, id, o)
	if err != nil {
		t.Fatalf("Capture(%v): %v", id, err)
	}
	return m
}

// release releases or fails the test.
func release(ctx context.Context, t *testing.T, l editlock.Locker, id editlock.ID) {
	t.Helper()
	switch released, err := l.Release(ctx, id, editlock.Condition{}); {
	case err != nil:
		t.Fatalf("Release(%v): %v", id, err)
	case !released:
		t.Fatalf("Release(%v) = false, want true", id)
	}
}

// refresh refreshes one mutex.
func refresh(ctx context.Context, t *testing.T, l editlock.Locker, item editlock.RefreshItem) (editlock.Mutex, error) {
	t.Helper()
	res, err := l.Refresh(ctx, []editlock.RefreshItem{item})
	if err != nil {
		t.Fatalf("Refresh(%v): %v", item.ID, err)
	}
	if len(res) != 1 {
		t.Fatalf("Refresh(%v) gave %d results, want 1", item.ID, len(res))
	}
	return res[0].Mutex, res[0].Err
}

// standing is the mutex as a stranger sees it; its Token is 0 if it is free.
func standing(t *testing.T, l editlock.Locker, id editlock.ID) editlock.Mutex {
	t.Helper()
	state, m, err := l.Request(editlock.WithoutOwner(t.Context()), id)
	if err != nil {
		t.Fatalf("Request(%v): %v", id, err)
	}
	if free := m.Token == 0; free != (state == editlock.Free) || state == editlock.CapturedByMe {
		t.Fatalf("Request(%v) for a stranger = %v, %+v", id, state, m)
	}
	return m
}

// sameMutex compares all but the moment of looking and who waits.
func sameMutex(t *testing.T, what string, got, want editlock.Mutex) {
	t.Helper()
	ignore := cmpopts.IgnoreFields(editlock.Mutex{}, "AsOf", "Waiters", "Waiting")
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// wantStanding checks that exactly this mutex stands.
func wantStanding(t *testing.T, l editlock.Locker, want editlock.Mutex) {
	t.Helper()
	sameMutex(t, "the mutex that stands", standing(t, l, want.ID), want)
}

// wantFree checks that nobody holds a mutex.
func wantFree(t *testing.T, l editlock.Locker, id editlock.ID) {
	t.Helper()
	if m := standing(t, l, id); m.Token != 0 {
		t.Errorf("%v is held by %s, want it free", id, m.Owner.Label())
	}
}

// wantBusy checks a refusal that names the holder.
func wantBusy(t *testing.T, err error, holder editlock.Mutex) *editlock.BusyError {
	t.Helper()
	var busy *editlock.BusyError
	if !errors.Is(err, editlock.ErrBusy) || !errors.As(err, &busy) {
		t.Fatalf("error is %v, want *BusyError", err)
	}
	sameMutex(t, "the holder named", busy.Holder, holder)
	return busy
}

// wantNotHeld checks the refusal of a takeover or forced release of doc, which
// is free.
func wantNotHeld(t *testing.T, err error) {
	t.Helper()
	var free *editlock.NotHeldError
	if !errors.Is(err, editlock.ErrNotHeld) || !errors.As(err, &free) || free.ID != doc {
		t.Fatalf("error is %v, want *NotHeldError of %v", err, doc)
	}
}

// wantLost checks the loss of a lock that another, or nobody (nil), has now.
func wantLost(t *testing.T, err error, holder *editlock.Mutex) *editlock.LostError {
	t.Helper()
	var lost *editlock.LostError
	if !errors.Is(err, editlock.ErrLost) || !errors.As(err, &lost) {
		t.Fatalf("error is %v, want *LostError", err)
	}
	switch {
	case holder == nil && lost.Holder != nil:
		t.Errorf("the loss names %s as holder, want nobody", lost.Holder.Owner.Label())
	case holder != nil && lost.Holder == nil:
		t.Errorf("the loss names no holder, want %s", holder.Owner.Label())
	case holder != nil:
		sameMutex(t, "the holder named", *lost.Holder, *holder)
	}
	return lost
}

// wantInvalid checks that an argument is refused by the name of its field.
func wantInvalid(t *testing.T, err error, field string) {
	t.Helper()
	var bad *editlock.InvalidError
	if !errors.Is(err, editlock.ErrInvalid) || !errors.As(err, &bad) {
		t.Fatalf("error is %v, want *InvalidError for %s", err, field)
	}
	if bad.Field != field {
		t.Errorf("the error names field %q (%v), want %q", bad.Field, err, field)
	}
	if bad.Problem == "" {
		t.Errorf("the error does not say what is wrong with %s", field)
	}
	if strings.Contains(bad.Problem, "m0s") {
		t.Errorf("%s %s: durations are written as 5m or 720h", field, bad.Problem)
	}
}

// history is all entries of a query, newest first.
func history(t *testing.T, l editlock.Locker, q editlock.HistoryQuery) []editlock.Event {
	t.Helper()
	var all []editlock.Event
	for {
		page, err := l.History(as(t, smith), q)
		if err != nil {
			t.Fatalf("History: %v", err)
		}
		all = append(all, page.Entries...)
		if page.Next == "" {
			return all
		}
		q.Cursor = page.Next
	}
}

// kinds is what happened, oldest first.
func kinds(entries []editlock.Event) []editlock.EventKind {
	var all []editlock.EventKind
	for i := len(entries) - 1; i >= 0; i-- {
		all = append(all, entries[i].Kind)
	}
	return all
}
