// Package kvtest holds engines to the contract of package kv. An engine's own
// test is a call:
//
//	kvtest.Run(t, func(t testing.TB, clock *kvtest.Clock) kv.Engine {
//		return memory.NewEngine(&memory.Options{Now: clock.Now})
//	})
//
// Package storetest then proves core on the engine, histories and faults
// included.
package kvtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock/store/kv"
)

// Clock is the clock of an engine under test. It stands still unless advanced.
// An engine that can't be given one makes it real: then to advance is to wait,
// and what needs a time to the microsecond is left out.
type Clock struct {
	mu   sync.Mutex
	now  time.Time
	real time.Duration // a second of the suite; 0: the clock is set by hand
}

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	if c.real > 0 {
		time.Sleep(c.scale(d))
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Real says that the engine keeps its own time. second is how long the suite
// waits for what would be a second.
func (c *Clock) Real(second time.Duration) { c.real = second }

func (c *Clock) scale(d time.Duration) time.Duration {
	if c.real > 0 {
		return time.Duration(float64(d) * c.real.Seconds())
	}
	return d
}

// Open returns an empty engine that keeps to clock, and sees to its closing
// when the test ends.
type Open func(t testing.TB, clock *Clock) kv.Engine

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for _, l := range slices.Concat(conditionLaws, writeLaws, rangeLaws, crowdLaws, nodeLaws, logLaws, lifeLaws, guardLaws) {
		t.Run(l.name, func(t *testing.T) {
			clock := &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)}
			l.run(&test{T: t, ctx: t.Context(), clock: clock, e: open(t, clock)})
		})
	}
}

// law is one thing every engine must keep to; its name says it.
type law struct {
	name string
	run  func(t *test)
}

// test is one engine under test.
type test struct {
	*testing.T
	ctx   context.Context
	clock *Clock
	e     kv.Engine
}

// seconds is so many seconds of the suite.
func (t *test) seconds(n float64) time.Duration {
	return t.clock.scale(time.Duration(n * float64(time.Second)))
}

// exact skips what can't be seen on a clock that goes on by itself.
func (t *test) exact() {
	if t.clock.real > 0 {
		t.Skip("the engine keeps its own time")
	}
}

func (t *test) commit(txns ...kv.Txn) []kv.Answer {
	t.Helper()
	answers, err := t.e.Commit(t.ctx, txns)
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) != len(txns) {
		t.Fatalf("%d answers to %d transactions", len(answers), len(txns))
	}
	return answers
}

// put writes rows, unconditionally.
func (t *test) put(writes ...kv.Write) kv.Answer {
	t.Helper()
	txn := kv.Txn{Then: writes}
	for i := range writes {
		txn.Numbers = max(txn.Numbers, writes[i].Number)
	}
	a := t.commit(txn)[0]
	if !a.Done {
		t.Fatal("a transaction without conditions was not done")
	}
	return a
}

func (t *test) read(ranges ...kv.Range) []kv.Found {
	t.Helper()
	a, err := t.e.Read(t.ctx, ranges...)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Found) != len(ranges) {
		t.Fatalf("%d answers to %d ranges", len(a.Found), len(ranges))
	}
	return a.Found
}

func (t *test) row(key string) *kv.Row {
	t.Helper()
	rows := t.read(kv.Range{Key: key})[0].Rows
	if len(rows) == 0 {
		return nil
	}
	return &rows[0]
}

func (t *test) keys(r kv.Range) []string {
	t.Helper()
	var keys []string
	for _, row := range t.read(r)[0].Rows {
		keys = append(keys, row.Key)
	}
	return keys
}

// judge reports whether a transaction with a condition is done.
func (t *test) judge(c ...kv.Cond) bool {
	t.Helper()
	return t.commit(kv.Txn{If: c})[0].Done
}

func (t *test) same(what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func ptr[T any](v T) *T { return &v }

func value(s string) []byte { return []byte("value of " + s) }

func nth(prefix string, n int) string { return fmt.Sprintf("%s%03d", prefix, n) }
