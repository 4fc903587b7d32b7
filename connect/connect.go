// Package connect opens a Locker by URL: a store within the program, or a
// server. Changing the URL is all it takes to move from one to the other. It
// is the only package that knows all engines.
package connect

import (
	"context"
	"strings"
	"unicode"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/internal/fault"
	"github.com/editlock/editlock/internal/storeurl"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/etcd"
	"github.com/editlock/editlock/store/mariadb"
	"github.com/editlock/editlock/store/memory"
	"github.com/editlock/editlock/store/postgres"
	"github.com/editlock/editlock/store/redis"
	"github.com/editlock/editlock/store/sqlite"
)

// Options adjusts what is opened. Nil means defaults.
type Options struct {
	// Manager adjusts the Manager of a store; a server has its own.
	Manager *editlock.ManagerOptions
	// Wrap is put around a store before its Manager, to measure it. It is not
	// called for a server's URL.
	Wrap func(store.Store) store.Store
	// Credential proves to a server who calls; see client.Options. Stores have
	// no use for it.
	Credential client.Credential
}

// forms is what a URL may look like.
const forms = "write memory:, sqlite:PATH, postgres://HOST/DATABASE, mysql://HOST/DATABASE, redis://HOST:PORT, etcd://HOST:PORT/PREFIX, http://HOST:PORT or https://HOST"

// Open opens the Locker that url names:
//
//	memory:                                  in this process, gone with it
//	sqlite:PATH                              a database file, made if it is not there
//	postgres://USER:PASSWORD@HOST/DATABASE   a PostgreSQL database; tables are made if they are not there
//	mysql://USER:PASSWORD@HOST/DATABASE      a MariaDB or MySQL database; tables are made if they are not there
//	redis://HOST:PORT, rediss://…            a Redis or Valkey
//	etcd://HOST:PORT,HOST:PORT/PREFIX        an etcd cluster
//	http://HOST:PORT, https://…              an editlock server, which is not contacted yet
//
// docs/engines.md has what else the URLs of the databases may say. A URL of
// any other form is an *editlock.InvalidError. Close the Locker when done.
func Open(ctx context.Context, url string, o *Options) (editlock.Locker, error) {
	if o == nil {
		o = new(Options)
	}
	scheme, rest, err := split(url)
	if err != nil {
		return nil, err
	}
	switch scheme {
	case "memory":
		return o.manage(memory.New(nil)), nil
	case "http", "https":
		c, err := client.New(url, &client.Options{Credential: o.Credential})
		if err != nil {
			return nil, err // not a nil *Client within the interface
		}
		return c, nil
	}
	st, err := openStore(ctx, scheme, url, rest)
	if err != nil {
		return nil, err
	}
	return o.manage(st), nil
}

func (o *Options) manage(st store.Store) editlock.Locker {
	if o.Wrap != nil {
		st = o.Wrap(st)
	}
	return editlock.NewManager(st, o.Manager)
}

// split takes a URL apart, and refuses those that name no store. Passwords in
// them are not shown.
func split(url string) (scheme, rest string, err error) {
	if i := strings.IndexFunc(url, unicode.IsControl); i >= 0 {
		return "", "", invalid("url", "control_character", "has a control character at byte %d; none is allowed", i)
	}
	scheme, rest, ok := strings.Cut(url, ":")
	if !ok {
		return "", "", invalid("url", "no_scheme", "%q names no kind of store; "+forms, storeurl.Redact(url))
	}
	switch scheme {
	case "memory":
		if rest != "" {
			err = invalid("url", "memory_with_more", "must be just memory:, not %q", storeurl.Redact(url))
		}
	case "sqlite", "http", "https":
	case "postgres", "postgresql", "mysql", "mariadb", "redis", "rediss", "etcd":
		after, slashes := strings.CutPrefix(rest, "//")
		switch {
		case !slashes:
			err = invalid("url", "no_slashes", "must begin with %s://, not just with %s:; "+forms, scheme, scheme)
		case misplaced(after, scheme):
			err = invalid("url", "password_not_encoded", "has an @ or # behind its host; percent-encode user and password: %%40 for @, %%23 for #, %%2F for /")
		}
	default:
		err = invalid("url", "unknown_scheme", "%q names no kind of store that is known; "+forms, storeurl.Redact(url))
	}
	return scheme, rest, err
}

// misplaced tells whether a password that is not percent-encoded has ended the
// host: parts of it would be taken for others, and shown in errors.
func misplaced(rest, scheme string) bool {
	end := "/?#"
	if Engine(scheme) == "postgres" {
		end = "/" // PostgreSQL takes the others for a part of the password
	}
	i := strings.IndexAny(rest, end)
	if i < 0 {
		return false
	}
	path, query, _ := strings.Cut(rest[i:], "?")
	for parameter := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(parameter, "=")
		path += name
	}
	return strings.Contains(path, "@") || strings.Contains(rest[i:], "#")
}

// openStore opens the stores that may fail to.
func openStore(ctx context.Context, scheme, url, rest string) (store.Store, error) {
	switch scheme {
	case "sqlite":
		path, err := sqlitePath(rest)
		if err != nil {
			return nil, err
		}
		return opened(sqlite.Open(ctx, path, nil))
	case "postgres", "postgresql":
		return opened(postgres.Open(ctx, url))
	case "mysql", "mariadb":
		return opened(mariadb.Open(ctx, url))
	case "redis", "rediss":
		return opened(redis.Open(ctx, url))
	}
	return opened(etcd.Open(ctx, url, nil))
}

// opened keeps a nil pointer out of the interface.
func opened[S store.Store](st S, err error) (store.Store, error) {
	if err != nil {
		return nil, err
	}
	return st, nil
}

// sqlitePath is the path within a URL. Three slashes begin an absolute one as
// in other URLs.
func sqlitePath(rest string) (string, error) {
	path := rest
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		if !strings.HasPrefix(after, "/") {
			return "", invalid("url", "host_of_file", "has no place for a host in %s; write sqlite:PATH", storeurl.Redact("sqlite:"+rest))
		}
		path = after
	}
	switch {
	case path == "":
		return "", invalid("url", "no_file_name", "names no file; write sqlite:PATH")
	case path == ":memory:" || strings.HasPrefix(path, "file:"):
		return "", invalid("url", "not_a_file_name", "names no file in %s; write sqlite:PATH, or memory: for a store in memory", storeurl.Redact("sqlite:"+rest))
	}
	return path, nil
}

func invalid(field, code, format string, args ...any) error {
	problem, texts := fault.Problem(format, args...)
	return &editlock.InvalidError{Field: field, Problem: problem, Code: code, Args: texts}
}
