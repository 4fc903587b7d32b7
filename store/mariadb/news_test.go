package mariadb_test

import (
	"testing"
	"time"

	"github.com/editlock/editlock/store/kv"
)

func TestNewsOfAnotherProcessAreHeardBehindOwnNumbers(t *testing.T) {
	url := database(t)
	own, other := open(t, url, nil), open(t, url, nil)
	heard := make(chan kv.News, 100)
	t.Cleanup(own.Listen(func(n kv.News) { heard <- n }))
	commit := func(e kv.Engine, txn kv.Txn) {
		t.Helper()
		if _, err := e.Commit(t.Context(), []kv.Txn{txn}); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 { // a poll may come in between
		commit(other, kv.Txn{Numbers: 1, Log: []kv.Entry{{Number: 1, Value: []byte("x")}}})
		commit(own, kv.Txn{Numbers: 1})
		select {
		case <-heard:
		case <-time.After(10 * time.Second):
			t.Fatal("nothing was heard of a log entry of another process")
		}
		for len(heard) > 0 {
			<-heard
		}
	}
}
