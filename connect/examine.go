package connect

import (
	"context"
	"fmt"
	"time"

	"github.com/editlock/editlock/store/etcd"
	"github.com/editlock/editlock/store/mariadb"
	"github.com/editlock/editlock/store/postgres"
	"github.com/editlock/editlock/store/redis"
	"github.com/editlock/editlock/store/sqlite/backup"
)

// Examination is what a look at a store shows.
type Examination struct {
	Version        string        // the engine's
	Tables, Newest int           // version of the store's tables (0: there are none yet), and the newest known here
	RoundTrip      time.Duration // of a question
	HasClock       bool          // the engine has a time of day of its own
	Skew           time.Duration // by how much that is ahead of this machine's
	Lazy           string        // a setting by which calls are acknowledged before they are on disk; empty: none was found
}

// Examine looks at the store that a URL names, and changes nothing: no tables
// are made. A store that an engine would refuse to open is an error; a database
// file that is not there is fs.ErrNotExist.
func Examine(ctx context.Context, url string) (*Examination, error) {
	if _, _, err := split(url); err != nil {
		return nil, err
	}
	switch Engine(url) {
	case "sqlite":
		path, err := File(url)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		d, err := backup.Describe(ctx, path)
		if err != nil {
			return nil, err
		}
		return &Examination{
			Version: "SQLite " + d.Engine, Tables: d.Version, Newest: backup.SchemaVersion, RoundTrip: time.Since(began),
		}, nil
	case "postgres":
		i, err := postgres.Inspect(ctx, url)
		if err != nil {
			return nil, err
		}
		defer func() { _ = i.Close() }()
		return clocked(ctx, &Examination{Version: i.Version, Tables: i.Tables, Newest: i.Newest, Lazy: i.Lazy}, i.Clock)
	case "mariadb":
		i, err := mariadb.Inspect(ctx, url)
		if err != nil {
			return nil, err
		}
		defer func() { _ = i.Close() }()
		return clocked(ctx, &Examination{Version: i.Version, Tables: i.Tables, Newest: i.Newest, Lazy: i.Lazy}, i.Clock)
	case "redis":
		i, err := redis.Inspect(ctx, url)
		if err != nil {
			return nil, err
		}
		defer func() { _ = i.Close() }()
		return clocked(ctx, &Examination{Version: i.Version, Tables: i.Tables, Newest: i.Newest, Lazy: i.Lazy}, i.Clock)
	case "etcd":
		i, err := etcd.Inspect(ctx, url)
		if err != nil {
			return nil, err
		}
		defer func() { _ = i.Close() }()
		e := &Examination{Version: i.Version, Tables: i.Tables, Newest: i.Newest}
		began := time.Now()
		err = i.Ask(ctx)
		e.RoundTrip = time.Since(began)
		return e, err
	}
	return nil, fmt.Errorf("%s: there is nothing to examine", Engine(url))
}

// clocked asks for the time twice: the first time may pay for a connection.
func clocked(ctx context.Context, e *Examination, clock func(context.Context) (time.Time, error)) (*Examination, error) {
	e.HasClock = true
	for range 2 {
		began := time.Now()
		now, err := clock(ctx)
		if err != nil {
			return nil, err
		}
		e.RoundTrip = time.Since(began)
		e.Skew = now.Sub(began.Add(e.RoundTrip / 2))
	}
	return e, nil
}

// Check reports whether a database file is sound; see backup.Check.
func Check(ctx context.Context, path string) error { return backup.Check(ctx, path) }
