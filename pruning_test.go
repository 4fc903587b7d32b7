package editlock_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// aged is a store in memory with a history, whose clock can be put forward, and
// the Manager that prunes it.
type aged struct {
	*testing.T
	*editlock.Manager
	st    store.Store
	ahead atomic.Int64
	said  bytes.Buffer
	n     int
}

const (
	day       = 24 * time.Hour
	setAhead  = 400 * day
	keepsYear = 365 * day
)

// withHistory runs f on a store with an entry an hour for so many days, in a
// bubble of its own.
func withHistory(t *testing.T, days int, maxAge time.Duration, f func(a *aged)) {
	synctest.Test(t, func(t *testing.T) {
		a := &aged{T: t}
		a.st = kept{memory.New(&memory.Options{Now: func() time.Time { return time.Now().Add(time.Duration(a.ahead.Load())) }})}
		defer a.stop()
		for range days * 24 {
			a.entry()
			time.Sleep(time.Hour)
		}
		a.start(maxAge)
		f(a)
	})
}

// kept is a store that outlives its Manager.
type kept struct{ store.Store }

func (kept) Close() error { return nil }

func (a *aged) stop() {
	if a.Manager != nil {
		_ = a.Close()
	}
	a.Manager = nil
}

// start gives the store to another Manager, as a restart of the server does.
func (a *aged) start(maxAge time.Duration) {
	a.stop()
	a.Manager = editlock.NewManager(a.st, &editlock.ManagerOptions{
		History: editlock.Retention{MaxAge: maxAge}, Logger: slog.New(slog.NewTextHandler(&a.said, nil)),
	})
}

func (a *aged) entry() {
	a.Helper()
	a.n++
	res, err := a.st.Commit(a.Context(), store.Txn{Ops: []store.Op{{
		Name: fmt.Sprint(a.n), Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &store.Party{Session: "ann"}, Terms: &store.Terms{}, Event: &store.Event{Kind: "captured"},
	}}})
	if err != nil || !res.Done {
		a.Fatal(res, err)
	}
}

// oldest is how old the oldest entry is, by this process's clock, and count how
// many there are.
func (a *aged) oldest() (age time.Duration, count int) {
	a.Helper()
	page, err := a.st.Log(a.Context(), store.LogQuery{Limit: 100_000})
	if err != nil {
		a.Fatal(err)
	}
	if len(page.Entries) > 0 {
		age = time.Since(page.Entries[0].At)
	}
	return age, len(page.Entries)
}

func TestPruning(t *testing.T) {
	t.Run("a clock 400 days ahead for three seconds deletes nothing", func(t *testing.T) {
		withHistory(t, 10, keepsYear, func(a *aged) {
			_, before := a.oldest()
			for range 130 { // at any moment between two looks
				time.Sleep(time.Duration(1_300) * time.Millisecond)
				a.ahead.Store(int64(setAhead))
				time.Sleep(3 * time.Second)
				a.ahead.Store(0)
			}
			if _, after := a.oldest(); after != before {
				a.Errorf("%d of %d entries are left", after, before)
			}
			if said := a.said.String(); !strings.Contains(said, "went ahead") || strings.Count(said, "not deleted by age") != 1 {
				a.Errorf("it said %q", said)
			}
		})
	})
	t.Run("a clock that is ahead when the server starts deletes nothing of an idle store for a day", func(t *testing.T) {
		withHistory(t, 10, keepsYear, func(a *aged) {
			_, before := a.oldest()
			a.ahead.Store(int64(setAhead))
			a.start(keepsYear)
			time.Sleep(23 * time.Hour)
			if _, after := a.oldest(); after != before {
				a.Errorf("%d of %d entries are left", after, before)
			}
			if said := a.said.String(); strings.Count(said, "not deleted by age") != 1 {
				a.Errorf("it said %q", said)
			}
		})
	})
	t.Run("a wrong clock that is believed deletes an hour in a minute at most", func(t *testing.T) {
		withHistory(t, 10, keepsYear, func(a *aged) {
			_, before := a.oldest()
			a.ahead.Store(int64(setAhead))
			a.start(keepsYear)
			for range 200 { // more than the witnesses
				a.entry()
			}
			time.Sleep(30 * time.Minute)
			if _, after := a.oldest(); after < before+200-31 || after == before+200 {
				a.Errorf("%d of %d entries are left", after, before+200)
			}
		})
	})
	t.Run("what is too old goes, and nothing else", func(t *testing.T) {
		withHistory(t, 4, 2*day, func(a *aged) {
			for range 30 {
				time.Sleep(time.Hour)
				a.entry()
			}
			if age, count := a.oldest(); age > 2*day+2*time.Minute || age < 2*day-2*time.Hour || count > 50 {
				a.Errorf("%d entries are left, the oldest %v old", count, age)
			}
		})
	})
	t.Run("an idle store is pruned after a day of an even clock", func(t *testing.T) {
		withHistory(t, 2, 3*day, func(a *aged) {
			a.stop()
			time.Sleep(20 * day)
			a.start(3 * day)
			time.Sleep(26 * time.Hour)
			if _, count := a.oldest(); count != 0 {
				a.Errorf("%d entries are left", count)
			}
		})
	})
}
