package etcd_test

import (
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
)

// far is a way to a server on which everything takes so long in each direction.
func far(t *testing.T, host string, delay time.Duration) (near string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	open.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", host)
			if err != nil {
				_ = client.Close()
				continue
			}
			open.Go(func() { late(server, client, delay) })
			open.Go(func() { late(client, server, delay) })
		}
	})
	return l.Addr().String()
}

// late copies what comes, so much later.
func late(to io.WriteCloser, from io.ReadCloser, delay time.Duration) {
	type piece struct {
		at   time.Time
		data []byte
	}
	pieces := make(chan piece, 1<<12)
	go func() {
		defer close(pieces)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				pieces <- piece{time.Now().Add(delay), data[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.at))
		if _, err := to.Write(p.data); err != nil {
			break
		}
	}
	_, _ = to.Close(), from.Close()
	for range pieces {
	}
}

// TestStore_FarProcess has a process far from etcd get its steps in between
// those of one that is near and never rests.
func TestStore_FarProcess(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	url := s.url()
	near := s.at(t, nil, url)
	there := &server{Etcd: &enginetest.Etcd{Host: far(t, s.Host, 50*time.Millisecond)}}
	distant := there.at(t, nil, "etcd://"+there.Host+url[len("etcd://"+s.Host):])

	var stop atomic.Bool
	var steps atomic.Int64
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for name := fmt.Sprint("near", i); !stop.Load(); steps.Add(2) {
				for _, sw := range []store.Op{take(name, "ann", store.Terms{}), drop(name, "ann")} {
					if res, err := near.Commit(t.Context(), store.Txn{Ops: []store.Op{sw}}); err != nil || !res.Done {
						t.Errorf("near: %+v, %v", res, err)
						return
					}
				}
			}
		})
	}
	const rounds = 3
	for range rounds {
		for _, sw := range []store.Op{take("far", "bob", store.Terms{}), drop("far", "bob")} {
			began := time.Now()
			res, err := distant.Commit(t.Context(), store.Txn{Ops: []store.Op{sw}})
			if err != nil || !res.Done {
				t.Errorf("far: %+v, %v", res, err)
			}
			t.Logf("far: %v, while the near one took %d steps", time.Since(began), steps.Swap(0))
		}
	}
	stop.Store(true)
	wg.Wait()
}
