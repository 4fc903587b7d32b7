// Command sections is a contract with five sections, which different people edit
// at the same time. A save writes the sections that changed, if all of their locks
// are still held: the transaction that writes checks this.
package main

import (
	"cmp"
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client/js"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/sqlite"
)

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("contract").Parse(pageHTML))

type section struct {
	Part, Title string
	Fields      []field
}

type field struct {
	Name, Title, Value string
	Long               bool
}

// sections are the form, with what a new contract says.
var sections = []section{
	{"parties", "Parties", []field{{"customer", "Customer", "Harbour Ltd", false}, {"supplier", "Supplier", "Oak & Sons", false}}},
	{"subject", "Subject", []field{{"title", "Title", "Office furniture", false}, {"scope", "Scope", "40 desks, 12 cabinets", true}}},
	{"address", "Delivery", []field{{"street", "Street", "5 Quay Street", false}, {"due", "Due", "31 January", false}}},
	{"payment", "Payment", []field{{"amount", "Amount", "48 000", false}, {"terms", "Terms", "Within 30 days", false}}},
	{"notes", "Notes", []field{{"notes", "Notes", "Delivery in two parts.", true}}},
}

// contract is the record, in the database where the locks are.
type contract struct {
	locks editlock.Locker
	db    *sql.DB
}

var object = editlock.ID{Group: "crm", Mode: "contract", ID: "7"}

func (c *contract) create(ctx context.Context) error {
	if _, err := c.db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS contract (name TEXT PRIMARY KEY, value TEXT NOT NULL)"); err != nil {
		return err
	}
	for _, s := range sections {
		for _, f := range s.Fields {
			if _, err := c.db.ExecContext(ctx, "INSERT OR IGNORE INTO contract VALUES (?, ?)", f.Name, f.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// readerOf is who reads; yours comes from a login.
func readerOf(r *http.Request) string { return cmp.Or(r.URL.Query().Get("reader"), "Ann") }

func (c *contract) show(w http.ResponseWriter, r *http.Request) { c.render(w, r, http.StatusOK, "") }

func (c *contract) render(w http.ResponseWriter, r *http.Request, status int, refused string) {
	stored := make([]section, len(sections))
	for i, s := range sections {
		stored[i] = section{Part: s.Part, Title: s.Title}
		for _, f := range s.Fields {
			if err := c.db.QueryRowContext(r.Context(), "SELECT value FROM contract WHERE name = ?", f.Name).Scan(&f.Value); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			stored[i].Fields = append(stored[i].Fields, f)
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = page.Execute(w, map[string]any{"Sections": stored, "Reader": readerOf(r), "Refused": refused})
}

func (c *contract) save(w http.ResponseWriter, r *http.Request) {
	held, err := guard.ParseHeld(object, r.PostFormValue("tokens"))
	if err == nil && len(held) > 0 { // else nothing has changed
		err = c.store(r.Context(), readerOf(r), held, r.PostFormValue)
	}
	if err != nil {
		c.render(w, r, http.StatusConflict, err.Error())
		return
	}
	http.Redirect(w, r, r.URL.RequestURI(), http.StatusSeeOther)
}

// store writes the sections that are held, all or none.
func (c *contract) store(ctx context.Context, reader string, held []guard.Held, value func(name string) string) error {
	for _, h := range held {
		_, m, err := c.locks.Request(editlock.WithoutOwner(ctx), h.ID)
		if err != nil {
			return err
		}
		if m.Owner.UserID != reader {
			return &editlock.LostError{ID: h.ID}
		}
	}
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := guard.SQLite("").CheckAll(ctx, tx, held); err != nil {
		return err
	}
	for _, h := range held {
		for _, s := range sections {
			if s.Part != h.ID.Part {
				continue
			}
			for _, f := range s.Fields {
				if _, err := tx.ExecContext(ctx, "UPDATE contract SET value = ? WHERE name = ?", value(f.Name), f.Name); err != nil {
					return err
				}
			}
		}
	}
	return tx.Commit()
}

func run(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "editlock-sections-")
	if err != nil {
		return err
	}
	path := filepath.Join(folder, "contract.db")
	st, err := sqlite.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	if err != nil {
		return err
	}
	locks := editlock.NewManager(st, nil)
	c := &contract{locks, db}
	if err := c.create(ctx); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.show)
	mux.HandleFunc("POST /{$}", c.save)
	mux.Handle("/v1/", httpapi.New(locks, nil))
	mux.Handle("/editlock/", js.Handler("/editlock/", http.NotFoundHandler()))

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:8080"))
	if err != nil {
		return err
	}
	fmt.Printf("Ann edits at http://%[1]s/ and Bob at http://%[1]s/?reader=Bob\n", listener.Addr())
	return http.Serve(listener, http.NewCrossOriginProtection().Handler(mux)) //nolint:gosec // an example
}

func main() { log.Fatal(run(context.Background())) }
