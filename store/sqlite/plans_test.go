package sqlite_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/sqlite"
)

// TestReadsSortNothing looks at how pages are read: from an index, in its order, so that
// a page ends with its limit. To sort, or to scan, all that a filter selects is read.
func TestReadsSortNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "locks.db")
	e, err := sqlite.OpenEngine(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	st := core.New(e)
	defer func() { _ = st.Close() }()
	var swaps []store.Op
	for i := range 500 {
		who := store.Party{Session: "many", User: "many"}
		swaps = append(swaps, store.Op{
			Name: fmt.Sprintf("%c/mode/%d", 'a'+i%2, i), Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{Idle: 1e12},
		})
	}
	if res, err := st.Commit(t.Context(), store.Txn{Ops: swaps}); err != nil || !res.Done {
		t.Fatal(res.Done, err)
	}
	for _, q := range []kv.Range{
		{Prefix: "h"},
		{Prefix: "ha/"},
		{Prefix: "h", After: "ha/mode/2"},
		{Tag: "smany", Prefix: "h"},
		{Tag: "umany", Prefix: "hb/"},
		{Tag: "umany", Prefix: "h", After: "hb/mode/1"},
		{Tag: "unosuch", Prefix: "h"},
		{Due: true, Brief: true},
		{Prefix: "ha/", Either: true},
		{Tag: "umany", Prefix: "h", After: "hb/mode/1", Either: true},
	} {
		q.Limit = 50
		steps := sqlite.Plan(t, path, q)
		if len(steps) == 0 {
			t.Errorf("%+v: no plan", q)
		}
		for _, step := range steps {
			if strings.Contains(step, "TEMP B-TREE") || strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "USING INDEX") {
				t.Errorf("%+v: %s, in\n%s", q, step, strings.Join(steps, "\n"))
			}
		}
	}
}
