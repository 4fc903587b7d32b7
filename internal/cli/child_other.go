//go:build !unix

package cli

import (
	"errors"
	"os"
	"os/exec"

	"github.com/spf13/cobra"
)

// passedOn are the signals that don't end us: Ctrl-C reaches the command by
// itself, as everything at this console.
var passedOn = []os.Signal{os.Interrupt}

// child is a command. Systems without process groups stop the command alone,
// at once, and don't stop it when this process is killed.
type child struct {
	cmd    *exec.Cmd
	exited chan int // its exit status, once
	reaped chan struct{}
}

func startChild(cmd *exec.Cmd, _ func() (resume func())) (*child, error) {
	c := &child{cmd: cmd, exited: make(chan int, 1), reaped: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		err := cmd.Wait()
		close(c.reaped)
		var status *exec.ExitError
		switch {
		case err == nil:
			c.exited <- exitDone
		case errors.As(err, &status):
			c.exited <- status.ExitCode()
		default:
			c.exited <- exitFailure
		}
	}()
	return c, nil
}

func (c *child) signal(os.Signal) {}

func (c *child) terminate() { c.kill() }

func (c *child) kill() { _ = c.cmd.Process.Kill() }

func (c *child) gone() <-chan struct{} { return c.reaped }

func (c *child) close() {}

// watchdog is for systems where a process can watch over a group.
func (a *app) watchdog() *cobra.Command {
	return &cobra.Command{Use: "run-watchdog", Hidden: true}
}

// catchStops is for systems where Ctrl-Z stops a process.
func catchStops() func(pause func() (resume func()), around func(stop func())) (end func()) {
	return func(func() func(), func(func())) func() { return func() {} }
}

func (c *child) stopWith(stop func()) { stop() }
