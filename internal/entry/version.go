package entry

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
)

// Version names files by their paths and content, for a path that a browser may
// keep for good: any change makes another name. It panics if a file can't be
// read, as the files are embedded.
func Version(files ...fs.FS) string {
	sum := sha256.New()
	for _, some := range files {
		if err := fs.WalkDir(some, ".", func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := fs.ReadFile(some, path)
			sum.Write([]byte(path))
			sum.Write(data)
			return err
		}); err != nil {
			panic(err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}
