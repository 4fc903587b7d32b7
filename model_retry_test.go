package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/editlock/editlock"
)

// lostCall is a call whose answer was lost on the way. It is sent again later,
// when its owner may have another job with holds of its own.
type lostCall struct {
	step step
	try  editlock.Try
	do   func(ctx context.Context, p *process) (tokens []editlock.Token, did bool, err error)

	// What a try that did its work was answered.
	tokens []editlock.Token
	fresh  bool // they were new
	did    bool
}

// lose makes a random call and forgets the answer.
func (w *world) lose(t *rapid.T) {
	id, o := w.id(t), w.person(t)
	l := w.model[id]
	c := &lostCall{try: editlock.Try{Key: fmt.Sprint("lost ", w.seen, len(w.lost))}}
	one := func(m editlock.Mutex, err error) ([]editlock.Token, bool, error) {
		return []editlock.Token{m.Token}, err == nil, err
	}
	w.now.name = rapid.SampledFrom([]string{
		"capture", "capture several", "take over", "release", "release all", "release session", "hand over", "force release",
	}).Draw(t, "lost call")
	switch w.now.name {
	case "capture":
		opts := w.options(t, id, o)
		opts.AutoRelease.MaxHold, opts.If = 0, l.someCondition(t)
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			return one(p.Capture(ctx, id, &opts))
		}
	case "capture several":
		ids := rapid.Permutation(modelIDs).Draw(t, "ids")[:2]
		w.now.ids = ids
		c.do = func(ctx context.Context, p *process) (tokens []editlock.Token, did bool, err error) {
			ms, err := p.CaptureAll(ctx, ids, nil)
			for _, m := range ms {
				tokens = append(tokens, m.Token)
			}
			return tokens, err == nil, err
		}
	case "take over":
		token := l.someToken(t)
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			return one(p.Takeover(ctx, id, token, "because", nil))
		}
	case "release":
		cond := l.someCondition(t)
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			did, err := p.Release(ctx, id, cond)
			return nil, did, err
		}
	case "release all":
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			ids, err := p.ReleaseAll(ctx, []editlock.ID{id})
			return nil, len(ids) > 0, err
		}
	case "release session":
		w.now.ids = modelIDs
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			_, err := p.ReleaseSession(ctx, o.Session)
			return nil, false, err // a retry tells of its own work only
		}
	case "hand over":
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			did, err := p.HandOver(ctx, id)
			return nil, did, err
		}
	case "force release":
		token := l.someToken(t)
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			err := p.ForceRelease(ctx, id, token, "because")
			return nil, err == nil, err
		}
	}
	c.step = w.now
	sent := time.Now()
	c.send(t, w)
	c.try.First = sent
	time.Sleep(time.Millisecond) // what comes next is later than this
	if w.lost = append(w.lost, c); len(w.lost) > 5 {
		w.lost = w.lost[1:]
	}
}

// retry sends a lost call again.
func (w *world) retry(t *rapid.T) {
	if len(w.lost) == 0 {
		return
	}
	c := rapid.SampledFrom(w.lost).Draw(t, "lost call")
	w.now = c.step
	w.now.sent = c.try.First
	c.send(t, w)
}

// send sends a call, and checks that the answer is that of the tries before,
// if one of them did its work.
func (c *lostCall) send(t *rapid.T, w *world) {
	top := w.top()
	tokens, did, err := c.do(editlock.WithTry(by(context.Background(), c.step.owner), c.try), w.at(t))
	switch {
	case err != nil && !errors.Is(err, editlock.ErrBusy) && !errors.Is(err, editlock.ErrLost) && !errors.Is(err, editlock.ErrNotHeld):
		t.Fatalf("%s: %v", c.step.name, err)
	case c.did && !did && (c.tokens == nil || c.fresh) && !errors.Is(err, editlock.ErrLost):
		t.Fatalf("the retry of %q did nothing, %v; a try before did", c.step.name, err)
	case err != nil || slices.Equal(tokens, c.tokens):
		return
	case c.fresh, c.tokens != nil && slices.ContainsFunc(tokens, func(n editlock.Token) bool { return n <= top && !slices.Contains(c.tokens, n) }):
		t.Fatalf("the retry of %q got the tokens %d, a try before %d; the largest was %d", c.step.name, tokens, c.tokens, top)
	}
	c.tokens, c.did = tokens, did
	c.fresh = slices.ContainsFunc(tokens, func(n editlock.Token) bool { return n > top })
}

// top is the largest token of all mutexes.
func (w *world) top() (top editlock.Token) {
	for _, l := range w.model {
		top = max(top, l.top)
	}
	return top
}
