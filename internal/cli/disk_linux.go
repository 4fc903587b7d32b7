package cli

import "golang.org/x/sys/unix"

// keepsModes tells whether files have POSIX's modes.
const keepsModes = true

// fileSystemInfo is what a file system says of itself.
type fileSystemInfo struct {
	free    int64  // bytes, for who is not root
	network string // its kind, if its files are on another machine
}

// networks are file systems on which SQLite's locks don't hold.
var networks = map[int64]string{
	0x6969: "NFS", 0xff534d42: "CIFS", 0xfe534d42: "SMB", 0x517b: "SMB", 0x01021997: "9P",
	0x00c36400: "Ceph", 0x5346414f: "AFS", 0x7461636f: "OCFS2", 0x0bd00bd0: "Lustre",
}

func fileSystem(dir string) (about fileSystemInfo, ok bool) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return about, false
	}
	return fileSystemInfo{free: int64(st.Bavail) * int64(st.Bsize), network: networks[int64(uint32(st.Type))]}, true
}

// clockKept tells whether the kernel believes that its clock is kept right, by
// NTP for example.
func clockKept() bool {
	var t unix.Timex // asks, with no mode set
	state, err := unix.Adjtimex(&t)
	return err != nil || state != unix.TIME_ERROR
}
