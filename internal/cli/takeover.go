package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/words"
)

// seenFlags say whose hold to end, and why.
type seenFlags struct {
	token  uint64
	reason string
}

func (a *app) seenFlags(fs *pflag.FlagSet) *seenFlags {
	s := &seenFlags{}
	fs.StringVar(&s.reason, "reason", "", a.words.Text("flag.reason"))
	fs.Uint64Var(&s.token, "seen-token", 0, a.words.Text("flag.seen_token"))
	return s
}

// holder returns who is meant: the holder there now, who may be known by
// token only.
func (s *seenFlags) holder(ctx context.Context, locks editlock.Locker, id editlock.ID) (editlock.Mutex, error) {
	state, m, err := locks.Request(ctx, id)
	switch {
	case err != nil:
		return m, err
	case s.token != 0 && s.token != uint64(m.Token):
		return editlock.Mutex{ID: id, Token: editlock.Token(s.token)}, nil // let the store say no
	case state == editlock.Free:
		return m, &editlock.NotHeldError{ID: id}
	case m.ID != id: // something above or below it is held
		return m, &editlock.BusyError{Holder: m}
	}
	return m, nil
}

func (a *app) takeover() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use:     "takeover ID",
		Example: `editlock takeover task/42 --reason "Ivanov is on leave" --session desk-2 --name Petrov`,
		Args:    a.arguments("ID"),
	})
	cmd.Flags().SortFlags = false
	below := a.belowFlag(cmd.Flags())
	seen := a.seenFlags(cmd.Flags())
	owner := a.ownerFlags(cmd)
	terms := a.termFlags(cmd.Flags())
	a.jsonFlag(cmd.Flags())
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error { return a.needFlag(cmd, "reason") }
	cmd.RunE = a.onMutex(below, owner, func(ctx context.Context, locks editlock.Locker, id editlock.ID) error {
		opts := &editlock.CaptureOptions{}
		if err := terms.fill(opts); err != nil {
			return err
		}
		old, err := seen.holder(ctx, locks, id)
		if err != nil {
			return err
		}
		m, err := locks.Takeover(ctx, id, old.Token, seen.reason, opts)
		switch {
		case err != nil:
			return err
		case a.json:
			form := wire.FromMutex(m)
			return a.writeJSON(&form)
		}
		if owner.ownSession() {
			a.note(a.words.Text("session.hint", m.Owner.Session))
		}
		a.say(a.words.Text("taken_over", words.Named(id), a.words.Who(old.Owner), tokenText(m.Token)) +
			"; " + a.termsText(m.AutoRelease))
		return nil
	})
	return cmd
}

func (a *app) forceRelease() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use: "force-release ID",
		Example: `editlock force-release task/42 --reason "the tablet is lost" --name Sidorova
editlock force-release --below crm/contract --reason "the import must begin" --name Sidorova`,
		Args: a.arguments("ID"),
	})
	cmd.Flags().SortFlags = false
	below := a.belowFlag(cmd.Flags())
	seen := a.seenFlags(cmd.Flags())
	owner := a.ownerFlags(cmd)
	a.jsonFlag(cmd.Flags())
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.oneOf(cmd, "below", "seen-token"); err != nil {
			return err
		}
		return a.needFlag(cmd, "reason")
	}
	cmd.RunE = a.onMutex(below, owner, func(ctx context.Context, locks editlock.Locker, id editlock.ID) error {
		if below.set {
			return a.forceReleaseBelow(ctx, locks, id, seen.reason)
		}
		old, err := seen.holder(ctx, locks, id)
		if err != nil {
			return err
		}
		if err := locks.ForceRelease(ctx, id, old.Token, seen.reason); err != nil {
			return err
		}
		if a.json {
			return a.writeJSON(&wire.ReleaseAnswer{Released: true})
		}
		a.say(a.words.Text("force_released", words.Named(id), a.words.Who(old.Owner)))
		return nil
	})
	return cmd
}

// forceReleaseBelow ends the hold of all that is below, and each below it: by the
// tokens seen, so that who captures meanwhile keeps what they got.
func (a *app) forceReleaseBelow(ctx context.Context, locks editlock.Locker, node editlock.ID, reason string) error {
	out := a.jsonList("mutexes")
	q := editlock.Query{Group: node.Group, Mode: node.Mode, Limit: editlock.MaxPage}
	for n := 0; ; {
		page, err := locks.List(ctx, q)
		if err != nil {
			return err
		}
		for _, m := range page.Mutexes {
			if m.ID != node && !slices.Contains(m.ID.Above(), node) {
				continue // of another group: an empty one is no filter
			}
			err := locks.ForceRelease(ctx, m.ID, m.Token, reason)
			switch {
			case errors.Is(err, editlock.ErrNotHeld), errors.Is(err, editlock.ErrBusy):
				continue // it ended by itself
			case err != nil:
				return err
			}
			if n++; !a.json {
				a.say(a.words.Text("force_released", words.Named(m.ID), a.words.Who(m.Owner)))
				continue
			}
			form := wire.FromMutex(m)
			if err := out.add(&form); err != nil {
				return err
			}
		}
		if q.Cursor = page.Next; q.Cursor != "" {
			continue
		}
		switch {
		case n == 0:
			return nothingBelow(ctx, locks, node)
		case a.json:
			return out.end()
		}
		return nil
	}
}

// nothingBelow tells that nobody holds a node or what is below it. Somebody may hold
// what is above.
func nothingBelow(ctx context.Context, locks editlock.Locker, node editlock.ID) error {
	_, m, err := locks.Request(ctx, node)
	switch {
	case err != nil:
		return err
	case slices.Contains(node.Above(), m.ID):
		return &editlock.BusyError{Holder: m}
	}
	return &editlock.NotHeldError{ID: node}
}
