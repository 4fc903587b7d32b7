package store_test

import (
	"testing"
	"time"

	"github.com/editlock/editlock/store"
)

func TestSettle(t *testing.T) {
	const idle = time.Minute
	alive := held(store.Terms{Idle: idle}, idle)
	w := waiter("w", "peer", 8)
	dead := waiter("dead", "gone", 9)
	claims := func(id, process string, asked uint64, at time.Duration) store.Waiter {
		tk := waiter(id, process, 8)
		tk.GrantAt, tk.Asked, tk.GrantAfter = start.Add(at), asked, at
		return tk
	}
	for _, tt := range []struct {
		name   string
		state  store.State
		at     time.Duration
		holder string   // "": free
		queue  []string // IDs
		kinds  []string
	}{
		{"a live record stays", store.State{Record: alive}, idle - 1, "ann", nil, nil},
		{"a dead record goes, at the moment of its expiry", store.State{Record: alive}, idle, "", nil, []string{store.KindExpired}},
		{"a free name stays free", store.State{}, 0, "", nil, nil},
		{"a live record with waiters stays", store.State{Record: alive, Queue: []store.Waiter{w}}, 1, "ann", []string{"w"}, nil},
		{
			"a dead record passes to the first who waits",
			store.State{Record: alive, Queue: []store.Waiter{w, dead}},
			idle,
			"w",
			[]string{"dead"},
			[]string{store.KindExpired, "captured"},
		},
		{
			"a dead record passes to the first who lives",
			store.State{Record: alive, Queue: []store.Waiter{dead, w}},
			idle,
			"w", nil,
			[]string{store.KindExpired, "captured"},
		},
		{
			"a dead record passes to nobody if all are dead",
			store.State{Record: alive, Queue: []store.Waiter{dead}},
			idle,
			"",
			[]string{"dead"},
			[]string{store.KindExpired},
		},
		{"a free name passes to who waits", store.State{Queue: []store.Waiter{w}}, 0, "w", nil, []string{"captured"}},
		{
			"a claim waits for its time",
			store.State{Record: alive, Queue: []store.Waiter{claims("c", "peer", 7, 10)}},
			9,
			"ann",
			[]string{"c"},
			nil,
		},
		{
			"a claim takes at its time",
			store.State{Record: alive, Queue: []store.Waiter{claims("c", "peer", 7, 10)}},
			10,
			"c", nil,
			[]string{store.KindHandedOver, "captured"},
		},
		{
			"a claim on another hold takes nothing",
			store.State{Record: alive, Queue: []store.Waiter{claims("c", "peer", 6, 10)}},
			10,
			"ann",
			[]string{"c"},
			nil,
		},
		{
			"a claim behind a live waiter takes nothing",
			store.State{Record: alive, Queue: []store.Waiter{w, claims("c", "peer", 7, 10)}},
			10,
			"ann",
			[]string{"w", "c"},
			nil,
		},
		{
			"a claim behind a dead waiter takes",
			store.State{Record: alive, Queue: []store.Waiter{dead, claims("c", "peer", 7, 10)}},
			10,
			"c", nil,
			[]string{store.KindHandedOver, "captured"},
		},
		{
			"a dead waiter claims nothing",
			store.State{Record: alive, Queue: []store.Waiter{claims("c", "gone", 7, 10)}},
			10,
			"ann",
			[]string{"c"},
			nil,
		},
		{
			"of several claims one takes",
			store.State{Record: alive, Queue: []store.Waiter{claims("c", "peer", 7, 10), claims("d", "peer", 7, 10)}},
			10,
			"c",
			[]string{"d"},
			[]string{store.KindHandedOver, "captured"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env, last := environment(start.Add(tt.at), "peer")
			after, eff := store.Settle("a", tt.state, env)
			holder := ""
			if after.Record != nil {
				holder = after.Record.Holder.Session
			}
			var queue, kinds []string
			for _, tk := range after.Queue {
				queue = append(queue, tk.ID)
			}
			for i, e := range eff.Entries {
				kinds = append(kinds, e.Kind)
				if e.Name != "a" || i > 0 && e.Seq <= eff.Entries[i-1].Seq {
					t.Errorf("entry %d is %+v", i, e)
				}
			}
			if holder != tt.holder {
				t.Errorf("held by %q, want %q", holder, tt.holder)
			}
			same(t, "queue", tt.queue, queue)
			same(t, "kinds", tt.kinds, kinds)

			before := *last
			again, eff := store.Settle("a", after, env)
			same(t, "state settled twice", after, again)
			same(t, "effects of settling twice", store.Effects{}, eff)
			if *last != before {
				t.Error("settling twice uses up numbers")
			}
		})
	}
}

func TestSettle_LogsTheExpiryAsOfItsTime(t *testing.T) {
	env, _ := environment(start.Add(time.Hour))
	_, eff := store.Settle("a", store.State{Record: held(store.Terms{Idle: time.Minute}, time.Minute)}, env)
	same(t, "entries", []store.LogEntry{{
		Seq: 101, Kind: store.KindExpired, Name: "a", Token: 7, At: start.Add(time.Minute), Owner: party("ann"), Actor: party("ann"),
	}}, eff.Entries)
}

