package mcp

import (
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/editlock/editlock"
)

const (
	defaultRows = 50
	maxRows     = 200
	// rowData is how much of a status data a list tells, in characters.
	rowData = 300
)

// rows is how many a page has.
func rows(limit int) (int, error) {
	switch {
	case limit == 0:
		return defaultRows, nil
	case limit < 0 || limit > maxRows:
		return 0, &editlock.InvalidError{Field: "limit", Problem: fmt.Sprintf("is %d; between 1 and %d is allowed", limit, maxRows)}
	}
	return limit, nil
}

func (d *Door) list(ctx context.Context, req *sdk.CallToolRequest, in listIn) answer[listOut] {
	refused := func(err error) answer[listOut] {
		p := problemOf(err)
		return answer[listOut]{told(p), listOut{Locks: []*lock{}, Problem: p}, err}
	}
	limit, err := rows(in.Limit)
	if err != nil {
		return refused(err)
	}
	c, err := d.begin(ctx, req, named{}, nil)
	if err != nil {
		return refused(err)
	}
	defer c.end()
	var page editlock.Page
	err = c.act(ctx, func(ctx context.Context) error {
		return readOn(in.Cursor, func(cursor string) (found int, next string, err error) {
			got, err := c.Locker.List(ctx, editlock.Query{Group: in.Group, Mode: in.Mode, Text: in.Text, Limit: limit, Cursor: cursor})
			if err == nil {
				page = got
			}
			return len(got.Mutexes), got.Next, err
		})
	})
	if err != nil {
		return refused(err)
	}
	out := listOut{Locks: make([]*lock, len(page.Mutexes)), Next: page.Next}
	text := make([]string, len(page.Mutexes))
	for i, m := range page.Mutexes {
		out.Locks[i] = lockOf(m, m.Owner.SameHolder(c.Owner))
		out.Locks[i].StatusData = cut(m.StatusData, rowData)
		text[i] = editing(m)
	}
	if len(text) == 0 {
		text = append(text, nothing(page.Next, "No such lock is held."))
	}
	return answer[listOut]{text: more(text, page.Next), out: out}
}

// readFor bounds how long empty pages are read on: a search that no index answers ends
// pages early.
const readFor = 10 * time.Second

// readOn reads pages from a cursor on, up to the first that is not empty. What was
// read counts, even if a later page fails.
func readOn(cursor string, page func(cursor string) (found int, next string, err error)) error {
	for first, begun := true, time.Now(); ; first = false {
		found, next, err := page(cursor)
		switch {
		case err != nil && !first:
			return nil
		case err != nil || found > 0 || next == "" || time.Since(begun) > readFor:
			return err
		}
		cursor = next
	}
}

// nothing says that nothing was found; with a next page, so far.
func nothing(next, text string) string {
	if next != "" {
		return "Nothing was found so far, but not all was looked at: that says nothing yet. Call again with next_cursor."
	}
	return text
}

// more joins the lines of a page, and says if there is another one.
func more(lines []string, next string) string {
	if next != "" {
		lines = append(lines, "There are more; next_cursor: "+next)
	}
	return strings.Join(lines, "\n")
}

func (d *Door) history(ctx context.Context, req *sdk.CallToolRequest, in historyIn) answer[historyOut] {
	refused := func(err error) answer[historyOut] {
		p := problemOf(err)
		return answer[historyOut]{told(p), historyOut{Entries: []event{}, Problem: p}, err}
	}
	limit, err := rows(in.Limit)
	if err != nil {
		return refused(err)
	}
	c, err := d.begin(ctx, req, named{}, nil)
	if err != nil {
		return refused(err)
	}
	defer c.end()
	q := editlock.HistoryQuery{Group: in.Group, Mode: in.Mode, Text: in.Text, Limit: limit}
	if in.ID != "" || in.Part != "" {
		q.Tree, q.ID = true, &editlock.ID{Group: in.Group, Mode: in.Mode, ID: in.ID, Part: in.Part}
	}
	for _, k := range in.Kinds {
		q.Kinds = append(q.Kinds, editlock.EventKind(k))
	}
	var page editlock.HistoryPage
	err = c.act(ctx, func(ctx context.Context) error {
		return readOn(in.Cursor, func(cursor string) (found int, next string, err error) {
			q.Cursor = cursor
			got, err := c.Locker.History(ctx, q)
			if err == nil {
				page = got
			}
			return len(got.Entries), got.Next, err
		})
	})
	if err != nil {
		return refused(err)
	}
	out := historyOut{Entries: make([]event, len(page.Entries)), Next: page.Next}
	text := make([]string, len(page.Entries))
	for i, e := range page.Entries {
		out.Entries[i] = event{
			At: moment(e.At), Kind: string(e.Kind), Group: e.ID.Group, Mode: e.ID.Mode, ID: e.ID.ID, Part: e.ID.Part, Below: e.ID.Below,
			Owner: partyOf(e.Owner), Actor: partyOf(e.Actor), Other: partyOf(e.Other), Reason: e.Reason,
		}
		text[i] = happened(e)
	}
	if len(text) == 0 {
		text = append(text, nothing(page.Next, "Nothing is on record."))
	}
	return answer[historyOut]{text: more(text, page.Next), out: out}
}

// happened says what an entry tells.
func happened(e editlock.Event) string {
	owner, actor, other := who(e.Owner), who(e.Actor), who(e.Other)
	what := ""
	switch e.Kind {
	case editlock.KindCaptured:
		what = owner + " captured it"
	case editlock.KindReleased:
		what = actor + " released it"
	case editlock.KindExpired:
		what = "the hold of " + owner + " expired"
	case editlock.KindTakenOver:
		what = actor + " took it over from " + other
	case editlock.KindForceReleased:
		what = actor + " released it by force from " + owner
	case editlock.KindHandedOver:
		what = owner + " handed it over to " + other
	case editlock.KindWaiting:
		what = actor + " waited for " + owner
	case editlock.KindDeclined:
		what = actor + " declined to hand it over to " + other
	case editlock.KindShared:
		what = owner + " let others share it"
	case editlock.KindUpgraded:
		what = owner + " held it alone"
	default: // of a newer server
		what = string(e.Kind) + " by " + actor
	}
	if e.Reason != "" {
		what += fmt.Sprintf(" (%q)", line(e.Reason))
	}
	return fmt.Sprintf("%s %s: %s.", moment(e.At), name(e.ID), what)
}
