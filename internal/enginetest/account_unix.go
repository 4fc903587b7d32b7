//go:build unix

package enginetest

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
	"time"
)

// killAll kills a process and waits until it is gone.
func killAll(pid int) {
	for pid > 0 && syscall.Kill(pid, syscall.SIGKILL) == nil {
		time.Sleep(time.Millisecond)
	}
}

// unprivileged is an account to run servers as that refuse to run as root; nil
// if the tests run as somebody else.
func unprivileged(t TB) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func chown(t TB, path string, account *syscall.SysProcAttr) {
	t.Helper()
	if account == nil {
		return
	}
	if err := os.Chown(path, int(account.Credential.Uid), int(account.Credential.Gid)); err != nil {
		t.Fatal(err)
	}
}
