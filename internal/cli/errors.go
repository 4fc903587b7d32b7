package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
)

// usageError is a mistake in how the program was called, in the user's words.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func (a *app) usage(key string, args ...any) error {
	return &usageError{a.words.Text(key, args...)}
}

// exitError ends the program with a status and nothing more to say.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// exit tells of the error that a command ended with, and returns the status.
func (a *app) exit(cmd *cobra.Command, err error) int {
	var (
		status exitError
		usage  *usageError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage):
		a.complain(usage.text)
		_, _ = fmt.Fprintln(a.stderr, a.words.Text("usage.see", cmd.CommandPath()))
		return exitUsage
	}
	if a.json {
		_ = a.writeJSON(wire.FromError(err))
	}
	a.complain(a.words.Error(inFlags(cmd, err)))
	switch {
	case errors.Is(err, editlock.ErrInvalid):
		return exitUsage
	case errors.Is(err, editlock.ErrBusy), errors.Is(err, editlock.ErrConflict), errors.Is(err, editlock.ErrLost):
		return exitBusy
	case errors.Is(err, editlock.ErrNotHeld):
		return exitNotHeld
	}
	return exitFailure
}

func (a *app) complain(text string) {
	_, _ = fmt.Fprintln(a.stderr, a.words.Text("error.prefix", text))
}

// arguments of commands, where the library names a field.
var argumentOf = map[string]string{
	"id": "ID", "mutex.id": "ID", "mutex.mode": "ID", "mutex.group": "ID",
	"session": "SESSION",
}

var flagOf = map[string]string{
	"owner.session": "session", "owner.user_id": "user", "owner.login": "login",
	"owner.name": "name", "owner.host": "host", "owner.kind": "kind", "owner.on_behalf_of": "on-behalf-of",
	"session": "session", "user_id": "user", "group": "group", "mode": "mode", "text": "text",
	"kind": "kind", "url": "store", "limit": "limit", "after": "after",
	"auto_release": "idle", "auto_release.idle": "idle", "auto_release.max_hold": "max-hold",
	"status_data": "status-data", "if.status_data": "if-status-data", "if.token": "if-token",
	"sharing": "shared", "wait": "wait", "message": "message", "grant_after": "grant-after",
	"reason": "reason", "seen_token": "seen-token", "waiter": "waiter",
}

// inFlags names the flag or argument at fault as the user wrote it.
func inFlags(cmd *cobra.Command, err error) error {
	var bad *editlock.InvalidError
	if !errors.As(err, &bad) {
		return err
	}
	if name := flagOf[bad.Field]; name != "" && cmd.Flags().Lookup(name) != nil {
		return renamed(bad, "--"+name)
	}
	if name := argumentOf[bad.Field]; name != "" {
		return renamed(bad, name)
	}
	return err
}

// renamed is an error about the same argument under another name.
func renamed(bad *editlock.InvalidError, field string) error {
	in := *bad
	in.Field = field
	return &in
}

// flagError puts what is wrong with a flag into the user's words.
func (a *app) flagError(_ *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		wrong   *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &unknown):
		dashes := "--"
		if unknown.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		return a.usage("usage.flag.unknown", dashes+unknown.GetSpecifiedName())
	case errors.As(err, &missing):
		return a.usage("usage.flag.value", "--"+missing.GetFlag().Name)
	case errors.As(err, &wrong):
		allowed := "usage.number"
		switch wrong.GetFlag().Value.Type() {
		case "bool", "idle", "duration", "time", "kind":
			allowed = "usage." + wrong.GetFlag().Value.Type()
		}
		return a.usage("usage.flag.invalid", "--"+wrong.GetFlag().Name, wrong.GetValue(), a.words.Text(allowed))
	case errors.As(err, &syntax):
		return a.usage("usage.flag.syntax", syntax.GetSpecifiedFlag())
	}
	return &usageError{err.Error()}
}

// oneOf refuses flags given together that say different things.
func (a *app) oneOf(cmd *cobra.Command, names ...string) error {
	given, list := 0, ""
	for _, name := range names {
		if !cmd.Flags().Changed(name) {
			continue
		}
		if given++; given > 1 {
			list += ", "
		}
		list += "--" + name
	}
	if given > 1 {
		return a.usage("usage.flag.both", list)
	}
	return nil
}

// needFlag refuses a call without a flag.
func (a *app) needFlag(cmd *cobra.Command, name string) error {
	if !cmd.Flags().Changed(name) {
		return a.usage("usage.flag.missing", "--"+name)
	}
	return nil
}

// ended tells whether err is but the end of ctx.
func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}

func (a *app) say(text string) { writeLine(a.stdout, text) }

func (a *app) note(text string) { writeLine(a.stderr, text) }

func writeLine(w io.Writer, text string) {
	_, _ = fmt.Fprintln(w, text) // who does not listen misses nothing else
}
