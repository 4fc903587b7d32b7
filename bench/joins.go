package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/httpapi"
)

const (
	streamsOpen = 2_000 // of all events
	waitersJoin = 5_000 // begin at once to wait for one mutex
	joinOthers  = 8     // capture and release other mutexes, ten times a second each
)

// joins asks what others notice of a crowd that begins to wait at once, beside event
// streams which are told of every capture. The crowd, the streams and the others are one
// process, and the server another, on the same processors.
func joins(ctx context.Context, b *bench) error {
	chosen, err := choose(b.engines, engines, engine.called)
	if err != nil {
		return fmt.Errorf("-engines %w", err)
	}
	t := table{
		"engine", fmt.Sprintf("all %d wait after", waitersJoin), "captures of others alone: p50 / p99 / worst",
		fmt.Sprintf("beside %d streams", streamsOpen), "while the crowd joins, too",
	}
	t.head()
	for _, e := range chosen {
		err := onHost(ctx, b.dir, func(h *host) error {
			row, err := joined(ctx, b, e.name+" "+e.serve(h)("joins"))
			if err == nil {
				t.row(append([]string{e.name}, row...)...)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// storeServer is editlock over HTTP on an engine: its name, and the URL of a store.
func storeServer(ctx context.Context, at string) (http.Handler, io.Closer, error) {
	name, url, _ := strings.Cut(at, " ")
	of, err := choose(name, engines, engine.called)
	if err != nil {
		return nil, nil, err
	}
	st, err := of[0].open(ctx, url)
	if err != nil {
		return nil, nil, err
	}
	m := editlock.NewManager(st, nil)
	return httpapi.New(m, nil), m, nil
}

// joined measures one engine.
func joined(ctx context.Context, b *bench, at string) (row []string, err error) {
	s, err := start(ctx, "store:"+at)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ctx, leave := context.WithCancel(ctx)
	var crowd sync.WaitGroup
	defer crowd.Wait()
	defer leave()

	id := editlock.ID{Group: "crowd", Mode: "one", ID: "1"}
	if _, err := s.post(ctx, "/v1/capture", captureBody(id, person(0), "")); err != nil {
		return nil, err
	}
	// The others keep their connections: who opens one among thousands waits for the listener.
	own := &server{url: s.url, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: joinOthers}}}
	defer own.client.CloseIdleConnections()
	sleep := func(ctx context.Context) error { return pauseFor(ctx, 2*b.round) }
	alone, err := own.others(ctx, sleep)
	if err != nil {
		return nil, err
	}
	if err := s.streams(ctx, &crowd, streamsOpen); err != nil {
		return nil, err
	}
	beside, err := own.others(ctx, sleep)
	if err != nil {
		return nil, err
	}
	var took time.Duration
	joining, err := own.others(ctx, func(ctx context.Context) error {
		begun := time.Now()
		defer func() { took = time.Since(begun) }()
		return s.join(ctx, &crowd, id)
	})
	return []string{fmt.Sprint(round(took)), alone, beside, joining}, err
}

func pauseFor(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// streams opens event streams, and reads them until ctx ends.
func (s *server) streams(ctx context.Context, all *sync.WaitGroup, n int) error {
	const atOnce = 50
	var opening sync.WaitGroup
	var failed error
	var mu sync.Mutex
	turns := make(chan struct{}, atOnce)
	for range n {
		turns <- struct{}{}
		opening.Go(func() {
			defer func() { <-turns }()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v1/events", nil)
			if err == nil {
				var resp *http.Response
				if resp, err = s.client.Do(req); err == nil {
					all.Go(func() {
						_, _ = io.Copy(io.Discard, resp.Body) // until ctx ends
						_ = resp.Body.Close()
					})
					return
				}
			}
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err)
		})
	}
	opening.Wait()
	return failed
}

// join has a crowd begin to wait for a mutex, and returns when all are in its queue. They
// wait until ctx ends.
func (s *server) join(ctx context.Context, crowd *sync.WaitGroup, id editlock.ID) error {
	for i := range waitersJoin {
		crowd.Go(func() { _, _ = s.post(ctx, "/v1/capture", captureBody(id, person(1+i), "1h")) }) // until ctx ends
	}
	for {
		body, err := s.post(ctx, "/v1/request", captureBody(id, person(0), ""))
		if err != nil {
			return err
		}
		var now capturedForm
		if err := json.Unmarshal(body, &now); err != nil {
			return err
		}
		if now.Mutex.Waiting == waitersJoin {
			return nil
		}
		if err := pauseFor(ctx, time.Second/4); err != nil {
			return err
		}
	}
}

// others tells how long captures of others take while do runs: the time of each counts
// from when it was meant to begin.
func (s *server) others(ctx context.Context, do func(context.Context) error) (string, error) {
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		took   []time.Duration
		failed error
	)
	done := make(chan struct{})
	begun := time.Now()
	for i := range joinOthers {
		all.Go(func() {
			for n := 0; ; n++ {
				at := begun.Add(time.Duration(n)*time.Second/10 + time.Duration(i)*time.Second/10/joinOthers)
				select {
				case <-done:
					return
				case <-time.After(time.Until(at)):
				}
				body := captureBody(invoice(i, n), person(i), "")
				_, err := s.post(ctx, "/v1/capture", body)
				mine := time.Since(at)
				if err == nil {
					_, err = s.post(ctx, "/v1/release", body)
				}
				mu.Lock()
				took, failed = append(took, mine), errors.Join(failed, err)
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	err := do(ctx)
	close(done)
	all.Wait()
	if err = errors.Join(err, failed); err != nil || len(took) == 0 {
		return "", err
	}
	slices.Sort(took)
	return fmt.Sprintf("%v / %v / %v", round(quantile(took, 0.5)), round(quantile(took, 0.99)), round(took[len(took)-1])), nil
}
