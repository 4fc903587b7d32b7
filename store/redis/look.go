package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often the server is asked whether it will do still.
const lookEvery = time.Second

// watch is what looks at the server have found.
type watch struct {
	refused atomic.Pointer[error] // why nothing is done; nil: the server will do

	mu      sync.Mutex
	run     string // the server's run_id, and
	evicted int64  // how many keys it had evicted, when first looked at
}

// infoScript tells what the server that has the store's keys says of itself.
var infoScript = newScript(false, "return { redis.call('INFO') }")

// keepLooking looks at the server until ctx ends.
func (e *engine) keepLooking(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		within, cancel := context.WithTimeout(ctx, silence)
		_, _ = e.look(within) // a server out of reach: its first call looks again
		cancel()
	}
}

// look refuses servers that won't do, and has all calls refused until one will.
// A server that can't be asked stays what it was.
func (e *engine) look(ctx context.Context) (version string, err error) {
	info, err := e.info(ctx)
	if err != nil {
		return "", err
	}
	version = info["redis_version"]
	if err := e.judge(info); err != nil {
		e.watch.refused.Store(&err)
		return version, err
	}
	e.watch.refused.Store(nil)
	return version, nil
}

func (e *engine) judge(info map[string]string) error {
	if version := info["redis_version"]; !atLeast(version, 6, 2) {
		return fmt.Errorf("redis: the server is Redis %s; editlock needs 6.2 or newer, or Valkey", version)
	}
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		return fmt.Errorf("redis: the server's maxmemory-policy is %s: it would drop mutexes when its memory is full; "+
			"set it to noeviction", policy)
	}
	if role := info["role"]; role != "" && role != "master" {
		return errors.New("redis: the server is a replica, which can't be written to: name the primary")
	}
	evicted, _ := strconv.ParseInt(info["evicted_keys"], 10, 64) // none said: none
	e.watch.mu.Lock()
	defer e.watch.mu.Unlock()
	if run := info["run_id"]; run != e.watch.run {
		e.watch.run, e.watch.evicted = run, evicted
	}
	if n := evicted - e.watch.evicted; n > 0 {
		return fmt.Errorf("redis: the server has evicted %d keys since the store was opened: mutexes and tokens may be missing; "+
			"see the runbook, then restart", n)
	}
	return nil
}

// info is what the server that has the store's keys says of itself.
func (e *engine) info(ctx context.Context) (map[string]string, error) {
	answer, err := e.eval(ctx, true, infoScript, []string{e.armed}) // a look now and then is no caller who is alone
	if err != nil {
		return nil, err
	}
	text, err := answer[0].ToString()
	if err != nil {
		return nil, err
	}
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[key] = value
		}
	}
	return info, nil
}

// atLeast compares a version such as 7.0.15.
func atLeast(version string, major, minor int) bool {
	a, rest, _ := strings.Cut(version, ".")
	b, _, _ := strings.Cut(rest, ".")
	x, err := strconv.Atoi(a)
	y, err2 := strconv.Atoi(b)
	return err == nil && err2 == nil && (x > major || x == major && y >= minor)
}
