//go:build unix

package cli

import (
	"errors"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// unstopped is how long after SIGSTOP it counts as ignored: the kernel does not
// stop the first process of a container.
const unstopped = time.Second

// stopSelf stops this process, and returns when it is continued. No
// transaction is left open meanwhile: others would wait for its end.
func stopSelf(pause func() (resume func())) {
	defer pause()()
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, unix.SIGCONT)
	defer signal.Stop(continued)
	_ = unix.Kill(unix.Getpid(), unix.SIGSTOP)
	select { // the stop may take effect after the call has returned
	case <-continued:
	case <-time.After(unstopped):
	}
}

// orphaned reports whether no shell could continue this process. The kernel
// does not stop such a one by SIGTSTP.
func orphaned() bool {
	parent := unix.Getppid()
	session, err := unix.Getsid(0)
	theirs, err2 := unix.Getsid(parent)
	group, err3 := unix.Getpgid(parent)
	return errors.Join(err, err2, err3) != nil || parent <= 1 || // 0: outside of the container
		theirs != session ||
		group == unix.Getpgrp() && parent == session
}

// catchStops has Ctrl-Z wait from now on, so that it does not stop this process
// within a transaction. heed, once the store is open, has it stop the process
// between two of them: by around, which is given what does so. (Go can't give a
// signal back to the kernel once it was asked for; hence SIGSTOP.)
func catchStops() (heed func(pause func() (resume func()), around func(stop func())) (end func())) {
	if ignored(unix.SIGTSTP) || orphaned() {
		return func(func() func(), func(func())) func() { return func() {} }
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, unix.SIGTSTP)
	return func(pause func() (resume func()), around func(stop func())) (end func()) {
		ended := make(chan struct{})
		go func() {
			for {
				select {
				case <-ended:
					return
				case <-asked:
					around(func() { stopSelf(pause) })
				}
			}
		}()
		return func() { close(ended) } // it is not stopped while it closes the store
	}
}
