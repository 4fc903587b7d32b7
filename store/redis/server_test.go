package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/redis"
	"github.com/editlock/editlock/store/storetest"
)

// ask sends a command that must succeed.
func ask(t *testing.T, server *enginetest.Redis, words ...string) string {
	t.Helper()
	said, err := server.Ask(t, words...)
	if err != nil {
		t.Fatalf("%q: %v", words, err)
	}
	return said
}

// until waits for what no event tells of.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	server := enginetest.StartRedis(t, "cluster-enabled=yes")
	slots := []string{"CLUSTER", "ADDSLOTS"} // ADDSLOTSRANGE is of Redis 7
	for i := range 16384 {
		slots = append(slots, strconv.Itoa(i))
	}
	ask(t, server, slots...)
	until(t, "the cluster", func() bool {
		_, err := server.Ask(t, "SET", "probe", "1")
		return err == nil
	})
	s := newStores(server)
	storetest.Run(t, storetest.Harness{Open: s.open, Parallel: true, Quick: true})
}

func TestReplicas(t *testing.T) {
	primary := enginetest.StartRedis(t, "repl-diskless-sync-delay=0")
	replica := enginetest.StartRedis(t, fmt.Sprintf("replicaof=127.0.0.1 %d", primary.Port))
	until(t, "the replica", func() bool { return ask(t, primary, "WAIT", "1", "100") == "1" })
	st := openStore(t, primary.Store()+"&wait_replicas=1&wait_timeout=200ms")
	retried(t, st, crashSwap(0, 0))

	replica.Signal(syscall.SIGSTOP)
	for range 2 { // a retry must not take the first try's word for it
		if res, err := st.Commit(t.Context(), crashSwap(0, 1)); err == nil || !strings.Contains(err.Error(), "0 of 1 replicas") {
			t.Fatalf("without the replica: %+v, %v", res, err)
		}
	}
	replica.Signal(syscall.SIGCONT)
	if res := retried(t, st, crashSwap(0, 1)); !res.Replayed {
		t.Errorf("the retry was a new write: %+v", res)
	}
}

