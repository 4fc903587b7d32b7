package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/words"
)

func (a *app) release() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use: "release ID",
		Example: `editlock release task/42 --session desk-1
editlock release task/42 --session desk-1 --if-token 7`,
		Args: a.arguments("ID"),
	})
	cmd.Flags().SortFlags = false
	below := a.belowFlag(cmd.Flags())
	owner := a.ownerFlags(cmd)
	cond := a.conditionFlags(cmd.Flags(), false)
	a.jsonFlag(cmd.Flags())
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		return a.oneOf(cmd, "if-status-data", "if-token")
	}
	cmd.RunE = a.onMutex(below, owner, func(ctx context.Context, locks editlock.Locker, id editlock.ID) error {
		released, err := locks.Release(ctx, id, cond.get())
		outcome := "not_held_so"
		switch {
		case err != nil:
			return err
		case released:
			outcome = "released"
		case cond.get().IsZero():
			outcome = "not_released"
		}
		return a.report(&wire.ReleaseAnswer{Released: released}, outcome, id)
	})
	return cmd
}

func (a *app) releaseSession() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use:     "release-session SESSION",
		Example: "editlock release-session desk-1",
		Args:    a.arguments("SESSION"),
	})
	a.jsonFlag(cmd.Flags())
	cmd.RunE = a.onLocks(func(ctx context.Context, locks editlock.Locker, args []string) error {
		released, err := locks.ReleaseSession(ctx, args[0])
		if err != nil {
			return err
		}
		if a.json {
			return a.writeJSON(&wire.ReleaseAllAnswer{Released: len(released) > 0, Mutexes: wire.FromIDs(released)})
		}
		a.say(a.words.Count("session.released", len(released), words.Plain(args[0])))
		for _, id := range released {
			a.say("  " + words.Named(id))
		}
		return nil
	})
	return cmd
}
