package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/internal/netfault"
)

var folder string // of the built servers

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "editlock-faults-"); err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	enginetest.RunMoreAtOnce(6) // most wait for faults and leases to end
	return m.Run()
}

var program = sync.OnceValues(func() (string, error) { return enginetest.BuildEditlock(folder, "editlock") })

// aheadProgram is a server whose clock is 10 minutes ahead of everybody's. The
// product is not changed for it: the standard library's clock is, while it is
// built, which takes two minutes the first time.
var aheadProgram = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	file := filepath.Join(strings.TrimSpace(string(out)), "src", "time", "time.go")
	source, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	const reads = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(source), reads) != 1 {
		return "", fmt.Errorf("%s reads the clock in another way than expected", file)
	}
	shifted := filepath.Join(folder, "time.go")
	if err := os.WriteFile(shifted, []byte(strings.Replace(string(source), reads, reads+"\tsec += 600\n", 1)), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: shifted}})
	if err != nil {
		return "", err
	}
	list := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	return enginetest.BuildEditlock(folder, "editlock-ahead", "-overlay", list)
})

// server is an editlock process, reached through a network that may fail.
type server struct {
	*enginetest.Process
	url     string // past the network
	network *netfault.Proxy
}

// startServer starts a server; ahead, with its clock 10 minutes ahead.
func startServer(t *testing.T, store string, ahead bool) *server {
	t.Helper()
	find := program
	if ahead {
		find = aheadProgram
	}
	path, err := find()
	if err != nil {
		t.Fatal(err)
	}
	address := enginetest.Address(enginetest.FreePort(t))
	s := &server{url: "http://" + address}
	s.Process = enginetest.Start(t, func() *exec.Cmd {
		return exec.Command(path, "serve", "--listen", address, "--store", store)
	}, s.ready)
	s.network = netfault.Start(t, address)
	if shift := s.shift(t); (shift > 9*time.Minute) != ahead {
		t.Fatalf("the clock of the server is %v ahead", shift)
	}
	return s
}

// shift is by how much the server's clock is ahead of this one.
func (s *server) shift(t *testing.T) time.Duration {
	t.Helper()
	res, err := http.Get(s.url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	at, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	return time.Until(at)
}

func (s *server) ready() error {
	res, err := http.Get(s.url + "/readyz")
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}
