package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store"
)

// eval runs a script and returns the parts of its answer. If Redis doesn't
// have the script (any more), it is sent along.
func (s *Store) eval(ctx context.Context, sc *script, args ...string) ([]rueidis.RedisMessage, error) {
	return s.evalBehind(ctx, false, sc, args...)
}

// evalBehind is eval, and behind all that was sent on the shared connection
// before, if that is wanted: also behind what its caller has given up.
func (s *Store) evalBehind(ctx context.Context, behind bool, sc *script, args ...string) ([]rueidis.RedisMessage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	if refused := s.watch.refused.Load(); refused != nil && sc != infoScript {
		return nil, *refused
	}
	if s.opts.now != nil {
		args = append(args, s.opts.now())
	}
	alone := s.calls.Add(1) == 1 && !behind
	defer s.calls.Add(-1)
	res := s.send(ctx, alone, sc, true, args)
	if e, ok := rueidis.IsRedisErr(res.Error()); ok && e.IsNoScript() {
		// It was restarted, perhaps with other settings, or is another server.
		if sc != infoScript {
			if _, err := s.look(ctx); err != nil {
				return nil, err
			}
		}
		res = s.send(ctx, alone, sc, false, args)
	}
	answer, err := res.ToArray()
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	return answer, nil
}

// send sends a script, by its name or whole.
func (s *Store) send(ctx context.Context, alone bool, sc *script, byName bool, args []string) rueidis.RedisResult {
	if sc.writes && s.at.replicas > 0 {
		return s.sendAndWait(ctx, sc, byName, args)
	}
	if alone {
		if res, ok := s.lone.do(ctx, func(c rueidis.Client) rueidis.RedisResult {
			return c.Do(ctx, s.command(c.B(), sc, byName, args))
		}); ok {
			return res
		}
	}
	return s.client.Do(ctx, s.command(s.client.B(), sc, byName, args))
}

func (s *Store) command(b rueidis.Builder, sc *script, byName bool, args []string) rueidis.Completed {
	if byName {
		return b.Evalsha().Sha1(sc.sha).Numkeys(1).Key(s.head).Arg(args...).Build()
	}
	return b.Eval().Script(sc.text).Numkeys(1).Key(s.head).Arg(args...).Build()
}

// sendAndWait sends a script and waits until enough replicas have what it
// wrote. WAIT speaks of its own connection's writes, so both use one.
func (s *Store) sendAndWait(ctx context.Context, sc *script, byName bool, args []string) (res rueidis.RedisResult) {
	err := s.client.Dedicated(func(c rueidis.DedicatedClient) error {
		res = c.Do(ctx, s.command(c.B(), sc, byName, args))
		if res.Error() != nil {
			return nil // is in res
		}
		wait := c.B().Wait().Numreplicas(int64(s.at.replicas)).Timeout(s.at.waitTimeout.Milliseconds()).Build()
		n, err := c.Do(ctx, wait).AsInt64()
		if err == nil && n < int64(s.at.replicas) {
			err = fmt.Errorf("redis: %d of %d replicas have the change after %v: it may be lost in a failover; "+
				"a retry with the same request ID tells", n, s.at.replicas, s.at.waitTimeout)
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
func (s *Store) explain(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if s.closed.Load() {
		return store.ErrClosed
	}
	if errors.Is(err, rueidis.ErrClosing) {
		err = errors.New("the connection was lost")
	}
	if e, ok := rueidis.IsRedisErr(err); ok {
		for _, r := range refusals {
			if strings.HasPrefix(e.Error(), r.code) {
				return fmt.Errorf("redis: %s (%w)", r.plain, err)
			}
		}
	}
	if strings.HasPrefix(err.Error(), "redis: ") {
		return err
	}
	return fmt.Errorf("redis: %s: %w", strings.Join(s.at.hosts, ","), err)
}

// read runs a script that may be run again: if the connection broke, it is.
func (s *Store) read(ctx context.Context, sc *script, args ...string) ([]rueidis.RedisMessage, error) {
	answer, err := s.eval(ctx, sc, args...)
	if err == nil || ctx.Err() != nil || errors.Is(err, store.ErrClosed) {
		return answer, err
	}
	if _, ok := rueidis.IsRedisErr(err); ok {
		return answer, err
	}
	return s.eval(ctx, sc, args...)
}

// moment is the time in the first part of an answer.
func moment(answer []rueidis.RedisMessage) (time.Time, error) {
	if len(answer) == 0 {
		return time.Time{}, errNoAnswer
	}
	now, err := answer[0].AsInt64()
	return fromMicros(now), err
}
