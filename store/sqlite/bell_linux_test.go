package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/sqlite"
)

func write(t *testing.T, e kv.Engine, txn kv.Txn) {
	t.Helper()
	if a, err := e.Commit(t.Context(), []kv.Txn{txn}); err != nil || !a[0].Done {
		t.Fatalf("%+v, %v", a, err)
	}
}

// The processes here never poll within the time of the test.
func TestListen_HearsOfOthersWithoutAPoll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "editlock.db")
	one, two := engineAt(t, path, sqlite.Seldom()), engineAt(t, path, sqlite.Seldom())
	news := make(chan kv.News, 100)
	two.Listen(func(n kv.News) { news <- n })
	write(t, one, kv.Txn{})
	write(t, two, kv.Txn{Then: []kv.Write{{Key: "two"}}}) // as a process does that waits
	for i, txn := range []kv.Txn{
		{Numbers: 1, Log: []kv.Entry{{Number: 1}}},
		{Messages: []kv.Message{{To: "peer", Text: "ticket"}}},
		{Numbers: 1, Log: []kv.Entry{{Number: 1}}},
	} {
		write(t, one, txn)
		n := <-news
		if n.Logged != (len(txn.Log) > 0) || len(n.Messages) != len(txn.Messages) {
			t.Errorf("transaction %d: heard of %+v", i, n)
		}
	}
}

// A ring costs its ringer a look too, so a process that writes alone does not
// ring; nor does one that has no news.
func TestCommit_RingsForOthersWhoHaveWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "editlock.db")
	one := engineAt(t, path, nil)
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	if _, err := unix.InotifyAddWatch(fd, path+"-shm", unix.IN_ATTRIB); err != nil {
		t.Fatal(err)
	}
	rang := func() bool {
		_, err := unix.Read(fd, make([]byte, 4096))
		if err != nil && !errors.Is(err, unix.EAGAIN) {
			t.Fatal(err)
		}
		return err == nil
	}
	news := kv.Txn{Numbers: 1, Log: []kv.Entry{{Number: 1}}}
	write(t, one, news)
	if !rang() {
		t.Error("the first news of a process, which knows nothing of others: no ring")
	}
	for range 10 {
		write(t, one, news)
	}
	if rang() {
		t.Error("rang for itself alone")
	}
	two := engineAt(t, path, nil)
	write(t, two, kv.Txn{Then: []kv.Write{{Key: "a"}}})
	if rang() {
		t.Error("rang without news")
	}
	for range 2 {
		write(t, one, news)
		if !rang() {
			t.Error("another process has written, and is not rung for")
		}
	}
}
