package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// Inspection is a look at a store that changes nothing. Make it with Inspect,
// and close it.
type Inspection struct {
	Version        string // the server's
	Tables, Newest int    // version of the layout (0: there is no store), and the newest known here
	// Lazy is the setting by which calls are acknowledged before they are on disk;
	// empty: there is none, or the URL's user must not ask.
	Lazy string

	e *engine
}

var (
	layoutScript = newScript(false, "return { redis.call('GET', string.sub(KEYS[1], 1, -6) .. 'layout') or '0' }")
	timeScript   = newScript(false, "return redis.call('TIME')")
	// tryScript writes nothing where nothing is, which is refused as any write.
	tryScript = newScript(false, "return { redis.call('SETRANGE', string.sub(KEYS[1], 1, -6) .. 'try', 0, '') }")
)

// Inspect looks at the store that url names. It fails as Open does.
func Inspect(ctx context.Context, url string) (i *Inspection, err error) {
	e, err := reach(ctx, url, "")
	if err != nil {
		return nil, err
	}
	i = &Inspection{e: e, Newest: layout}
	defer func() {
		if err != nil {
			i, err = nil, errors.Join(err, e.Close())
		}
	}()
	version, err := e.look(ctx)
	if err != nil {
		return i, err
	}
	i.Version = "Redis " + version
	if i.Lazy, err = e.lazy(ctx); err != nil {
		return i, err
	}
	if _, err := e.read(ctx, tryScript); err != nil {
		return i, err
	}
	answer, err := e.read(ctx, layoutScript)
	if err != nil {
		return i, err
	}
	r := &reply{parts: answer}
	found := r.text()
	if r.err != nil || found == "0" {
		return i, r.err
	}
	if err := e.laidOut(found); err != nil {
		return i, err
	}
	i.Tables = layout
	return i, nil
}

// lazy is the setting by which the server acknowledges what is not on disk.
func (e *engine) lazy(ctx context.Context) (string, error) {
	info, err := e.info(ctx)
	if err != nil {
		return "", err
	}
	if info["aof_enabled"] == "0" {
		return "appendonly = no", nil
	}
	// INFO does not tell, and scripts must not ask. In a cluster any node answers.
	config, err := e.client.Do(ctx, e.client.B().ConfigGet().Parameter("appendfsync").Build()).AsStrMap()
	if _, refused := rueidis.IsRedisErr(err); refused {
		return "", nil
	}
	if policy := config["appendfsync"]; policy != "" && policy != "always" {
		return "appendfsync = " + policy, err
	}
	return "", err
}

// Clock tells the store's time.
func (i *Inspection) Clock(ctx context.Context) (time.Time, error) {
	answer, err := i.e.read(ctx, timeScript)
	if err != nil {
		return time.Time{}, err
	}
	var parts [2]int64
	for n := range parts {
		text, err := answer[n].ToString()
		if err != nil {
			return time.Time{}, err
		}
		if parts[n], err = strconv.ParseInt(text, 10, 64); err != nil {
			return time.Time{}, err
		}
	}
	return time.Unix(parts[0], parts[1]*int64(time.Microsecond)), nil
}

// Close ends the connection.
func (i *Inspection) Close() error { return i.e.Close() }
