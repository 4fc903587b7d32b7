package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/sqlite"
)

// counted counts what an engine is asked for.
type counted struct {
	kv.Engine
	commits, reads int
}

func (e *counted) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	e.commits++
	return e.Engine.Commit(ctx, txns)
}

func (e *counted) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	e.reads++
	return e.Engine.Read(ctx, ranges...)
}

// A capture, a renewal and a release are one commit each, and read nothing
// before.
func TestSwap_IsOneCommit(t *testing.T) {
	engine, err := sqlite.OpenEngine(t.Context(), filepath.Join(t.TempDir(), "editlock.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &counted{Engine: engine}
	st := core.New(e)
	defer func() { _ = st.Close() }()
	who := store.Party{Session: "ann", User: "1"}
	for _, sw := range []store.Op{
		{Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{Idle: 1 << 40}},
		{Name: "a", Do: store.Renew, Expect: store.Expect{Session: &who.Session}},
		{Name: "a", Do: store.Release, Expect: store.Expect{Session: &who.Session}},
	} {
		e.commits, e.reads = 0, 0
		res, err := st.Commit(t.Context(), store.Txn{ID: fmt.Sprint(sw.Do), Ops: []store.Op{sw}})
		if err != nil || !res.Done || e.commits != 1 || e.reads != 0 {
			t.Errorf("%v: %d commits and %d reads, %+v, %v", sw.Do, e.commits, e.reads, res, err)
		}
	}
}

// Rows with large values are as many as callers like.
func TestCommit_RemembersNoMoreThanItsMemoryAllows(t *testing.T) {
	e, err := sqlite.OpenEngine(t.Context(), filepath.Join(t.TempDir(), "editlock.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	const each, limit = 64 << 10, 32 << 20
	for n := 0; n < 2*limit; {
		txns := make([]kv.Txn, 64)
		for i := range txns {
			txns[i] = kv.Txn{Then: []kv.Write{{Key: fmt.Sprint(n), Value: make([]byte, each)}}}
			n += each
		}
		if _, err := e.Commit(t.Context(), txns); err != nil {
			t.Fatal(err)
		}
	}
	if n := sqlite.Known(e); n > limit {
		t.Errorf("%d bytes are remembered; want at most %d", n, limit)
	}
}

// The index of the log is written in pieces, by this process or the next one.
// Searches miss nothing meanwhile.
func TestLog_IsFoundWhileItIsIndexed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "editlock.db")
	open := func() kv.Engine {
		e, err := sqlite.OpenEngine(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		return e
	}
	const commits, each, names = 200, 50, 90
	one, two := open(), open()
	want := make(map[string][]uint64)
	for i := range commits {
		txns := make([]kv.Txn, each)
		for j := range txns {
			name := fmt.Sprint("n", (i*each+j)%names)
			id := fmt.Sprint(i, " ", j)
			txns[j] = kv.Txn{Once: id, Numbers: 1, Log: []kv.Entry{{Number: 1, ID: id, Value: []byte(name), Tags: []string{name, "u" + name}}}}
		}
		e := one
		if i%7 == 3 {
			e = two
		}
		answers, err := e.Commit(t.Context(), txns)
		if err != nil {
			t.Fatal(err)
		}
		for j := range txns {
			name := txns[j].Log[0].Tags[0]
			want[name] = append(want[name], answers[j].First)
		}
		if i%10 != 9 {
			continue
		}
		if i == commits/2-1 {
			if err := one.Close(); err != nil {
				t.Fatal(err)
			}
			one = open()
		}
		for _, e := range []kv.Engine{one, two} {
			name := fmt.Sprint("n", i%names)
			pages, err := e.Log(t.Context(), kv.LogQuery{Tag: name, Limit: 10_000}, kv.LogQuery{Tag: "u" + name, Newest: true, Limit: 10_000})
			if err != nil {
				t.Fatal(err)
			}
			n := len(want[name])
			if len(pages[0].Entries) != n || len(pages[1].Entries) != n {
				t.Fatalf("after commit %d, %d and %d entries of %d are found", i, len(pages[0].Entries), len(pages[1].Entries), n)
			}
			for k, number := range want[name] {
				if pages[0].Entries[k].Number != number || pages[1].Entries[n-1-k].Number != number {
					t.Fatalf("entry %d of %d is %d and %d; want %d", k, n, pages[0].Entries[k].Number, pages[1].Entries[n-1-k].Number, number)
				}
			}
			old, err := e.Commit(t.Context(), []kv.Txn{{Once: fmt.Sprint(i/3, " 7"), Numbers: 1}})
			if err != nil || !old[0].Replayed {
				t.Fatalf("after commit %d, a retry is %+v, %v", i, old, err)
			}
		}
	}
	if n := sqlite.Indexed(t, path); n < commits*each/2 {
		t.Errorf("the file's index has %d keys", n)
	}
}
