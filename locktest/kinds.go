package locktest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

// An assistant in Ivanov's own session and as the same user, and one that is nobody's.
var (
	assistant = editlock.Owner{
		Session: ivanov.Session, UserID: ivanov.UserID, Name: "Ассистент", Kind: editlock.Agent, OnBehalfOf: ivanov.Name,
	}
	crawler = editlock.Owner{Session: "s-crawler", Name: "crawler", Kind: editlock.Agent}
	nightly = editlock.Owner{Session: "s-nightly", Name: "nightly import", Kind: editlock.Job, OnBehalfOf: "1С"}
)

// testKinds checks what the kind of an owner decides.
func testKinds(t *testing.T, h Harness) {
	t.Run("Identity", func(t *testing.T) { kindIdentity(t, h) })
	t.Run("Harmless", func(t *testing.T) { agentsEndNoPersonsHold(t, h) })
	t.Run("Takeover", func(t *testing.T) { kindTakeover(t, h) })
	t.Run("Promise", func(t *testing.T) { promisesAreForPersons(t, h) })
	t.Run("Lease", func(t *testing.T) { agentsHoldBriefly(t, h) })
}

func kindIdentity(t *testing.T, h Harness) {
	t.Run("an owner is told with kind and on whose behalf", func(t *testing.T) {
		s := h.Open(t)
		for _, o := range []editlock.Owner{assistant, nightly} {
			m := capture(as(t, o), t, s.Locker, doc, nil)
			if m.Owner != o {
				t.Errorf("captured by %+v, want %+v", m.Owner, o)
			}
			wantStanding(t, s.Locker, m)
			release(as(t, o), t, s.Locker, doc)
		}
		var told []editlock.Owner
		for _, e := range history(t, s.Locker, editlock.HistoryQuery{}) {
			told = append(told, e.Owner, e.Actor)
		}
		want := []editlock.Owner{nightly, nightly, nightly, nightly, assistant, assistant, assistant, assistant}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("history tells of other owners (-want +got):\n%s", diff)
		}
	})
	t.Run("one session of two kinds is two holders", func(t *testing.T) {
		s := h.Open(t)
		for _, o := range [][2]editlock.Owner{{ivanov, assistant}, {assistant, ivanov}} {
			m := capture(as(t, o[0]), t, s.Locker, doc, nil)
			if state, _, err := s.Locker.Request(as(t, o[1]), doc); state != editlock.CapturedByOther || err != nil {
				t.Errorf("Request by the %v = %v, %v", o[1].Kind, state, err)
			}
			_, err := s.Locker.Capture(as(t, o[1]), doc, nil)
			if e := wantBusy(t, err, m); e.Self {
				t.Errorf("the %v is taken for the %v", o[1].Kind, o[0].Kind)
			}
			_, err = s.Locker.CaptureAll(as(t, o[1]), []editlock.ID{doc}, nil)
			wantBusy(t, err, m)
			_, err = s.Locker.Release(as(t, o[1]), doc, editlock.Condition{})
			wantBusy(t, err, m)
			release(as(t, o[0]), t, s.Locker, doc)
		}
	})
	t.Run("and both may share a mutex", func(t *testing.T) {
		s := h.Open(t)
		shared := &editlock.CaptureOptions{Sharing: editlock.Shared}
		first, second := capture(as(t, ivanov), t, s.Locker, doc, shared), capture(as(t, assistant), t, s.Locker, doc, shared)
		if second.Beside != 1 || second.Token <= first.Token {
			t.Errorf("the second holder is %+v", second)
		}
		for _, o := range []editlock.Owner{ivanov, assistant} {
			if state, m, err := s.Locker.Request(as(t, o), doc); state != editlock.CapturedByMe || m.Owner != o || err != nil {
				t.Errorf("Request by %+v = %v, %+v, %v", o, state, m.Owner, err)
			}
		}
	})
	t.Run("one's own wait is withdrawn, not the other's", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, petrova), t, s.Locker, doc, nil)
		opts := &editlock.CaptureOptions{RequestID: "r"}
		person, agent := s.wait(t, ivanov, doc, opts), s.wait(t, assistant, doc, opts)
		s.awaitQueue(t, doc, 2)
		if gone, err := s.Locker.Release(as(t, assistant), doc, editlock.IfRequest("r")); !gone || err != nil {
			t.Errorf("Release = %v, %v; want true", gone, err)
		}
		agent.end(t)
		person.still(t)
		release(as(t, petrova), t, s.Locker, doc)
		if m := person.granted(t); m.Owner != ivanov {
			t.Errorf("granted to %+v", m.Owner)
		}
	})
	t.Run("a list of a session has both, and its release by the person, too", func(t *testing.T) {
		s := h.Open(t)
		second := doc
		second.ID += "-2"
		capture(as(t, ivanov), t, s.Locker, second, nil)
		capture(as(t, assistant), t, s.Locker, doc, nil)
		page, err := s.Locker.List(as(t, ivanov), editlock.Query{Session: ivanov.Session})
		if err != nil || len(page.Mutexes) != 2 || page.Mutexes[0].Owner != assistant || page.Mutexes[1].Owner != ivanov {
			t.Fatalf("List = %+v, %v", page.Mutexes, err)
		}
		ids, err := s.Locker.ReleaseSession(as(t, ivanov), ivanov.Session)
		if err != nil || len(ids) != 2 {
			t.Errorf("ReleaseSession = %v, %v", ids, err)
		}
		wantFree(t, s.Locker, doc)
		wantFree(t, s.Locker, second)
	})
}

