package editlock

import (
	"context"
	"log/slog"
	"time"

	"github.com/editlock/editlock/store"
)

const (
	// pruneEvery is how often it is decided how far age may cut the history, and
	// pruneStep the span of history that one decision gives up at most. A clock
	// that is wrong and believed then costs little before somebody sees it.
	pruneEvery = time.Minute
	pruneStep  = time.Hour
	// leap is how far the store's clock may go ahead of this process's, from one
	// look to the next, or the history be silent, before the clock is doubted;
	// less where MaxAge is less. trustAfter is how long it must then run evenly.
	leap       = 7 * 24 * time.Hour
	trustAfter = 24 * time.Hour
	// witnesses is how many of the newest entries must follow each other
	// without a leap.
	witnesses = 100
)

// pruning decides how far age cuts the history. What is deleted does not come
// back, and the store's clock may be wrong for a moment: no clock is believed by
// itself.
type pruning struct {
	log   *slog.Logger
	limit time.Duration // a leap
	next  time.Time     // when to look again
	until time.Time     // entries from before may go; zero: none

	at, seen time.Time // of the last look: this process's time, and the store's
	even     time.Time // since when the two went on together
	leapt    bool      // they did not once
	doubted  bool
}

// keep is what the next sweep should keep of the history.
func (m *Manager) keep(ctx context.Context) store.Retention {
	keep := store.Retention{MaxEntries: m.opts.History.MaxEntries}
	if m.opts.History.MaxAge <= 0 {
		return keep
	}
	p := &m.pruning
	if now := time.Now(); !now.Before(p.next) {
		p.next = now.Add(pruneEvery)
		p.until = m.lookBack(ctx)
	}
	keep.Before = p.until
	return keep
}

// lookBack returns the moment before which entries may go, zero for none.
func (m *Manager) lookBack(ctx context.Context) time.Time {
	p, none := &m.pruning, time.Time{}
	view, err := m.store.Get(ctx, ID{ID: "ready"}.String(), "")
	if err != nil {
		return none
	}
	ahead := p.tick(time.Now(), view.Now)
	oldest, err := m.store.Log(ctx, store.LogQuery{Limit: 1})
	if err != nil || len(oldest.Entries) == 0 {
		return none
	}
	first := oldest.Entries[0].At
	until := view.Now.Add(-m.opts.History.MaxAge)
	if !first.Before(until) {
		return none // nothing is old enough
	}
	newest, err := m.store.Log(ctx, store.LogQuery{Newest: true, Limit: witnesses})
	if err != nil {
		return none
	}
	if !p.trusts(view.Now, newest.Entries) {
		if !p.doubted {
			p.log.Warn("the history is not deleted by age: the store's clock may be wrong; see “The clock jumped” in the runbook",
				"store_clock", view.Now, "newest_entry", newest.Entries[0].At, "went_ahead_by", ahead)
		}
		p.doubted = true
		return none
	}
	if p.doubted {
		p.log.Info("the history is deleted by age again", "store_clock", view.Now, "before", until)
		p.doubted = false
	}
	if step := first.Add(pruneStep); step.Before(until) {
		return step
	}
	return until
}

// tick notes a reading of the store's clock, and returns by how much it went
// ahead of this process's since the last.
func (p *pruning) tick(now, seen time.Time) (ahead time.Duration) {
	if p.at.IsZero() {
		p.even = now
	} else if ahead = seen.Sub(p.seen) - now.Sub(p.at); ahead > p.limit {
		p.even, p.leapt = now, true
		p.log.Warn("the store's clock went ahead of this process's", "by", ahead, "store_clock", seen)
	}
	p.at, p.seen = now, seen
	return ahead
}

// trusts reports whether the clock has run evenly for a day or, if it made no
// leap here, whether the newest entries lead up to it without one.
func (p *pruning) trusts(now time.Time, newest []store.LogEntry) bool {
	if p.at.Sub(p.even) >= trustAfter {
		return true
	}
	for _, e := range newest {
		if now.Sub(e.At) > p.limit {
			return false
		}
		now = e.At
	}
	return !p.leapt
}
