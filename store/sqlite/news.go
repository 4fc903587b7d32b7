package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/editlock/editlock/store/kv"
)

// Listen implements kv.Engine. SQLite has no push: the process looks at what
// other processes have written when the bell rings, and at intervals.
func (e *engine) Listen(f func(kv.News)) (stop func()) { return e.listeners.Add(f) }

// tell tells what this process has committed, if there is anything to tell.
func (e *engine) tell(txns []kv.Txn, answers []kv.Answer) (told bool) {
	for i := range txns {
		if answers[i].Done && len(txns[i].Log)+len(txns[i].Messages) > 0 {
			e.listeners.Tell(kv.NewsOf(&txns[i], &answers[i]))
			told = true
		}
	}
	return told
}

// committed notes that this process has drawn the numbers above from and up to
// to. If some before them are not told of, it leaves them for poll.
func (e *engine) committed(from, to uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.told >= from {
		e.told = max(e.told, to)
	}
}

// poll tells what other processes have committed, and looks after the files.
func (e *engine) poll() {
	version := int64(-1)
	for {
		e.bell.wait(e.ctx, e.every)
		if e.ctx.Err() != nil || e.files.check() != nil {
			return
		}
		e.gate.RLock()
		is := version
		err := query(e.poller, "PRAGMA data_version", func(s *sqlite.Stmt) error { is = s.ColumnInt64(0); return nil })
		if err == nil && is != version && e.look() == nil {
			version = is // else the next look may succeed
		}
		e.gate.RUnlock()
	}
}

// pause returns after d, or when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// look tells of the numbers and notes that others wrote.
func (e *engine) look() error {
	h, err := readHead(e.poller)
	if err != nil {
		return err
	}
	if err := e.tail.keepUp(e.poller, h); err != nil {
		return err
	}
	var notes []kv.Sent
	err = query(e.poller, "SELECT id, who, what, sender FROM editlock_note WHERE id > ? ORDER BY id", func(s *sqlite.Stmt) error {
		if e.noted = s.ColumnInt64(0); s.ColumnInt64(3) != e.id {
			notes = append(notes, kv.Sent{To: s.ColumnText(1), Text: s.ColumnText(2)})
		}
		return nil
	}, e.noted)
	e.mu.Lock()
	defer e.mu.Unlock()
	grown := h.last > e.told
	e.told = max(e.told, h.last)
	e.listeners.Tell(kv.News{Messages: notes, Logged: grown})
	return err
}
