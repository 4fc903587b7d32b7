// Command stage serves the lock manager on a table with a past, for pictures:
// the store's clock ran through yesterday before the first reader came.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/server/webui"
	"github.com/editlock/editlock/store/memory"
)

// act is what one person does at a time before now.
type act struct {
	ago    time.Duration
	who    string
	id     string
	do     string
	reason string
	opts   editlock.CaptureOptions
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	var behind atomic.Int64 // how far the store's clock is, in ns
	st := memory.New(&memory.Options{Now: func() time.Time { return time.Now().Add(-time.Duration(behind.Load())) }})
	locks := editlock.NewManager(st, nil)
	names, acts := english, english.acts()
	if len(os.Args) > 1 && os.Args[1] == "ru" {
		names, acts = russian, russian.acts()
	}
	for _, a := range acts {
		behind.Store(int64(a.ago))
		if err := names.play(locks, a); err != nil {
			return fmt.Errorf("%s %s %s: %w", a.who, a.do, a.id, err)
		}
	}
	behind.Store(0)
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	manager := webui.New(locks, &webui.Options{Demo: true})
	mux.Handle("/", httpapi.New(locks, nil))
	mux.Handle("/{$}", manager)
	mux.Handle("/ui/", manager)
	fmt.Printf("http://%s\n", ln.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(ln)
}

func (c cast) play(locks editlock.Locker, a act) error {
	ctx := editlock.WithOwner(context.Background(), c.owner(a.who))
	id, err := editlock.ParseID(a.id)
	if err != nil {
		return err
	}
	switch a.do {
	case "release":
		_, err = locks.Release(ctx, id, editlock.Condition{})
	case "take over":
		_, held, seen := locks.Request(ctx, id)
		if seen != nil {
			return seen
		}
		_, err = locks.Takeover(ctx, id, held.Token, a.reason, &a.opts)
	case "wait":
		go func() { _, _ = locks.Capture(ctx, id, &a.opts) }()
		for waits := false; !waits && err == nil; {
			var m editlock.Mutex
			_, m, err = locks.Request(ctx, id)
			for _, w := range m.Waiters {
				waits = waits || w.Owner == c.owner(a.who)
			}
		}
	default:
		_, err = locks.Capture(ctx, id, &a.opts)
	}
	return err
}
