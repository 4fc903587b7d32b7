package enginetest

import "syscall"

// stop is no signal: Windows has none that freezes a process.
const stop = syscall.Signal(-1)
