package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/access"
)

// get makes a handler of what a reading call does with its parameters.
func get(do func(c *call, q *params) (answer any, err error)) func(*Handler, http.ResponseWriter, *http.Request) error {
	return func(h *Handler, w http.ResponseWriter, r *http.Request) error {
		q, err := parse(r)
		if err != nil {
			return err
		}
		answer, err := do(newCall(h, r), q)
		if err != nil {
			return plain(err)
		}
		return write(w, http.StatusOK, jsonType, answer)
	}
}

// plain makes an error about a part of an ID name the parameter.
func plain(err error) error {
	var bad *editlock.InvalidError
	if errors.As(err, &bad) {
		if name, ok := strings.CutPrefix(bad.Field, "mutex."); ok {
			in := *bad
			in.Field = name
			return &in
		}
	}
	return err
}

// params are the parameters of a query, each taken once. The first error is
// kept.
type params struct {
	values url.Values
	known  []string
	err    error
}

func parse(r *http.Request) (*params, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("query", "malformed_query", "is not well formed: %v", err)
	}
	for name := range values { // one that an error could not name
		if name == "" || !utf8.ValidString(name) {
			return nil, invalid("query", "malformed_name", "has a parameter whose name is empty or not UTF-8: %q", name)
		}
	}
	return &params{values: values}, nil
}

func (q *params) fail(field, code, format string, args ...any) {
	if q.err == nil {
		q.err = invalid(field, code, format, args...)
	}
}

// text takes a parameter; absent and empty are the same.
func (q *params) text(name string) string {
	q.known = append(q.known, name)
	values := q.values[name]
	if len(values) > 1 {
		q.fail(name, "given_again", "is given %d times; give it once", len(values))
	}
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// list takes a parameter that may be repeated, or hold several with commas.
func (q *params) list(name string) []string {
	q.known = append(q.known, name)
	var all []string
	for _, value := range q.values[name] {
		for part := range strings.SplitSeq(value, ",") {
			if part != "" {
				all = append(all, part)
			}
		}
	}
	return all
}

func (q *params) number(name string) int {
	text := q.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		q.fail(name, "not_a_number", "must be a whole number, not %q", short(text))
	}
	return n
}

func (q *params) time(name string) time.Time {
	text := q.text(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		q.fail(name, "not_a_time", "must be a time such as 2025-11-22T12:04:00Z, not %q", short(text))
	}
	return at.UTC()
}

// done returns the first error; a parameter that nobody took is one.
func (q *params) done() error {
	for name := range q.values {
		if !slices.Contains(q.known, name) {
			q.fail(name, "unknown_parameter", "is not known here; known are %s", strings.Join(q.known, ", "))
		}
	}
	return q.err
}

// id takes the parameters of an ID, or of a group and mode if there is no id. All of
// a tree without an id is below a group, or a group and mode.
func (q *params) id() (id *editlock.ID, tree bool, group, mode string) {
	group, mode = q.text("group"), q.text("mode")
	name, part, below := q.text("id"), q.text("part"), q.flag("below")
	tree = q.flag("tree")
	switch {
	case part != "" && name == "":
		q.fail("part", "goes_with_id", "goes with id")
	case name == "" && !below && !tree:
		return nil, false, group, mode
	}
	out := editlock.ID{Group: group, Mode: mode, ID: name, Part: part, Below: below || name == ""}
	if err := out.Validate(); err != nil && q.err == nil {
		q.err = err
	}
	return &out, tree, "", ""
}

// flag takes a parameter that is true or absent.
func (q *params) flag(name string) bool {
	text := q.text(name)
	if text != "" && text != "true" {
		q.fail(name, "not_true", "must be true, or absent")
	}
	return text != ""
}

func list(c *call, q *params) (any, error) {
	query := editlock.Query{
		Group: q.text("group"), Mode: q.text("mode"), Session: q.text("session"), UserID: q.text("user_id"),
		Text: q.text("text"), Limit: q.number("limit"), Cursor: q.text("cursor"),
	}
	if err := q.done(); err != nil {
		return nil, err
	}
	page, err := c.locker.List(c.ctx, query)
	c.oweRows(len(page.Mutexes))
	return &wire.ListAnswer{Mutexes: wire.FromMutexes(page.Mutexes), Next: wire.Cursor(page.Next)}, err
}

func history(c *call, q *params) (any, error) {
	id, tree, group, mode := q.id()
	query := editlock.HistoryQuery{
		ID: id, Tree: tree, Group: group, Mode: mode, UserID: q.text("user_id"), From: q.time("from"), To: q.time("to"),
		Text: q.text("text"), Limit: q.number("limit"), Cursor: q.text("cursor"),
	}
	for _, kind := range q.list("kind") {
		query.Kinds = append(query.Kinds, editlock.EventKind(kind))
	}
	if err := q.done(); err != nil {
		return nil, err
	}
	page, err := c.locker.History(c.ctx, query)
	if err != nil {
		return nil, err
	}
	c.oweRows(len(page.Entries))
	out := &wire.HistoryAnswer{Entries: make([]wire.Entry, len(page.Entries)), Next: wire.Cursor(page.Next)}
	for i, e := range page.Entries {
		out.Entries[i] = wire.FromEntry(e)
	}
	return out, nil
}

func (c *call) oweRows(n int) {
	if c.caller != nil {
		c.opts.Access.OweRows(c.caller, n)
	}
}

// works is the status of what does.
const works = "ok"

var ok = &wire.StatusAnswer{Status: works}

// alive says that the process serves, whatever its store does.
func alive(_ *call, q *params) (any, error) { return ok, q.done() }

// readyWithin is how long the store may take to count as ready.
const readyWithin = 2 * time.Second

// ready says that the server can do its work: it is not stopping, and its
// store answers and takes writes. What only some callers need is told of, but keeps no other
// caller away: were it a reason, the outage of an issuer of tokens would take
// all servers out of service at once.
func ready(c *call, q *params) (any, error) {
	if err := q.done(); err != nil {
		return nil, err
	}
	if c.draining.Err() != nil {
		return nil, wire.NewProblem(wire.Unavailable, "not ready: server; it is stopping")
	}
	ctx, cancel := context.WithTimeout(c.ctx, readyWithin)
	defer cancel()
	switch err := editlock.Ready(ctx, c.store); {
	case errors.Is(err, editlock.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded):
		c.opts.Logger.Error("not ready: the store does not answer or takes no writes", "request_id", access.RequestIDFrom(c.ctx), "err", err)
		return nil, wire.NewProblem(wire.Unavailable, "not ready: store; it does not answer or takes no writes, and the server's log says why")
	case err != nil:
		return nil, err
	}
	out := &wire.StatusAnswer{Status: works, Parts: map[string]string{"server": works, "store": works}}
	if c.opts.Parts != nil {
		for name, problem := range c.opts.Parts() {
			out.Parts[name] = works
			if problem != nil {
				out.Parts[name] = "unavailable"
			}
		}
	}
	return out, nil
}
