package kvtest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/kv/kvtest"
	"github.com/editlock/editlock/store/memory"
)

// mutantEnv names the bug to plant in TestMutated.
const mutantEnv = "KVTEST_MUTANT"

// tampered is an engine in memory that is told something else than its caller
// says, or says something else than it answers.
type tampered struct {
	*memory.Engine
	txn    func(t *kv.Txn)
	answer func(t *kv.Txn, a *kv.Answer)
	rng    func(r *kv.Range)
	query  func(q *kv.LogQuery)
	page   func(pages []kv.LogPage, i int) kv.LogPage
	keep   func(k *kv.Keep)
}

func (e *tampered) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	told := slices.Clone(txns)
	for i := range told {
		told[i].If, told[i].Then = slices.Clone(told[i].If), slices.Clone(told[i].Then)
		told[i].Read = slices.Clone(told[i].Read)
		if e.txn != nil {
			e.txn(&told[i])
		}
	}
	answers, err := e.Engine.Commit(ctx, told)
	for i := range answers {
		if e.answer != nil {
			e.answer(&txns[i], &answers[i])
		}
	}
	return answers, err
}

func (e *tampered) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	told := slices.Clone(ranges)
	for i := range told {
		if e.rng != nil {
			e.rng(&told[i])
		}
	}
	return e.Engine.Read(ctx, told...)
}

func (e *tampered) Log(ctx context.Context, queries ...kv.LogQuery) ([]kv.LogPage, error) {
	told := slices.Clone(queries)
	for i := range told {
		if e.query != nil {
			e.query(&told[i])
		}
	}
	pages, err := e.Engine.Log(ctx, told...)
	for i := range pages {
		if e.page != nil {
			pages[i] = e.page(pages, i)
		}
	}
	return pages, err
}

func (e *tampered) Trim(ctx context.Context, keep kv.Keep) error {
	if e.keep != nil {
		e.keep(&keep)
	}
	return e.Engine.Trim(ctx, keep)
}

func conds(change func(c *kv.Cond)) func(e *guards) {
	return func(e *guards) {
		e.txn = func(t *kv.Txn) {
			for i := range t.If {
				change(&t.If[i])
			}
		}
	}
}

func writes(change func(w *kv.Write)) func(e *guards) {
	return func(e *guards) {
		e.txn = func(t *kv.Txn) {
			for i := range t.Then {
				change(&t.Then[i])
			}
		}
	}
}

