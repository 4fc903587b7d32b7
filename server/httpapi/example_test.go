package httpapi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

// A server within a program of one's own.
func ExampleNew() {
	locks := editlock.NewManager(memory.New(nil), nil)
	defer locks.Close()
	handler := httpapi.New(locks, nil)
	server := httptest.NewServer(handler) // or http.Server{Handler: handler}
	defer server.Close()
	defer handler.Drain() // before the server stops, or it would await those who wait

	post := func(path, body string) {
		res, err := http.Post(server.URL+path, "application/json", strings.NewReader(body))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer res.Body.Close()
		answer, _ := io.ReadAll(res.Body)
		fmt.Println(res.StatusCode, string(answer))
	}
	post("/v1/request", `{"mutex": {"mode": "document", "id": "42"}}`)
	post("/v1/release", `{"mutex": {"mode": "document", "id": "42"}, "owner": {"session": "s-1", "name": "Ivanov"}}`)
	// Output:
	// 200 {"state":"FREE","mutex":null}
	// 200 {"released":false}
}
