package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/editlock/editlock"
)

func TestRefresh_OfManyAndLarge(t *testing.T) {
	w := newWorld(t)
	ctx := as(t, ivanov)
	data := strings.Repeat("\x01", 8<<10) // six bytes each in JSON
	var items []editlock.RefreshItem
	for i := range 60 {
		id := editlock.ID{ID: fmt.Sprint(i)}
		m, err := w.manager.Capture(ctx, id, nil)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, editlock.RefreshItem{ID: id, Token: m.Token, StatusData: data[:i], ByToken: i%3 == 0})
	}
	for i := range items {
		items[i].StatusData += data
	}
	items[41].Token++ // lost
	t.Run("keeps every result in its place", func(t *testing.T) {
		w.fail()
		results, err := w.Refresh(ctx, items)
		if err != nil {
			t.Fatal(err)
		}
		for i, res := range results {
			switch {
			case i == 41:
				if !errors.Is(res.Err, editlock.ErrLost) {
					t.Errorf("item 41: %v", res.Err)
				}
			case res.Err != nil || res.Mutex.ID != items[i].ID || res.Mutex.StatusData != items[i].StatusData:
				t.Errorf("item %d: %v, %v", i, res.Mutex.ID, res.Err)
			}
		}
		if w.sent < 6 {
			t.Errorf("3 MB went in %d requests", w.sent)
		}
	})
	t.Run("names a wrong item by its place", func(t *testing.T) {
		for _, i := range []int{0, 1, 42, 59} {
			bad := append([]editlock.RefreshItem(nil), items...)
			bad[i].AutoRelease = editlock.TimeoutAutoRelease(1)
			_, err := w.Refresh(ctx, bad)
			if want := fmt.Sprintf("items[%d].auto_release.idle", i); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		}
	})
	t.Run("by the tokens alone needs no owner", func(t *testing.T) {
		results, err := w.Refresh(editlock.WithoutOwner(ctx), []editlock.RefreshItem{{ID: items[1].ID, Token: items[1].Token, ByToken: true}})
		if err != nil || results[0].Err != nil {
			t.Errorf("%v, %+v", err, results)
		}
	})
}

func TestClient_ReusesConnections(t *testing.T) {
	w := newWorld(t)
	const clients = 64
	for range 10 {
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				ctx := editlock.WithOwner(context.Background(), editlock.Owner{Session: fmt.Sprint(i)})
				id := editlock.ID{ID: fmt.Sprint(i)}
				if _, err := w.Capture(ctx, id, nil); err != nil {
					t.Error(err)
				}
				if _, err := w.Release(ctx, id, editlock.Condition{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// The transport may dial for a caller who then gets a connection that
	// another gave back, so some more than callers are usual.
	if w.conns > 2*clients {
		t.Errorf("%d connections for %d callers", w.conns, clients)
	}
}

func TestClient_Close(t *testing.T) {
	w := newWorld(t)
	held := w.hold(t, ivanov)
	after := uint64(0)
	ended := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		for _, err := range w.Watch(patient(t), editlock.WatchQuery{After: &after}) {
			if err != nil {
				ended <- err
				return
			}
			close(started)
		}
	}()
	<-started
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, editlock.ErrUnavailable) {
		t.Errorf("the watch ended with %v", err)
	}
	if _, err := w.Capture(as(t, petrova), editlock.ID{ID: "1"}, nil); !errors.Is(err, editlock.ErrUnavailable) {
		t.Errorf("Capture after Close: %v", err)
	}
	if _, m, _ := w.manager.Request(as(t, ivanov), doc); m.Token != held.Token {
		t.Error("the mutex is free after Close")
	}
}
