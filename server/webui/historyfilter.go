package webui

import (
	"net/url"
	"strings"
	"time"

	"github.com/editlock/editlock"
)

// historyPath is the page of what happened.
const historyPath = "/ui/history"

// The scopes of a filter by name: the name alone, which may itself stand for all below a
// group or mode, or the name and everything below it.
const (
	alone = "alone"
	tree  = "tree"
)

// historyFilter is which entries the reader wants to see, as an address says.
type historyFilter struct {
	Text   string
	Group  string
	Mode   string
	Object string
	Part   string
	Scope  string // what of the fields above: alone, tree, or empty for all that fit
	User   string // an ID
	Kind   string
	From   string // days
	To     string
	before string // the cursor that the page begins behind
}

func readHistoryFilter(q url.Values) historyFilter {
	return historyFilter{
		Text: strings.TrimSpace(q.Get("q")), Group: q.Get("group"), Mode: q.Get("mode"), Object: q.Get("object"), Part: q.Get("part"), Scope: q.Get("scope"),
		User: strings.TrimSpace(q.Get("user")), Kind: q.Get("kind"), From: q.Get("from"), To: q.Get("to"), before: q.Get("before"),
	}
}

// historyOf is the filter for one lock, alone or with its tree.
func historyOf(id editlock.ID, scope string) historyFilter {
	return historyFilter{Group: id.Group, Mode: id.Mode, Object: id.ID, Part: id.Part, Scope: scope}
}

// historyBelow is the address of the history of a lock and all below it.
func historyBelow(id editlock.ID) string { return historyOf(id, tree).address("") }

// values is the filter as part of an address, without a cursor.
func (f historyFilter) values() url.Values {
	q := url.Values{}
	for key, value := range map[string]string{
		"q": f.Text, "group": f.Group, "mode": f.Mode, "object": f.Object, "part": f.Part, "user": f.User, "kind": f.Kind, "scope": f.Scope, "from": f.From, "to": f.To,
	} {
		if value != "" {
			q.Set(key, value)
		}
	}
	return q
}

// address is the history under this filter, behind a cursor.
func (f historyFilter) address(before string) string {
	q := f.values()
	if before != "" {
		q.Set("before", before)
	}
	return withQuery(historyPath, q)
}

// export is all that the filter leaves, as a file.
func (f historyFilter) export(format string) string {
	return withQuery(historyPath+"."+format, f.values())
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// Narrows reports whether the filter leaves anything out.
func (f historyFilter) Narrows() bool { return len(f.values()) > 0 }

// query is the filter as a store knows it, and what is to be picked from the answer;
// nil: all of it. An object alone may be of any group and mode: no store has an index
// of those, so it is searched for by its text.
func (f historyFilter) query() (editlock.HistoryQuery, func(editlock.Event) bool, error) {
	q := editlock.HistoryQuery{Group: f.Group, Mode: f.Mode, UserID: f.User, Text: f.Text}
	if f.Kind != "" {
		q.Kinds = []editlock.EventKind{editlock.EventKind(f.Kind)}
	}
	var err error
	if q.From, err = readDay("from", f.From); err != nil {
		return q, nil, err
	}
	if q.To, err = readDay("to", f.To); err != nil {
		return q, nil, err
	}
	if !q.To.IsZero() {
		q.To = q.To.AddDate(0, 0, 1)
	}
	switch {
	case f.Scope == alone, f.Scope == tree:
		q.ID, q.Group, q.Mode = &editlock.ID{Group: f.Group, Mode: f.Mode, ID: f.Object, Part: f.Part, Below: f.Object == ""}, "", ""
		q.Tree = f.Scope == tree
		return q, nil, q.ID.Validate()
	case f.Group != "" && f.Mode != "" && f.Object != "":
		q.ID, q.Group, q.Mode = &editlock.ID{Group: f.Group, Mode: f.Mode, ID: f.Object, Part: f.Part}, "", ""
		q.Tree = f.Part == ""
		return q, nil, nil
	case f.Object == "" && f.Part == "":
		return q, nil, nil
	case q.Text == "" && f.Object != "":
		q.Text = f.Object
	case q.Text == "":
		q.Text = f.Part
	}
	return q, func(e editlock.Event) bool {
		return (f.Object == "" || e.ID.ID == f.Object) && (f.Part == "" || e.ID.Part == f.Part)
	}, nil
}

// readDay reads the beginning of a day: of one in the reader's time zone, as a script
// writes it (2026-03-01T00:00:00+03:00), or in UTC (2026-03-01).
func readDay(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(form, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, &editlock.InvalidError{Field: field, Problem: "must be a day such as 2026-03-01"}
}

// FromDay and ToDay are what the form shows.
func (f historyFilter) FromDay() string { return dayOf(f.From) }

// ToDay is as FromDay.
func (f historyFilter) ToDay() string { return dayOf(f.To) }

func dayOf(text string) string {
	at, err := readDay("", text)
	if err != nil || text == "" {
		return ""
	}
	return at.Format(time.DateOnly)
}