// An agent that does all it can, in a person's own session or another, leaves the
// person's hold as it is.
func agentsEndNoPersonsHold(t *testing.T, h Harness) {
	for _, agent := range []editlock.Owner{assistant, crawler} {
		t.Run(agent.Name, func(t *testing.T) {
			s := h.Open(t)
			held := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: "tab", AutoRelease: editlock.TimeoutAutoRelease(time.Hour)})
			ctx, short := as(t, agent), editlock.TimeoutAutoRelease(editlock.MinAutoRelease)

			_, err := s.Locker.Takeover(ctx, doc, held.Token, why, nil)
			wantHeldByPerson(t, err, held)
			wantHeldByPerson(t, s.Locker.ForceRelease(ctx, doc, held.Token, why), held)
			_, err = refresh(ctx, t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token, AutoRelease: short})
			wantLost(t, err, &held)
			for _, cond := range []editlock.Condition{editlock.IfToken(held.Token), editlock.IfStatusData("tab")} {
				_, err = s.Locker.Capture(ctx, doc, &editlock.CaptureOptions{If: cond, AutoRelease: short})
				wantLost(t, err, &held)
				if released, err := s.Locker.Release(ctx, doc, cond); released || err != nil {
					t.Errorf("Release = %v, %v; want false, no error", released, err)
				}
				if released, err := s.Locker.ReleaseAfter(ctx, doc, cond, time.Second); released || err != nil {
					t.Errorf("ReleaseAfter = %v, %v; want false, no error", released, err)
				}
			}
			if ids, err := s.Locker.ReleaseAll(ctx, []editlock.ID{doc}); len(ids) > 0 || err != nil {
				t.Errorf("ReleaseAll = %v, %v", ids, err)
			}
			if ids, err := s.Locker.ReleaseSession(ctx, ivanov.Session); len(ids) > 0 || err != nil {
				t.Errorf("ReleaseSession = %v, %v", ids, err)
			}
			w := s.wait(t, petrova, doc, &editlock.CaptureOptions{Message: "please"})
			if passed, err := s.Locker.HandOver(ctx, doc); passed || !errors.Is(err, editlock.ErrBusy) && !errors.Is(err, editlock.ErrLost) {
				t.Errorf("HandOver = %v, %v; want a refusal", passed, err)
			}
			if no, err := s.Locker.Decline(ctx, doc, standing(t, s.Locker, doc).Waiters[0].ID, "no"); no || !errors.Is(err, editlock.ErrBusy) && !errors.Is(err, editlock.ErrLost) {
				t.Errorf("Decline = %v, %v; want a refusal", no, err)
			}
			w.still(t)
			wantStanding(t, s.Locker, held)
		})
	}
}

