//go:build unix

package cli

import (
	"errors"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"editlock"
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

// heedStops has Ctrl-Z stop this process between two transactions of its
// store. around, unless nil, is called to stop it. (Go can't give a signal back
// to the kernel once it was asked for; hence SIGSTOP.)
func heedStops(locks editlock.Locker, around func(stop func())) (end func()) {
	if signal.Ignored(unix.SIGTSTP) || orphaned() {
		return func() {}
	}
	asked, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(asked, unix.SIGTSTP)
	stop := func() { stopSelf(pauseOf(locks)) }
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-asked:
			}
			if around != nil {
				around(stop)
			} else {
				stop()
			}
		}
	}()
	return func() {
		signal.Stop(asked)
		close(ended)
	}
}
