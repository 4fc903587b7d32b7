package enginetest

import "syscall"

// Windows has no list of child processes to kill one by one, and servers that
// need no account of their own.

func killAll(int) {}

func unprivileged(TB) *syscall.SysProcAttr { return nil }

func chown(TB, string, *syscall.SysProcAttr) {}
