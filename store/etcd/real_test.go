package etcd_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/locktest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/etcd"
)

// TestBehaviour is what users see, of two Managers on one store.
func TestBehaviour(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	locktest.Run(t, locktest.Harness{Open: func(t *testing.T) locktest.System {
		url := s.url()
		var clock locktest.Clock
		var lockers [2]*editlock.Manager
		for i := range lockers {
			st, err := etcd.OpenAt(t.Context(), url, clock.Now)
			if err != nil {
				t.Fatal(err)
			}
			lockers[i] = editlock.NewManager(st, nil)
			t.Cleanup(func() { _ = lockers[i].Close() })
		}
		return locktest.System{Locker: lockers[0], Second: lockers[1], Advance: clock.Advance}
	}})
}

func take(name, session string, terms store.Terms) store.Op {
	who := store.Party{Session: session}
	return store.Op{
		Name: name, Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &terms,
		Event: &store.Event{Kind: "captured", Actor: who},
	}
}

func drop(name, session string) store.Op {
	return store.Op{
		Name: name, Do: store.Release, Expect: store.Expect{Session: &session},
		Event: &store.Event{Kind: "released", Actor: store.Party{Session: session}},
	}
}

// TestStore_TellsOneTime has processes whose machines' clocks are anywhere:
// only etcd's counts.
func TestStore_TellsOneTime(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	url := s.url()
	stores := make([]store.Store, 4)
	for i := range stores {
		stores[i] = s.at(t, nil, url)
	}
	// A Get by each in turn: times must rise, but for what opening could not see.
	const within = 50 * time.Millisecond
	var last time.Time
	for range 5 {
		for i, st := range stores {
			view, err := st.Get(t.Context(), "a", "")
			if err != nil {
				t.Fatal(err)
			}
			if view.Now.Before(last.Add(-within)) {
				t.Errorf("store %d says it is %v; another said %v before", i, view.Now, last)
			}
			last = view.Now
		}
	}
}

