//go:build unix

package main

import (
	"os/exec"
	"syscall"
	"time"
)

// cpuTime is what this process has used so far.
func cpuTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// lowPriority makes a command yield the processor to all others.
func lowPriority(cmd *exec.Cmd) *exec.Cmd {
	cmd.Args = append([]string{"nice", "-n", "19", cmd.Path}, cmd.Args[1:]...)
	cmd.Path, cmd.Err = exec.LookPath("nice")
	return cmd
}