func TestSwap_ColdScripts(t *testing.T) {
	server := enginetest.StartRedis(t, "appendonly=no")
	st := openStore(t, server.Store())
	stop := make(chan struct{})
	var flusher, wg sync.WaitGroup
	flusher.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := server.Ask(t, "SCRIPT", "FLUSH"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for w := range 8 {
		wg.Go(func() {
			for n := range 100 {
				if res, err := st.Commit(t.Context(), crashSwap(w, n)); err != nil || !res.Done || res.Replayed {
					t.Errorf("request %d: %+v, %v", n, res, err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	flusher.Wait()
}

func TestSwap_ServerStandsStill(t *testing.T) {
	server := enginetest.StartRedis(t, "appendonly=no")
	st := openStore(t, server.Store())
	for n := range 10 { // one after the other, so that the last ones are alone
		retried(t, st, crashSwap(0, n))
	}
	for _, callers := range []int{1, 4} {
		server.Signal(syscall.SIGSTOP)
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error)
		for w := range callers {
			go func() {
				_, err := st.Commit(ctx, crashSwap(10*callers+w, 0))
				errs <- err
			}()
		}
		time.AfterFunc(50*time.Millisecond, cancel)
		begun := time.Now()
		for range callers {
			if err := <-errs; !errors.Is(err, context.Canceled) {
				t.Errorf("%d callers: %v", callers, err)
			}
		}
		if late := time.Since(begun); late > 3*time.Second {
			t.Errorf("%d callers whose context ended got their answer after %v", callers, late)
		}
		server.Signal(syscall.SIGCONT)
		for w := range callers {
			retried(t, st, crashSwap(10*callers+w, 0))
		}
		for n := range 10 {
			retried(t, st, crashSwap(20*callers, n))
		}
	}
}

func TestOpen_Refusals(t *testing.T) {
	server := enginetest.StartRedis(t, "requirepass=secret-word", "user=reader on >reader-word ~* &* +@read",
		"user=editlock on >some-word ~{editlock}:* resetchannels &{editlock}:* +@all -@dangerous +info")
	at := enginetest.Address(server.Port)
	for _, c := range []struct{ name, url, want string }{
		{"no password", "redis://" + at, "user and a password"},
		{"a wrong password", "redis://:wrong-word@" + at, "refuses the user or the password"},
		{"a user who may not write", "redis://reader:reader-word@" + at, "may not do what editlock needs"},
		{"no such database", "redis://:secret-word@" + at + "/99", "DB index is out of range"},
		{"nobody there", "redis://:secret-word@" + enginetest.Address(enginetest.FreePort(t)), "connection refused"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.url, c.want) })
	}
	t.Run("none in another database, under another prefix", func(t *testing.T) {
		retried(t, openStore(t, "redis://:secret-word@"+at+"/3?prefix=other"), crashSwap(0, 0))
	})
	t.Run("none for a user with the rights that the documentation names", func(t *testing.T) {
		st := openStore(t, "redis://editlock:some-word@"+at)
		retried(t, st, crashSwap(0, 0))
		if _, err := st.Sweep(t.Context(), store.Retention{MaxEntries: 1}); err != nil {
			t.Error(err)
		}
	})

	plain := enginetest.StartRedis(t, "appendonly=no")
	t.Run("a server that drops keys", func(t *testing.T) {
		ask(t, plain, "CONFIG", "SET", "maxmemory-policy", "volatile-lru")
		refused(t, plain.Store(), "maxmemory-policy is volatile-lru")
		ask(t, plain, "CONFIG", "SET", "maxmemory-policy", "noeviction")
	})
	t.Run("a store of a newer editlock", func(t *testing.T) {
		ask(t, plain, "SET", "{new}:layout", "3")
		refused(t, plain.URL+"?prefix=new", "laid out in version 3; this editlock knows 2: use a newer one")
	})
	t.Run("a store of an older editlock", func(t *testing.T) {
		ask(t, plain, "SET", "{old}:layout", "1")
		refused(t, plain.URL+"?prefix=old", "that of an older editlock: name another prefix with ?prefix=, or delete the keys that begin with {old}:")
	})
	t.Run("a replica", func(t *testing.T) {
		replica := enginetest.StartRedis(t, fmt.Sprintf("replicaof=127.0.0.1 %d", plain.Port))
		refused(t, replica.Store(), "replica")
	})
}

// A server may be told to evict long after a store was opened on it. A mutex
// that it drops is free for the next one, and its holder hears nothing.
func TestStore_RefusesAServerThatMayEvict(t *testing.T) {
	server := enginetest.StartRedis(t, "appendonly=no")
	url := server.Store()
	st := openStore(t, url)
	calls := func() map[string]error {
		errs := map[string]error{}
		_, errs["Swap"] = st.Commit(t.Context(), crashSwap(9, 9))
		_, errs["Get"] = st.Get(t.Context(), "a", "")
		_, errs["List"] = st.List(t.Context(), store.RecordQuery{})
		_, errs["Log"] = st.Log(t.Context(), store.LogQuery{})
		_, errs["Beat"] = st.KeepAlive(t.Context(), "peer", time.Minute)
		_, errs["Sweep"] = st.Sweep(t.Context(), store.Retention{})
		return errs
	}
	awaitRefusal := func(want string) {
		t.Helper()
		until(t, "a refusal: "+want, func() bool {
			_, err := st.Get(t.Context(), "a", "")
			return err != nil && strings.Contains(err.Error(), want)
		})
		for method, err := range calls() {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want it to say %q", method, err, want)
			}
		}
	}
	for n := range 20 {
		retried(t, st, crashSwap(0, n))
	}
	ask(t, server, "CONFIG", "SET", "maxmemory-policy", "allkeys-random")
	awaitRefusal("maxmemory-policy is allkeys-random")
	ask(t, server, "CONFIG", "SET", "maxmemory-policy", "noeviction") // nothing was dropped
	until(t, "the store to go on", func() bool { return calls()["Get"] == nil })
	retried(t, st, crashSwap(0, 20))

	// Evicted and set back, perhaps between two looks.
	ask(t, server, "CONFIG", "SET", "maxmemory-policy", "allkeys-random")
	ask(t, server, "CONFIG", "SET", "maxmemory", "1")
	until(t, "an eviction", func() bool {
		_, _ = server.Ask(t, "SET", "x", "1") // refused or not, it makes Redis evict
		return ask(t, server, "DBSIZE") == "0"
	})
	ask(t, server, "CONFIG", "SET", "maxmemory", "0")
	ask(t, server, "CONFIG", "SET", "maxmemory-policy", "noeviction")
	awaitRefusal("keys since the store was opened")
	retried(t, openStore(t, url), crashSwap(0, 0)) // who has read the runbook
}

func TestStore_LooksAtARestartedServerBeforeItsFirstCall(t *testing.T) {
	server := enginetest.StartRedis(t, "appendonly=yes", "appendfsync=always")
	st := openStore(t, server.Store())
	retried(t, st, crashSwap(0, 0))
	server.Kill()
	server.Start()
	ask(t, server, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	for range 100 {
		res, err := st.Commit(t.Context(), crashSwap(0, 1))
		if err == nil {
			t.Fatalf("done on a server that may evict: %+v", res)
		}
		if strings.Contains(err.Error(), "maxmemory-policy is allkeys-lru") {
			return
		}
	}
	t.Error("it was never looked at")
}

func refused(t *testing.T, url, want string) {
	t.Helper()
	st, err := redis.Open(t.Context(), url)
	if err == nil {
		_ = st.Close()
		t.Fatal("opened")
	}
	if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "-word") {
		t.Errorf("the error is %q; want %q in it, and no password", err, want)
	}
}

// What a short program leaves behind must not wait for others to tidy it up.
func TestStore_ClosesWithItsIndexesUpToDate(t *testing.T) {
	server := enginetest.StartRedis(t, "appendonly=no")
	url := server.Store()
	_, prefix, _ := strings.Cut(url, "prefix=")
	for n := range 3 {
		st, err := redis.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		retried(t, st, crashSwap(0, n))
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]string{"pending": "0", "nnname of 0": strconv.Itoa(n + 1)} {
			if got := ask(t, server, "LLEN", "{"+prefix+"}:"+key); got != want {
				t.Errorf("after %d calls, %s has %s elements; want %s", n+1, key, got, want)
			}
		}
	}
}
