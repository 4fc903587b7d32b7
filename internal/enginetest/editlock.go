package enginetest

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// BuildEditlock returns the path of the editlock command, which it builds into
// folder unless EDITLOCK_PROGRAM names one that was built for all tests. With
// flags of go build it always builds. It is built without the race detector, as
// releases are.
func BuildEditlock(folder, name string, flags ...string) (path string, err error) {
	if path = os.Getenv("EDITLOCK_PROGRAM"); path != "" && len(flags) == 0 {
		return path, nil
	}
	path = filepath.Join(folder, name)
	args := append(append([]string{"build"}, flags...), "-o", path, "github.com/editlock/editlock/cmd/editlock")
	cmd := exec.Command("go", args...) //nolint:noctx // ends by itself
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// RunMoreAtOnce lets n parallel tests run at a time, unless the command line says
// how many: for packages whose tests wait for leases and processes, and load no
// processor. TestMain calls it before it runs the tests.
func RunMoreAtOnce(n int) {
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(fmt.Sprint(n))
	}
}
