// Command notes is the application behind the examples in plain HTML, React and
// Vue: it serves the pages of a folder, keeps notes in memory, lets only the
// holder of a note's lock save it, and embeds the lock server.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/clients/js"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/httpapi"
	"github.com/editlock/editlock/store/memory"
)

// note is a text, and the token of the lock under which it was saved.
type note struct {
	Text  string `json:"text"`
	token editlock.Token
}

type notes struct {
	mu    sync.Mutex
	named map[string]note
}

func (n *notes) show(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	found, ok := n.named[r.PathValue("name")]
	n.mu.Unlock()
	if !ok {
		found.Text = "as it was"
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(found) // the client is gone if it fails
}

// save stores a note. The guard has checked that the token is in force; as the
// lock may be lost since then, a token older than that of the stored text is
// refused here.
func (n *notes) save(w http.ResponseWriter, r *http.Request) {
	var sent note
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&sent); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sent.token, _ = guard.Token(r.Context())
	name := r.PathValue("name")
	n.mu.Lock()
	defer n.mu.Unlock()
	if sent.token < n.named[name].token {
		http.Error(w, `{"code":"lost"}`, http.StatusConflict)
		return
	}
	n.named[name] = sent
	w.WriteHeader(http.StatusNoContent)
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: notes FOLDER")
	}
	locks := editlock.NewManager(memory.New(nil), nil)
	n := &notes{named: map[string]note{}}
	guarded := guard.Middleware(locks, func(r *http.Request) (editlock.ID, error) {
		return editlock.ID{Mode: "note", ID: r.PathValue("name")}, nil
	})
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(os.DirFS(os.Args[1])))
	mux.HandleFunc("GET /api/notes/{name}", n.show)
	mux.Handle("PUT /api/notes/{name}", guarded(http.HandlerFunc(n.save)))
	mux.Handle("/v1/", httpapi.New(locks, nil))
	mux.Handle("/editlock/", js.Handler("/editlock/", http.NotFoundHandler()))

	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:8080"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Ann edits at http://%[1]s/ and Bob at http://%[1]s/?reader=Bob\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.NewCrossOriginProtection().Handler(mux))) //nolint:gosec // an example
}
