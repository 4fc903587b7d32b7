package cli

import (
	"syscall"
)

// endWithParent has the kernel kill the command when this process is gone,
// even if its watchdog went first.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
