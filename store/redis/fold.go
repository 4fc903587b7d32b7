package redis

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// foldFrom is from how many changes on the indexes are brought up to date, and
	// foldAfter is how long after a change at the latest. What reads them does that,
	// too, so this keeps little left to do for them.
	foldFrom  = 512
	foldAfter = time.Second
	// lastFold is how long that may take when the engine is closed.
	lastFold = time.Second
)

// folds is what is known of changes that the indexes do not show yet.
type folds struct {
	loose atomic.Int64  // how many this process made, roughly
	some  chan struct{} // there are some
	many  chan struct{} // there are foldFrom of them
}

// changed sees to it that the indexes are brought up to date.
func (f *folds) changed(n int) {
	if f.loose.Add(int64(n)) >= foldFrom {
		signal(f.many)
	}
	signal(f.some)
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// keepFolding brings the indexes up to date after changes, and once more at the
// end.
func (e *engine) keepFolding(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			within, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFold)
			defer cancel()
			if e.folds.loose.Load() > 0 {
				e.fold(within)
			}
			return
		case <-e.folds.some:
		}
		select {
		case <-ctx.Done():
			continue
		case <-e.folds.many:
		case <-time.After(foldAfter):
		}
		e.fold(ctx)
	}
}

// fold brings the indexes up to date. After a failure, the next change or who
// reads them sees to it.
func (e *engine) fold(ctx context.Context) {
	e.folds.loose.Store(0)
	_, _ = e.behind(ctx, e.scripts.fold)
}
