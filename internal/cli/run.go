package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/words"
)

const (
	exitCannotRun = 126
	exitNoCommand = 127
	exitSignal    = 128 // and the signal's number

	defaultKillAfter = 10 * time.Second
	// releaseWithin bounds the release to a store that does not answer.
	releaseWithin = 10 * time.Second
)

func (a *app) run() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use: "run ID -- COMMAND [ARGUMENT...]",
		Example: `editlock run nightly-report --wait 30s -- make report
editlock run doc/readme --idle 1m --name Ivanov -- vi README.md`,
	})
	cmd.Args = a.runArguments
	cmd.Flags().SortFlags = false
	below := a.belowFlag(cmd.Flags())
	owner := a.ownerFlags(cmd)
	terms := a.termFlags(cmd.Flags())
	share := a.shareFlags(cmd.Flags())
	wait := a.waitFlags(cmd.Flags())
	killAfter := defaultKillAfter
	cmd.Flags().DurationVar(&killAfter, "kill-after", defaultKillAfter, a.words.Text("flag.kill_after"))
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error { return a.oneOf(cmd, "shared", "exclusive", "limit") }
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := below.id(args[0])
		if err != nil {
			return err
		}
		if terms.idle.never {
			return a.usage("run.no_never")
		}
		if killAfter < 0 {
			return a.usage("usage.flag.invalid", "--kill-after", killAfter.String(), a.words.Text("usage.duration"))
		}
		opts := &editlock.CaptureOptions{}
		if err := terms.fill(opts); err != nil {
			return err
		}
		share.fill(opts)
		wait.fill(opts)
		command, err := a.lookUp(args[1:])
		if err != nil {
			return err
		}
		r := &runner{app: a, id: id, killAfter: killAfter, command: command}
		a.stops = r.suspend
		return a.withLocker(cmd.Context(), func(ctx context.Context, locks editlock.Locker) error {
			r.locks = locks
			return r.run(owner.with(ctx), opts)
		})
	}
	return cmd
}

// runArguments checks for an ID, two dashes, and a command behind them.
func (a *app) runArguments(cmd *cobra.Command, args []string) error {
	switch dash := cmd.ArgsLenAtDash(); {
	case len(args) == 0 || dash == 0:
		return a.usage("usage.args.missing", "ID")
	case dash < 0 || dash == len(args):
		return a.usage("usage.run.command")
	case dash > 1:
		return a.usage("usage.args.extra", args[1])
	}
	return nil
}

// lookUp finds the command to run, before anything is captured for it.
func (a *app) lookUp(args []string) (*exec.Cmd, error) {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return nil, a.cannotRun(err)
	}
	return &exec.Cmd{Path: path, Args: args, Stdin: a.stdin, Stdout: a.stdout, Stderr: a.stderr}, nil
}

func (a *app) cannotRun(err error) error {
	a.complain(a.words.Text("run.missing", err))
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return exitError(exitNoCommand)
	}
	return exitError(exitCannotRun)
}

// runner holds one mutex while one command runs.
type runner struct {
	*app
	locks     editlock.Locker
	id        editlock.ID
	killAfter time.Duration
	command   *exec.Cmd

	held    *editlock.Held
	signals chan os.Signal

	starting sync.Mutex // held while child is
	child    *child     // nil: not started yet
}

// run returns an exitError with the status of the program, or why there was
// no run.
func (r *runner) run(ctx context.Context, opts *editlock.CaptureOptions) error {
	r.signals = make(chan os.Signal, len(passedOn))
	for _, s := range passedOn {
		// Those that are ignored stay so, in the command too: SIGHUP under nohup, SIGINT in
		// the background of a script. Go gives all others a handler before main begins.
		if !signal.Ignored(s) {
			signal.Notify(r.signals, s)
		}
	}
	defer signal.Stop(r.signals)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := r.hold(ctx, cancel, opts); err != nil {
		return err
	}
	status, err := r.runCommand()
	if late := r.release(ctx); late != 0 {
		return exitError(late)
	}
	if err != nil {
		return err
	}
	return exitError(status)
}

// suspend stops this process, and its command if it runs.
func (r *runner) suspend(stop func()) {
	r.starting.Lock()
	c := r.child
	r.starting.Unlock()
	if c != nil {
		c.stopWith(stop)
	} else {
		stop()
	}
}

func (r *runner) start() (c *child, err error) {
	r.starting.Lock()
	defer r.starting.Unlock()
	r.child, err = startChild(r.command, pauseOf(r.locks))
	return r.child, err
}

// hold captures the mutex. A signal gives up the wait for it.
func (r *runner) hold(ctx context.Context, cancel func(), opts *editlock.CaptureOptions) error {
	if opts.Wait > 0 {
		defer r.tellQueue(ctx, r.locks, r.id)()
	}
	done := make(chan error, 1)
	go func() {
		var err error
		r.held, err = editlock.Hold(ctx, r.locks, r.id, opts)
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case s := <-r.signals:
		cancel()
		if err := <-done; err == nil {
			r.release(ctx) // granted just then
		}
		return exitError(exitSignal + int(s.(syscall.Signal)))
	}
}

// runCommand returns the exit status of the command, or that of a lost lock.
func (r *runner) runCommand() (int, error) {
	m := r.held.Mutex()
	r.command.Env = append(r.env[:len(r.env):len(r.env)],
		"EDITLOCK_ID="+m.ID.String(), fmt.Sprintf("EDITLOCK_TOKEN=%d", m.Token))
	c, err := r.start()
	if err != nil {
		return 0, r.cannotRun(err)
	}
	defer c.close()
	for {
		select {
		case status := <-c.exited:
			return status, nil
		case s := <-r.signals:
			c.signal(s)
		case <-r.held.Context().Done():
			err := context.Cause(r.held.Context())
			r.complain(r.words.Text("run.lost", r.words.Error(err)))
			r.stop(c)
			if errors.Is(err, editlock.ErrLost) {
				return exitBusy, nil
			}
			return exitFailure, nil
		}
	}
}

// stop ends the command and all in its process group, gently if that is
// enough.
func (r *runner) stop(c *child) {
	c.terminate()
	kill := time.NewTimer(r.killAfter)
	defer kill.Stop()
	gone := c.gone()
	for {
		select {
		case <-gone:
			return
		case s := <-r.signals:
			c.signal(s)
		case <-kill.C:
			r.complain(r.words.Text("run.killed", r.words.Span(r.killAfter)))
			c.kill()
			<-c.reaped
			return
		}
	}
}

// release frees the mutex, and returns the exit status of what went wrong
// with that, or 0.
func (r *runner) release(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
	defer cancel()
	known := r.held.Context().Err() != nil
	err := r.held.Release(ctx)
	switch {
	case err == nil || known && errors.Is(err, editlock.ErrLost):
		return 0
	case errors.Is(err, editlock.ErrLost):
		r.complain(r.words.Text("run.late", r.words.Error(err)))
		return exitBusy
	}
	left, _ := r.held.Mutex().ExpiresIn()
	r.complain(r.words.Text("run.unfreed", words.Named(r.id), r.words.Span(left), r.words.Error(err)))
	return 0
}
