package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bsm/redislock"
	"github.com/go-redsync/redsync/v4"
	redsyncredis "github.com/go-redsync/redsync/v4/redis/goredis/v9"
	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/redis/rueidis/rueidislock"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store/redis"
)

// lease is how long the peers' locks live.
const lease = 5 * time.Minute

// onRedis compares on Redis, without durability, as its other locks are used.
func onRedis(ctx context.Context, b *bench) error {
	return onHost(ctx, b.dir, func(h *host) error {
		server := enginetest.StartRedis(h)
		address := strings.TrimPrefix(server.URL, "redis://")
		bare := must(rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, DisableCache: true}))
		defer bare.Close()
		plain := goredis.NewClient(&goredis.Options{Addr: address, PoolSize: 2 * many})
		defer plain.Close()
		fmt.Printf("Redis %s, nothing kept on disk.\n\n", redisVersion(ctx, plain))
		locker := must(rueidislock.NewLocker(rueidislock.LockerOption{
			ClientOption: rueidis.ClientOption{InitAddress: []string{address}}, KeyMajority: 1, KeyValidity: lease, NoLoopTracking: true,
		}))
		defer locker.Close()
		st := must(redis.Open(ctx, server.Store()))
		defer st.Close()
		var programs [2]*editlock.Manager
		url := server.Store()
		for i := range programs {
			programs[i] = editlock.NewManager(must(redis.Open(ctx, url)), nil)
			defer programs[i].Close()
		}

		short, syncs := redislock.New(plain), redsync.New(redsyncredis.NewPool(plain))
		ops := []struct {
			name string
			op   func(context.Context, int, int) error
		}{
			{"SET NX PX + DEL, rueidis", barePairsRedis(bare)},
			{"SET NX PX + DEL, go-redis", func(ctx context.Context, client, n int) error {
				key := peerKey("goredis", client, n)
				if err := plain.SetArgs(ctx, key, "value", goredis.SetArgs{Mode: "NX", TTL: lease}).Err(); err != nil {
					return err
				}
				return plain.Del(ctx, key).Err()
			}},
			{"redislock", func(ctx context.Context, client, n int) error {
				l, err := short.Obtain(ctx, peerKey("redislock", client, n), lease, nil)
				if err != nil {
					return err
				}
				return l.Release(ctx)
			}},
			{"redsync", func(ctx context.Context, client, n int) error {
				l := syncs.NewMutex(peerKey("redsync", client, n), redsync.WithExpiry(lease))
				if err := l.LockContext(ctx); err != nil {
					return err
				}
				_, err := l.UnlockContext(ctx)
				return err
			}},
			{"rueidislock, one key", func(ctx context.Context, client, n int) error {
				_, release, err := locker.WithContext(ctx, peerKey("rueidislock", client, n))
				if err != nil {
					return err
				}
				release()
				return nil
			}},
			{tokenFloor, tokenPairs(bare)},
			{"editlock without history", bareSwaps(st)},
			{"editlock", lockPairs(programs[0])},
		}
		var all []contender
		for _, o := range ops {
			all = append(all, contender{name: o.name + ", 1 client", clients: 1, op: o.op})
		}
		for _, o := range ops {
			all = append(all, contender{name: o.name, clients: many, op: o.op})
		}
		aims(all, "editlock without history, 1 client", versus{"SET NX PX + DEL, rueidis, 1 client", 1 / 1.3})
		aims(all, "editlock, 1 client", versus{"SET NX PX + DEL, rueidis, 1 client", 1 / 1.3})
		aims(all, "editlock without history", versus{"rueidislock, one key", 1}, versus{"SET NX PX + DEL, rueidis", 0},
			versus{tokenFloor, 0})
		aims(all, "editlock", versus{"redislock", 1}, versus{"redsync", 1}, versus{"rueidislock, one key", 0})
		scores, err := b.race(ctx, all)
		if err != nil {
			return err
		}
		report(all, scores)
		return b.handOffs(ctx, redisPasses(ctx, bare, address, short, syncs, locker, programs))
	})
}

// aims sets what a contender is compared with; an aim of 0 is none.
func aims(all []contender, name string, with ...versus) {
	for i := range all {
		if all[i].name == name {
			all[i].versus = with
		}
	}
}

func peerKey(peer string, client, n int) string { return fmt.Sprintf("%s:%d-%d", peer, client, n%1000) }

func redisVersion(ctx context.Context, c *goredis.Client) string {
	info, _ := c.Info(ctx, "server").Result()
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, "redis_version:"); ok {
			return strings.TrimSpace(v)
		}
	}
	return "of an unknown version"
}

