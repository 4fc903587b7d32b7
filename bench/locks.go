package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
	"github.com/editlock/editlock/store/sqlite"
)

// openSQLite opens editlock on a database file of its own.
func openSQLite(ctx context.Context, dir, name string) (*editlock.Manager, error) {
	st, err := sqlite.Open(ctx, filepath.Join(dir, name+".db"), nil)
	if err != nil {
		return nil, err
	}
	return editlock.NewManager(st, nil), nil
}

// person is the owner with a number; all its fields are filled as in life.
func person(n int) editlock.Owner {
	return editlock.Owner{
		Session: fmt.Sprintf("3f1c9a52e8-%d", n), UserID: fmt.Sprint(1000 + n),
		Login: "ivanov", Name: "Ivan Ivanov", Host: "desk-17.example",
	}
}

// invoice is the mutex with a number that only this client uses.
func invoice(client, n int) editlock.ID {
	return editlock.ID{Group: "shop", Mode: "invoice", ID: fmt.Sprintf("%d-%d", client, n%1000)}
}

// lockPairs captures and releases.
func lockPairs(l editlock.Locker) func(context.Context, int, int) error {
	return func(ctx context.Context, client, n int) error {
		ctx, id := editlock.WithOwner(ctx, person(client)), invoice(client, n)
		if _, err := l.Capture(ctx, id, nil); err != nil {
			return err
		}
		_, err := l.Release(ctx, id, editlock.Condition{})
		return err
	}
}

// perSession is how many mutexes each session of a filled store holds.
const perSession = 50

// fill captures n mutexes that stay held, and hands them to seen, in any
// order, one at a time.
func fill(ctx context.Context, l editlock.Locker, n int, seen func(editlock.Mutex)) error {
	const workers = 64
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed error
		next   atomic.Int64
	)
	for range workers {
		wg.Go(func() {
			for {
				session := int(next.Add(1) - 1)
				first := session * perSession
				if first >= n {
					return
				}
				var ids []editlock.ID
				for i := first; i < min(first+perSession, n); i++ {
					ids = append(ids, editlock.ID{Group: "archive", Mode: "document", ID: fmt.Sprintf("%08d", i)})
				}
				held, err := l.CaptureAll(editlock.WithOwner(ctx, person(session)), ids,
					&editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(24 * time.Hour)})
				mu.Lock()
				if err != nil {
					failed = err
				}
				for _, m := range held {
					if seen != nil {
						seen(m)
					}
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return failed
}

// lockServer is editlock over HTTP on a database file.
func lockServer(ctx context.Context, path string) (http.Handler, io.Closer, error) {
	st, err := sqlite.Open(ctx, path, nil)
	if err != nil {
		return nil, nil, err
	}
	m := editlock.NewManager(st, nil)
	return httpapi.New(m, nil), m, nil
}

// memoryLockServer is lockServer without a disk.
func memoryLockServer(context.Context, string) (http.Handler, io.Closer, error) {
	m := editlock.NewManager(memory.New(nil), nil)
	return httpapi.New(m, nil), m, nil
}