func kindTakeover(t *testing.T, h Harness) {
	t.Run("a person takes over from an agent, which is told why", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, assistant), t, s.Locker, doc, nil)
		now, err := s.Locker.Takeover(as(t, ivanov), doc, held.Token, why, nil)
		if err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		_, err = refresh(as(t, assistant), t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token})
		if e := wantLost(t, err, &now); e.How != editlock.KindTakenOver || e.By != ivanov || e.Reason != why {
			t.Errorf("lost by %q of %s because %q", e.How, e.By.Label(), e.Reason)
		}
		if e := history(t, s.Locker, editlock.HistoryQuery{})[0]; e.Owner != ivanov || e.Other != assistant {
			t.Errorf("history tells of %+v after %+v", e.Owner, e.Other)
		}
	})
	for _, by := range []editlock.Owner{crawler, nightly, ivanov} {
		for _, from := range []editlock.Owner{assistant, nightly, petrova} {
			t.Run(by.Kind.String()+" from "+from.Kind.String(), func(t *testing.T) {
				s := h.Open(t)
				if by == from {
					from.Session = "s-other"
				}
				held := capture(as(t, from), t, s.Locker, doc, nil)
				now, err := s.Locker.Takeover(as(t, by), doc, held.Token, why, nil)
				if by.Kind == editlock.Agent && from.Kind == editlock.Person {
					wantHeldByPerson(t, err, held)
					wantStanding(t, s.Locker, held)
					return
				}
				if err != nil {
					t.Fatalf("Takeover: %v", err)
				}
				wantStanding(t, s.Locker, now)
				if err := s.Locker.ForceRelease(as(t, nightly), doc, now.Token, why); err != nil {
					t.Errorf("ForceRelease: %v", err)
				}
			})
		}
	}
}

// A promise of a person is kept to persons: an agent that asks waits until it is
// answered.
func promisesAreForPersons(t *testing.T, h Harness) {
	for _, holder := range []editlock.Owner{ivanov, assistant} {
		t.Run("an agent asks a "+holder.Kind.String(), func(t *testing.T) {
			s := h.Open(t)
			held := capture(as(t, holder), t, s.Locker, doc, &editlock.CaptureOptions{GrantAfter: time.Second})
			w := s.wait(t, crawler, doc, &editlock.CaptureOptions{Message: "please"})
			asked := standing(t, s.Locker, doc).Waiters[0]
			if asked.Message != "please" || asked.Owner != crawler {
				t.Errorf("the holder is asked by %+v", asked)
			}
			if holder.Kind == editlock.Agent {
				w.granted(t)
				return
			}
			if !asked.GrantAt.IsZero() {
				t.Errorf("it would pass to the agent at %v", asked.GrantAt)
			}
			s.rest(nap)
			w.still(t)
			wantStanding(t, s.Locker, held)
			release(as(t, ivanov), t, s.Locker, doc)
			if m := w.granted(t); m.Owner != crawler {
				t.Errorf("granted to %+v", m.Owner)
			}
		})
	}
}

