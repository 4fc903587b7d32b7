package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/words"
)

func (a *app) watch() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use: "watch [ID]",
		Example: `editlock watch --mode task
editlock watch --below crm/contract
editlock watch task/42 --after 1042 --json`,
		Args: a.arguments("[ID]"),
	})
	var q editlock.WatchQuery
	fs := cmd.Flags()
	fs.SortFlags = false
	below := a.belowFlag(fs)
	fs.StringVar(&q.Group, "group", "", a.words.Text("flag.group"))
	fs.StringVar(&q.Mode, "mode", "", a.words.Text("flag.mode"))
	fs.StringVar(&q.Session, "session", "", a.words.Text("flag.filter_session"))
	fs.Var(seqValue{&q.After}, "after", a.words.Text("flag.after"))
	a.jsonFlag(fs)
	cmd.RunE = a.onLocks(func(ctx context.Context, locks editlock.Locker, args []string) error {
		var err error
		if q.ID, q.Tree, err = below.tree(args); err != nil {
			return err
		}
		for e, err := range locks.Watch(ctx, q) {
			if err == nil {
				err = a.showEvent(e)
			}
			switch {
			case err == nil:
			case ended(ctx, err):
				return nil // an interrupt is how a watch ends
			default:
				return err
			}
		}
		return nil
	})
	return cmd
}

func (a *app) showEvent(e editlock.Event) error {
	if a.json {
		form := wire.FromEntry(e)
		return a.writeJSON(&form)
	}
	if e.Kind == editlock.KindGap {
		a.say(a.words.Text("event.gap", strconv.FormatUint(e.Seq, 10)))
		return nil
	}
	a.say(e.At.Local().Format(time.TimeOnly) + " " + a.eventText(e))
	return nil
}

func (a *app) eventText(e editlock.Event) string {
	name, owner, actor, other := words.Named(e.ID), a.words.Who(e.Owner), a.words.Who(e.Actor), a.words.Who(e.Other)
	text := ""
	switch e.Kind {
	case editlock.KindCaptured:
		text = a.words.Text("event.captured", name, owner, tokenText(e.Token))
	case editlock.KindReleased:
		text = a.words.Text("event.released", name, actor)
	case editlock.KindExpired:
		text = a.words.Text("event.expired", name, owner)
	case editlock.KindTakenOver:
		text = a.words.Text("event.taken_over", name, owner, other, tokenText(e.Token))
	case editlock.KindForceReleased:
		text = a.words.Text("event.force_released", name, actor, owner)
	case editlock.KindHandedOver:
		text = a.words.Text("event.handed_over", name, owner)
	case editlock.KindWaiting:
		text = a.words.Text("event.waiting", name, actor)
	case editlock.KindDeclined:
		text = a.words.Text("event.declined", name, owner, other)
	case editlock.KindShared:
		text = a.words.Text("event.shared", name, owner)
	case editlock.KindUpgraded:
		text = a.words.Text("event.upgraded", name, owner, tokenText(e.Token))
	default:
		text = name + ": " + a.words.Kind(e.Kind)
	}
	if e.Reason != "" {
		text += ": " + words.Plain(e.Reason)
	}
	return text
}
