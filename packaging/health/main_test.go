package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCheck(t *testing.T) {
	answer := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	plain := httptest.NewServer(answer(http.StatusOK))
	defer plain.Close()
	secure := httptest.NewTLSServer(answer(http.StatusOK))
	defer secure.Close()
	ill := httptest.NewServer(answer(http.StatusServiceUnavailable))
	defer ill.Close()
	gone := httptest.NewServer(answer(http.StatusOK))
	gone.Close()

	for _, tt := range []struct {
		name, url string
		well      bool
	}{
		{"a server that is well", plain.URL, true},
		{"a server with a certificate of another name", secure.URL, true},
		{"a server that is not", ill.URL, false},
		{"nobody there", gone.URL, false},
		{"no URL", "well", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := check(t.Context(), tt.url); (err == nil) != tt.well {
				t.Errorf("%s: %v", tt.url, err)
			}
		})
	}
}
