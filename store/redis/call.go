package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store/kv"
)

// eval runs a script and returns the parts of its answer. If Redis doesn't
// have the script (any more), it is sent along. behind: it must come behind all
// that was sent so before, also what its caller has given up.
func (e *engine) eval(ctx context.Context, behind bool, sc *script, keys []string, args ...string) ([]rueidis.RedisMessage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if e.closed.Load() {
		return nil, kv.ErrClosed
	}
	if refused := e.watch.refused.Load(); refused != nil && sc != infoScript {
		return nil, *refused
	}
	if e.now != nil {
		args = append(args, e.now())
	}
	alone := false
	if !behind {
		alone = e.calls.Add(1) == 1
		defer e.calls.Add(-1)
	}
	res := e.send(ctx, alone, sc, true, keys, args)
	if r, ok := rueidis.IsRedisErr(res.Error()); ok && r.IsNoScript() {
		// It was restarted, perhaps with other settings, or is another server.
		if sc != infoScript {
			if _, err := e.look(ctx); err != nil {
				return nil, err
			}
		}
		res = e.send(ctx, alone, sc, false, keys, args)
	}
	answer, err := res.ToArray()
	if err != nil {
		return nil, e.explain(ctx, err)
	}
	return answer, nil
}

// send sends a script, by its name or whole.
func (e *engine) send(ctx context.Context, alone bool, sc *script, byName bool, keys, args []string) rueidis.RedisResult {
	if sc.writes && e.at.replicas > 0 {
		return e.sendAndWait(ctx, sc, byName, keys, args)
	}
	if alone {
		if res, ok := e.lone.do(ctx, func(c rueidis.Client) rueidis.RedisResult {
			return c.Do(ctx, command(c.B(), sc, byName, keys, args))
		}); ok {
			return res
		}
	}
	return e.client.Do(ctx, command(e.client.B(), sc, byName, keys, args))
}

func command(b rueidis.Builder, sc *script, byName bool, keys, args []string) rueidis.Completed {
	if byName {
		return b.Evalsha().Sha1(sc.sha).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
	}
	return b.Eval().Script(sc.text).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
}

// sendAndWait sends a script and waits until enough replicas have what it
// wrote. WAIT speaks of its own connection's writes, so both use one.
func (e *engine) sendAndWait(ctx context.Context, sc *script, byName bool, keys, args []string) (res rueidis.RedisResult) {
	err := e.client.Dedicated(func(c rueidis.DedicatedClient) error {
		res = c.Do(ctx, command(c.B(), sc, byName, keys, args))
		if res.Error() != nil {
			return nil // is in res
		}
		wait := c.B().Wait().Numreplicas(int64(e.at.replicas)).Timeout(e.at.waitTimeout.Milliseconds()).Build()
		n, err := c.Do(ctx, wait).AsInt64()
		if err == nil && n < int64(e.at.replicas) {
			err = fmt.Errorf("redis: %d of %d replicas have the change after %v: it may be lost in a failover; "+
				"a retry with the same request ID tells", n, e.at.replicas, e.at.waitTimeout)
		}
		return err
	})
	if err != nil {
		return rueidis.NewErrorResult(err)
	}
	return res
}

// refusals are what Redis's errors mean to who runs it, by their first words.
var refusals = []struct{ code, plain string }{
	{"NOAUTH", "the server wants a user and a password in the URL"},
	{"WRONGPASS", "the server refuses the user or the password"},
	{"NOPERM", "the user of the URL may not do what editlock needs: scripts, and any command on keys and channels of the prefix"},
	{"READONLY", "the server is a replica, which can't be written to: name the primary"},
	{"OOM", "the server's memory is full (maxmemory)"},
	{"MISCONF", "the server can't save to its disk, and takes no writes"},
	{"LOADING", "the server is starting, and reads its file"},
	{"BUSY", "the server is busy with somebody's script"},
	{"CLUSTERDOWN", "the cluster is down"},
	{"MASTERDOWN", "the server's primary is down"},
	{"NOREPLICAS", "the server has fewer replicas than it needs to take writes"},
	{"WRONGTYPE", "other data stands under the keys of the prefix"},
}

// explain says what an error means, and is the context's if that has ended,
// or ErrClosed.
func (e *engine) explain(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if e.closed.Load() {
		return kv.ErrClosed
	}
	if errors.Is(err, rueidis.ErrClosing) {
		err = errors.New("the connection was lost")
	}
	if said, ok := rueidis.IsRedisErr(err); ok {
		for _, r := range refusals {
			if strings.HasPrefix(said.Error(), r.code) {
				return fmt.Errorf("redis: %s (%w)", r.plain, err)
			}
		}
	}
	if strings.HasPrefix(err.Error(), "redis: ") {
		return err
	}
	return fmt.Errorf("redis: %s: %w", strings.Join(e.at.hosts, ","), err)
}

// read runs a script that may be run again: if the connection broke, it is.
func (e *engine) read(ctx context.Context, sc *script, args ...string) ([]rueidis.RedisMessage, error) {
	keys := []string{e.armed}
	answer, err := e.eval(ctx, false, sc, keys, args...)
	if err == nil || ctx.Err() != nil || errors.Is(err, kv.ErrClosed) {
		return answer, err
	}
	if _, ok := rueidis.IsRedisErr(err); ok {
		return answer, err
	}
	return e.eval(ctx, false, sc, keys, args...)
}