// TestStore_OutlivesItsServer kills etcd in the midst of work, again and again:
// what was acknowledged stays, what was under way happened once or not at
// all, and nobody has to open the store again. A new start is a new leader, who
// counts leases from the start: the time goes on regardless.
func TestStore_OutlivesItsServer(t *testing.T) {
	s := &server{Etcd: enginetest.StartOwnEtcd(t)}
	url := s.url()
	stores := [2]store.Store{s.at(t, nil, url), s.at(t, nil, url)}
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	before, err := stores[0].Get(t.Context(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for round := range rounds {
		const workers, each = 8, 60
		var wg sync.WaitGroup
		for worker := range workers {
			st := stores[worker%2]
			wg.Go(func() {
				name := fmt.Sprintf("%d/%d", round, worker)
				for n := range each {
					sw := take(name, "worker", store.Terms{Idle: time.Hour})
					if n%2 == 1 {
						sw = drop(name, "worker")
					}
					req := store.Txn{ID: fmt.Sprintf("%s#%d", name, n), Ops: []store.Op{sw}}
					res, err := st.Commit(t.Context(), req)
					for tries := 0; err != nil && tries < 3; tries++ {
						res, err = st.Commit(t.Context(), req)
					}
					if err != nil || !res.Done {
						t.Errorf("request %s: %+v, %v", req.ID, res, err)
						return
					}
				}
			})
		}
		time.Sleep(time.Duration(20+40*round) * time.Millisecond)
		s.Kill()
		s.Start()
		wg.Wait()
		for worker := range workers {
			page, err := stores[1].Log(t.Context(), store.LogQuery{Name: fmt.Sprintf("%d/%d", round, worker), Limit: 1000})
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range page.Entries {
				if want := fmt.Sprintf("%d/%d#%d", round, worker, i); e.Request != want {
					t.Fatalf("entry %d is of request %s; want %s", i, e.Request, want)
				}
			}
			if len(page.Entries) != each {
				t.Errorf("%d entries for %d requests", len(page.Entries), each)
			}
		}
	}
	fresh := s.at(t, nil, url)
	for i, st := range append(stores[:], fresh) {
		view, err := st.Get(t.Context(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		passed, told := time.Since(begun), view.Now.Sub(before.Now)
		if diff := (passed - told).Abs(); diff > time.Second/2 {
			t.Errorf("store %d: %v passed, the store says %v", i, passed, told)
		}
	}
}

// TestStore_ExpiresNoSooner has a holder lose their hold after its time, never
// before, whichever process took it and whichever gives it away.
func TestStore_ExpiresNoSooner(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	url := s.url()
	stores := [2]store.Store{s.at(t, nil, url), s.at(t, nil, url)}
	const idle, holderLeaves = time.Second, 20 * time.Millisecond // see editlock.Held
	for round := range 4 {
		name := fmt.Sprint("n", round)
		holder, next := stores[round%2], stores[(round+1)%2]
		sent := time.Now()
		if _, err := holder.Commit(t.Context(), store.Txn{Ops: []store.Op{take(name, "ann", store.Terms{Idle: idle})}}); err != nil {
			t.Fatal(err)
		}
		for {
			res, err := next.Commit(t.Context(), store.Txn{Ops: []store.Op{take(name, "bob", store.Terms{Idle: idle})}})
			passed := time.Since(sent)
			if err != nil {
				t.Fatal(err)
			}
			if res.Done {
				if passed < idle-holderLeaves {
					t.Errorf("taken after %v", passed)
				}
				break
			}
			if passed > 10*idle {
				t.Fatalf("still held after %v", passed)
			}
		}
	}
}

// TestStore_FrozenServer stops etcd for a while: callers whose contexts end
// return, and the store works again when it goes on.
func TestStore_FrozenServer(t *testing.T) {
	s := &server{Etcd: enginetest.StartOwnEtcd(t)}
	st := s.open(t, nil)
	s.Signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := st.Commit(ctx, store.Txn{ID: "r", Ops: []store.Op{take("a", "ann", store.Terms{})}}); err == nil {
		t.Error("a frozen etcd answered")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the call returned after %v", took)
	}
	s.Signal(syscall.SIGCONT)
	res, err := st.Commit(t.Context(), store.Txn{ID: "r", Ops: []store.Op{take("a", "ann", store.Terms{})}})
	if err != nil || !res.Done {
		t.Fatalf("after the thaw: %+v, %v", res, err)
	}
}

// TestStore_TooLarge names what can be done about a request that etcd takes not.
func TestStore_TooLarge(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	st := s.open(t, nil)
	data := strings.Repeat("x", 64<<10)
	swaps := make([]store.Op, 40)
	for i := range swaps {
		swaps[i] = take(fmt.Sprint("n", i), "ann", store.Terms{})
		swaps[i].Data = &data
	}
	_, err := st.Commit(t.Context(), store.Txn{Ops: swaps})
	if err == nil || !strings.Contains(err.Error(), "more than etcd takes at once") {
		t.Fatalf("2.5 MiB in one request: %v", err)
	}
	if res, err := st.Commit(t.Context(), store.Txn{Ops: swaps[:1]}); err != nil || !res.Done {
		t.Errorf("after it: %+v, %v", res, err)
	}
	var wg sync.WaitGroup // many that are large together
	for i := range swaps[1:] {
		wg.Go(func() {
			if res, err := st.Commit(t.Context(), store.Txn{Ops: swaps[i+1 : i+2]}); err != nil || !res.Done {
				t.Errorf("64 KiB: %v, %v", res.Done, err)
			}
		})
	}
	wg.Wait()
}

func TestStore_ThousandLongNames(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	st := s.open(t, nil)
	takes, drops := make([]store.Op, 1000), make([]store.Op, 1000)
	data := strings.Repeat("d", 40)
	for i := range takes {
		name := fmt.Sprintf("%0100d", i)
		takes[i], drops[i] = take(name, "a session of usual length", store.Terms{Idle: time.Minute}), drop(name, "a session of usual length")
		takes[i].Data, takes[i].Holder.User = &data, "a user"
		takes[i].Holder.Value = `{"login":"ann","name":"Ann of the accounting department","host":"192.168.100.100"}`
		takes[i].Event.Actor = *takes[i].Holder
	}
	for _, swaps := range [][]store.Op{takes, drops, takes} {
		res, err := st.Commit(t.Context(), store.Txn{Ops: swaps})
		if err != nil || !res.Done {
			t.Fatalf("%v, %v", res.Done, err)
		}
	}
}
