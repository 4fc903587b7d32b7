package core_test

import (
	"testing"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// meanwhile lets something happen right before the next commit of st that writes.
func (w *world) meanwhile(f func()) {
	var look func(txns []kv.Txn)
	look = func(txns []kv.Txn) {
		if len(txns[0].Then) == 0 {
			w.engine.before = look
			return
		}
		f()
	}
	w.engine.before = look
}

// must does an operation at another process.
func (w *world) must(sw store.Op) {
	w.Helper()
	if res := w.commit(w.other, sw); !res.Done {
		w.Fatalf("refused: %+v: %+v", sw, res.Records[0])
	}
}

// apart fails the test if different sessions hold two names.
func (w *world) apart(name, part string) {
	w.Helper()
	var who []*store.Record
	for _, n := range []string{name, part} {
		view, err := w.other.Get(w.Context(), n, "")
		if err != nil {
			w.Fatal(err)
		}
		who = append(who, view.Record)
	}
	if who[0] != nil && who[1] != nil && who[0].Holder.Session != who[1].Holder.Session {
		w.Errorf("%q holds %s beside %q, who holds %s", who[0].Holder.Session, name, who[1].Holder.Session, part)
	}
}

func together(name, session string) store.Op {
	sw := acquire(name, session)
	sw.Share = new(store.Shared)
	return sw
}

func passOn(name, from string, to store.Party) store.Op {
	return store.Op{Name: name, Do: store.Renew, Expect: store.Expect{Session: &from}, Holder: &to}
}

// Who shares a name holds it alone once all others have left, and then may capture what
// is below: another can't get that hold any more.
func TestASharedHoldIsNotPassedOnBesideAPart(t *testing.T) {
	for _, to := range []string{"xen", "zoe"} { // one who shares it, and a third
		for name, part := range map[string]string{"g/m/": "g/m/1", "g/m/1": "g/m/1#a"} {
			t.Run(to+" "+name, func(t *testing.T) {
				w := newWorld(t)
				w.must(together(name, "xen"))
				w.must(together(name, "yan"))
				w.must(acquire("g/z#a", "bob")) // parts are in use
				w.meanwhile(func() {
					w.must(release(name, "xen"))
					w.must(acquire(part, "yan"))
				})
				w.commit(w.st, passOn(name, "yan", store.Party{Session: to, User: to}))
				w.apart(name, part)
			})
		}
	}
}

// No tag tells holders apart who have no session.
func TestWhoHasNoSessionGetsNothingBesideAnother(t *testing.T) {
	for name, step := range map[string]func(w *world){
		"who captures a part":  func(w *world) { w.must(acquire("g/m/1", "bob")) },
		"who is given a part":  func(w *world) { w.must(passOn("g/m/2", "", store.Party{Session: "bob"})) },
		"who captures the top": func(w *world) { w.must(release("g/m/2", "")); w.must(acquire("g/", "bob")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, n := range []string{"g/", "g/m/"} { // both are in use
				w.must(acquire(n, ""))
				w.must(release(n, ""))
			}
			w.must(acquire("g/m/2", ""))
			w.meanwhile(func() { w.meanwhile(func() { step(w) }) }) // what it assumes first is not so
			w.commit(w.st, acquire("g/m/", ""))
			for _, n := range []string{"g/", "g/m/1", "g/m/2"} {
				w.apart("g/m/", n)
			}
		})
	}
}
