package abuse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/server/auth"
)

// server is an editlock process. It knows back ends by
// key, and pages' people by token, who may use the group "abuse".
type server struct {
	address, pprof string
	keys           string
	credential     string // a key for the group "work"
	pid            int
	log            *output
}

var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "editlock-abuse-")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	enginetest.RunMoreAtOnce(6) // most wait for what the server gives up
	if binary, err = enginetest.BuildEditlock(dir, "editlock"); err != nil {
		log.Fatal(err)
	}
	return m.Run()
}

const config = `
[[issuer]]
name = "application"
audience = "editlock"
secret_file = "secret"

[[rule]]
everyone = true
rights = ["read", "use"]
group = "abuse"
mode = "*"
`

var secret = bytes.Repeat([]byte("s"), 32)

// startServer starts one with its usual limits, or what more is configured.
func startServer(t *testing.T, more string) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{address: enginetest.Address(enginetest.FreePort(t)), pprof: enginetest.Address(enginetest.FreePort(t)), keys: filepath.Join(dir, "keys.json"), log: &output{}}
	s.credential = s.key(t, "work")
	file := filepath.Join(dir, "editlock.toml")
	for name, data := range map[string]string{file: config + more, filepath.Join(dir, "secret"): string(secret)} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary, "serve", "--config", file, "--listen", s.address, "--pprof", s.pprof, "--keys", s.keys, "--store", "sqlite:"+filepath.Join(dir, "locks.db"))
	cmd.Stderr = s.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.pid = cmd.Process.Pid
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v\n%s", err, s.log)
		}
	})
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if res, err := http.Get("http://" + s.address + "/readyz"); err == nil {
			_ = res.Body.Close()
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("the server does not start\n%s", s.log)
		}
	}
}

// key makes an API key for a group.
func (s *server) key(t *testing.T, group auth.Pattern) string {
	t.Helper()
	k, secret := auth.NewKey(auth.Key{
		Name: string(group), Grants: []auth.Grant{{Rights: []auth.Right{auth.Read, auth.Use}, Group: group, Mode: "*"}},
		Scope: auth.Scope{Sessions: []auth.Pattern{"*"}, Users: []auth.Pattern{"*"}},
	})
	if err := auth.ChangeKeys(s.keys, func(all []auth.Key) ([]auth.Key, error) { return append(all, k), nil }); err != nil {
		t.Fatal(err)
	}
	return secret
}

// token makes a token for a person's page.
func (s *server) token(t *testing.T, user string) string {
	t.Helper()
	token, err := auth.Mint(secret, auth.PageToken{Issuer: "application", Audience: "editlock", Owner: editlock.Owner{UserID: user}, Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// work captures and releases as one who behaves.
func (s *server) work(ctx context.Context, who string, times int) error {
	for range times {
		for _, verb := range []string{"capture", "release"} {
			body := fmt.Sprintf(`{"mutex":{"group":"work","id":%q},"owner":{"session":%q}}`, who, who)
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+"/v1/"+verb, strings.NewReader(body))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+s.credential)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			answer, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil || res.StatusCode != http.StatusOK {
				return fmt.Errorf("%s: %s %s %w", verb, res.Status, answer, err)
			}
		}
	}
	return nil
}

// usage is what a server has in use. files is 0 where the system does not tell.
type usage struct {
	heap              int
	goroutines, files int
}

var (
	goroutines = regexp.MustCompile(`goroutine profile: total (\d+)`)
	heap       = regexp.MustCompile(`# HeapAlloc = (\d+)`)
)

func (s *server) used(t *testing.T) usage {
	t.Helper()
	number := func(path string, find *regexp.Regexp) int {
		res, err := http.Get("http://" + s.pprof + "/debug/pprof/" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		data, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		found := find.FindSubmatch(data)
		if found == nil {
			t.Fatalf("%s tells no %s: %.300s", path, find, data)
		}
		n, _ := strconv.Atoi(string(found[1]))
		return n
	}
	files, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.pid))
	return usage{heap: number("heap?gc=1&debug=1", heap), goroutines: number("goroutine?debug=1", goroutines), files: len(files)}
}

// output is what a process says, read while it says it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
