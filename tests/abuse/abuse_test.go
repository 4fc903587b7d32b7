package abuse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
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

	"editlock/auth"
)

// Everybody else is served while the crowd is there, and once it is gone the
// server is as it was: it keeps nothing of them.
func TestOthersAreServed_AndNothingIsKept(t *testing.T) {
	s := startServer(t)
	if err := s.work(t.Context(), "before", 50); err != nil {
		t.Fatal(err)
	}
	before := s.used(t)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	crowd := &Crowd{Address: s.address, Credential: s.key(t, "abuse")}
	gone := make(chan struct{})
	go func() {
		crowd.Run(ctx)
		close(gone)
	}()
	during := 12 * time.Second // longer than a body or a head may take
	if os.Getenv("EDITLOCK_LONG") != "" {
		during = 3 * time.Minute
	}
	var others sync.WaitGroup
	for i := range 4 {
		others.Go(func() {
			for end, n := time.Now().Add(during), 0; time.Now().Before(end); n++ {
				if err := s.work(ctx, fmt.Sprintf("during-%d-%d", i, n), 1); err != nil {
					t.Errorf("one who behaves: %v", err)
					return
				}
			}
		})
	}
	others.Wait()
	most := s.used(t)
	cancel()
	<-gone
	for name, n := range crowd.Tries() {
		if n == 0 {
			t.Errorf("nobody ever %s", name)
		}
	}
	// The crowd's own part: what is open at once, with what a connection may
	// have sent before it is refused.
	if most.heap > before.heap+256<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before.heap, most.heap)
	}
	var after usage
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		after = s.used(t)
		if after.goroutines <= before.goroutines+10 && after.files <= before.files+10 && after.heap <= before.heap+32<<20 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("a minute after, the server has %+v; before it had %+v", after, before)
		}
	}
	t.Logf("before %+v, at the end of the abuse %+v, after %+v; %v", before, most, after, crowd.Tries())
	if err := s.work(t.Context(), "after", 50); err != nil {
		t.Fatal(err)
	}
	if log := s.log.String(); strings.Contains(log, "panic") {
		t.Error(log)
	}
}

// server is an editlock process that knows its callers by key.
type server struct {
	address, pprof string
	keys           string
	credential     string
	pid            int
	log            *output
}

func startServer(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "editlock")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "editlock/cmd/editlock").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	s := &server{address: freeAddress(t), pprof: freeAddress(t), keys: filepath.Join(dir, "keys.json"), log: &output{}}
	s.credential = s.key(t, "work")
	cmd := exec.Command(binary, "serve", "--listen", s.address, "--pprof", s.pprof, "--keys", s.keys, "--store", "sqlite:"+filepath.Join(dir, "locks.db"))
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

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
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
