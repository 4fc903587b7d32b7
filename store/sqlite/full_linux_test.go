package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/sqlite"
)

func smallDisk(t *testing.T) string {
	t.Helper()
	dir, err := enginetest.SmallDisk(t)
	if err != nil {
		t.Skipf("no file system can be mounted: %v", err)
	}
	return dir
}

// SQLite calls it a failure of the disk when there is no room for the file that
// processes share.
func TestOpen_OnAFullDiskSaysSo(t *testing.T) {
	dir := smallDisk(t)
	path := filepath.Join(dir, "locks.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	for _, free := range []int{0, 4 << 10, 16 << 10} {
		enginetest.FillDisk(t, filepath.Join(dir, "ballast"), free)
		st, err := sqlite.Open(t.Context(), path, nil)
		if err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("with %d bytes free: %v", free, err)
		}
		if err == nil {
			_ = st.Close()
		}
		if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSwap_OnASmallDiskCheckpointsBeforeTheWALFillsIt(t *testing.T) {
	dir := smallDisk(t)
	st := open(t, filepath.Join(dir, "locks.db"))
	for n := range 3000 {
		if _, err := captured(t.Context(), st, fmt.Sprint("n", n)); err != nil {
			t.Fatalf("after %d captures: %v", n, err)
		}
	}
}

// A renewal makes the database no larger: a holder keeps the mutex on a disk
// that others have filled.
func TestSwap_RenewsOnAFullDisk(t *testing.T) {
	dir := smallDisk(t)
	path := filepath.Join(dir, "locks.db")
	st := open(t, path)
	token := take(t, st, "a")
	if err := st.Close(); err != nil { // all is in the file
		t.Fatal(err)
	}
	st = open(t, path)
	renewals := func(n int) {
		for i := range n {
			res, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{
				{Name: "a", Do: store.Renew, Expect: store.Expect{Token: token}},
			}})
			if err != nil || !res.Done {
				t.Fatalf("renewal %d: %+v, %v", i, res, err)
			}
		}
	}
	renewals(1)
	enginetest.FillDisk(t, filepath.Join(dir, "ballast"), 0)
	renewals(2000)
	var err error
	for n := range 5000 { // a capture does make it larger
		if _, err = captured(t.Context(), st, fmt.Sprint("n", n)); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("captures on a full disk: %v", err)
	}
}
