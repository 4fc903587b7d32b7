package etcd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/etcd"
)

// TestStore_HearsAfterRestart has a watch go on by itself.
func TestStore_HearsAfterRestart(t *testing.T) {
	s := &server{Etcd: enginetest.StartOwnEtcd(t)}
	url := s.url()
	here, there := s.at(t, nil, url), s.at(t, nil, url)
	sub := here.Subscribe("peer")
	defer sub.Close()
	for round := range 3 {
		if round > 0 {
			s.Kill()
			s.Start()
		}
		deadline := time.After(time.Minute)
		for n, heard := 0, false; !heard; n++ {
			sw := take(fmt.Sprint(round, "/", n), "ann", store.Terms{})
			if _, err := there.Commit(t.Context(), store.Txn{Ops: []store.Op{sw}}); err != nil {
				t.Fatal(err)
			}
			select {
			case <-sub.C:
				_, heard = sub.Drain()
			case <-time.After(100 * time.Millisecond):
			case <-deadline:
				t.Fatalf("round %d: nothing heard", round)
			}
		}
	}
}

// TestOpen_AfterUnseenRestart opens a store that nobody had open when etcd's
// leader changed: time goes on from the last step, late but never early.
func TestOpen_AfterUnseenRestart(t *testing.T) {
	s := &server{Etcd: enginetest.StartOwnEtcd(t)}
	url := s.url()
	st, err := etcd.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	res, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{take("a", "ann", store.Terms{Idle: 10 * time.Second})}})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	s.Start()
	for range 2 {
		view, err := s.at(t, nil, url).Get(t.Context(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		if told, passed := view.Now.Sub(res.Now), time.Since(began); told <= 0 || told > passed+50*time.Millisecond {
			t.Errorf("%v passed; the store says %v", passed, told)
		}
		if passed := time.Since(began); view.Record == nil && passed < 9*time.Second {
			t.Errorf("expired after %v", passed)
		}
	}
}

// TestStore_TokensRiseAfterRestore puts the keys of an earlier moment back, as
// restoring a snapshot does.
func TestStore_TokensRiseAfterRestore(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	url := s.url()
	prefix := strings.TrimPrefix(url, "etcd://"+s.Host) + "/"
	c, ctx := admin(t, s.Host), t.Context()
	swap := func(st store.Store, sw store.Op) *store.Record {
		t.Helper()
		res, err := st.Commit(ctx, store.Txn{Ops: []store.Op{sw}})
		if err != nil || !res.Done {
			t.Fatalf("%+v, %v", res, err)
		}
		return res.Records[0]
	}
	st, err := etcd.Open(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	swap(st, take("a", "ann", store.Terms{}))
	snapshot, err := c.Get(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	var last uint64
	for range 10 {
		swap(st, drop("a", "ann"))
		last = swap(st, take("a", "ann", store.Terms{})).Token
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Delete(ctx, prefix, clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}
	for _, kv := range snapshot.Kvs {
		if _, err := c.Put(ctx, string(kv.Key), string(kv.Value)); err != nil {
			t.Fatal(err)
		}
	}
	restored := s.at(t, nil, url)
	swap(restored, drop("a", "ann"))
	if rec := swap(restored, take("a", "bob", store.Terms{})); rec.Token <= last {
		t.Errorf("token %d after %d", rec.Token, last)
	}
}
