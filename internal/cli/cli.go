// Package cli is the command line of editlock: one file per idea, the words
// in package words.
package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/config"
	"github.com/editlock/editlock/internal/words"
)

// Exit statuses. A command that run holds for ends with its own.
const (
	exitDone    = 0
	exitFailure = 1
	exitUsage   = 2
	exitBusy    = 3 // busy or lost
	exitNotHeld = 4 // nobody holds what was to be taken over, or released by force
)

// app is one run of the program.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            []string
	words          *words.Printer
	store          string            // --store, or what is in storeFile
	storeFile      string            // --store-file, or $EDITLOCK_STORE_FILE; empty: none
	storeFrom      config.Source     // what names storeFile
	credentialFile string            // --credential-file
	jwt            string            // the one whose claims are the owner at --store; empty: there is none
	json           bool              // --json
	stops          func(stop func()) // stops what belongs to this process, and it by stop; nil: it alone
}

// Main runs the program with its arguments, the program's name not among them,
// and returns its exit status. env is in the form of os.Environ. SIGINT and
// SIGTERM end what is under way in an orderly way, as does the end of ctx.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, env: env}
	a.words = words.Locale(a.getenv)
	root := a.root()
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		plainFlags(root)
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	return a.exit(cmd, err)
}

// getenv returns a variable of the program's environment, empty if it is not
// set. As in a shell, the last of several settings counts.
func (a *app) getenv(name string) string {
	value := ""
	for _, setting := range a.env {
		if v, ok := strings.CutPrefix(setting, name+"="); ok {
			value = v
		}
	}
	return value
}

// storeURL is where the locks live.
func (a *app) storeURL() string {
	for _, url := range []string{a.store, a.getenv(storeVariable)} {
		if url != "" {
			return url
		}
	}
	return config.DefaultStore
}

// withLocker calls f with the locks of --store, and closes them.
func (a *app) withLocker(ctx context.Context, f func(context.Context, editlock.Locker) error) error {
	credential, err := a.credential(ctx)
	if err != nil {
		return err
	}
	heed := catchStops()
	locks, err := connect.Open(ctx, a.storeURL(), &connect.Options{Credential: credential})
	if err != nil {
		return err
	}
	defer func() { _ = locks.Close() }() // what was done is done
	defer heed(pauseOf(locks), a.stop)()
	return f(ctx, locks)
}

// stop stops this process, with what belongs to it.
func (a *app) stop(stop func()) {
	if a.stops != nil {
		a.stops(stop)
	} else {
		stop()
	}
}

// pauseOf is what a process that is about to stop itself calls before: a store
// that it shares with others then has no transaction open. See Manager.Pause.
func pauseOf(locks editlock.Locker) (pause func() (resume func())) {
	if m, ok := locks.(*editlock.Manager); ok {
		return m.Pause
	}
	return func() func() { return func() {} } // a server's
}

// action is what a command does: with the locks of --store, its arguments and
// a context that SIGINT and SIGTERM end.
type action func(ctx context.Context, locks editlock.Locker, args []string) error

// onLocks makes a cobra function of an action.
func (a *app) onLocks(do action) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return a.withLocker(ctx, func(ctx context.Context, locks editlock.Locker) error {
			return do(ctx, locks, args)
		})
	}
}

// onMutex returns the RunE of a command that acts as an owner on the mutex that its
// first argument names.
func (a *app) onMutex(below *belowFlag, owner *ownerFlags, do func(ctx context.Context, locks editlock.Locker, id editlock.ID) error) func(*cobra.Command, []string) error {
	return a.onLocks(func(ctx context.Context, locks editlock.Locker, args []string) error {
		id, err := below.id(args[0])
		if err != nil {
			return err
		}
		return do(owner.with(ctx), locks, id)
	})
}

// report writes the outcome of a verb: its JSON form, or for people the text of a key
// with the name of the mutex.
func (a *app) report(form any, key string, id editlock.ID) error {
	if a.json {
		return a.writeJSON(form)
	}
	a.say(a.words.Text(key, words.Named(id)))
	return nil
}
