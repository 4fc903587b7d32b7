// Command server-rendered is a web application in Go that renders a note. It has no
// script of its own and embeds the lock server; saves are guarded by the token and the
// version that the form carries.
package main

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client/js"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

var page = template.Must(template.New("note").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>A note</title><script type="module" src="/editlock/element.js"></script></head>
<body><main><h1>A note</h1>
{{with .Refused}}<p role="alert">Not saved: {{.}}</p>{{end}}
<edit-lock mode="note" object="1" user="{{.Reader}}" name="{{.Reader}}" token-field="token" version="{{.Version}}">
  <form method="post" inert>
    <label for="text">Text</label> <textarea id="text" name="text">{{.Text}}</textarea>
    <button>Save</button>
  </form>
</edit-lock></main></body></html>`))

// note is the record: its text, its version, and the token under which it was stored.
type note struct {
	locks editlock.Locker

	mu      sync.Mutex
	text    string
	version int
	token   editlock.Token
}

func (n *note) show(w http.ResponseWriter, r *http.Request) { n.render(w, r, "") }

func (n *note) render(w http.ResponseWriter, r *http.Request, refused string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	_ = page.Execute(w, map[string]string{"Text": n.text, "Version": n.now(), "Reader": readerOf(r), "Refused": refused})
}

// readerOf is who reads; yours comes from a login.
func readerOf(r *http.Request) string { return cmp.Or(r.URL.Query().Get("reader"), "Ann") }

// now is the version that is stored.
func (n *note) now() string { return strconv.Itoa(n.version) }

// past stores a text without a lock, as an import does.
func (n *note) past(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text, n.version = r.PostFormValue("text"), n.version+1
	w.WriteHeader(http.StatusNoContent)
}

func (n *note) save(w http.ResponseWriter, r *http.Request) {
	token, _ := strconv.ParseUint(r.PostFormValue("token"), 10, 53)
	seen, err := guard.SeenVersion(r)
	if err == nil {
		err = n.store(r.Context(), readerOf(r), editlock.Token(token), seen, r.PostFormValue("text"))
	}
	if err != nil {
		w.WriteHeader(http.StatusConflict)
		n.render(w, r, err.Error())
		return
	}
	http.Redirect(w, r, r.URL.RequestURI(), http.StatusSeeOther)
}

// store refuses a text whose token is not in force or not its writer's, and a text that
// was not written on top of the stored version. It also refuses a token below the one that
// stored last: a lock may be lost between the check and the write.
func (n *note) store(ctx context.Context, reader string, token editlock.Token, seen, text string) error {
	if token == 0 {
		return editlock.ErrLost
	}
	id := editlock.ID{Mode: "note", ID: "1"}
	results, err := n.locks.Refresh(editlock.WithoutOwner(ctx), []editlock.RefreshItem{{ID: id, Token: token, ByToken: true}})
	if err != nil {
		return err
	}
	if err := results[0].Err; err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if results[0].Mutex.Owner.UserID != reader || token < n.token {
		return editlock.ErrLost
	}
	if seen != n.now() {
		return &guard.ChangedError{Seen: seen, Current: n.now()}
	}
	n.text, n.version, n.token = text, n.version+1, token
	return nil
}

func main() {
	ctx := context.Background()
	locks := editlock.NewManager(memory.New(nil), nil)
	n := &note{locks: locks, text: "as it was"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", n.show)
	mux.HandleFunc("POST /{$}", n.save)
	mux.HandleFunc("POST /import", n.past)
	mux.Handle("/v1/", httpapi.New(locks, nil))
	mux.Handle("/editlock/", js.Handler("/editlock/", http.NotFoundHandler()))

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:8080"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Ann edits at http://%[1]s/ and Bob at http://%[1]s/?reader=Bob\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.NewCrossOriginProtection().Handler(mux))) //nolint:gosec // an example
}
