package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/words"
)

func (a *app) list() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use: "list",
		Example: `editlock list --mode task
editlock list --below crm/contract
editlock list --session desk-1 --json`,
		Args: a.arguments(),
	})
	q := editlock.Query{Limit: editlock.MaxPage}
	fs := cmd.Flags()
	fs.SortFlags = false
	of := fs.String("below", "", a.words.Text("flag.list_below"))
	fs.StringVar(&q.Group, "group", "", a.words.Text("flag.group"))
	fs.StringVar(&q.Mode, "mode", "", a.words.Text("flag.mode"))
	fs.StringVar(&q.Session, "session", "", a.words.Text("flag.filter_session"))
	fs.StringVar(&q.UserID, "user", "", a.words.Text("flag.filter_user"))
	fs.StringVar(&q.Text, "text", "", a.words.Text("flag.text"))
	a.jsonFlag(fs)
	cmd.RunE = a.onLocks(func(ctx context.Context, locks editlock.Locker, _ []string) error {
		ofNone := false // a query without a group is of all groups
		if *of != "" {
			node, err := editlock.ParseBelow(*of)
			if err != nil {
				return err
			}
			q.Group, q.Mode, ofNone = node.Group, node.Mode, node.Group == ""
		}
		out := a.jsonList("mutexes")
		none := true
		for {
			page, err := locks.List(ctx, q)
			if err != nil {
				return err
			}
			if ofNone {
				page.Mutexes = slices.DeleteFunc(page.Mutexes, func(m editlock.Mutex) bool { return m.ID.Group != "" })
			}
			switch {
			case a.json:
				for _, form := range wire.FromMutexes(page.Mutexes) {
					if err := out.add(&form); err != nil {
						return err
					}
				}
			case len(page.Mutexes) > 0:
				a.listTable(page.Mutexes, none)
			}
			none = none && len(page.Mutexes) == 0
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		if a.json {
			return out.end()
		}
		if none {
			a.note(a.words.Text("list.empty"))
		}
		return nil
	})
	return cmd
}

// listTable prints a page, with column headings above the first.
func (a *app) listTable(page []editlock.Mutex, first bool) {
	var rows table
	if first {
		rows.head(a.words.Text("list.head"))
	}
	for _, m := range page {
		left := a.words.Text("list.never")
		if d, ends := m.ExpiresIn(); ends {
			left = a.words.Span(d)
		}
		rows.row(words.Named(m.ID), a.words.Who(m.Owner), a.words.Moment(m.CapturedAt, m.AsOf), left,
			strconv.Itoa(m.Waiting), tokenText(m.Token), words.Plain(clip(strings.TrimSpace(m.StatusData), 40)))
	}
	rows.print(a.stdout)
}

// clip shortens text to so many characters.
func clip(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}
