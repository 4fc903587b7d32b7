//go:build unix

package cli

import (
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// passedOn are the signals that a command gets from us.
var passedOn = []os.Signal{
	unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2,
}

// goneEvery is how often to look whether the last of a process group is gone;
// there is no event to wait for.
const goneEvery = 20 * time.Millisecond

// child is a command with a process group of its own, which signals reach as
// a whole. At a terminal the group takes our place in the foreground, so that
// the command can read and Ctrl-C is its own.
type child struct {
	pid      int
	tty      int // -1: none
	watchdog *watchdog
	pause    func() (resume func()) // called before this process stops itself
	exited   chan int               // its exit status, once
	reaped   chan struct{}
}

func startChild(cmd *exec.Cmd, pause func() (resume func())) (*child, error) {
	c := &child{tty: terminal(cmd), pause: pause, exited: make(chan int, 1), reaped: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.foreground() == unix.Getpgrp() {
		cmd.SysProcAttr.Foreground, cmd.SysProcAttr.Ctty = true, c.tty
	}
	endWithParent(cmd.SysProcAttr)
	var err error
	if c.watchdog, err = startWatchdog(); err != nil {
		return nil, err
	}
	started := make(chan error)
	go func() {
		// endWithParent means the thread that starts the command.
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			c.pid = cmd.Process.Pid
			c.watchdog.protect(c.pid)
		}
		started <- err
		if err == nil {
			c.wait(cmd)
		}
	}()
	if err := <-started; err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// wait sees the command through stops to its end. os/exec's own Wait does not
// see stops.
func (c *child) wait(cmd *exec.Cmd) {
	var ws unix.WaitStatus
	for {
		_, err := unix.Wait4(c.pid, &ws, unix.WUNTRACED, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || !ws.Stopped() {
			break
		}
		c.suspend()
	}
	_ = cmd.Wait() // there is nothing left of it but copied input and output
	c.passTerminal(c.pid, unix.Getpgrp())
	close(c.reaped)
	status := ws.ExitStatus()
	if ws.Signaled() {
		status = exitSignal + int(ws.Signal())
	}
	c.exited <- status
}

// suspend stops this process too, as the shell expects of the job that was
// stopped at its terminal, and continues the command when it is continued.
func (c *child) suspend() {
	if c.tty < 0 {
		return
	}
	c.passTerminal(c.pid, unix.Getpgrp())
	stopSelf(c.pause)
	c.passTerminal(unix.Getpgrp(), c.pid) // by the shell's fg; not by its bg
	_ = unix.Kill(-c.pid, unix.SIGCONT)
}

// passTerminal puts one process group into the foreground in place of another,
// if that one is there.
func (c *child) passTerminal(from, to int) {
	if c.foreground() != from {
		return
	}
	signal.Ignore(unix.SIGTTOU) // or else asking from the background stops us
	_ = unix.IoctlSetPointerInt(c.tty, unix.TIOCSPGRP, to)
	signal.Reset(unix.SIGTTOU)
}

// foreground is the process group in the terminal's foreground, 0 without a
// terminal.
func (c *child) foreground() int {
	if c.tty < 0 {
		return 0
	}
	group, err := unix.IoctlGetInt(c.tty, unix.TIOCGPGRP)
	if err != nil {
		return 0
	}
	return group
}

// terminal returns the terminal that a command reads from and writes to, -1
// if there is none: one that is but an end of a pipeline is not ours to pass.
func terminal(cmd *exec.Cmd) int {
	in, ok := cmd.Stdin.(*os.File)
	out, ok2 := cmd.Stdout.(*os.File)
	if !ok || !ok2 {
		return -1
	}
	for _, f := range []*os.File{in, out} {
		if _, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP); err != nil {
			return -1
		}
	}
	return int(in.Fd())
}

// stopWith stops the command with this process, and continues it with it, where
// a signal asks this process to stop. At a terminal of its own suspend does so.
func (c *child) stopWith(stop func()) {
	_ = unix.Kill(-c.pid, unix.SIGTSTP)
	if c.tty >= 0 {
		return
	}
	stop()
	_ = unix.Kill(-c.pid, unix.SIGCONT)
}

// signal passes a signal on. A stopped command is continued to act on it.
func (c *child) signal(s os.Signal) {
	_ = unix.Kill(-c.pid, s.(syscall.Signal))
	if s != unix.SIGUSR1 && s != unix.SIGUSR2 {
		_ = unix.Kill(-c.pid, unix.SIGCONT)
	}
}

func (c *child) terminate() { c.signal(unix.SIGTERM) }

func (c *child) kill() { _ = unix.Kill(-c.pid, unix.SIGKILL) }

// gone is closed when the command and all in its group have ended.
func (c *child) gone() <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		<-c.reaped
		for unix.Kill(-c.pid, 0) == nil {
			time.Sleep(goneEvery)
		}
	}()
	return gone
}

// close ends what watched over the command.
func (c *child) close() { c.watchdog.dismiss() }
