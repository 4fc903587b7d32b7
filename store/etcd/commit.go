package etcd

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/editlock/editlock/store/kv"
)

const (
	// tryWithin is how long one try waits for etcd's answer.
	tryWithin = 3 * time.Second
	// giveUpAfter is how long a commit is tried while etcd can't be reached: long
	// enough to find out that a connection is dead, and to make another.
	giveUpAfter = 15 * time.Second
	// retryPause is how long after a failure the next try is made.
	retryPause = 50 * time.Millisecond

	// maxSteps is how many transactions share one of etcd's, and maxBytes how
	// much they write: etcd takes 1.5 MiB at once (--max-request-bytes).
	maxSteps = 256
	maxBytes = 512 << 10
	// defeats is how many tries in a row fail because of other processes before
	// this one writes alone.
	defeats = 8
	// patience is how long that goes on for a process whose tries take long.
	patience = 250 * time.Millisecond
)

// Commit implements kv.Engine.
func (e *engine) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	answers := make([]kv.Answer, len(txns))
	for at := 0; at < len(txns); at += maxSteps {
		until := min(at+maxSteps, len(txns))
		b := &batch{e: e, steps: make([]step, until-at), view: newView(e)}
		for i := range b.steps {
			s := &b.steps[i]
			s.txn, s.answer, s.open = &txns[at+i], &answers[at+i], true
			b.open = append(b.open, s)
		}
		if err := b.commit(ctx); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// Limits implements kv.Engine.
func (e *engine) Limits() kv.Limits { return kv.Limits{Txns: maxSteps, Bytes: maxBytes, Calls: 1} }

// batch is some transactions that share one of etcd's, in parts that are done
// or not each for itself. All batches of a store draw numbers from the key
// step: each compares that its numbers are above the last one there, and puts
// its own last one. So they are in one order, and processes whose batches come
// in the order of their numbers don't wait for each other.
type batch struct {
	e     *engine
	steps []step
	open  []*step // those that have no answer yet
	view  *view
	apart bool  // each step is a part
	lost  int   // tries in a row that another process was quicker than
	since int64 // when the first of them ended
	turn  turn
}

func (b *batch) commit(ctx context.Context) error {
	defer b.turn.end(b.e)
	for len(b.open) > 0 {
		if err := b.e.again(ctx, func() error { return b.try(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// again does what may fail while etcd can't be reached, until it succeeds.
func (e *engine) again(ctx context.Context, f func() error) error {
	deadline := e.clock.elapsed() + giveUpAfter.Microseconds()
	for {
		err := f()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case e.quit.Err() != nil:
			return kv.ErrClosed
		case !temporary(err) || e.clock.elapsed() > deadline:
			return err
		}
		if err := pause(ctx, retryPause); err != nil {
			return err
		}
	}
}

// errUnknown is of a step whose answer was lost, and which can't tell what it
// finds from what it did.
var errUnknown = errors.New("etcd: the connection was lost, and whether the transaction was done is not known")

// try works the open steps out, and sends those that have no answer then.
func (b *batch) try(ctx context.Context) error {
	e := b.e
	h, raw, err := e.ready(ctx)
	if err != nil {
		return err
	}
	if b.turn.wanted && !b.turn.mine {
		if err := b.turn.take(ctx, e); err != nil {
			return err
		}
		b.view = newView(e)
		b.view.exact = true
	}
	at := max(e.clock.now(h), h.At, b.view.at)
	numbers := 0
	for _, s := range b.open {
		numbers += s.txn.Numbers
	}
	first := e.draw(uint64(numbers))
	before := first - 1
	var unknown []fact
	for _, s := range b.open {
		s.run(b.view, fromMicros(at), before)
		before += uint64(s.txn.Numbers)
		if s.unknown {
			unknown = append(append(unknown, s.uses...), s.likely...)
		}
	}
	if len(unknown) > 0 {
		return b.view.read(ctx, unknown)
	}
	writes := b.date(at, h.At)
	if err := b.settle(ctx); err != nil || len(b.open) == 0 {
		return err
	}
	if !writes {
		at = max(h.At, b.view.at)
	}
	parts := b.parts()
	if parts == nil {
		b.turn.wanted = true
		return nil
	}
	last := before // 0: none is drawn
	if numbers == 0 {
		last = 0
	}
	began := e.clock.elapsed()
	resp, err := e.txn(ctx, b.request(parts, writes, raw, first, last, at))
	if err != nil {
		for _, p := range parts {
			for _, s := range p.steps {
				if s.writes() {
					s.drew = append(s.drew, number(s.before+1))
				}
			}
		}
		b.view = newView(e)
		b.view.exact = b.turn.mine
		return err
	}
	return b.take(ctx, parts, writes, at, resp, time.Duration(e.clock.elapsed()-began)*time.Microsecond)
}

// writes reports whether a step writes anything.
func (s *step) writes() bool {
	return s.over != nil && len(s.ops)+len(s.txn.Log)+s.txn.Numbers+len(s.txn.Messages) > 0
}

// maxSlack is how far behind the time of an answer may be that writes nothing,
// such as a refusal: it says how long another one's hold lasts still.
const maxSlack = 50 * time.Millisecond

// date sees to it that steps which write nothing have times in the order of
// batches, too. What such a step finds at a time may be changed by a batch of an
// earlier one that is still on its way. So either it is of the time of the last
// batch before, or, if that is too long ago or the batch is sent anyway, its time
// is written. date reports whether anything is written.
func (b *batch) date(at, latest int64) (writes bool) {
	for _, s := range b.open {
		writes = writes || s.writes()
	}
	for again := true; again; {
		again = false
		for _, s := range b.open {
			if s.final = false; s.writes() {
				continue
			}
			if s.now.UnixMicro() != at {
				s.run(b.view, fromMicros(at), s.before)
			}
			rev := b.view.moment(s.uses)
			before := latest
			if rev != 0 {
				before = b.view.times[rev]
			}
			switch {
			case rev != 0 && (b.turn.mine || at <= before):
				s.final = true
			case at <= before && !b.turn.mine, writes:
			case !b.turn.mine && !s.answer.Replayed && at-before <= b.e.slack && s.refusedAt(before):
				s.final = rev != 0
			default: // a caller that repeats a request counts its lease from now on
				writes, again = true, true
			}
		}
	}
	return writes
}

// refusedAt works the step out at an earlier time, and reports whether it writes
// nothing then, either.
func (s *step) refusedAt(at int64) bool {
	now := s.now
	if s.run(s.view, fromMicros(at), s.before); !s.writes() && !s.unknown {
		return true
	}
	s.run(s.view, now, s.before)
	return false
}

// settle answers the steps that write nothing, and of which all was read at one
// moment.
func (b *batch) settle(ctx context.Context) error {
	for _, s := range b.open {
		if s.writes() {
			continue
		}
		if len(s.drew) > 0 && s.txn.Once == "" && !s.answer.Done {
			return errUnknown
		}
		if s.final {
			if err := b.done(ctx, s, b.view.moment(s.uses)); err != nil {
				return err
			}
		}
	}
	b.close()
	return nil
}

func (b *batch) close() {
	b.open = slices.DeleteFunc(b.open, func(s *step) bool { return !s.open })
}

// done ends a step that was done, or refused, at a revision.
func (b *batch) done(ctx context.Context, s *step, rev int64) error {
	if s.late {
		a, err := b.e.readAt(ctx, rev, s.answer.Now, s.txn.Read)
		if err != nil {
			return err
		}
		s.answer.Found = a.Found
	}
	s.open = false
	if !s.answer.Done {
		return nil
	}
	for i := range s.wrote {
		w := &s.wrote[i]
		b.e.known.set(w.key, &value{raw: w.raw, row: s.over[w.key]})
	}
	b.e.listeners.Tell(kv.NewsOf(s.txn, s.answer))
	return nil
}
