package cli

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// giveUpVanished makes the connections that a socket accepts end when the
// other machine acknowledges nothing for so long. Else the system would try
// again for a quarter of an hour, and take meanwhile what is written, so that
// no deadline for writing ends it.
func giveUpVanished(after time.Duration) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(after.Milliseconds()))
		})
		return errors.Join(err, failed)
	}
}
