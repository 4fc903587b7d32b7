package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/words"
)

func (a *app) capture() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use: "capture ID",
		Example: `editlock capture task/42 --session desk-1 --name Ivanov --idle 10m
editlock capture task/42 --session desk-2 --name Petrov --wait 1m --message "may I?"
editlock capture import/nightly --session job-1 --limit 3 --wait 10m`,
		Args: a.arguments("ID"),
	})
	cmd.Flags().SortFlags = false
	below := a.belowFlag(cmd.Flags())
	owner := a.ownerFlags(cmd)
	terms := a.termFlags(cmd.Flags())
	cond := a.conditionFlags(cmd.Flags(), true)
	share := a.shareFlags(cmd.Flags())
	wait := a.waitFlags(cmd.Flags())
	a.jsonFlag(cmd.Flags())
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.oneOf(cmd, "shared", "exclusive", "limit"); err != nil {
			return err
		}
		return a.oneOf(cmd, "if-free", "if-status-data", "if-token")
	}
	cmd.RunE = a.onMutex(below, owner, func(ctx context.Context, locks editlock.Locker, id editlock.ID) error {
		opts := &editlock.CaptureOptions{If: cond.get()}
		if err := terms.fill(opts); err != nil {
			return err
		}
		share.fill(opts)
		wait.fill(opts)
		if opts.Wait > 0 {
			defer a.tellQueue(ctx, locks, id)()
		}
		m, err := locks.Capture(ctx, id, opts)
		if err == nil && opts.Wait > 0 {
			m, err = settle(ctx, locks, m)
		}
		if err != nil {
			return err
		}
		if owner.ownSession() {
			a.note(a.words.Text("session.hint", m.Owner.Session))
		}
		return a.showCaptured(m)
	})
	return cmd
}

// showCaptured prints a mutex that the caller has now.
func (a *app) showCaptured(m editlock.Mutex) error {
	if a.json {
		form := wire.FromMutex(m)
		return a.writeJSON(&form)
	}
	a.say(a.words.Text("captured", words.Named(m.ID), tokenText(m.Token)) + "; " + a.termsText(m.AutoRelease))
	return nil
}

// termsText tells when a mutex is freed by itself.
func (a *app) termsText(auto editlock.AutoRelease) string {
	if auto.IsNever() {
		return a.words.Text("until.never")
	}
	text := a.words.Text("until.idle", a.words.Span(auto.Idle))
	if auto.MaxHold > 0 {
		text += ", " + a.words.Text("until.max_hold", a.words.Span(auto.MaxHold))
	}
	return text
}

func tokenText(t editlock.Token) string { return strconv.FormatUint(uint64(t), 10) }
