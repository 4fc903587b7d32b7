package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock/store"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// environment is an Env in which the named processes live.
func environment(now time.Time, alive ...string) (env store.Env, last *uint64) {
	last = new(uint64)
	*last = 100
	return store.Env{
		Now:  now,
		Next: func() uint64 { *last++; return *last },
		Alive: func(process string) bool {
			for _, p := range alive {
				if p == process {
					return true
				}
			}
			return false
		},
	}, last
}

func party(session string) store.Party {
	return store.Party{Session: session, User: "user of " + session}
}

func ptr[T any](v T) *T { return &v }

// held is a record with token 7, acquired and renewed at the start.
func held(terms store.Terms, expires time.Duration) *store.Record {
	rec := &store.Record{
		Name: "a", Token: 7, Holder: party("ann"), Data: "draft", Terms: terms, Acquired: start, Renewed: start, Request: "r0",
	}
	if expires > 0 {
		rec.Expires = start.Add(expires)
	}
	return rec
}

func waiter(id, process string, seq uint64) store.Waiter {
	return store.Waiter{
		ID: id, Name: "a", Seq: seq, Process: process, Holder: party(id), Data: "of " + id, Terms: store.Terms{Idle: time.Minute}, Since: start,
		Event: &store.Event{Kind: "captured", Actor: party(id)},
	}
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestApply_Take(t *testing.T) {
	env, _ := environment(start.Add(time.Second))
	sw := store.Op{
		Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: ptr(party("bob")), Data: ptr("text"),
		Terms: &store.Terms{Idle: time.Minute, MaxHold: time.Hour}, Event: &store.Event{Kind: "captured", Actor: party("clerk"), Reason: "why"},
	}
	after, eff, ok := store.Apply(store.State{}, sw, "r1", env)
	if !ok {
		t.Fatal("refused")
	}
	same(t, "record", &store.Record{
		Name: "a", Token: 101, Holder: party("bob"), Data: "text", Terms: *sw.Terms, Acquired: env.Now, Renewed: env.Now,
		Expires: env.Now.Add(time.Minute), Request: "r1",
	}, after.Record)
	entry := store.LogEntry{
		Seq: 101, Kind: "captured", Name: "a", Token: 101, At: env.Now, Owner: party("bob"), Actor: party("clerk"), Reason: "why", Request: "r1",
	}
	same(t, "effects", store.Effects{Entries: []store.LogEntry{entry}}, eff)

	t.Run("over a holder names them as the other party", func(t *testing.T) {
		sw.Expect = store.Expect{Token: 7}
		waiting := []store.Waiter{waiter("w", "peer", 8)}
		after, eff, ok := store.Apply(store.State{Record: held(store.Terms{}, 0), Queue: waiting}, sw, "r2", env)
		if !ok || after.Record.Token != 102 || eff.Entries[0].Other != party("ann") {
			t.Errorf("%v, %+v, %+v", ok, after.Record, eff.Entries)
		}
		same(t, "queue", waiting, after.Queue)
	})
	t.Run("without data and note leaves the data empty and logs nothing", func(t *testing.T) {
		bare := store.Op{Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: ptr(party("bob")), Terms: &store.Terms{}}
		after, eff, ok := store.Apply(store.State{}, bare, "", env)
		if !ok || after.Record.Data != "" || !after.Record.Expires.IsZero() || len(eff.Entries) != 0 {
			t.Errorf("%v, %+v, %+v", ok, after.Record, eff)
		}
	})
}

func TestApply_Touch(t *testing.T) {
	const idle, maxHold = time.Minute, time.Hour
	env, _ := environment(start.Add(30 * time.Second))
	for _, tt := range []struct {
		name string
		give store.Op
		want func(rec *store.Record)
	}{
		{"alone moves touch and expiry", store.Op{}, func(*store.Record) {}},
		{"replaces the holder", store.Op{Holder: ptr(party("ann-2"))}, func(r *store.Record) { r.Holder = party("ann-2") }},
		{"replaces the data", store.Op{Data: ptr("new")}, func(r *store.Record) { r.Data = "new" }},
		{"clears the data", store.Op{Data: ptr("")}, func(r *store.Record) { r.Data = "" }},
		{"gives another idle", store.Op{Terms: &store.Terms{Idle: 2 * idle}}, func(r *store.Record) {
			r.Terms.Idle, r.Expires = 2*idle, env.Now.Add(2*idle)
		}},
		{"gives another max hold", store.Op{Terms: &store.Terms{MaxHold: 40 * time.Second}}, func(r *store.Record) {
			r.Terms.MaxHold, r.Expires = 40*time.Second, start.Add(40*time.Second)
		}},
		{"takes the idle away", store.Op{Terms: &store.Terms{Idle: -1}}, func(r *store.Record) {
			r.Terms.Idle, r.Expires = 0, start.Add(maxHold)
		}},
		{"may be the last", store.Op{ConfirmWithin: 3 * time.Second}, func(r *store.Record) {
			r.Expires = env.Now.Add(3 * time.Second)
		}},
		{"ends no later than the terms, however long it is bound", store.Op{ConfirmWithin: time.Hour}, func(*store.Record) {}},
		{"may be the last of a hold without an end", store.Op{Terms: &store.Terms{Idle: -1, MaxHold: -1}, ConfirmWithin: time.Second}, func(r *store.Record) {
			r.Terms, r.Expires = store.Terms{}, env.Now.Add(time.Second)
		}},
		{"takes all terms away", store.Op{Terms: &store.Terms{Idle: -1, MaxHold: -1}}, func(r *store.Record) {
			r.Terms, r.Expires = store.Terms{}, time.Time{}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := held(store.Terms{Idle: idle, MaxHold: maxHold}, idle)
			kept := *before
			sw := tt.give
			sw.Name, sw.Do = "a", store.Renew
			after, eff, ok := store.Apply(store.State{Record: before}, sw, "r1", env)
			if !ok {
				t.Fatal("refused")
			}
			want := kept
			want.Renewed, want.Expires = env.Now, env.Now.Add(idle)
			tt.want(&want)
			same(t, "record", &want, after.Record)
			same(t, "effects", store.Effects{}, eff)
			same(t, "the record before, which others may look at", &kept, before)
		})
	}
	t.Run("with a note is logged under a number of its own", func(t *testing.T) {
		sw := store.Op{Name: "a", Do: store.Renew, Event: &store.Event{Kind: "refreshed", Actor: party("ann")}}
		after, eff, _ := store.Apply(store.State{Record: held(store.Terms{}, 0)}, sw, "r1", env)
		want := store.LogEntry{
			Seq: 101, Kind: "refreshed", Name: "a", Token: 7, At: env.Now, Owner: party("ann"), Actor: party("ann"), Request: "r1",
		}
		same(t, "entries", []store.LogEntry{want}, eff.Entries)
		if after.Record.Token != 7 || after.Record.Request != "r0" {
			t.Errorf("the record is %+v", after.Record)
		}
	})
	t.Run("never creates", func(t *testing.T) {
		for _, x := range []store.Expect{{}, {Free: true}} {
			if after, eff, ok := store.Apply(store.State{}, store.Op{Name: "a", Do: store.Renew, Expect: x}, "", env); ok || after.Record != nil {
				t.Errorf("if %+v: %+v, %+v", x, after, eff)
			}
		}
	})
}

func TestApply_Drop(t *testing.T) {
	env, _ := environment(start.Add(time.Second), "peer")
	sw := store.Op{Name: "a", Do: store.Release, Event: &store.Event{Kind: "released", Actor: party("ann"), Reason: "done"}}
	ended := store.LogEntry{
		Seq: 101, Kind: "released", Name: "a", Token: 7, At: env.Now, Owner: party("ann"), Actor: party("ann"), Reason: "done", Request: "r1",
	}
	t.Run("vacates", func(t *testing.T) {
		after, eff, ok := store.Apply(store.State{Record: held(store.Terms{}, 0)}, sw, "r1", env)
		if !ok || after.Record != nil {
			t.Fatalf("%v, %+v", ok, after)
		}
		same(t, "effects", store.Effects{Entries: []store.LogEntry{ended}}, eff)
	})
	t.Run("grants the first live ticket in the same step", func(t *testing.T) {
		env, _ := environment(start.Add(time.Second), "peer")
		dead, first, second := waiter("dead", "gone", 8), waiter("first", "peer", 9), waiter("second", "peer", 10)
		first.ConfirmWithin = 10 * time.Second
		after, eff, ok := store.Apply(store.State{Record: held(store.Terms{}, 0), Queue: []store.Waiter{dead, first, second}}, sw, "r1", env)
		if !ok {
			t.Fatal("refused")
		}
		same(t, "record", &store.Record{
			Name: "a", Token: 102, Holder: party("first"), Data: "of first", Terms: first.Terms, Acquired: env.Now, Renewed: env.Now,
			Expires: env.Now.Add(10 * time.Second), Request: "first",
		}, after.Record)
		same(t, "queue", []store.Waiter{second}, after.Queue)
		granted := store.LogEntry{
			Seq: 102, Kind: "captured", Name: "a", Token: 102, At: env.Now, Owner: party("first"), Actor: party("first"), Request: "first",
		}
		same(t, "effects", store.Effects{
			Entries: []store.LogEntry{ended, granted},
			Left:    []string{"dead", "first"},
			News:    []store.Signal{{Process: "gone", Waiter: "dead"}, {Process: "peer", Waiter: "first"}},
		}, eff)
	})
	t.Run("counts on who waits behind the window", func(t *testing.T) {
		state := store.State{Record: held(store.Terms{}, 0), Queue: []store.Waiter{waiter("v", "peer", 8), waiter("w", "peer", 9)}, Rest: 3}
		after, _, _ := store.Apply(state, sw, "r1", env)
		if rec := after.InForce(env); rec == nil || rec.Waiting != 4 {
			t.Errorf("granted is %+v", rec)
		}
	})
	t.Run("grants no longer than the terms allow, confirmed or not", func(t *testing.T) {
		short := waiter("short", "peer", 8)
		short.Terms.Idle, short.ConfirmWithin = 5*time.Second, 10*time.Second
		after, _, _ := store.Apply(store.State{Record: held(store.Terms{}, 0), Queue: []store.Waiter{short}}, sw, "r1", env)
		if want := env.Now.Add(5 * time.Second); !after.Record.Expires.Equal(want) {
			t.Errorf("the grant expires at %v, want %v", after.Record.Expires, want)
		}
	})
	t.Run("as a hand-over names who got it", func(t *testing.T) {
		env, _ := environment(start, "peer")
		over := sw
		over.Event = &store.Event{Kind: store.KindHandedOver, Actor: party("ann")}
		_, eff, _ := store.Apply(store.State{Record: held(store.Terms{}, 0), Queue: []store.Waiter{waiter("w", "peer", 8)}}, over, "r1", env)
		if len(eff.Entries) != 2 || eff.Entries[0].Kind != store.KindHandedOver || eff.Entries[0].Other != party("w") {
			t.Errorf("entries: %+v", eff.Entries)
		}
	})
	t.Run("of a free name is refused", func(t *testing.T) {
		for _, x := range []store.Expect{{}, {Free: true}} {
			free := sw
			free.Expect = x
			if _, eff, ok := store.Apply(store.State{}, free, "r1", env); ok || len(eff.Entries) > 0 {
				t.Errorf("if %+v: done, %+v", x, eff)
			}
		}
	})
}

func TestApply_Join(t *testing.T) {
	join := func(id, process string) store.Op {
		tk := store.Waiter{ID: id, Process: process, Holder: party(id), GrantAfter: 20 * time.Second}
		return store.Op{Name: "a", Do: store.Join, Waiter: &tk, Event: &store.Event{Kind: "waiting", Actor: party(id)}}
	}
	t.Run("puts the ticket at the end, with place, time and claim", func(t *testing.T) {
		env, _ := environment(start.Add(time.Second), "peer")
		queue := []store.Waiter{waiter("first", "peer", 8)}
		after, eff, ok := store.Apply(store.State{Record: held(store.Terms{}, 0), Queue: queue}, join("w", "peer"), "r1", env)
		if !ok {
			t.Fatal("refused")
		}
		want := *join("w", "peer").Waiter
		want.Name, want.Seq, want.Since, want.GrantAt, want.Asked = "a", 101, env.Now, env.Now.Add(20*time.Second), 7
		same(t, "queue", []store.Waiter{queue[0], want}, after.Queue)
		same(t, "effects", store.Effects{
			Entries: []store.LogEntry{{Seq: 101, Kind: "waiting", Name: "a", Token: 7, At: env.Now, Owner: party("ann"), Actor: party("w")}},
			Joined:  []store.Waiter{want},
		}, eff)
	})
	t.Run("again keeps the place, at the new peer, and logs nothing", func(t *testing.T) {
		env, _ := environment(start.Add(time.Second), "old", "new")
		w := waiter("w", "old", 8)
		queue := []store.Waiter{w, waiter("x", "old", 9)}
		after, eff, ok := store.Apply(store.State{Record: held(store.Terms{}, 0), Queue: queue}, join("w", "new"), "", env)
		w.Process = "new"
		if !ok {
			t.Fatal("refused")
		}
		same(t, "queue", []store.Waiter{w, queue[1]}, after.Queue)
		same(t, "effects", store.Effects{Joined: []store.Waiter{w}}, eff)
		if queue[0].Process != "old" {
			t.Error("the queue before was changed in place")
		}
	})
	t.Run("again after death gets a new place", func(t *testing.T) {
		env, _ := environment(start.Add(time.Second), "new")
		queue := []store.Waiter{waiter("w", "old", 8), waiter("x", "new", 9)}
		after, eff, ok := store.Apply(store.State{Record: held(store.Terms{}, 0), Queue: queue}, join("w", "new"), "", env)
		if !ok || len(after.Queue) != 2 || after.Queue[1].ID != "w" || after.Queue[1].Seq != 101 || len(eff.Joined) != 1 || len(eff.Left) != 0 {
			t.Errorf("%v, %+v, %+v", ok, after.Queue, eff)
		}
	})
	t.Run("again after the grant finds the record, whatever is expected", func(t *testing.T) {
		env, _ := environment(start, "peer")
		rec := held(store.Terms{}, 0)
		rec.Request = "w"
		sw := join("w", "peer")
		sw.Expect.Token = 1
		after, eff, ok := store.Apply(store.State{Record: rec}, sw, "", env)
		if !ok || len(after.Queue) != 0 {
			t.Errorf("%v, %+v", ok, after.Queue)
		}
		same(t, "effects", store.Effects{}, eff)
	})
	t.Run("of a free name is refused", func(t *testing.T) {
		env, _ := environment(start, "peer")
		for _, x := range []store.Expect{{}, {Free: true}} {
			sw := join("w", "peer")
			sw.Expect = x
			if after, _, ok := store.Apply(store.State{}, sw, "", env); ok || len(after.Queue) > 0 {
				t.Errorf("if %+v: %+v waits for a free name", x, after.Queue)
			}
		}
	})
}

func TestApply_Leave(t *testing.T) {
	queue := []store.Waiter{waiter("v", "peer", 8), waiter("w", "peer", 9), waiter("dead", "gone", 10)}
	for _, tt := range []struct {
		name   string
		waiter store.Waiter
		expect store.Expect
		done   bool
	}{
		{"by ID", store.Waiter{ID: "w"}, store.Expect{}, true},
		{"by ID and peer", store.Waiter{ID: "w", Process: "peer"}, store.Expect{}, true},
		{"under a condition that holds", store.Waiter{ID: "w"}, store.Expect{Token: 7, Session: ptr("ann")}, true},
		{"of another peer", store.Waiter{ID: "w", Process: "other"}, store.Expect{}, false},
		{"under a condition that fails", store.Waiter{ID: "w"}, store.Expect{Token: 8}, false},
		{"of a dead waiter", store.Waiter{ID: "dead"}, store.Expect{}, false},
		{"of nobody", store.Waiter{ID: "nobody"}, store.Expect{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env, _ := environment(start.Add(time.Second), "peer")
			sw := store.Op{
				Name: "a", Do: store.Leave, Expect: tt.expect, Waiter: &tt.waiter,
				Event: &store.Event{Kind: "declined", Actor: party("ann"), Reason: "no"},
			}
			after, eff, ok := store.Apply(store.State{Record: held(store.Terms{}, 0), Queue: queue}, sw, "r1", env)
			if ok != tt.done {
				t.Fatalf("done: %v", ok)
			}
			if !tt.done {
				same(t, "queue", queue, after.Queue)
				same(t, "effects", store.Effects{}, eff)
				return
			}
			same(t, "queue", []store.Waiter{queue[0], queue[2]}, after.Queue)
			same(t, "effects", store.Effects{
				Entries: []store.LogEntry{{
					Seq: 101, Kind: "declined", Name: "a", Token: 7, At: env.Now, Owner: party("ann"), Actor: party("ann"), Other: party("w"),
					Reason: "no", Request: "w",
				}},
				Left: []string{"w"},
				News: []store.Signal{{Process: "peer", Waiter: "w"}},
			}, eff)
		})
	}
}

func TestApply_Expect(t *testing.T) {
	env, _ := environment(start, "peer")
	waiting := []store.Waiter{waiter("w", "peer", 8)}
	dead := []store.Waiter{waiter("w", "gone", 8)}
	for _, tt := range []struct {
		name   string
		expect store.Expect
		queue  []store.Waiter
		want   bool
	}{
		{"nothing", store.Expect{}, nil, true},
		{"free", store.Expect{Free: true}, nil, false},
		{"the token", store.Expect{Token: 7}, nil, true},
		{"another token", store.Expect{Token: 6}, nil, false},
		{"the session", store.Expect{Session: ptr("ann")}, nil, true},
		{"the beginning of the session", store.Expect{Session: ptr("an")}, nil, false},
		{"the session in capitals", store.Expect{Session: ptr("ANN")}, nil, false},
		{"no session", store.Expect{Session: ptr("")}, nil, false},
		{"the data", store.Expect{Data: ptr("draft")}, nil, true},
		{"other data", store.Expect{Data: ptr("draft ")}, nil, false},
		{"no data", store.Expect{Data: ptr("")}, nil, false},
		{"somebody who waits", store.Expect{Waiting: true}, waiting, true},
		{"somebody who waits, and nobody does", store.Expect{Waiting: true}, nil, false},
		{"somebody who waits, and is dead", store.Expect{Waiting: true}, dead, false},
		{"all at once", store.Expect{Token: 7, Session: ptr("ann"), Data: ptr("draft"), Waiting: true}, waiting, true},
		{"all but the token", store.Expect{Token: 9, Session: ptr("ann"), Data: ptr("draft"), Waiting: true}, waiting, false},
		{"all but the session", store.Expect{Token: 7, Session: ptr("bob"), Data: ptr("draft"), Waiting: true}, waiting, false},
		{"all but the data", store.Expect{Token: 7, Session: ptr("ann"), Data: ptr("x"), Waiting: true}, waiting, false},
		{"all but somebody who waits", store.Expect{Token: 7, Session: ptr("ann"), Data: ptr("draft"), Waiting: true}, dead, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sw := store.Op{Name: "a", Do: store.Renew, Expect: tt.expect}
			if _, _, ok := store.Apply(store.State{Record: held(store.Terms{}, 0), Queue: tt.queue}, sw, "", env); ok != tt.want {
				t.Errorf("holds: %v", ok)
			}
		})
	}
	t.Run("an unknown action is refused", func(t *testing.T) {
		if _, _, ok := store.Apply(store.State{Record: held(store.Terms{}, 0)}, store.Op{Name: "a", Do: 99}, "", env); ok {
			t.Error("done")
		}
	})
}
