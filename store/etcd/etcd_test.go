package etcd_test

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/etcd"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/kv/kvtest"
	"github.com/editlock/editlock/store/storetest"
)

// prefixes keeps the stores of this process apart on one server.
var prefixes atomic.Int64

// server is an etcd, and where the stores of a test are in it.
type server struct {
	*enginetest.Etcd
	urls, engines sync.Map
}

func (s *server) url() string {
	return fmt.Sprintf("etcd://%s/test/%d/%d", s.Host, time.Now().UnixNano(), prefixes.Add(1))
}

// at opens a store that keeps to the clock; a real one it leaves to etcd.
func (s *server) at(t testing.TB, clock *storetest.Clock, url string) store.Store {
	t.Helper()
	now := func() time.Time { return clock.Now() }
	if clock == nil {
		now = nil
	}
	e, err := etcd.OpenEngine(t.Context(), url, now)
	if err != nil {
		t.Fatal(err)
	}
	st := core.New(e)
	s.engines.Store(st, e)
	s.urls.Store(st, url)
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return st
}

func (s *server) open(t testing.TB, clock *storetest.Clock) store.Store {
	return s.at(t, clock, s.url())
}

// reopen opens the store again; crashed, after etcd was killed.
func (s *server) reopen(t testing.TB, clock *storetest.Clock, st store.Store, crashed bool) store.Store {
	t.Helper()
	url, _ := s.urls.Load(st)
	if crashed {
		s.Kill()
		s.Start()
	} else if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return s.at(t, clock, url.(string))
}

// reads counts what a store asks etcd from now on.
func (s *server) reads(st store.Store) *etcd.Reads {
	e, _ := s.engines.Load(st)
	return etcd.CountReads(e.(kv.Engine))
}

func TestEngine(t *testing.T) {
	s := &server{Etcd: enginetest.StartOwnEtcd(t)}
	kvtest.Run(t, func(t testing.TB, clock *kvtest.Clock) kv.Engine {
		e, err := etcd.OpenEngine(t.Context(), s.url(), clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		return e
	})
}

func TestStore(t *testing.T) {
	s := &server{Etcd: enginetest.StartOwnEtcd(t)}
	storetest.Run(t, storetest.Harness{Steady: true, Parallel: true, Open: s.open, Reopen: s.reopen, Quick: os.Getenv("EDITLOCK_LONG") == ""})
}
