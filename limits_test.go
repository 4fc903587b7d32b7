package editlock_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/memory"
)

// limitedTo is a Manager on a store of several that fixes the limit of imports.
func limitedTo(t *testing.T, e *memory.Engine, holders int) *editlock.Manager {
	t.Helper()
	m := editlock.NewManager(core.New(e), &editlock.ManagerOptions{
		Limits: []editlock.Limit{{Group: "etl", Mode: "import", Holders: holders}},
	})
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func TestManager_FixesLimitsOfGroupsAndModes(t *testing.T) {
	e := memory.NewEngine(nil)
	before, after := limitedTo(t, e, 3), limitedTo(t, e, 1)
	nightly := editlock.ID{Group: "etl", Mode: "import", ID: "nightly"}
	job := func(i int) editlock.Owner { return editlock.Owner{Session: fmt.Sprint("job ", i)} }
	capture := func(m *editlock.Manager, i int, id editlock.ID, opts *editlock.CaptureOptions) (editlock.Mutex, error) {
		return m.Capture(editlock.WithOwner(t.Context(), job(i)), id, opts)
	}
	for i := range 3 { // whatever they say
		held, err := capture(before, i, nightly, &editlock.CaptureOptions{Limit: []int{0, 1, 50}[i]})
		if err != nil || held.Limit != 3 {
			t.Fatalf("job %d has %+v, %v", i, held, err)
		}
	}
	if _, err := capture(before, 3, nightly, nil); !errors.Is(err, editlock.ErrBusy) {
		t.Errorf("the fourth of three gets %v", err)
	}
	if _, err := capture(before, 4, nightly, &editlock.CaptureOptions{Sharing: editlock.Shared}); !errors.Is(err, editlock.ErrInvalid) {
		t.Errorf("a reader gets %v, want it invalid", err)
	}
	if m, err := capture(before, 5, editlock.ID{Group: "etl", Mode: "export", ID: "nightly"}, nil); err != nil || m.Sharing != editlock.Exclusive {
		t.Errorf("another mode has %+v, %v", m, err)
	}

	// Lowered: nobody is evicted, and others wait until there is room.
	for i := range 3 {
		if _, err := capture(after, 4, nightly, nil); !errors.Is(err, editlock.ErrBusy) {
			t.Errorf("with %d holders beyond the limit another gets %v", 3-i, err)
		}
		if m, err := capture(after, i, nightly, nil); err != nil || m.Limit != 3 {
			t.Errorf("job %d refreshes %+v, %v", i, m, err)
		}
		if released, err := after.Release(editlock.WithOwner(t.Context(), job(i)), nightly, editlock.Condition{}); err != nil || !released {
			t.Fatal(released, err)
		}
	}
	if m, err := capture(after, 4, nightly, nil); err != nil || m.Limit != 1 {
		t.Errorf("with the new limit one has %+v, %v", m, err)
	}
	all, err := after.CaptureAll(editlock.WithOwner(t.Context(), job(6)), []editlock.ID{{Group: "etl", Mode: "import", ID: "a"}, {ID: "b"}}, nil)
	if err != nil || all[0].Limit != 1 || all[1].Sharing != editlock.Exclusive {
		t.Errorf("together they are %+v, %v", all, err)
	}
}
