package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/rueidis"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store/etcd"
	"github.com/editlock/editlock/store/redis"
)

// limits compares limited and shared holds with other locks of these kinds: permits of a
// semaphore, and read and write locks. One client uses names of its own; many clients share one
// name, which has room for all of them.
func limits(ctx context.Context, b *bench) error {
	if err := onHost(ctx, b.dir, b.semaphores(ctx)); err != nil {
		return err
	}
	return onHost(ctx, b.dir, b.readers(ctx))
}

// semaphores are compared on Redis.
func (b *bench) semaphores(ctx context.Context) func(*host) error {
	return func(h *host) error {
		server := enginetest.StartRedis(h)
		c := must(rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{strings.TrimPrefix(server.URL, "redis://")}, DisableCache: true}))
		defer c.Close()
		m := editlock.NewManager(must(redis.Open(ctx, server.Store())), nil)
		defer m.Close()
		return b.besides(ctx, "editlock, limit", "a sorted set, two scripts", []way{
			{"a sorted set, two scripts", permits(c)},
			{"editlock, limit", holdPairs(m, &editlock.CaptureOptions{Limit: many})},
			{"editlock, exclusive", nil},
		}, m)
	}
}

// readers are compared on etcd.
func (b *bench) readers(ctx context.Context) func(*host) error {
	return func(h *host) error {
		server := enginetest.StartEtcd(h)
		c := must(clientv3.New(clientv3.Config{Endpoints: []string{server.Host}}))
		defer c.Close()
		m := editlock.NewManager(must(etcd.Open(ctx, "etcd://"+server.Host+"/limits", nil)), nil)
		defer m.Close()
		sessions := make([]*concurrency.Session, many)
		for i := range sessions {
			sessions[i] = must(concurrency.NewSession(c, concurrency.WithTTL(int(lease.Seconds()))))
		}
		lock := func(name string, client int) *recipe.RWMutex { return recipe.NewRWMutex(sessions[client], "/rw-"+name) }
		return b.besides(ctx, "editlock, shared", "recipes.RWMutex, RLock", []way{
			{"recipes.RWMutex, RLock", func(_ context.Context, name string, client int) error {
				l := lock(name, client)
				if err := l.RLock(); err != nil {
					return err
				}
				return l.RUnlock()
			}},
			{"editlock, shared", holdPairs(m, &editlock.CaptureOptions{Sharing: editlock.Shared})},
			{"recipes.RWMutex, Lock", func(_ context.Context, name string, client int) error {
				l := lock(name, client)
				if err := l.Lock(); err != nil {
					return err
				}
				return l.Unlock()
			}},
			{"editlock, exclusive", nil},
		}, m)
	}
}

// way is one way to hold a name for a moment; nil: exclusively, by editlock.
type way struct {
	name string
	op   func(ctx context.Context, name string, client int) error
}

// besides races ways to hold: each with one client that uses names of its own, and with many,
// who share one name if the way lets them.
func (b *bench) besides(ctx context.Context, ours, theirs string, ways []way, m *editlock.Manager) error {
	var all []contender
	for _, clients := range []int{1, many} {
		suffix := map[int]string{1: ", 1 client", many: ", one name"}[clients]
		for _, w := range ways {
			c := contender{name: w.name + suffix, clients: clients}
			op, alone := w.op, w.op == nil || strings.HasSuffix(w.name, "Lock") && !strings.HasSuffix(w.name, "RLock")
			if op == nil {
				op = holdPairs(m, nil)
			}
			c.op = func(ctx context.Context, client, n int) error { return op(ctx, "one", client) }
			if alone || clients == 1 {
				c.op = func(ctx context.Context, client, n int) error {
					return op(ctx, fmt.Sprint(client, "-", n%1000), client)
				}
			}
			if alone && clients == many {
				c.name = w.name + ", names of their own"
			}
			switch {
			case w.name == ours:
				c.versus = []versus{{theirs + suffix, 0}}
			case op != nil && w.op == nil && theirs == "recipes.RWMutex, RLock":
				c.versus = []versus{{all[len(all)-1].name, 0}}
			}
			all = append(all, c)
		}
	}
	scores, err := b.race(ctx, all)
	if err == nil {
		report(all, scores)
		fmt.Println()
	}
	return err
}

// holdPairs captures and releases as the options say.
func holdPairs(m *editlock.Manager, opts *editlock.CaptureOptions) func(context.Context, string, int) error {
	mode := "exclusive"
	if opts != nil {
		mode = fmt.Sprint(opts.Sharing, opts.Limit)
	}
	return func(ctx context.Context, name string, client int) error {
		ctx = editlock.WithOwner(ctx, editlock.Owner{Session: fmt.Sprint("session-", client)})
		id := editlock.ID{Group: "limits", Mode: mode, ID: name}
		if _, err := m.Capture(ctx, id, opts); err != nil {
			return err
		}
		_, err := m.Release(ctx, id, editlock.Condition{})
		return err
	}
}

// The scripts of permits. takePermit first returns the permits that have ended; the other
// notifies waiters.
var (
	takePermit = rueidis.NewLuaScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ended = redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if ended > 0 then redis.call('INCRBY', KEYS[1], ended) end
local free = redis.call('GET', KEYS[1]) or redis.call('INCRBY', KEYS[1], ARGV[3]) and ARGV[3]
if tonumber(free) < 1 then return false end
redis.call('DECR', KEYS[1])
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
return ARGV[1]`)
	givePermit = rueidis.NewLuaScript(`
if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('INCR', KEYS[1])
redis.call('PUBLISH', KEYS[3], '1')
return 1`)
)

// permits is a semaphore whose permits expire, designed as Redisson's: a counter of free permits,
// and a sorted set of the acquired ones by the time of their end.
func permits(c rueidis.Client) func(context.Context, string, int) error {
	ms, most := fmt.Sprint(lease.Milliseconds()), fmt.Sprint(many)
	return func(ctx context.Context, name string, client int) error {
		free, given, permit := "{"+name+"}", "{"+name+"}:timeout", fmt.Sprint("permit-", client)
		if err := takePermit.Exec(ctx, c, []string{free, given}, []string{permit, ms, most}).Error(); err != nil {
			return err
		}
		return givePermit.Exec(ctx, c, []string{free, given, "{" + name + "}:channel"}, []string{permit}).Error()
	}
}
