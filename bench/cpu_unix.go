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
	yield := []string{"chrt", "--idle", "0"} // Linux: only what nobody else wants
	path, err := exec.LookPath(yield[0])
	if err != nil {
		yield = []string{"nice", "-n", "19"}
		path, err = exec.LookPath(yield[0])
	}
	cmd.Args = append(append(yield, cmd.Path), cmd.Args[1:]...)
	cmd.Path, cmd.Err = path, err
	return cmd
}
