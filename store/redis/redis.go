// Package redis keeps a store in Redis (6.2 and newer) or Valkey, on one
// server, behind a failover, or on a cluster: for several servers of editlock
// that share one store.
//
// Guarantees: all laws of package kv but, in a failover, the third and the sixth. Each
// batch is one script, so it happens at one moment; the server's clock decides, in
// whole microseconds. What was acknowledged outlives a crash of Redis if it runs with
// "appendonly yes" and "appendfsync always". With "appendfsync everysec", Redis's
// default, a crash may lose the last second; without a file, everything.
//
// Failover: replicas are behind by what was not sent yet. A replica that is
// made the primary may not know the last changes: a mutex held by one is then
// free or another's, and tokens and numbers of entries may be given out a
// second time. The option wait_replicas makes each call wait until so many
// replicas have its changes, and fail if they don't in time: its outcome is
// then not known, and a retry with the same request ID finds it out. That
// makes the loss rarer, not impossible: Redis doesn't refuse to promote
// a replica that lacks what others have acknowledged.
//
// Cluster: all keys of a store share the hash tag {PREFIX}, hence one slot of
// one server, as one log and one counter order all its changes. Stores of
// different prefixes spread over the cluster.
//
// Memory: Redis must not evict keys: a store refuses everything while the
// maxmemory-policy is not noeviction, or the server is a
// replica. It looks when it is opened, every second, and before the first call on
// a server that was restarted. What was evicted before it saw that is lost, so it
// then stays closed until it is opened again.
//
// The clock of Redis is its machine's. Set back, locks live longer by that
// much; set forward, they may end sooner. Tokens rise regardless.
package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store/core"
)

// layout is the version of how keys and values are laid out.
const layout = 2

const (
	dialTimeout = 5 * time.Second
	// silence is how long a server may leave calls unanswered until the
	// connection counts as broken.
	silence = 5 * time.Second
	// buffer is that of a connection, each way: many calls, or one of the
	// largest.
	buffer = 64 << 10
)

// engine is a kv.Engine.
type engine struct {
	at      address
	head    string        // of all keys
	armed   string        // the key that all scripts are given
	now     func() string // what scripts are given as the time, for tests; nil: nothing
	scripts *scripts
	client  rueidis.Client
	lone    *lone
	calls   atomic.Int64 // under way that need not come behind others
	closing sync.Once
	closed  atomic.Bool
	watch   watch
	news    news
	folds   folds

	end  context.CancelFunc
	done sync.WaitGroup
}

// Open opens the store at a URL:
//
//	redis://[user:password@]host:port[/db][?prefix=editlock][&wait_replicas=1&wait_timeout=1s]
//
// rediss:// is the same over TLS. Several hosts, separated by commas, are nodes
// of one cluster. The prefix begins all keys. wait_replicas is how many
// replicas must have a change before it counts as done, at most wait_timeout
// later; 0, none.
//
// Open fails if the server can't be reached, is too old or can't be written
// to, if it may evict keys, or if the store was laid out by another version of
// editlock.
func Open(ctx context.Context, url string) (*core.Store, error) {
	e, err := open(ctx, url, "", nil)
	if err != nil {
		return nil, err
	}
	return core.New(e), nil
}

// open opens an engine, on a clock of a test's if there is one: given is how
// scripts read what now tells.
func open(ctx context.Context, url, given string, now func() string) (*engine, error) {
	e, err := reach(ctx, url, given)
	if err != nil {
		return nil, err
	}
	e.now = now
	running, end := context.WithCancel(context.Background())
	e.end = end
	if err := e.check(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if err := e.subscribe(ctx, running); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	e.done.Go(func() { e.keepLooking(running) })
	e.done.Go(func() { e.keepFolding(running) })
	e.folds.changed(foldFrom) // what others have left, perhaps
	return e, nil
}

// reach makes an engine that is connected, and nothing more.
func reach(ctx context.Context, url, given string) (*engine, error) {
	at, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	e := &engine{at: at, head: "{" + at.prefix + "}:"}
	e.folds.some, e.folds.many = make(chan struct{}, 1), make(chan struct{}, 1)
	e.armed = e.head + "armed"
	e.news.used = make(chan struct{}, 1)
	e.scripts = newScripts(at.replicas, given)
	opt := rueidis.ClientOption{
		InitAddress: at.hosts, TLSConfig: at.tls, Username: at.user, Password: at.password, SelectDB: at.db,
		ClientName: "editlock", DisableCache: true, ConnWriteTimeout: silence,
		ReadBufferEachConn: buffer, WriteBufferEachConn: buffer,
		// One connection that all callers share: its commands go out together.
		PipelineMultiplex: -1,
	}
	opt.Dialer.Timeout = dialTimeout
	if e.client, err = dial(ctx, opt); err != nil {
		return nil, e.explain(ctx, err)
	}
	if e.lone, err = newLone(opt); err != nil {
		e.client.Close()
		return nil, e.explain(ctx, err)
	}
	return e, nil
}

// dial makes a client, unless the context ends first.
func dial(ctx context.Context, opt rueidis.ClientOption) (rueidis.Client, error) {
	type dialled struct {
		client rueidis.Client
		err    error
	}
	c := make(chan dialled, 1)
	go func() {
		client, err := rueidis.NewClient(opt)
		c <- dialled{client, err}
	}()
	select {
	case d := <-c:
		return d.client, d.err
	case <-ctx.Done():
		go func() {
			if d := <-c; d.err == nil {
				d.client.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// check asks the server whether it will do.
func (e *engine) check(ctx context.Context) error {
	if _, err := e.look(ctx); err != nil {
		return err
	}
	answer, err := e.read(ctx, e.scripts.open, strconv.Itoa(layout))
	if err != nil {
		return err
	}
	r := &reply{parts: answer}
	found, last := r.text(), r.number()
	if r.err != nil {
		return r.err
	}
	e.news.seen.Store(uint64(last))
	return e.laidOut(found)
}

// laidOut refuses the layout of another version.
func (e *engine) laidOut(found string) error {
	n, err := strconv.Atoi(found)
	switch {
	case err != nil || n > layout:
		return fmt.Errorf("redis: the store at prefix %q is laid out in version %s; this editlock knows %d: use a newer one",
			e.at.prefix, found, layout)
	case n < layout:
		return fmt.Errorf("redis: the store at prefix %q is laid out in version %s, that of an older editlock: name another prefix with "+
			"?prefix=, or delete the keys that begin with %s, to start over (the older editlock's \"history --json\" keeps the history); "+
			"nothing was changed", e.at.prefix, found, e.head)
	}
	return nil
}

// Close implements kv.Engine. Calls under way fail with ErrClosed, and may or
// may not have happened.
func (e *engine) Close() error {
	e.closing.Do(func() {
		if e.end != nil {
			e.end()
		}
		e.done.Wait()
		e.closed.Store(true)
		e.lone.close()
		e.client.Close()
	})
	return nil
}
