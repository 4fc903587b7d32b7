// Package groupcommit lets the callers of an engine share commits. Each hands a
// job to a Queue; its one committer takes what waits, and does it in one step
// of the database. What arrives while a step is on its way shares the next, so
// a job that comes alone goes out at once.
package groupcommit

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/editlock/editlock/store"
)

// Item is a job of an engine. It embeds a Job.
type Item interface {
	comparable
	// Size is how many swaps the job is worth, and roughly how many bytes it
	// writes. It is asked by the committer only.
	Size() (swaps, bytes int)
	job() *Job
}

// Job is what a Queue knows of an item. The zero value is ready.
type Job struct {
	ctx  context.Context // of the caller, who may be gone before the turn comes
	err  error
	done chan struct{}
}

func (j *Job) job() *Job { return j } //nolint:unused // it is what makes an item of who embeds a Job

// Context is the caller's. It is set once the job was handed over.
func (j *Job) Context() context.Context { return j.ctx }

// Finish answers the caller. Each job is finished once, by the committer.
func (j *Job) Finish(err error) {
	j.err = err
	close(j.done)
}

// Dropped reports whether the caller has given up, and finishes the job if so.
func (j *Job) Dropped() bool {
	gone := j.ctx.Err()
	if gone != nil {
		j.Finish(gone)
	}
	return gone != nil
}

// Queue is the way of jobs to a committer. It is safe for concurrent use.
type Queue[T Item] struct {
	swaps, bytes int // that share a step, at most
	jobs         chan T
	next         *T            // taken from jobs, but too much for the step before
	turn         chan struct{} // holds one while a step is under way
	quit, gone   chan struct{}
	once         sync.Once
	under        sync.WaitGroup // what Go runs
}

// New makes a queue for a committer that takes up to so many swaps and bytes
// at a time; a job that is larger goes alone.
func New[T Item](swaps, bytes int) *Queue[T] {
	return &Queue[T]{swaps: swaps, bytes: bytes, jobs: make(chan T, swaps), turn: make(chan struct{}, 1), quit: make(chan struct{}), gone: make(chan struct{})}
}

// Alone runs f in place of the committer while there is no step under way and
// none to come, and reports whether it did: a caller that is alone need not
// wait for another goroutine.
func (q *Queue[T]) Alone(f func()) bool {
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	default:
		return false
	}
	if q.Closed() {
		return false
	}
	f()
	return true
}

// Do hands a job over and waits until it is finished. If ctx ends first, its
// error is returned, and the job may or may not be done. After Close it is
// store.ErrClosed.
func (q *Queue[T]) Do(ctx context.Context, item T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.Closed() {
		return store.ErrClosed
	}
	j := item.job()
	j.ctx, j.done = ctx, make(chan struct{})
	if err := q.send(ctx, item); err != nil {
		return err
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	case <-q.gone:
	}
	select { // it may have been the committer's last
	case <-j.done:
		return j.err
	default:
		return store.ErrClosed
	}
}

func (q *Queue[T]) send(ctx context.Context, item T) error {
	select {
	case q.jobs <- item:
		return nil
	case <-q.quit:
		return store.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Again queues once more a job that the committer has taken and not finished. If
// that is too late, nobody waits for it any more.
func (q *Queue[T]) Again(item T) { _ = q.send(item.job().ctx, item) }

// Run is the committer: it calls perform with one batch after the other until
// the queue is closed. perform finishes each job of a batch now, by Go, or, by
// Again, in a later one; it must not keep the slice. Jobs whose callers have
// given up are left out.
func (q *Queue[T]) Run(perform func(batch []T)) {
	q.turn <- struct{}{}
	defer func() { // the turn stays taken
		q.under.Wait()
		close(q.gone)
	}()
	var batch []T
	for {
		clear(batch) // what was answered need not stay in memory
		if batch = q.collect(batch[:0]); batch == nil {
			return
		}
		if batch = slices.DeleteFunc(batch, func(item T) bool { return item.job().Dropped() }); len(batch) > 0 {
			perform(batch)
		}
		if len(batch) > 1 {
			runtime.Gosched() // those who were answered may have more to do: let it share a step
		}
	}
}

// Go runs f, which finishes jobs of a batch after perform has returned. Run
// ends after it.
func (q *Queue[T]) Go(f func()) { q.under.Go(f) }

// first waits for a job. It gives the turn away while there is none; ok: it was
// not closed.
func (q *Queue[T]) first() (item T, ok bool) {
	if q.Closed() {
		return item, false
	}
	if q.next != nil {
		item, q.next = *q.next, nil
		return item, true
	}
	select {
	case item = <-q.jobs:
		return item, true
	default:
	}
	<-q.turn
	select {
	case item = <-q.jobs:
		ok = true
	case <-q.quit:
	}
	q.turn <- struct{}{}
	return item, ok
}

// collect waits for a job and adds those that wait already; nil: closed.
func (q *Queue[T]) collect(batch []T) []T {
	item, ok := q.first()
	if !ok {
		return nil
	}
	batch = append(batch, item)
	swaps, bytes := batch[0].Size()
	for {
		select {
		case item := <-q.jobs:
			n, size := item.Size()
			if swaps, bytes = swaps+n, bytes+size; swaps > q.swaps || bytes > q.bytes {
				q.next = &item
				return batch
			}
			batch = append(batch, item)
		default:
			return batch
		}
	}
}

// Close ends Run after the batches that are under way, if any. The jobs that
// still wait fail with store.ErrClosed.
func (q *Queue[T]) Close() { q.once.Do(func() { close(q.quit) }) }

// Closing is closed by Close.
func (q *Queue[T]) Closing() <-chan struct{} { return q.quit }

// Ended is closed when Run has ended.
func (q *Queue[T]) Ended() <-chan struct{} { return q.gone }

// Closed reports whether the queue is.
func (q *Queue[T]) Closed() bool {
	select {
	case <-q.quit:
		return true
	default:
		return false
	}
}
