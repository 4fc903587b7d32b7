package kvtest

import (
	"testing"
	"time"

	"github.com/editlock/editlock/store/kv"
)

// Guarder is an engine under test that lets applications' transactions guard
// rows. Laws of the guard are proved of engines that are Guarders.
type Guarder interface {
	kv.Engine
	// Guard begins a transaction as an application would, which guards the row
	// under key, that of a hold. It reports whether the row is live and has this
	// Rev; if not, the transaction is over. end ends it.
	Guard(t testing.TB, key string, rev uint64) (guarded bool, end func())
}

var guardLaws = []law{
	{"a guard tells whether a row is in force", lawGuardInForce},
	{"what would end a guarded row is not done, and waits for nothing", lawGuardKeeps},
	{"a guarded row is renewed", lawGuardRenews},
	{"what is refused or was done before is not held up by a guard", lawGuardRefused},
	{"guards share a row", lawGuardShared},
}

func (t *test) guarder() Guarder {
	g, ok := t.e.(Guarder)
	if !ok {
		t.Skip("the engine has no guard")
	}
	return g
}

// guard guards a row that is in force.
func (t *test) guard(key string, rev uint64) (end func()) {
	t.Helper()
	guarded, end := t.guarder().Guard(t, key, rev)
	if !guarded {
		t.Fatalf("%q is not in force under %d", key, rev)
	}
	return end
}

func lawGuardInForce(t *test) {
	g := t.guarder()
	a := t.put(kv.Write{Key: "ha", Number: 1}, kv.Write{Key: "hb", Number: 2, TTL: t.seconds(1)})
	t.guard("ha", a.First)()
	t.guard("hb", a.First+1)()
	t.clock.Advance(2 * time.Second)
	for _, c := range []struct {
		key string
		rev uint64
	}{{"ha", a.First + 1}, {"hA", a.First}, {"hb", a.First + 1}, {"hc", a.First}} {
		if guarded, end := g.Guard(t, c.key, c.rev); guarded {
			t.Errorf("%q is in force under %d", c.key, c.rev)
			end()
		}
	}
}

func lawGuardKeeps(t *test) {
	g := t.guarder()
	rev := t.put(kv.Write{Key: "ha", Number: 1, Value: value("first"), TTL: t.seconds(1)}, kv.Write{Key: "hb", Number: 1}).First
	end := t.guard("ha", rev)
	defer func() { end() }()
	last := t.page(kv.LogQuery{Limit: 1}).Last
	deletes := kv.Txn{
		If: []kv.Cond{{Key: "ha", Rev: rev}}, Numbers: 1, Then: []kv.Write{{Key: "ha", Delete: true}, {Key: "hx", Number: 1}},
		Log: []kv.Entry{{Number: 1, ID: "id", Value: value("deleted")}},
	}
	replaces := kv.Txn{If: []kv.Cond{{Key: "ha", Rev: rev}}, Numbers: 1, Then: []kv.Write{{Key: "ha", Number: 1, Value: value("second")}}}
	for _, txn := range []kv.Txn{deletes, replaces} {
		answers := t.commit(
			kv.Txn{Numbers: 1, Then: []kv.Write{{Key: "h" + nth("c", len(txn.Log)), Number: 1}}},
			txn,
			kv.Txn{Then: []kv.Write{{Key: "hd"}}, Read: []kv.Range{{Key: "hd"}}},
		)
		if a := answers[1]; !a.Guarded || a.Done || a.Replayed {
			t.Fatalf("what would end a guarded row is answered %+v", a)
		}
		if !answers[0].Done || answers[0].Guarded || !answers[2].Done || answers[2].Guarded || len(answers[2].Found[0].Rows) != 1 {
			t.Fatalf("beside it: %+v", answers)
		}
	}
	if row := t.row("ha"); row == nil || row.Rev != rev || string(row.Value) != string(value("first")) || t.row("hx") != nil {
		t.Errorf("the row is %+v", row)
	}
	if page := t.page(kv.LogQuery{Limit: 10}); len(page.Entries) != 0 || page.Last < last {
		t.Errorf("the log is %+v", page)
	}
	t.clock.Advance(2 * time.Second) // due, but guarded still
	sweeps := kv.Txn{If: []kv.Cond{{Key: "ha", Dead: true}}, Then: []kv.Write{{Key: "ha", Delete: true}}}
	if a := t.commit(sweeps)[0]; !a.Guarded {
		t.Errorf("the end of a guarded row that is due is answered %+v", a)
	}
	end()
	end = func() {}
	if a := t.commit(deletes)[0]; a.Done {
		t.Errorf("a live row was expected, and found: %+v", a)
	}
	if a := t.commit(sweeps)[0]; !a.Done || a.Guarded || t.row("ha") != nil {
		t.Errorf("after the guard: %+v", a)
	}
	if guarded, _ := g.Guard(t, "ha", rev); guarded {
		t.Error("a row that is gone is in force")
	}
}

func lawGuardRenews(t *test) {
	rev := t.put(kv.Write{Key: "ha", Number: 1, Value: value("first"), TTL: t.seconds(60)}).First
	defer t.guard("ha", rev)()
	a := t.commit(kv.Txn{
		If:   []kv.Cond{{Key: "ha", Rev: rev}},
		Then: []kv.Write{{Key: "ha", Renew: true, TTL: t.seconds(90), Value: value("second"), Data: ptr("data"), Tags: []string{"s1"}}},
		Read: []kv.Range{{Key: "ha"}},
	})[0]
	if !a.Done || a.Guarded || a.Found[0].Rows[0].Data != "data" || a.Found[0].Rows[0].Ver != 2 {
		t.Errorf("a renewal is answered %+v", a)
	}
}

func lawGuardRefused(t *test) {
	rev := t.put(kv.Write{Key: "ha", Number: 1}).First
	t.commit(logged("hb", "one", "one"))
	defer t.guard("ha", rev)()
	ends := []kv.Write{{Key: "ha", Delete: true}}
	for what, txn := range map[string]kv.Txn{
		"a refused one": {If: []kv.Cond{{Key: "ha", Rev: rev + 1}}, Then: ends, Read: []kv.Range{{Key: "ha"}}},
		"a replay":      {Once: "one", If: []kv.Cond{{Key: "ha"}}, Then: ends, Read: []kv.Range{{Key: "ha"}}},
	} {
		if a := t.commit(txn)[0]; a.Guarded || a.Done || a.Replayed != (txn.Once != "") || len(a.Found[0].Rows) != 1 {
			t.Errorf("%s is answered %+v", what, a)
		}
	}
}

func lawGuardShared(t *test) {
	a := t.put(kv.Write{Key: "ha", Number: 1}, kv.Write{Key: "hb", Number: 2})
	first, second := t.guard("ha", a.First), t.guard("ha", a.First)
	defer t.guard("hb", a.First+1)()
	first()
	ends := kv.Txn{Then: []kv.Write{{Key: "ha", Delete: true}}}
	if a := t.commit(ends)[0]; !a.Guarded {
		t.Errorf("after the end of one guard of two: %+v", a)
	}
	second()
	if a := t.commit(ends)[0]; !a.Done {
		t.Errorf("after the end of both: %+v", a)
	}
}
