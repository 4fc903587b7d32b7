package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
)

func (a *app) handOver() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use:     "hand-over ID",
		Example: "editlock hand-over task/42 --session desk-1",
		Args:    a.arguments("ID"),
	})
	cmd.Flags().SortFlags = false
	below := a.belowFlag(cmd.Flags())
	owner := a.ownerFlags(cmd)
	a.jsonFlag(cmd.Flags())
	cmd.RunE = a.onMutex(below, owner, func(ctx context.Context, locks editlock.Locker, id editlock.ID) error {
		passed, err := locks.HandOver(ctx, id)
		outcome := "nobody_waits"
		switch {
		case err != nil:
			return err
		case passed:
			outcome = "handed_over"
		}
		return a.report(&wire.HandOverAnswer{HandedOver: passed}, outcome, id)
	})
	return cmd
}

func (a *app) decline() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use:     "decline ID",
		Example: `editlock decline task/42 --session desk-1 --message "ten minutes more, please"`,
		Args:    a.arguments("ID"),
	})
	var waiter, message string
	fs := cmd.Flags()
	fs.SortFlags = false
	below := a.belowFlag(fs)
	fs.StringVar(&waiter, "waiter", "", a.words.Text("flag.waiter"))
	fs.StringVar(&message, "message", "", a.words.Text("flag.decline_message"))
	owner := a.ownerFlags(cmd)
	a.jsonFlag(fs)
	cmd.RunE = a.onMutex(below, owner, func(ctx context.Context, locks editlock.Locker, id editlock.ID) error {
		var err error
		if !cmd.Flags().Changed("waiter") {
			if waiter, err = firstWaiter(ctx, locks, id); err != nil {
				return err
			}
		}
		declined, outcome := false, "not_declined"
		if waiter != "" || cmd.Flags().Changed("waiter") {
			if declined, err = locks.Decline(ctx, id, waiter, message); err != nil {
				return err
			}
		}
		if declined {
			outcome = "declined"
		}
		return a.report(&wire.DeclineAnswer{Declined: declined}, outcome, id)
	})
	return cmd
}

// firstWaiter returns the ID of the first who waits for a mutex of the
// caller's, empty if nobody does.
func firstWaiter(ctx context.Context, locks editlock.Locker, id editlock.ID) (string, error) {
	state, m, err := locks.Request(ctx, id)
	switch {
	case err != nil:
		return "", err
	case state == editlock.Free:
		return "", &editlock.LostError{ID: id}
	case state == editlock.CapturedByOther:
		return "", &editlock.LostError{ID: id, Holder: &m}
	case len(m.Waiters) == 0:
		return "", nil
	}
	return m.Waiters[0].ID, nil
}
