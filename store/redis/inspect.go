package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Inspection is a look at a store that changes nothing. Make it with Inspect,
// and close it.
type Inspection struct {
	Version        string // the server's
	Tables, Newest int    // version of the layout (0: there is no store), and the newest known here

	s *Store
}

var (
	layoutScript = newScript(false, "return { redis.call('GET', KEYS[1] .. 'layout') or '0' }")
	timeScript   = newScript(false, "return redis.call('TIME')")
	// tryScript writes nothing where nothing is, which is refused as any write.
	tryScript = newScript(false, "return { redis.call('SETRANGE', KEYS[1] .. 'try', 0, '') }")
)

// Inspect looks at the store that url names. It fails as Open does.
func Inspect(ctx context.Context, url string) (i *Inspection, err error) {
	s, err := reach(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	i = &Inspection{s: s}
	defer func() {
		if err != nil {
			i, err = nil, errors.Join(err, s.Close())
		}
	}()
	version, err := s.look(ctx)
	if err != nil {
		return i, err
	}
	i.Version = "Redis " + version
	if _, err := s.eval(ctx, tryScript); err != nil {
		return i, err
	}
	answer, err := s.eval(ctx, layoutScript)
	if err != nil {
		return i, err
	}
	found, err := answer[0].ToString()
	if err != nil {
		return i, err
	}
	if i.Newest, err = strconv.Atoi(layout); err != nil {
		return i, err
	}
	if i.Tables, err = strconv.Atoi(found); err != nil || i.Tables > i.Newest {
		return i, fmt.Errorf("redis: the store at prefix %q is laid out in version %s; this editlock knows %s: use a newer one",
			s.at.prefix, found, layout)
	}
	return i, nil
}

// Clock tells the store's time.
func (i *Inspection) Clock(ctx context.Context) (time.Time, error) {
	answer, err := i.s.eval(ctx, timeScript)
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
func (i *Inspection) Close() error { return i.s.Close() }
