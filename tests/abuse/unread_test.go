package abuse

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A body that never ends keeps no connection, where nobody reads it either:
// behind a refusal, or at a page.
func TestBodiesThatNeverEndKeepNoConnection(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	const rest = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
	conns := map[string]net.Conn{}
	for name, head := range map[string]string{
		"without credentials":       "POST /v1/capture HTTP/1.1\r\n" + rest,
		"with credentials":          "POST /v1/capture HTTP/1.1\r\nAuthorization: Bearer " + s.credential + "\r\n" + rest,
		"to what reads none":        "GET /docs HTTP/1.1\r\n" + rest,
		"to the metrics":            "GET /metrics HTTP/1.1\r\n" + rest,
		"to the lock manager":       "GET / HTTP/1.1\r\n" + rest,
		"to nothing":                "POST /nothing HTTP/1.1\r\n" + rest,
		"by a method that is wrong": "DELETE /v1/capture HTTP/1.1\r\n" + rest,
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, head+"\r\n{"); err != nil {
			t.Fatal(err)
		}
		conns[name] = conn
	}
	end := time.Now().Add(time.Minute) // 20 s are documented
	var all sync.WaitGroup
	for name, conn := range conns {
		all.Go(func() {
			_ = conn.SetReadDeadline(end)
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("%s: the server still waits: %v", name, err)
			}
		})
	}
	all.Wait()
}
