package core_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
)

// soon is how late a waiter may have a name that has become free.
const soon = 100 * time.Millisecond

// hooked is an engine that lets something happen right before a Commit, or right after
// one, before its caller knows of it.
type hooked struct {
	*memory.Engine
	mu     sync.Mutex
	before func(txn *kv.Txn) (do func()) // nil: not before this one
	after  func(txn *kv.Txn) (do func())
	read   func(ranges []kv.Range) (do func()) // right after a Read
}

func (e *hooked) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	answer, err := e.Engine.Read(ctx, ranges...)
	e.mu.Lock()
	var do func()
	if e.read != nil {
		if do = e.read(ranges); do != nil {
			e.read = nil
		}
	}
	e.mu.Unlock()
	if do != nil {
		do()
	}
	return answer, err
}

func (e *hooked) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	e.once(&e.before, txns)
	answers, err := e.Engine.Commit(ctx, txns)
	e.once(&e.after, txns)
	return answers, err
}

func (e *hooked) once(hook *func(txn *kv.Txn) (do func()), txns []kv.Txn) {
	e.mu.Lock()
	var do func()
	if *hook != nil {
		if do = (*hook)(&txns[0]); do != nil {
			*hook = nil
		}
	}
	e.mu.Unlock()
	if do != nil {
		do()
	}
}

func (e *hooked) hook(before func(txn *kv.Txn) (do func())) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.before = before
}

// processes work on one engine, in the time of a synctest bubble. Each is kept alive, and
// sweeps when something is due, as a Manager does. Those called p and q listen.
type processes struct {
	*testing.T
	engine    *hooked
	p, q, cli *core.Store
	died      chan struct{} // closed: q no longer lives
	over      chan struct{} // closed: the test ends
	living    sync.WaitGroup
}

// bubble runs a test with processes.
func bubble(t *testing.T, test func(w *processes)) {
	synctest.Test(t, func(t *testing.T) {
		w := &processes{T: t, engine: &hooked{Engine: memory.NewEngine(nil)}, died: make(chan struct{}), over: make(chan struct{})}
		w.p, w.q, w.cli = core.New(w.engine), core.New(w.engine), core.New(w.engine)
		defer func() {
			close(w.over)
			w.living.Wait()
			for _, st := range []*core.Store{w.p, w.q, w.cli} {
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			}
		}()
		w.live("p", w.p, nil)
		w.live("q", w.q, w.died)
		test(w)
	})
}

func (w *processes) live(process string, st *core.Store, died chan struct{}) {
	w.Helper()
	const beats, lease = time.Second, 3 * time.Second
	sub := st.Subscribe(process)
	keepAlive := func() {
		if _, err := st.KeepAlive(w.Context(), process, lease); err != nil {
			w.Error(err)
		}
	}
	keepAlive()
	w.living.Go(func() {
		defer sub.Close()
		for at := time.Now(); ; {
			due, err := st.Sweep(w.Context(), store.Retention{})
			if err != nil {
				w.Error(err)
				return
			}
			if due < 0 || due > beats {
				due = beats
			}
			select {
			case <-time.After(due):
			case <-died:
				return
			case <-w.over:
				return
			}
			if time.Since(at) >= beats {
				at = time.Now()
				keepAlive()
			}
		}
	})
}

func (w *processes) commit(st *core.Store, sw store.Op) {
	w.Helper()
	res, err := st.Commit(w.Context(), store.Txn{Ops: []store.Op{sw}})
	if err != nil || !res.Done {
		w.Fatalf("refused: %+v: %+v, %v", sw, res.Records[0], err)
	}
}

