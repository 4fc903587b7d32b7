package mariadb_test

import (
	"context"
	"testing"
	"time"

	"github.com/editlock/editlock/store/mariadb"
)

// A process may begin while the row that writers take turns on is locked for long, as
// by one that was stopped in the middle of its work.
func TestOpen_OfAStoreThatIsThereWaitsForNoLock(t *testing.T) {
	t.Parallel()
	url := database(t)
	first, err := mariadb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.Close() })
	tx, err := connect(t, url).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	for _, table := range []string{"meta", "row", "guard", "log", "tag", "note"} {
		var n int
		if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM editlock_"+table+" FOR UPDATE").Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	begun := time.Now()
	second, err := mariadb.Open(ctx, url)
	if err != nil {
		t.Fatalf("after %v: %v", time.Since(begun), err)
	}
	_ = second.Close()
}
