package kvtest_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/editlock/editlock/store/kv"
)

// guards lets rows of a tampered engine be guarded.
type guards struct {
	tampered
	mu   sync.Mutex
	keys map[string]int // guards by the key that they guard

	// What a bug changes; nil: nothing.
	checks  func(t *kv.Txn) *kv.Txn // on what it depends whether a transaction meets a guard
	ends    func(w *kv.Write) bool  // whether a write would end a guarded row
	inForce func(c *kv.Cond)
}

// Guard implements kvtest.Guarder.
func (e *guards) Guard(t testing.TB, key string, rev uint64) (guarded bool, end func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := kv.Cond{Key: key, Rev: rev}
	if e.inForce != nil {
		e.inForce(&c)
	}
	answers, err := e.Engine.Commit(t.Context(), []kv.Txn{{If: []kv.Cond{c}}})
	if err != nil {
		t.Fatal(err)
	}
	if !answers[0].Done {
		return false, nil
	}
	e.keys[key]++
	return true, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.keys[key]--
	}
}

func (e *guards) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	answers := make([]kv.Answer, len(txns))
	for i := range txns {
		got, err := e.commit(ctx, &txns[i])
		if err != nil {
			return nil, err
		}
		answers[i] = got
	}
	return answers, nil
}

func (e *guards) commit(ctx context.Context, t *kv.Txn) (kv.Answer, error) {
	met := slices.ContainsFunc(t.Then, func(w kv.Write) bool {
		return e.keys[w.Key] > 0 && (e.ends != nil && e.ends(&w) || e.ends == nil && !w.Renew)
	})
	if met {
		checked := &kv.Txn{Once: t.Once, If: t.If}
		if e.checks != nil {
			checked = e.checks(checked)
		}
		answers, err := e.Engine.Commit(ctx, []kv.Txn{*checked})
		if err != nil || answers[0].Done {
			return kv.Answer{Guarded: true}, err
		}
	}
	answers, err := e.tampered.Commit(ctx, []kv.Txn{*t})
	if err != nil {
		return kv.Answer{}, err
	}
	return answers[0], nil
}