func TestSettle_LogsAForcedHandOver(t *testing.T) {
	env, _ := environment(start.Add(time.Minute), "peer")
	tk := waiter("w", "peer", 8)
	tk.GrantAt, tk.Asked, tk.Event = start.Add(time.Second), 7, nil
	after, eff := store.Settle("a", store.State{Record: held(store.Terms{}, 0), Queue: []store.Waiter{tk}}, env)
	same(t, "effects", store.Effects{
		Entries: []store.LogEntry{{
			Seq: 101, Kind: store.KindHandedOver, Name: "a", Token: 7, At: env.Now, Owner: party("ann"), Actor: party("ann"),
			Other: party("w"), Reason: store.ReasonNoAnswer,
		}},
		Left: []string{"w"},
		News: []store.Signal{{Process: "peer", Waiter: "w"}},
	}, eff)
	if after.Record.Token != 102 {
		t.Errorf("the grant has token %d", after.Record.Token)
	}
}

func TestState_InForce(t *testing.T) {
	env, _ := environment(start.Add(time.Minute), "peer")
	t.Run("a dead record is none", func(t *testing.T) {
		s := store.State{Record: held(store.Terms{Idle: time.Minute}, time.Minute), Queue: []store.Waiter{waiter("w", "peer", 8)}}
		if rec := s.InForce(env); rec != nil {
			t.Errorf("in force is %+v", rec)
		}
	})
	t.Run("shows the first live waiters and counts all", func(t *testing.T) {
		s := store.State{Record: held(store.Terms{}, 0), Rest: 5}
		for i := range store.MaxWaiters + 3 {
			s.Queue = append(s.Queue, waiter("dead", "gone", uint64(10+2*i)), waiter("live", "peer", uint64(11+2*i)))
		}
		rec := s.InForce(env)
		if len(rec.Waiters) != store.MaxWaiters || rec.Waiting != store.MaxWaiters+3+5 {
			t.Errorf("%d waiters shown, %d counted", len(rec.Waiters), rec.Waiting)
		}
		for _, w := range rec.Waiters {
			if w.ID != "live" {
				t.Errorf("shown is %+v", w)
			}
		}
		if s.Record.Waiting != 0 || s.Record.Waiters != nil {
			t.Error("the record itself was changed")
		}
	})
	t.Run("shows claims only on this hold", func(t *testing.T) {
		mine, old := waiter("mine", "peer", 8), waiter("old", "peer", 9)
		mine.GrantAt, mine.Asked = start.Add(time.Hour), 7
		old.GrantAt, old.Asked = start.Add(time.Hour), 6
		rec := store.State{Record: held(store.Terms{}, 0), Queue: []store.Waiter{mine, old}}.InForce(env)
		if !rec.Waiters[0].GrantAt.Equal(mine.GrantAt) || !rec.Waiters[1].GrantAt.IsZero() {
			t.Errorf("claims are %v and %v", rec.Waiters[0].GrantAt, rec.Waiters[1].GrantAt)
		}
	})
}

func TestRequest_Validate(t *testing.T) {
	acquire := store.Op{Name: "a", Do: store.Acquire, Holder: &store.Party{}, Terms: &store.Terms{}}
	other := acquire
	other.Name = "b"
	for _, tt := range []struct {
		name string
		ops  []store.Op
		want string
	}{
		{"nothing", nil, ""},
		{"distinct names", []store.Op{acquire, other}, ""},
		{"one name twice", []store.Op{acquire, other, {Name: "a", Do: store.Release}}, `store: the transaction names "a" twice`},
		{"no holder", []store.Op{{Name: "a", Do: store.Acquire, Terms: &store.Terms{}}}, `store: operation 1 of the transaction, on "a": missing a holder`},
		{"no terms", []store.Op{acquire, {Name: "b", Do: store.Acquire, Holder: &store.Party{}}}, `store: operation 2 of the transaction, on "b": missing terms`},
		{"no waiter", []store.Op{{Name: "a", Do: store.Join}}, `store: operation 1 of the transaction, on "a": missing a waiter with an ID`},
		{"a waiter without an ID", []store.Op{{Name: "a", Do: store.Leave, Waiter: &store.Waiter{}}}, `store: operation 1 of the transaction, on "a": missing a waiter with an ID`},
		{"no action", []store.Op{{Name: "a"}}, `store: operation 1 of the transaction, on "a": missing a known action`},
		{"an unknown action", []store.Op{{Name: "a", Do: store.Revoke + 1}}, `store: operation 1 of the transaction, on "a": missing a known action`},
		{"nothing to revoke", []store.Op{{Name: "a", Do: store.Revoke}}, `store: operation 1 of the transaction, on "a": missing the ID that it revokes`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := (store.Txn{Ops: tt.ops}).Validate(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
