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
	"strconv"
	"sync"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client/js"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

// note is a text, its version, and the token of the lock under which it was saved.
type note struct {
	Text     string `json:"text"`
	Version  string `json:"version,omitempty"`
	revision int
	token    editlock.Token
}

type notes struct {
	mu    sync.Mutex
	named map[string]note
}

func (n *notes) show(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	found := n.get(r.PathValue("name"))
	n.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(found) // the client is gone if it fails
}

func (n *notes) get(name string) note {
	found, ok := n.named[name]
	if !ok {
		found.Text = "as it was"
	}
	found.Version = strconv.Itoa(found.revision)
	return found
}

// put stores a note as the next version.
func (n *notes) put(name string, sent note) note {
	sent.revision = n.named[name].revision + 1
	n.named[name] = sent
	return n.get(name)
}

// past stores a text without a lock, as an import does.
func (n *notes) past(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := r.PathValue("name")
	n.put(name, note{Text: r.PostFormValue("text"), token: n.named[name].token})
	w.WriteHeader(http.StatusNoContent)
}

// save stores a note. The guard has checked that the token is in force; as the
// lock may be lost since then, a token older than that of the stored text is
// refused here. A page that knows versions names the one it has shown.
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
	if r.Header.Get("If-Match") != "" {
		seen, err := guard.SeenVersion(r)
		if now := n.get(name).Version; err == nil && seen != now {
			err = &guard.ChangedError{Seen: seen, Current: now}
		}
		if err != nil {
			guard.Refuse(w, err)
			return
		}
	}
	guard.SetVersion(w.Header(), n.put(name, sent).Version)
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
	mux.HandleFunc("POST /api/import/{name}", n.past)
	mux.Handle("/v1/", httpapi.New(locks, nil))
	mux.Handle("/editlock/", js.Handler("/editlock/", http.NotFoundHandler()))

	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:8080"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Ann edits at http://%[1]s/ and Bob at http://%[1]s/?reader=Bob\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.NewCrossOriginProtection().Handler(mux))) //nolint:gosec // an example
}
