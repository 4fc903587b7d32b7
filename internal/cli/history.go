package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/words"
)

func (a *app) history() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use: "history [ID]",
		Example: `editlock history task/42
editlock history --below crm/contract
editlock history --user u17 --kind taken_over --from 2026-03-01 --json`,
		Args: a.arguments("[ID]"),
	})
	var q editlock.HistoryQuery
	var kinds []string
	limit := 0
	fs := cmd.Flags()
	fs.SortFlags = false
	below := a.belowFlag(fs)
	fs.StringVar(&q.Group, "group", "", a.words.Text("flag.group"))
	fs.StringVar(&q.Mode, "mode", "", a.words.Text("flag.mode"))
	fs.StringVar(&q.UserID, "user", "", a.words.Text("flag.filter_user"))
	fs.StringArrayVar(&kinds, "kind", nil, a.words.Text("flag.kind"))
	fs.Var(timeValue{&q.From}, "from", a.words.Text("flag.from"))
	fs.Var(timeValue{&q.To}, "to", a.words.Text("flag.to"))
	fs.StringVar(&q.Text, "text", "", a.words.Text("flag.history_text"))
	fs.IntVar(&limit, "limit", 0, a.words.Text("flag.limit"))
	a.jsonFlag(fs)
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("limit") && limit < 1 {
			return a.usage("usage.flag.invalid", "--limit", fmt.Sprint(limit), a.words.Text("usage.number"))
		}
		return nil
	}
	cmd.RunE = a.onLocks(func(ctx context.Context, locks editlock.Locker, args []string) error {
		var err error
		if q.ID, q.Tree, err = below.tree(args); err != nil {
			return err
		}
		for _, k := range kinds {
			q.Kinds = append(q.Kinds, editlock.EventKind(k))
		}
		return a.showHistory(ctx, locks, q, limit)
	})
	return cmd
}

// tree returns the ID that an argument names, nil without one, and whether everything below
// it is asked for, too: for an object, its parts.
func (b *belowFlag) tree(args []string) (*editlock.ID, bool, error) {
	switch {
	case len(args) == 0:
		return nil, b.set, nil
	case b.set && strings.Count(args[0], "/") == 2 && !strings.HasSuffix(args[0], "/"):
		id, err := editlock.ParseID(args[0])
		return &id, true, err
	}
	id, err := b.id(args[0])
	return &id, b.set, err
}

// showHistory prints up to limit entries, all of them if it is 0.
func (a *app) showHistory(ctx context.Context, locks editlock.Locker, q editlock.HistoryQuery, limit int) error {
	out := a.jsonList("entries")
	printed := 0
	for {
		q.Limit = editlock.MaxPage
		if limit > 0 {
			q.Limit = min(q.Limit, limit-printed)
		}
		page, err := locks.History(ctx, q)
		if err != nil {
			return err
		}
		if a.json {
			for _, e := range page.Entries {
				form := wire.FromEntry(e)
				if err := out.add(&form); err != nil {
					return err
				}
			}
		} else if len(page.Entries) > 0 {
			a.historyTable(page.Entries, printed == 0)
		}
		printed += len(page.Entries)
		if q.Cursor = page.Next; q.Cursor == "" || printed == limit {
			break
		}
	}
	if a.json {
		return out.end()
	}
	if printed == 0 {
		a.note(a.words.Text("history.none"))
	}
	return nil
}

func (a *app) historyTable(page []editlock.Event, first bool) {
	var rows table
	if first {
		rows.head(a.words.Text("history.head"))
	}
	for _, e := range page {
		by := ""
		if !e.Actor.SameHolder(e.Owner) {
			by = a.words.Who(e.Actor)
		}
		rows.row(e.At.Local().Format(time.DateTime), a.words.Kind(e.Kind), words.Named(e.ID),
			a.words.Who(e.Owner), by, tokenText(e.Token), words.Plain(e.Reason))
	}
	rows.print(a.stdout)
}
