package etcd_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/storetest"
)

// TestStore_ReadsOutliveARestart has reads wait for etcd, as writes do.
func TestStore_ReadsOutliveARestart(t *testing.T) {
	s := &server{Etcd: enginetest.StartOwnEtcd(t)}
	st := s.open(t, storetest.NewClock())
	for name, read := range map[string]func() error{
		"Get":  func() error { _, err := st.Get(t.Context(), "a"); return err },
		"List": func() error { _, err := st.List(t.Context(), store.Query{}); return err },
		"Log":  func() error { _, err := st.Log(t.Context(), store.LogQuery{}); return err },
	} {
		s.Kill()
		done := make(chan error)
		go func() { done <- read() }()
		select {
		case err := <-done:
			t.Errorf("%s did not wait for etcd: %v", name, err)
			s.Start()
			continue
		case <-time.After(100 * time.Millisecond): // it waits
		}
		s.Start()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStore_FindsByNameWhatAnOlderVersionLogged lets a version that knows no
// index of names write in between: it drops the head's field, and writes no keys.
func TestStore_FindsByNameWhatAnOlderVersionLogged(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	url := s.url()
	st := s.at(t, storetest.NewClock(), url)
	swap := func(sw store.Swap) uint64 {
		t.Helper()
		res, err := st.Swap(t.Context(), store.Request{Swaps: []store.Swap{sw}})
		if err != nil || !res.Done {
			t.Fatalf("%v, %v", res.Done, err)
		}
		if res.Records[0] == nil {
			return 0
		}
		return res.Records[0].Token
	}
	old := swap(take("a", "ann", store.Terms{}))
	swap(drop("a", "ann"))

	c, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + s.Host}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	prefix := strings.TrimPrefix(url, "etcd://"+s.Host) + "/"
	got, err := c.Get(t.Context(), prefix+"head")
	if err != nil || len(got.Kvs) != 1 {
		t.Fatal(got, err)
	}
	var head map[string]any
	if err := json.Unmarshal(got.Kvs[0].Value, &head); err != nil || head["named"] == nil {
		t.Fatal(head, err)
	}
	older := regexp.MustCompile(`"named":\d+,`).ReplaceAllString(string(got.Kvs[0].Value), "")
	_, err = c.Put(t.Context(), prefix+"head", older)
	if _, failed := c.Delete(t.Context(), prefix+"named/", clientv3.WithPrefix()); err != nil || failed != nil {
		t.Fatal(err, failed)
	}

	again := swap(take("a", "bob", store.Terms{}))
	swap(drop("a", "bob"))
	swap(take("b", "bob", store.Terms{}))
	for _, newest := range []bool{false, true} {
		var sessions []string
		for q := (store.LogQuery{Name: "a", Newest: newest, Limit: 1}); ; {
			page, err := st.Log(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Entries {
				sessions = append(sessions, e.Owner.Session)
			}
			if page.Next == 0 {
				break
			}
			if q.After = page.Next; newest {
				q.After, q.Before = 0, page.Next
			}
		}
		want := []string{"ann", "ann", "bob", "bob"}
		if newest {
			slices.Reverse(want)
		}
		if diff := cmp.Diff(want, sessions); diff != "" {
			t.Errorf("newest first: %v\n%s", newest, diff)
		}
	}
	index, err := c.Get(t.Context(), prefix+"named/", clientv3.WithPrefix())
	if err != nil || len(index.Kvs) == 0 {
		t.Fatal(index, err)
	}
	for _, kv := range index.Kvs { // one that writes keys of the index only, and no kinds
		if _, err := c.Put(t.Context(), string(kv.Key), ""); err != nil {
			t.Fatal(err)
		}
	}
	ends, err := st.Ends(t.Context(), []store.Hold{{Name: "a", Token: old}, {Name: "a", Token: again}}, []string{"released"})
	if err != nil || ends.Entries[1] == nil || ends.Entries[1].Token != again || ends.Floor < old {
		t.Errorf("%+v, %v", ends, err)
	}
}
