package main

import (
	"encoding/json"
	"net/http"
)

// echo is the least that a JSON server must do: read a body into a form,
// write a form of the size that the real server answers with.
func echo() http.Handler {
	mux := http.NewServeMux()
	const at = "2026-01-02T03:04:05.678901Z"
	mux.HandleFunc("POST /v1/capture", answer(func(in captureForm) capturedForm {
		return capturedForm{"CAPTURED_BY_ME", heldForm{
			Mutex: in.Mutex, Owner: in.Owner, AutoRelease: autoReleaseForm{"300s"}, Token: 123456,
			CapturedAt: at, RefreshedAt: at, ExpiresAt: at, ExpiresInS: 300, Waiters: []ownerForm{},
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
// waits in no memory but a channel's, first come, first served.
func tokenPass() http.Handler {
	token := make(chan struct{}, 1)
	token <- struct{}{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/capture", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-token:
			answer(func(captureForm) releasedForm { return releasedForm{true} })(w, r)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /v1/release", func(w http.ResponseWriter, r *http.Request) {
		token <- struct{}{}
		answer(func(captureForm) releasedForm { return releasedForm{true} })(w, r)
	})
	return mux
}
