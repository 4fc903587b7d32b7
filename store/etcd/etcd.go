// Package etcd keeps a store in an etcd cluster, version 3.4 or newer.
//
// Guarantees: all laws of package kv, among any number of processes. A batch of
// transactions is one etcd transaction, and one round trip where this process
// has read or written last what it depends on. It is acknowledged when a
// majority of the members has it on disk.
//
// The store's clock is etcd's: its leader counts the age of a lease, which
// every process reads when it opens the store and every minute after, and
// expiry is judged by that time to the microsecond. Two processes' readings
// may differ by a round trip at worst, and by some milliseconds as a rule; a
// holder stops 2 % before the hold ends, so leases should be longer than
// fifty round trips. No machine's time of day decides anything, but that of
// who creates the store, where its clock begins. Whole seconds appear in one
// place: as etcd tells ages in them, and the end of one must be seen, Open
// takes up to a second.
//
// Weaknesses: a new leader of etcd counts leases again from zero. Processes that
// are there carry the time on; if there are none, the time until the next comes
// is not counted, so holds end later by so much, never sooner, and times
// shown are behind. A transaction that depends on more than about 80 keys, such
// as a capture of 30 mutexes, keeps other processes from writing for three round
// trips. A request that writes more than etcd's --max-request-bytes (1.5 MiB) is
// refused with an error: 1,000 names of 100 bytes fit in one.
package etcd

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
)

// Options adjusts a store. Nil means defaults; there is nothing to adjust yet.
type Options struct{}

// engine is a kv.Engine in etcd.
type engine struct {
	keys    keys
	client  *clientv3.Client
	kv      pb.KVClient
	leases  clientv3.Lease
	grant   func(ctx context.Context, id, ttl int64) error // of a lease with this ID
	clock   *clock
	process string // this one's ID
	slack   int64  // how far behind the time of an answer may be, in microseconds

	quit context.Context // ends with Close
	end  context.CancelFunc
	work sync.WaitGroup // goroutines that end with quit

	term     atomic.Uint64 // that etcd was in when it answered last
	revision atomic.Int64  // at which it did
	known    known
	loose    atomic.Int64  // about so much of the log was written since it was indexed
	indexed  atomic.Uint64 // the log is indexed up to this number at least
	indexing atomic.Bool
	span     atomic.Uint64 // of numbers, that had about a page of the log

	mu     sync.Mutex
	head   head
	raw    string // the head as it is stored
	latest int64  // time of a batch that this process has seen
	last   uint64 // number given out, or seen
	ahead  int64  // how far other processes' numbers were ahead of this machine's time of day

	listeners kv.Listeners
	watching  sync.Once
}

// openWithin bounds how long Open tries to reach etcd.
const openWithin = 10 * time.Second

// Open opens the store that a URL names, and creates it if it does not exist:
//
//	etcd://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…][/PREFIX][?tls=true&ca=FILE&cert=FILE&key=FILE]
//
// The keys of the store begin with /PREFIX/ (/editlock/), and no others are
// touched; the user needs a role that may read and write these. A store of
// another version of editlock is refused.
func Open(ctx context.Context, url string, _ *Options) (*core.Store, error) {
	e, err := open(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	return core.New(e), nil
}

func open(ctx context.Context, url string, fixed func() time.Time) (*engine, error) {
	cfg, prefix, err := parse(url)
	if err != nil {
		return nil, err
	}
	e := &engine{keys: keys(prefix), process: newID()}
	e.span.Store(firstSpan)
	e.quit, e.end = context.WithCancel(context.Background())
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	cfg.Context = e.quit
	// The client's first call is to authenticate; it has no context of its own.
	cfg.DialTimeout = openWithin
	if e.client, err = clientv3.New(cfg); err != nil {
		e.end()
		return nil, explain(err, cfg.Endpoints)
	}
	e.kv, e.leases = clientv3.RetryKVClient(e.client), e.client.Lease
	e.grant = granter(e.client)
	e.clock = newClock(e.leases)
	if e.clock.fixed = fixed; fixed == nil {
		e.slack = maxSlack.Microseconds()
	}
	if err := e.start(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if fixed == nil {
		e.background(e.keepTime)
	}
	return e, nil
}

// newID is of processLen characters.
func newID() string {
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], rand.Uint64())
	return hex.EncodeToString(id[:])
}