func agentsHoldBriefly(t *testing.T, h Harness) {
	t.Run("unless told otherwise", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, crawler), t, s.Locker, doc, nil)
		if want := (editlock.AutoRelease{Idle: editlock.DefaultAgentIdle, MaxHold: editlock.MaxAgentHold}); m.AutoRelease != want {
			t.Errorf("held for %+v, want %+v", m.AutoRelease, want)
		}
		if in, ok := m.ExpiresIn(); !ok || in > editlock.DefaultAgentIdle {
			t.Errorf("expires in %v", in)
		}
		if m := capture(as(t, nightly), t, s.Locker, task(1), &editlock.CaptureOptions{AutoRelease: editlock.Never}); !m.AutoRelease.IsNever() {
			t.Errorf("a job holds for %+v, want it to hold until it releases", m.AutoRelease)
		}
	})
	t.Run("and within bounds", func(t *testing.T) {
		s := h.Open(t)
		ctx := as(t, crawler)
		most := editlock.AutoRelease{Idle: editlock.MaxAgentIdle, MaxHold: editlock.MaxAgentHold}
		m := capture(ctx, t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: most})
		if m.AutoRelease != most {
			t.Errorf("held for %+v, want %+v", m.AutoRelease, most)
		}
		theirs := capture(as(t, assistant), t, s.Locker, task(1), nil)
		for field, long := range map[string]editlock.AutoRelease{
			"auto_release":          editlock.Never,
			"auto_release.idle":     editlock.TimeoutAutoRelease(editlock.MaxAgentIdle + time.Second),
			"auto_release.max_hold": {MaxHold: editlock.MaxAgentHold + time.Second},
		} {
			opts := &editlock.CaptureOptions{AutoRelease: long}
			_, err := s.Locker.Capture(ctx, task(2), opts)
			wantInvalid(t, err, field)
			_, err = s.Locker.CaptureAll(ctx, []editlock.ID{task(2)}, opts)
			wantInvalid(t, err, field)
			_, err = s.Locker.Takeover(ctx, theirs.ID, theirs.Token, why, opts)
			wantInvalid(t, err, field)
			_, err = s.Locker.Refresh(ctx, []editlock.RefreshItem{{ID: doc, Token: m.Token, AutoRelease: long}})
			wantInvalid(t, err, "items[0]."+field)
		}
		wantFree(t, s.Locker, task(2))
		wantStanding(t, s.Locker, m)
	})
	t.Run("and close nothing to people by a wait for all of it", func(t *testing.T) {
		s := h.Open(t)
		held, all := capture(as(t, ivanov), t, s.Locker, doc, nil), editlock.ID{Group: doc.Group, Mode: doc.Mode, Below: true}
		_, err := s.Locker.Capture(as(t, crawler), all, &editlock.CaptureOptions{Wait: time.Minute})
		wantInvalid(t, err, "wait")
		_, err = s.Locker.Capture(as(t, crawler), all, nil)
		wantBusy(t, err, held)
		release(as(t, ivanov), t, s.Locker, doc)
		capture(as(t, crawler), t, s.Locker, all, nil)
	})
	t.Run("also where it refreshes", func(t *testing.T) {
		s := h.Open(t)
		if s.Advance == nil {
			t.Skip("it would take half an hour")
		}
		m := capture(as(t, crawler), t, s.Locker, doc, nil)
		for passed := time.Duration(0); passed < editlock.MaxAgentHold; passed += time.Minute {
			if _, err := refresh(as(t, crawler), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token}); err != nil {
				t.Fatalf("after %v: %v", passed, err)
			}
			s.Advance(time.Minute)
		}
		_, err := refresh(as(t, crawler), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token})
		wantLost(t, err, nil)
	})
}

func task(n int) editlock.ID { return editlock.ID{Mode: "task", ID: strconv.Itoa(n)} }

// wantHeldByPerson checks the refusal of an agent that names the person.
func wantHeldByPerson(t *testing.T, err error, holder editlock.Mutex) {
	t.Helper()
	var person *editlock.HeldByPersonError
	if !errors.Is(err, editlock.ErrForbidden) || !errors.As(err, &person) {
		t.Fatalf("error is %v, want *HeldByPersonError", err)
	}
	if diff := cmp.Diff(holder.Owner, person.Holder.Owner); diff != "" || person.Holder.Token != holder.Token {
		t.Errorf("the holder named, by token %d (-want +got):\n%s", person.Holder.Token, diff)
	}
}
