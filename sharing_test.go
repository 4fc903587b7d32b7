package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/memory"
)

// in is the context of a session.
func in(t *testing.T, session string) context.Context {
	return editlock.WithOwner(t.Context(), editlock.Owner{Session: session})
}

func managed(t *testing.T) *editlock.Manager {
	m := editlock.NewManager(memory.New(nil), nil)
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func TestManager_NobodyWaitsForAShareOfOnesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := managed(t)
		if _, err := m.Capture(in(t, "a"), report, &editlock.CaptureOptions{Sharing: editlock.Shared}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err := m.Capture(in(t, "a"), report, &editlock.CaptureOptions{
			Sharing: editlock.Shared, If: editlock.IfFree(), Wait: time.Minute,
		})
		if busy := (*editlock.BusyError)(nil); !errors.As(err, &busy) || !busy.Self || time.Since(began) > 0 {
			t.Errorf("after %v another tab gets %v, want it busy at once", time.Since(began), err)
		}
	})
}

func TestManager_WaitsOfOneSessionEachGetAShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := managed(t)
		if _, err := m.Capture(in(t, "writer"), report, nil); err != nil {
			t.Fatal(err)
		}
		type answer struct {
			mutex editlock.Mutex
			err   error
		}
		answers := make(chan answer)
		for range 2 {
			go func() {
				got, err := m.Capture(in(t, "reader"), report, &editlock.CaptureOptions{Sharing: editlock.Shared, Wait: time.Minute})
				answers <- answer{got, err}
			}()
		}
		synctest.Wait()
		if _, err := m.Release(in(t, "writer"), report, editlock.Condition{}); err != nil {
			t.Fatal(err)
		}
		one, other := <-answers, <-answers
		if one.err != nil || other.err != nil || one.mutex.Token == other.mutex.Token {
			t.Errorf("one gets %d, %v, the other %d, %v", one.mutex.Token, one.err, other.mutex.Token, other.err)
		}
	})
}

func TestManager_AnEditLockFindsItsFormAmongSeveralOfOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := managed(t)
		if _, err := m.Capture(in(t, "writer"), report, nil); err != nil {
			t.Fatal(err)
		}
		reader := in(t, "reader")
		forms := []string{"form 1", "form 2", "form 3"}
		for _, form := range forms {
			go func() {
				_, _ = m.Capture(reader, report, &editlock.CaptureOptions{Sharing: editlock.Shared, Wait: time.Minute, StatusData: form})
			}()
		}
		synctest.Wait()
		if _, err := m.Release(in(t, "writer"), report, editlock.Condition{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		retried := editlock.WithAttempt(reader, editlock.Attempt{Key: "again", First: time.Now()})
		for n, form := range forms {
			ctx := reader
			if n == 1 { // sent again, after its answer was lost
				ctx = retried
			}
			got, err := m.Capture(ctx, report, &editlock.CaptureOptions{If: editlock.IfStatusData(form)})
			if err != nil || got.StatusData != form || !got.RefreshedAt.Equal(time.Now()) {
				t.Errorf("the refresh of %s: %+v, %v", form, got, err)
			}
		}
		for n := range forms {
			form, ctx := forms[(n+1)%len(forms)], reader
			if n == 1 {
				ctx = retried
			}
			if done, err := m.Release(ctx, report, editlock.IfStatusData(form)); err != nil || !done {
				t.Errorf("the release of %s: %v, %v", form, done, err)
			}
			if done, err := m.Release(reader, report, editlock.IfStatusData(form)); err != nil || done {
				t.Errorf("another release of %s: %v, %v", form, done, err)
			}
		}
		if state, got, err := m.Request(reader, report); err != nil || state != editlock.Free {
			t.Errorf("in the end it is %v: %+v, %v", state, got, err)
		}
	})
}

func TestManager_ARetryFindsTheShareThatItAskedFor(t *testing.T) {
	for _, from := range []editlock.Sharing{editlock.Exclusive, editlock.Shared} {
		for _, again := range []bool{false, true} {
			t.Run(fmt.Sprint(from, again), func(t *testing.T) {
				m := managed(t)
				ctx, first := in(t, "a"), time.Now()
				if _, err := m.Capture(ctx, report, &editlock.CaptureOptions{Sharing: from}); err != nil {
					t.Fatal(err)
				}
				o := &editlock.CaptureOptions{Sharing: editlock.Exclusive + editlock.Shared - from, RequestID: "r"}
				changed, err := m.Capture(ctx, report, o)
				if err != nil {
					t.Fatal(err)
				}
				if again {
					ctx = editlock.WithAttempt(ctx, editlock.Attempt{Key: "r", First: first})
				}
				got, err := m.Capture(ctx, report, o)
				if err != nil || got.Token != changed.Token || got.Sharing != o.Sharing {
					t.Errorf("a retry gets %+v, %v, and the first try got %+v", got, err, changed)
				}
				if _, err := m.Release(in(t, "a"), report, editlock.Condition{}); err != nil {
					t.Fatal(err)
				}
				if _, err := m.Capture(in(t, "a"), report, &editlock.CaptureOptions{Sharing: o.Sharing}); err != nil {
					t.Fatal(err)
				}
				if got, err := m.Capture(ctx, report, o); !errors.Is(err, editlock.ErrLost) {
					t.Errorf("once that hold has ended a retry gets %+v, %v", got, err)
				}
			})
		}
	}
}