// start finds or creates the store, and sets the clock.
func (e *engine) start(ctx context.Context) error {
	for {
		err := e.setClock(ctx)
		if err == nil {
			return nil
		}
		if !temporary(err) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if failed := pause(ctx, retryPause); failed != nil {
			return fmt.Errorf("%w: %w", err, failed)
		}
	}
}

// Close implements kv.Engine.
func (e *engine) Close() error {
	e.mu.Lock()
	e.end()
	e.mu.Unlock()
	e.work.Wait()
	if err := e.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// background runs f, which ends soon after quit, unless the engine is closed.
func (e *engine) background(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.quit.Err() == nil {
		e.work.Go(f)
	}
}

// ready returns the head, and as it is stored, once the clock goes by it.
func (e *engine) ready(ctx context.Context) (h head, raw string, err error) {
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	h, raw = e.headNow()
	return h, raw, e.clock.await(ctx, h, e.term.Load())
}

// now is the store's time.
func (e *engine) now(ctx context.Context) (at int64, err error) {
	err = e.again(ctx, func() error {
		h, _, err := e.ready(ctx)
		at = e.clock.now(h)
		return err
	})
	return at, err
}

// enter begins a call.
func (e *engine) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e.quit.Err() != nil {
		return kv.ErrClosed
	}
	return nil
}

const (
	// epoch is when numbers begin, in microseconds since 1970: 2025.
	epoch = 1_735_689_600_000_000
	// maxByClock is the last number that the clock leads to, in 2167. A clock that
	// is wrong leaves as many before 2^53, where JavaScript's end.
	maxByClock = 1 << 52
)

// draw gives out n numbers, and returns the first. None is below the
// microseconds since epoch by this machine's time of day. So numbers rise even
// if somebody restores a snapshot of etcd, which has not heard of those given
// out since it was taken: no store gives out a million a second.
func (e *engine) draw(n uint64) uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	first := max(e.last+1, uint64(min(max(0, wall()-epoch+e.ahead), maxByClock)))
	if n > 0 {
		e.last = first + n - 1
	}
	return first
}

// learn takes in the head, the step and the turn, after a request that took so long and
// failed, and returns who has the turn; empty: nobody.
func (e *engine) learn(answers []*pb.RangeResponse, trip time.Duration) (holder string, err error) {
	_, h, err := decodeHead(answers[0].Kvs)
	if err != nil {
		return "", err
	}
	e.setHead(h, string(answers[0].Kvs[0].Value))
	if step := first(answers[1]); step != nil {
		last := leading(step.Value)
		e.mu.Lock()
		if last >= e.last {
			// Other processes give out numbers while a request is on its way.
			e.last = last + 2*uint64(trip.Microseconds())
			e.ahead = max(0, int64(last)-(wall()-epoch))
		}
		e.mu.Unlock()
	}
	if turn := first(answers[2]); turn != nil {
		holder = string(turn.Value)
	}
	return holder, nil
}

// headNow is the head, as far as known, and as it is stored.
func (e *engine) headNow() (h head, raw string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	h = e.head
	h.At = e.latest
	return h, e.raw
}

func (e *engine) setHead(h head, raw string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.head, e.raw, e.latest = h, raw, max(e.latest, h.At)
}

// passed notes the time of the last batch as it was read, and returns it.
func (e *engine) passed(got *pb.RangeResponse) (at int64) {
	if kv := first(got); kv != nil {
		at = int64(leading(kv.Value))
		e.saw(at)
	}
	return at
}

// saw notes the time of a batch.
func (e *engine) saw(at int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.latest = max(e.latest, at)
}