// granted fails the test unless a waiter has a name within so long, and not yet
// right before.
func (w *processes) granted(name, waiter string, within time.Duration) {
	w.Helper()
	begun := time.Now()
	for {
		view, err := w.cli.Get(w.Context(), name, "")
		if err != nil {
			w.Fatal(err)
		}
		if view.Record != nil && view.Record.Request == waiter {
			return
		}
		if time.Since(begun) > within {
			w.Errorf("%v later %q does not have %s", time.Since(begun), waiter, name)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// shares is granted, beside others.
func (w *processes) shares(name, session string, within time.Duration) {
	w.Helper()
	time.Sleep(within)
	view, err := w.cli.Get(w.Context(), name, session)
	if err != nil || view.Record == nil || view.Record.Holder.Session != session {
		w.Errorf("%v later %q does not have %s beside %+v, %v", within, session, name, view.Record, err)
	}
}

// rest lets all that was rung for be looked at.
func (w *processes) rest() { time.Sleep(300 * time.Millisecond) }

func TestAWaiterBelowIsGrantedAtOnce(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(w *processes)
	}{
		{"when the hold above ends", func(w *processes) {
			w.commit(w.cli, acquire("g/", "ann"))
			w.commit(w.p, join("g/x", "bob", "p", 0))
			w.rest()
			w.commit(w.cli, release("g/", "ann"))
			w.granted("g/x", "bob", soon)
		}},
		{"when the hold above dies", func(w *processes) {
			brief := acquire("g/", "ann")
			brief.Terms.MaxHold = 2 * time.Second
			w.commit(w.cli, brief)
			w.commit(w.p, join("g/x", "bob", "p", 0))
			w.granted("g/x", "bob", 2*time.Second+soon)
		}},
		{"when the hold above ends before its process knows that it waits", func(w *processes) {
			w.commit(w.cli, acquire("h/", "ann"))
			w.commit(w.p, join("h/x", "cid", "p", 0)) // so that the process looks already
			w.commit(w.cli, acquire("g/", "ann"))
			w.rest()
			w.engine.mu.Lock()
			w.engine.after = func(txn *kv.Txn) func() {
				if !slices.ContainsFunc(txn.Then, func(w kv.Write) bool { return w.Key == "qg/x\x00" }) {
					return nil
				}
				return func() {
					w.commit(w.cli, release("g/", "ann"))
					w.rest()
				}
			}
			w.engine.mu.Unlock()
			w.commit(w.p, join("g/x", "bob", "p", 0))
			w.granted("g/x", "bob", soon)
		}},
		{"when a waiter above leaves", func(w *processes) {
			w.commit(w.p, acquire("g/x", "ann"))
			w.commit(w.q, join("g/", "bob", "q", 0))
			w.commit(w.p, join("g/y", "cid", "p", 0))
			w.rest()
			w.commit(w.q, leave("g/", "bob"))
			w.granted("g/y", "cid", soon)
		}},
		{"when a waiter above leaves while somebody looks", func(w *processes) {
			w.commit(w.cli, acquire("g/a", "ann"))
			w.commit(w.cli, acquire("g/m/", "dan"))
			w.commit(w.q, join("g/", "bob", "q", 0))
			w.commit(w.p, join("g/m/x", "cid", "p", 0))
			w.rest()
			w.engine.mu.Lock()
			w.engine.read = func(ranges []kv.Range) func() {
				if !slices.ContainsFunc(ranges, func(r kv.Range) bool { return r.Prefix == "ag/m/x\x00" }) {
					return nil
				}
				return func() {
					w.commit(w.q, leave("g/", "bob"))
					time.Sleep(time.Millisecond) // until all have heard of it
				}
			}
			w.engine.mu.Unlock()
			w.commit(w.cli, release("g/m/", "dan"))
			w.granted("g/m/x", "cid", soon)
		}},
		{"when the process of a waiter above dies", func(w *processes) {
			w.commit(w.p, acquire("g/x", "ann"))
			w.commit(w.q, join("g/", "bob", "q", 0))
			w.commit(w.p, join("g/y", "cid", "p", 0))
			close(w.died)
			w.granted("g/y", "cid", 3*time.Second+soon)
		}},
		{"when a process that had died comes back without the waiter above", func(w *processes) {
			w.commit(w.p, acquire("g/x", "ann"))
			w.commit(w.q, join("g/", "bob", "q", 0))
			w.commit(w.p, join("g/y", "cid", "p", 0))
			close(w.died)
			time.Sleep(3*time.Second - time.Millisecond)
			w.engine.hook(func(txn *kv.Txn) func() { // before the sweep removes it
				if len(txn.Then) != 1 || !txn.Then[0].Delete || txn.Then[0].Key != "pq" {
					return nil
				}
				return func() {
					if _, err := w.q.KeepAlive(w.Context(), "q", time.Minute); err != nil {
						w.Error(err)
					}
				}
			})
			w.granted("g/y", "cid", soon)
		}},
		{"when a process that hears nothing leaves the name to the waiter, and frees it later", func(w *processes) {
			w.commit(w.cli, acquire("g/", "ann"))
			w.commit(w.cli, acquire("g/x", "ann"))
			w.commit(w.p, join("g/x", "bob", "p", 0))
			w.commit(w.cli, release("g/x", "ann"))
			w.rest()
			w.commit(w.cli, release("g/", "ann"))
			w.granted("g/x", "bob", soon)
		}},
		{"when a process that hears nothing lets the waiter share the name, and frees a part later", func(w *processes) {
			w.commit(w.cli, acquire("g/x", "ann"))
			w.commit(w.cli, acquire("g/x#a", "ann"))
			waits := join("g/x", "bob", "p", 0)
			waits.Waiter.Share = store.Shared
			w.commit(w.p, waits)
			w.rest()
			shares := renew("g/x", nil, nil, nil)
			shares.Share, shares.Terms = new(store.Shared), &store.Terms{Idle: -1, MaxHold: -1}
			w.commit(w.cli, shares)
			w.rest()
			w.commit(w.cli, release("g/x#a", "ann"))
			w.shares("g/x", "bob", soon)
		}},
		{"when the name itself had died before that above is free", func(w *processes) {
			w.commit(w.cli, acquire("g/", "ann"))
			brief := acquire("g/x", "ann")
			brief.Terms.MaxHold = time.Second
			w.commit(w.cli, brief)
			w.commit(w.p, join("g/x", "bob", "p", 0))
			time.Sleep(2 * time.Second)
			w.commit(w.cli, release("g/", "ann"))
			w.granted("g/x", "bob", soon)
		}},
		{"when the one before, at another process, gives up", func(w *processes) {
			w.commit(w.cli, acquire("g/", "ann"))
			w.commit(w.q, join("g/x", "bob", "q", 0))
			w.commit(w.p, join("g/x", "cid", "p", 0))
			w.rest()
			w.commit(w.q, leave("g/x", "bob"))
			close(w.died)
			w.rest()
			w.commit(w.cli, release("g/", "ann"))
			w.granted("g/x", "cid", soon)
		}},
		{"although the gate is written at the moment of the grant", func(w *processes) {
			w.commit(w.cli, acquire("g/", "ann"))
			w.commit(w.p, join("g/x", "bob", "p", 0))
			w.rest()
			w.engine.hook(func(txn *kv.Txn) func() {
				if !slices.ContainsFunc(txn.Then, func(w kv.Write) bool { return w.Key == "hg/x" && w.Number > 0 }) {
					return nil
				}
				return func() {
					gate := kv.Txn{If: []kv.Cond{{Key: "hg/x"}}, Then: []kv.Write{{Key: "hg/x", Renew: true, Value: []byte{1}}}}
					if answers, err := w.engine.Commit(w.Context(), []kv.Txn{gate}); err != nil || !answers[0].Done {
						w.Errorf("the gate was not written: %v", err)
					}
				}
			})
			w.commit(w.cli, release("g/", "ann"))
			w.granted("g/x", "bob", soon)
		}},
	} {
		t.Run(test.name, func(t *testing.T) { bubble(t, test.run) })
	}
}