func TestManager_ALimitThatIsNewEvictsNobody(t *testing.T) {
	e := memory.NewEngine(nil)
	id := editlock.ID{Group: "etl", Mode: "import", ID: "nightly"}
	before := editlock.NewManager(core.New(e), nil)
	t.Cleanup(func() { _ = before.Close() })
	held, err := before.Capture(in(t, "job"), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := limitedTo(t, e, 3).Capture(in(t, "job"), id, nil); err != nil || got.Token != held.Token {
		t.Errorf("who held it before refreshes %+v, %v", got, err)
	}
}

func TestManager_TheLimitInForceIsTheLastOne(t *testing.T) {
	e := memory.NewEngine(nil)
	id := editlock.ID{Group: "etl", Mode: "import", ID: "nightly"}
	for i, holders := range []int{3, 2} {
		if _, err := limitedTo(t, e, holders).Capture(in(t, fmt.Sprint("job ", i)), id, nil); err != nil {
			t.Fatal(err)
		}
	}
	without := editlock.NewManager(core.New(e), nil)
	t.Cleanup(func() { _ = without.Close() })
	ctx, cancel := context.WithTimeout(in(t, "other"), 10*time.Second)
	defer cancel()
	_, err := without.Capture(ctx, id, &editlock.CaptureOptions{Limit: 3})
	if other := (*editlock.ConflictError)(nil); !errors.As(err, &other) || other.Holder.Limit != 2 {
		t.Errorf("who asks for the first one gets %v, want a conflict with the last", err)
	}
	if _, err := without.Capture(in(t, "job 0"), id, &editlock.CaptureOptions{Limit: 2}); err != nil {
		t.Errorf("a holder from before the change who asks for the last one gets %v", err)
	}
}

func TestManager_ATakeoverOfAPermitGoesByTheLimitInForce(t *testing.T) {
	e := memory.NewEngine(nil)
	id := editlock.ID{Group: "etl", Mode: "import", ID: "nightly"}
	first, err := limitedTo(t, e, 2).Capture(in(t, "first"), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := limitedTo(t, e, 3)
	if _, err := m.Capture(in(t, "second"), id, nil); err != nil {
		t.Fatal(err)
	}
	got, err := m.Takeover(in(t, "third"), id, first.Token, "it hangs", nil)
	if err != nil || got.Owner.Session != "third" || got.Limit != 3 || got.Beside != 1 {
		t.Errorf("the takeover of a permit from before the change: %+v, %v", got, err)
	}
}

func TestManager_ARetriedTakeoverFindsItsHoldAmongSeveral(t *testing.T) {
	m := managed(t)
	share := &editlock.CaptureOptions{Sharing: editlock.Shared}
	as := func(session, user string) context.Context {
		return editlock.WithOwner(t.Context(), editlock.Owner{Session: session, UserID: user})
	}
	old, err := m.Capture(as("yesterday", "ann"), report, share)
	if err != nil {
		t.Fatal(err)
	}
	bobs, err := m.Capture(as("other", "bob"), report, share)
	if err != nil {
		t.Fatal(err)
	}
	first := time.Now()
	once := &editlock.CaptureOptions{RequestID: "r"}
	taken, err := m.Takeover(as("today", "ann"), report, bobs.Token, "urgent", once)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := m.Refresh(as("today", "ann"), []editlock.RefreshItem{{ID: report, Token: old.Token}}); err != nil || res[0].Err != nil {
		t.Fatal(err, res)
	}
	ctx := editlock.WithAttempt(as("today", "ann"), editlock.Attempt{Key: "r", First: first})
	if got, err := m.Takeover(ctx, report, bobs.Token, "urgent", once); err != nil || got.Token != taken.Token {
		t.Errorf("the retry gets %+v, %v; the first try got token %d", got, err, taken.Token)
	}
}

func TestManager_ARefreshAnswersWithOnesOwnShare(t *testing.T) {
	m := managed(t)
	share := &editlock.CaptureOptions{Sharing: editlock.Shared, RequestID: "r"}
	held, err := m.Capture(in(t, "a"), report, share)
	if err != nil {
		t.Fatal(err)
	}
	share.RequestID = ""
	for _, session := range []string{"b", "a"} {
		got, err := m.Capture(in(t, session), report, share)
		if err != nil || got.Owner.Session != session || session == "a" && got.Token != held.Token {
			t.Errorf("%s captures %+v, %v", session, got, err)
		}
	}
}

func TestManager_ARetryFindsTheSharesOfSeveral(t *testing.T) {
	m := managed(t)
	ids := []editlock.ID{report, {ID: "other"}}
	if _, err := m.CaptureAll(in(t, "a"), ids, nil); err != nil {
		t.Fatal(err)
	}
	share := &editlock.CaptureOptions{Sharing: editlock.Shared, RequestID: "r"}
	for try := range 2 {
		if got, err := m.CaptureAll(in(t, "a"), ids, share); err != nil || got[0].Sharing != editlock.Shared {
			t.Errorf("try %d gets %+v, %v", try, got, err)
		}
	}
	if _, err := m.ReleaseSession(in(t, "a"), "a"); err != nil {
		t.Fatal(err)
	}
	share.RequestID = ""
	if _, err := m.CaptureAll(in(t, "a"), ids, share); err != nil {
		t.Fatal(err)
	}
	share.RequestID = "r"
	if got, err := m.CaptureAll(in(t, "a"), ids, share); !errors.Is(err, editlock.ErrLost) {
		t.Errorf("once they have ended a retry gets %+v, %v", got, err)
	}
}

// Also one of more holders than a Mutex tells of.
func TestManager_PermitIsAskedAboutTheHolderSeen(t *testing.T) {
	var asked []string
	m := editlock.NewManager(memory.New(nil), &editlock.ManagerOptions{
		Permit: func(_ context.Context, _ editlock.EventKind, _ editlock.Owner, held editlock.Mutex) error {
			asked = append(asked, held.Owner.Session)
			return nil
		},
	})
	t.Cleanup(func() { _ = m.Close() })
	var tokens []editlock.Token
	for n := range 30 {
		got, err := m.Capture(in(t, fmt.Sprint("reader", n)), report, &editlock.CaptureOptions{Sharing: editlock.Shared})
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, got.Token)
	}
	if err := m.ForceRelease(in(t, "admin"), report, tokens[28], "gone home"); err != nil {
		t.Error(err)
	}
	if _, err := m.Takeover(in(t, "admin"), report, tokens[27], "urgent", nil); err != nil {
		t.Error(err)
	}
	if err := m.ForceRelease(in(t, "admin"), report, tokens[28], "again"); !errors.Is(err, editlock.ErrBusy) {
		t.Errorf("a hold that ended: %v, want busy", err)
	}
	if got := fmt.Sprint(asked); got != "[reader28 reader27]" {
		t.Errorf("asked about %s", got)
	}
}

func TestManager_AConditionDoesNotHideAnotherSharing(t *testing.T) {
	for name, cond := range map[string]func(m editlock.Mutex) editlock.Condition{
		"token":       func(m editlock.Mutex) editlock.Condition { return editlock.IfToken(m.Token) },
		"status data": func(m editlock.Mutex) editlock.Condition { return editlock.IfStatusData(m.StatusData) },
	} {
		t.Run(name, func(t *testing.T) {
			m := managed(t)
			capture := func(session string, opts editlock.CaptureOptions) (editlock.Mutex, error) {
				return m.Capture(in(t, session), report, &opts)
			}
			alone, err := capture("a", editlock.CaptureOptions{StatusData: "draft"})
			if err != nil {
				t.Fatal(err)
			}
			shared, err := capture("a", editlock.CaptureOptions{Sharing: editlock.Shared, If: cond(alone)})
			if err != nil || shared.Sharing != editlock.Shared || shared.Token != alone.Token {
				t.Fatalf("to shared: %+v, %v", shared, err)
			}
			if _, err := capture("b", editlock.CaptureOptions{Sharing: editlock.Shared}); err != nil {
				t.Fatal(err)
			}
			_, err = capture("a", editlock.CaptureOptions{Sharing: editlock.Exclusive, If: cond(alone), StatusData: "final"})
			if busy := (*editlock.BusyError)(nil); !errors.As(err, &busy) || busy.Holder.Owner.Session != "b" {
				t.Errorf("to exclusive beside another: %v", err)
			}
			if _, held, err := m.Request(in(t, "a"), report); err != nil || held.StatusData != "draft" {
				t.Errorf("what was refused left %+v, %v", held, err)
			}
			if _, err := m.Release(in(t, "b"), report, editlock.Condition{}); err != nil {
				t.Fatal(err)
			}
			again, err := capture("a", editlock.CaptureOptions{Sharing: editlock.Exclusive, If: cond(alone)})
			if err != nil || again.Sharing != editlock.Exclusive || again.Token <= shared.Token {
				t.Errorf("to exclusive: %+v, %v", again, err)
			}
		})
	}
}

// limitedTo is a Manager on a store of several that fixes the limit of imports.
func limitedTo(t *testing.T, e *memory.Engine, holders int) *editlock.Manager {
	t.Helper()
	m := editlock.NewManager(core.New(e), &editlock.ManagerOptions{
		Limits: []editlock.HolderLimit{{Group: "etl", Mode: "import", Holders: holders}},
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
