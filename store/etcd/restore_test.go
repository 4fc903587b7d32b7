package etcd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/storetest"
)

// TestStore_RestoredUnderIt brings back the data of an earlier moment while a
// store is open, and has another write as much as was lost: the revisions are
// the same then, what stands there is not.
func TestStore_RestoredUnderIt(t *testing.T) {
	dir, saved := filepath.Join(t.TempDir(), "etcd"), filepath.Join(t.TempDir(), "saved")
	s := &server{Etcd: enginetest.StartOwnEtcd(t, "--data-dir", dir)}
	clock, url := storetest.NewClock(), s.url()
	calls := 0
	// swap makes a call that has an ID: what met the connection to the server that was
	// killed is made again.
	swap := func(st store.Store, sw store.Op) bool {
		t.Helper()
		calls++
		sw.Event = &store.Event{Kind: "noted"}
		res, err := st.Commit(t.Context(), store.Txn{ID: fmt.Sprint("call ", calls), Ops: []store.Op{sw}})
		if err != nil {
			t.Fatal(err)
		}
		return res.Done
	}
	here := s.at(t, clock, url)
	swap(here, take("before", "ann", store.Terms{}))
	s.Kill()
	if err := os.CopyFS(saved, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !swap(here, take("a", "ann", store.Terms{})) {
		t.Fatal("a is not free")
	}

	s.Kill()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(saved)); err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !swap(s.at(t, clock, url), take("a", "bob", store.Terms{})) {
		t.Fatal("a is not free after the restore")
	}
	if swap(here, drop("a", "ann")) {
		t.Error("ann has released what bob holds: an old view passed for what stands there")
	}
	view, err := here.Get(t.Context(), "a", "")
	if err != nil || view.Record == nil || view.Record.Holder.Session != "bob" {
		t.Errorf("there stands %+v, %v; want bob's", view.Record, err)
	}
}
