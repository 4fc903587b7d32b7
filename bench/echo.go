package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// echo is the least that a JSON server must do: read a body into a form,
// write a form of the size that the real server answers with.
func echo() http.Handler {
	mux := http.NewServeMux()
	const at = "2026-01-02T03:04:05.678901Z"
	mux.HandleFunc("POST /v1/capture", answer(func(in captureForm) capturedForm {
		return capturedForm{"CAPTURED_BY_ME", heldForm{
			Mutex: in.Mutex, Owner: in.Owner, AutoRelease: autoReleaseForm{"300s"}, Token: 123456,
			CapturedAt: at, RefreshedAt: at, ExpiresAt: at, ExpiresInS: 300, AsOf: at, Waiters: []ownerForm{},
		}}
	}))
	mux.HandleFunc("POST /v1/release", answer(func(captureForm) releasedForm { return releasedForm{true} }))
	return mux
}

func answer[In, Out any](f func(In) Out) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// A client that went away sees nothing of it.
		_ = json.NewEncoder(w).Encode(f(in))
	}
}

// tokenPass is the least that a hand-over by HTTP must do: one token, which
// waits in a channel, first come, first served. Commit, if any, comes before
// each release.
func tokenPass(commit func() error) http.Handler {
	token := make(chan struct{}, 1)
	token <- struct{}{}
	var waiting atomic.Int64
	done := answer(func(captureForm) releasedForm { return releasedForm{true} })
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/capture", func(w http.ResponseWriter, r *http.Request) {
		waiting.Add(1)
		defer waiting.Add(-1)
		select {
		case <-token:
			done(w, r)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /v1/release", func(w http.ResponseWriter, r *http.Request) {
		if commit != nil {
			if err := commit(); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		token <- struct{}{}
		done(w, r)
	})
	mux.HandleFunc("POST /v1/request", answer(func(captureForm) capturedForm {
		return capturedForm{Mutex: heldForm{Waiting: int(waiting.Load())}}
	}))
	return mux
}

// durableTokenPass commits each release to a database in a folder.
func durableTokenPass(ctx context.Context, dir string) (http.Handler, io.Closer, error) {
	rows, err := newBare(ctx, dir, "token", false)
	if err != nil {
		return nil, nil, err
	}
	passes := 0
	return tokenPass(func() error {
		passes++ // one holder at a time
		return rows.put(ctx, fmt.Sprint(passes))
	}), rows, nil
}
