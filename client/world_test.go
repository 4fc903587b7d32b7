package client_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

var (
	ivanov  = editlock.Owner{Session: "s-ivanov", UserID: "17", Name: "Иванов И. И."}
	petrova = editlock.Owner{Session: "s-petrova", UserID: "18", Name: "Петрова А. А."}
	doc     = editlock.ID{Group: "demo", Mode: "document", ID: "42"}
)

// patience bounds what a test waits for. It says nothing about speed.
const patience = 30 * time.Second

// patient is a context for what must come to an end.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// as is the context of somebody's calls.
func as(t *testing.T, o editlock.Owner) context.Context {
	t.Helper()
	return editlock.WithOwner(patient(t), o)
}

// fault is what becomes of one request.
type fault int

const (
	pass      fault = iota
	cutBefore       // the connection is cut, and the server never acted
	cutAfter        // the server acted, and the connection is cut before its answer
	gateway         // a proxy answers 502 with a page of its own
)

// world is a Manager, a server on it that can be made to fail, and a client.
type world struct {
	*client.Client
	manager *editlock.Manager

	mu      sync.Mutex
	handler *httpapi.Handler
	faults  []fault // of the next requests
	sent    int     // requests so far
	conns   int     // connections so far
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{manager: editlock.NewManager(memory.New(nil), nil)}
	w.handler = httpapi.New(w.manager, nil)
	server := httptest.NewUnstartedServer(w)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			w.mu.Lock()
			w.conns++
			w.mu.Unlock()
		}
	}
	server.Start()
	w.Client = dial(t, server.URL)
	t.Cleanup(func() {
		w.current().Drain()
		server.Close()
		_ = w.manager.Close()
	})
	return w
}

func (w *world) current() *httpapi.Handler {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.handler
}

// restart replaces the server by another on the same store.
func (w *world) restart() {
	old := w.current()
	w.mu.Lock()
	w.handler = httpapi.New(w.manager, nil)
	w.mu.Unlock()
	old.Drain()
}

// fail sets what becomes of the next requests.
func (w *world) fail(faults ...fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults, w.sent = faults, 0
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.sent++
	h, f := w.handler, pass
	if len(w.faults) > 0 {
		f, w.faults = w.faults[0], w.faults[1:]
	}
	w.mu.Unlock()
	switch f {
	case cutBefore:
		panic(http.ErrAbortHandler)
	case cutAfter:
		h.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case gateway:
		rw.Header().Set("Content-Type", "text/html")
		rw.WriteHeader(http.StatusBadGateway)
		_, _ = rw.Write([]byte("<h1>Bad Gateway</h1>"))
	default:
		h.ServeHTTP(rw, r)
	}
}

// hold captures doc for an owner.
func (w *world) hold(t *testing.T, o editlock.Owner) editlock.Mutex {
	t.Helper()
	m, err := w.manager.Capture(as(t, o), doc, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// waiting waits until so many wait for doc.
func (w *world) waiting(t *testing.T, n int) editlock.Mutex {
	t.Helper()
	var m editlock.Mutex
	eventually(t, "the queue", func() bool {
		_, m, _ = w.manager.Request(as(t, ivanov), doc)
		return m.Waiting == n
	})
	return m
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx := patient(t)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited too long for %s", what)
		}
	}
}