func barePairsRedis(c rueidis.Client) func(context.Context, int, int) error {
	return func(ctx context.Context, client, n int) error {
		key := peerKey("bare", client, n)
		if err := c.Do(ctx, c.B().Set().Key(key).Value("value").Nx().PxMilliseconds(lease.Milliseconds()).Build()).Error(); err != nil {
			return err
		}
		return c.Do(ctx, c.B().Del().Key(key).Build()).Error()
	}
}

// tokenFloor is the least that a lock with fencing tokens and an index of
// sessions must do: a counter, the record, and the index, in one step each.
const tokenFloor = "the least with a token and an index by session, two scripts"

var (
	takeFloor = rueidis.NewLuaScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local token = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], token .. ARGV[1], 'PX', ARGV[2])
redis.call('SADD', KEYS[3], ARGV[3])
return token`)
	dropFloor = rueidis.NewLuaScript(`
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SREM', KEYS[2], ARGV[2])
return redis.call('DEL', KEYS[1])`)
)

func tokenPairs(c rueidis.Client) func(context.Context, int, int) error {
	ms := fmt.Sprint(lease.Milliseconds())
	return func(ctx context.Context, client, n int) error {
		key, session := peerKey("floor", client, n), fmt.Sprint("floor-session:", client)
		token, err := takeFloor.Exec(ctx, c, []string{key, "floor-tokens", session}, []string{":value", ms, key}).AsInt64()
		if err != nil {
			return err
		}
		return dropFloor.Exec(ctx, c, []string{key, session}, []string{fmt.Sprint(token, ":value"), key}).Error()
	}
}

// redisPasses are the ways to pass something on over Redis.
func redisPasses(
	ctx context.Context, bare rueidis.Client, address string, short *redislock.Client, syncs *redsync.Redsync,
	locker rueidislock.Locker, programs [2]*editlock.Manager,
) []*passing {
	heard := [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}
	for i := range heard {
		c := must(rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, DisableCache: true}))
		on := make(chan struct{})
		go func() {
			defer c.Close()
			_ = c.Receive(rueidis.WithOnSubscriptionHook(ctx, func(rueidis.PubSubSubscription) { close(on) }),
				c.B().Subscribe().Channel(fmt.Sprint("pass-", i)).Build(),
				func(rueidis.PubSubMessage) { heard[i] <- struct{}{} }) // until the section ends
		}()
		<-on
	}
	first := true
	push := &passing{
		name: "PUBLISH to a subscriber",
		acquire: func(ctx context.Context, client int) error {
			if first {
				first = false
				return nil // nobody has it yet
			}
			select {
			case <-heard[client]:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
		release: func(ctx context.Context, client int) error {
			return bare.Do(ctx, bare.B().Publish().Channel(fmt.Sprint("pass-", 1-client)).Message("yours").Build()).Error()
		},
	}
	push.quiet = func() { first = true; drain(heard[0]); drain(heard[1]) }

	var held [2]*redislock.Lock
	obtained := &passing{
		name: "redislock, tries each 100 ms",
		acquire: func(ctx context.Context, client int) (err error) {
			held[client], err = short.Obtain(ctx, "pass-redislock", lease, &redislock.Options{
				RetryStrategy: redislock.LinearBackoff(100 * time.Millisecond),
			})
			return err
		},
		release: func(ctx context.Context, client int) error { return held[client].Release(ctx) },
	}
	var mutexes [2]*redsync.Mutex
	synced := &passing{
		name: "redsync, tries each 50 to 250 ms",
		acquire: func(ctx context.Context, client int) error {
			mutexes[client] = syncs.NewMutex("pass-redsync", redsync.WithExpiry(lease), redsync.WithTries(1000))
			return mutexes[client].LockContext(ctx)
		},
		release: func(ctx context.Context, client int) error {
			ok, err := mutexes[client].UnlockContext(ctx)
			if err == nil && !ok {
				err = errors.New("not unlocked")
			}
			return err
		},
	}
	var releases [2]context.CancelFunc
	pushed := &passing{
		name: "rueidislock, one key",
		acquire: func(ctx context.Context, client int) (err error) {
			_, releases[client], err = locker.WithContext(ctx, "pass-rueidislock")
			return err
		},
		release: func(_ context.Context, client int) error {
			releases[client]()
			return nil
		},
	}
	return []*passing{push, obtained, synced, pushed, lockPassing("editlock, two programs", programs,
		versus{push.name, 2}, versus{obtained.name, 1.0 / 20}, versus{synced.name, 1.0 / 20})}
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}
