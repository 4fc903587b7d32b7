package main

import (
	"os/exec"
	"syscall"
	"time"
)

// cpuTime is what this process has used so far.
func cpuTime() (time.Duration, error) {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0, err
	}
	var made, ended, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(self, &made, &ended, &kernel, &user); err != nil {
		return 0, err
	}
	span := func(f syscall.Filetime) time.Duration { // counts of 100 ns
		return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * 100
	}
	return span(kernel) + span(user), nil
}

// idlePriority is IDLE_PRIORITY_CLASS.
const idlePriority = 0x40

// lowPriority makes a command yield the processor to all others.
func lowPriority(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: idlePriority}
	return cmd
}
