package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/server/telemetry"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
	"github.com/editlock/editlock/store/sqlite"
)

// telemetryCost asks what measuring costs: a server with its metrics, as serve
// always has them, beside one without.
func telemetryCost(ctx context.Context, b *bench) error {
	var all []contender
	for _, s := range []struct{ server, name, raw string }{
		{"editlock", "durable SQLite, without metrics", ""},
		{"editlock-measured", "durable SQLite, with metrics", "durable SQLite, without metrics"},
		{"editlock-mem", "in memory, without metrics", ""},
		{"editlock-mem-measured", "in memory, with metrics", "in memory, without metrics"},
	} {
		srv, err := start(ctx, s.server+":"+filepath.Join(b.dir, s.server+".db"))
		if err != nil {
			return err
		}
		defer srv.Close()
		c := contender{name: s.name, clients: 64, op: postPairs(srv)}
		if s.raw != "" {
			c.versus = []versus{{s.raw, 0.9}}
		}
		all = append(all, c)
	}
	scores, err := b.race(ctx, all)
	if err != nil {
		return err
	}
	report(all, scores)
	return nil
}

// measuredLockServer is lockServer with telemetry as serve has it.
func measuredLockServer(ctx context.Context, path string) (http.Handler, io.Closer, error) {
	st, err := sqlite.Open(ctx, path, nil)
	if err != nil {
		return nil, nil, err
	}
	return measured(ctx, st)
}

// measured serves a store with telemetry as serve has it.
func measured(ctx context.Context, st store.Store) (http.Handler, io.Closer, error) {
	tel, err := telemetry.New(ctx, nil)
	if err != nil {
		return nil, nil, errors.Join(err, st.Close())
	}
	m := editlock.NewManager(tel.Store(st), nil)
	go tel.Follow(ctx, m)
	return tel.Trace(httpapi.New(tel.Locker(m), nil)), m, nil
}

// measuredMemoryLockServer is memoryLockServer with telemetry.
func measuredMemoryLockServer(ctx context.Context, _ string) (http.Handler, io.Closer, error) {
	return measured(ctx, memory.New(nil))
}
