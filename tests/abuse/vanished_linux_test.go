package abuse

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// vanishing is a connection whose client can vanish as one whose cable is
// pulled: nothing that is sent to them arrives any more, so that nothing is
// acknowledged, and no end or reset comes from them.
type vanishing struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (s *server) dial(t *testing.T) *vanishing {
	t.Helper()
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(t.Context(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &vanishing{t, conn, bufio.NewReader(conn)}
}

// vanish makes the system drop what arrives for the socket, below TCP.
func (v *vanishing) vanish() {
	v.t.Helper()
	raw, err := v.conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		v.t.Fatal(err)
	}
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing})
	})
	if err != nil || failed != nil {
		v.t.Fatal(err, failed)
	}
}

func (v *vanishing) send(head, body string) {
	v.t.Helper()
	if _, err := fmt.Fprintf(v.conn, "%sHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body); err != nil {
		v.t.Fatal(err)
	}
}

// post calls with the server's key, for a session.
func (s *server) post(t *testing.T, path, body string) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.credential)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	var form map[string]any
	if err != nil || json.Unmarshal(data, &form) != nil {
		t.Fatalf("%s: %s %s %v", path, res.Status, data, err)
	}
	return form
}

func naming(mutex, session, more string) string {
	return fmt.Sprintf(`{"mutex":{"group":"work","id":%q},"owner":{"session":%q}%s}`, mutex, session, more)
}

// waiting is how many wait for a mutex.
func (s *server) waiting(t *testing.T, mutex string) int {
	t.Helper()
	m, _ := s.post(t, "/v1/request", naming(mutex, "who asks", ""))["mutex"].(map[string]any)
	n, _ := m["waiting"].(float64)
	return int(n)
}

// within waits until something is so.
func within(t *testing.T, d time.Duration, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v still not: %s", d, what)
		}
	}
}

// Who vanishes keeps neither a connection nor a place: a server learns within
// a minute that they are gone, and what they were given in between ends by its lease.
func TestWhoVanishesKeepsNothing(t *testing.T) {
	t.Parallel()
	const clients = 10
	s := startServer(t, "")
	as := "Authorization: Bearer " + s.credential + "\r\n"
	for i := range clients {
		for _, mutex := range []string{"kept", "given"} {
			got := s.post(t, "/v1/capture", naming(fmt.Sprint(mutex, i), "holder", `,"auto_release":{"never":true}`))
			if got["state"] != "CAPTURED_BY_ME" {
				t.Fatal(got)
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
	before := s.used(t)

	var all []*vanishing
	for i := range clients {
		stream := s.dial(t)
		stream.send("GET /v1/events?group=work HTTP/1.1\r\n"+as, "")
		for line := ""; !strings.HasPrefix(line, "retry:"); {
			var err error
			if line, err = stream.in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, stream)
		for _, mutex := range []string{"kept", "given"} {
			name := fmt.Sprint(mutex, i)
			waits := s.dial(t)
			waits.send("POST /v1/capture HTTP/1.1\r\n"+as, naming(name, "who vanishes", `,"wait":"10m","auto_release":{"idle":"2s"}`))
			within(t, 10*time.Second, "they wait for "+name, func() bool { return s.waiting(t, name) == 1 })
			all = append(all, waits)
		}
	}
	for _, v := range all {
		v.vanish()
	}

	for i := range clients {
		name := fmt.Sprint("given", i)
		s.post(t, "/v1/release", naming(name, "holder", ""))
		got := s.post(t, "/v1/capture", naming(name, "next", `,"wait":"30s"`))
		if got["state"] != "CAPTURED_BY_ME" {
			t.Fatalf("what went to one who vanished goes to nobody: %v", got)
		}
	}
	within(t, time.Minute, "their places in the queues are gone", func() bool {
		for i := range clients {
			if s.waiting(t, fmt.Sprint("kept", i)) > 0 {
				return false
			}
		}
		return true
	})
	var after usage
	defer func() { t.Logf("before %+v, after %+v", before, after) }()
	within(t, time.Minute, "their connections and goroutines are gone", func() bool {
		http.DefaultClient.CloseIdleConnections()
		after = s.used(t)
		// There are 30 of them; the store may have opened more files meanwhile.
		return after.files <= before.files+15 && after.goroutines <= before.goroutines+15
	})
	if after.heap > before.heap+8<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before.heap, after.heap)
	}
}
