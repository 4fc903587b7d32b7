package editlock

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store"
)

// ManagerOptions adjusts a Manager. Nil means defaults.
type ManagerOptions struct {
	// Permit decides whether by may take over, or release by force, a mutex
	// that another person holds. do is KindTakenOver or KindForceReleased;
	// a refusal should be ErrForbidden, wrapped with the reason. Nil permits.
	// It is not asked where the kinds of the owners decide (see OwnerKind).
	Permit func(ctx context.Context, do EventKind, by Owner, held Mutex) error

	// Limits are those of groups and modes. Where one was lowered, those who hold
	// beyond it stay.
	Limits []HolderLimit

	// History says how much of it to keep. Zero fields keep everything.
	History Retention

	// Logger hears when the store's clock is doubted, and the history therefore
	// kept longer than its MaxAge. Nil means slog.Default().
	Logger *slog.Logger
}

// Retention bounds the history by age and by number of entries. What is
// younger than ten minutes always stays. Age deletes an hour of history in a minute at
// most, and nothing while the store's clock may be wrong.
type Retention struct {
	MaxAge     time.Duration
	MaxEntries int64
}

// Manager is the Locker on a store. It holds no locks itself: any number of
// Managers, in any number of processes, may share one store.
type Manager struct {
	store store.Store
	opts  ManagerOptions
	waits waits
	tail  tail

	searches searches
	probe    *probe

	pruning pruning // sweep's

	cursors cursors

	end  context.CancelFunc
	done sync.WaitGroup
}

var _ Locker = (*Manager)(nil)

// NewManager returns a Manager on st, which it owns from now on: Close closes
// both. It sweeps what expires in the background.
func NewManager(st store.Store, o *ManagerOptions) *Manager {
	m := &Manager{store: st, searches: newSearches(), probe: newProbe()}
	if o != nil {
		m.opts = *o
	}
	m.pruning.log, m.pruning.limit = m.opts.Logger, min(leap, m.opts.History.MaxAge)
	if m.pruning.log == nil {
		m.pruning.log = slog.Default()
	}
	ctx, end := context.WithCancelCause(context.Background())
	m.end = func() { end(ErrUnavailable) }
	m.waits.init(ctx, st, m.rejoin)
	m.tail.init(ctx, st)
	m.cursors.init(st, m.storeError)
	m.done.Go(func() { m.sweep(ctx) })
	news := st.Subscribe(m.waits.process)
	m.done.Go(func() { m.listen(ctx, news) })
	return m
}

// Close ends waits and watches with ErrUnavailable and closes the store.
// Mutexes stay held, and those who waited keep their place for some seconds,
// in which they may ask again by the same request ID.
func (m *Manager) Close() error {
	m.end()
	m.done.Wait()
	m.waits.close()
	return m.store.Close()
}

// Pause waits until the store has no transaction open that others would wait
// for, and lets none begin until resume is called. It is for a process that is
// about to stop itself, as after Ctrl-Z; one that is stopped by others can't
// see to that. Calls made meanwhile wait, and nothing is renewed.
func (m *Manager) Pause() (resume func()) {
	if p, ok := m.store.(store.Pauser); ok {
		return p.Pause()
	}
	return func() {}
}

// sweepEvery bounds how late an expiry is noticed that this process could not
// foresee.
const sweepEvery = time.Second

// sweep settles what falls due, just when it does.
func (m *Manager) sweep(ctx context.Context) {
	timer := time.NewTimer(sweepEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		due, err := m.store.Sweep(ctx, m.keep(ctx))
		if err != nil || due < 0 || due > sweepEvery {
			due = sweepEvery
		}
		timer.Reset(max(due, time.Millisecond))
	}
}

// listen passes the store's news on to who waits or watches here.
func (m *Manager) listen(ctx context.Context, sub *store.Subscription) {
	defer sub.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sub.C:
		}
		news, grew := sub.Drain()
		m.waits.wake(news)
		if grew {
			m.tail.wake()
		}
	}
}

// commit performs one operation and returns what is in force after it.
func (m *Manager) commit(ctx context.Context, requestID string, sw store.Op) (*store.Record, store.Result, error) {
	res, err := m.store.Commit(ctx, store.Txn{ID: requestID, Ops: []store.Op{sw}})
	if err != nil {
		return nil, res, m.storeError(ctx, err)
	}
	return res.Records[0], res, nil
}

func (m *Manager) storeError(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return ended(ctx)
	}
	m.probe.met(err)
	return unavailable(err)
}

// ended is why a call, or its wait, ended before its time: the error of its
// context, unless its ender gave an ErrUnavailable as the cause or ended
// the wait alone.
func ended(ctx context.Context) error {
	cause := context.Cause(patience.End(ctx))
	if err := ctx.Err(); err != nil && !errors.Is(cause, ErrUnavailable) {
		return err
	}
	return cause
}