var mutants = map[string]func(e *guards){
	"ignores revisions":             conds(func(c *kv.Cond) { c.Rev = 0 }),
	"ignores versions":              conds(func(c *kv.Cond) { c.Ver = 0 }),
	"ignores tags":                  conds(func(c *kv.Cond) { c.Tag = "" }),
	"ignores leases":                conds(func(c *kv.Cond) { c.Lease = "" }),
	"ignores data":                  conds(func(c *kv.Cond) { c.Data = nil }),
	"takes what is due for live":    conds(func(c *kv.Cond) { c.Dead = false }),
	"counts one too many":           conds(func(c *kv.Cond) { c.AtMost++ }),
	"counts live rows only":         conds(func(c *kv.Cond) { c.Due = false }),
	"counts what is due always":     conds(func(c *kv.Cond) { c.Due = true }),
	"lets all be due":               conds(func(c *kv.Cond) { c.NoneDue, c.AtMost = false, max(c.AtMost, 1000) }),
	"is too early":                  func(e *guards) { e.txn = func(t *kv.Txn) { t.Since = time.Time{} } },
	"checks the first condition":    func(e *guards) { e.txn = func(t *kv.Txn) { t.If = t.If[:min(1, len(t.If))] } },
	"forgets what was done once":    func(e *guards) { e.txn = func(t *kv.Txn) { t.Once = "" } },
	"forgets that a row shall end":  writes(func(w *kv.Write) { w.TTL = 0 }),
	"ignores the end of the age":    writes(func(w *kv.Write) { w.Max = 0 }),
	"ignores what bounds one write": writes(func(w *kv.Write) { w.Within = 0 }),
	"replaces instead of renewing":  writes(func(w *kv.Write) { w.Renew = false }),
	"writes rows without lease":     writes(func(w *kv.Write) { w.Lease = "" }),
	"forgets tags of rows":          writes(func(w *kv.Write) { w.Tags = nil }),
	"numbers no keys":               writes(func(w *kv.Write) { w.Numbered = false }),
	"says done of what was not":     func(e *guards) { e.answer = func(_ *kv.Txn, a *kv.Answer) { a.Done = true } },
	"reads before it writes": func(e *guards) {
		e.answer = func(_ *kv.Txn, a *kv.Answer) { a.Found = make([]kv.Found, len(a.Found)) }
	},
	"gives each the same numbers":       func(e *guards) { e.answer = func(_ *kv.Txn, a *kv.Answer) { a.First = 1 } },
	"passes over what is due always":    func(e *guards) { e.rng = func(r *kv.Range) { r.Either = false } },
	"shows the oldest first always":     func(e *guards) { e.query = func(q *kv.LogQuery) { q.Newest = false } },
	"repeats the last entry":            func(e *guards) { e.query = func(q *kv.LogQuery) { q.After = max(q.After, 1) - 1 } },
	"answers one query for all":         func(e *guards) { e.page = func(pages []kv.LogPage, _ int) kv.LogPage { return pages[0] } },
	"ignores tags of the log":           func(e *guards) { e.query = func(q *kv.LogQuery) { q.Tag = "" } },
	"keeps all":                         func(e *guards) { e.keep = func(k *kv.Keep) { *k = kv.Keep{} } },
	"lets guarded rows end":             func(e *guards) { e.ends = func(*kv.Write) bool { return false } },
	"lets guarded rows be replaced":     func(e *guards) { e.ends = func(w *kv.Write) bool { return w.Delete } },
	"holds up renewals of guarded rows": func(e *guards) { e.ends = func(*kv.Write) bool { return true } },
	"holds up what would be refused":    func(e *guards) { e.checks = func(t *kv.Txn) *kv.Txn { return &kv.Txn{Once: t.Once} } },
	"holds up what was done before":     func(e *guards) { e.checks = func(t *kv.Txn) *kv.Txn { return &kv.Txn{If: t.If} } },
	"guards any revision":               func(e *guards) { e.inForce = func(c *kv.Cond) { c.Rev = 0 } },
	"keeps by number only":              func(e *guards) { e.keep = func(k *kv.Keep) { k.Before = time.Time{} } },
}

// TestMutants runs the suite on engines with planted bugs, each in a process of
// its own, and fails where the suite does not.
func TestMutants(t *testing.T) {
	for name := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.failfast", "-test.timeout=60s", "-test.run", "^TestMutated$")
			cmd.Env = append(os.Environ(), mutantEnv+"="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			switch {
			case err == nil:
				t.Error("the suite did not find the bug")
			case !errors.As(err, &exit), !strings.Contains(string(out), "--- FAIL: TestMutated/"):
				t.Errorf("the suite did not fail as it should: %v\n%s", err, out)
			}
		})
	}
}

// TestMutated runs the suite on the mutant that the environment names. On none
// it is the control: what the mutants are made from is right.
func TestMutated(t *testing.T) {
	plant := mutants[os.Getenv(mutantEnv)]
	kvtest.Run(t, func(t testing.TB, clock *kvtest.Clock) kv.Engine {
		e := &guards{tampered: tampered{Engine: memory.NewEngine(&memory.Options{Now: clock.Now})}, keys: make(map[string]int)}
		if plant != nil {
			plant(e)
		}
		t.Cleanup(func() { _ = e.Close() })
		return e
	})
}
