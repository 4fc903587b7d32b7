package enginetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// StartNginx starts nginx, as Debian has it, before a server at HOST:PORT: a
// plain proxy_pass and nothing else, but that a request is cut off after
// readTimeout, not after nginx's 60 s. It returns the proxy's HOST:PORT.
func StartNginx(t TB, upstream string, readTimeout time.Duration) (address string) {
	t.Helper()
	nginx := Program(t, "nginx", "/usr/sbin")
	dir, address := t.TempDir(), Address(FreePort(t))
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off;
master_process off;
pid %[1]s/pid;
error_log %[1]s/error.log;
events { worker_connections 768; }
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s;
		location / {
			proxy_pass http://%[3]s;
			proxy_read_timeout %[4]dms;
		}
	}
}
`, dir, address, upstream, readTimeout.Milliseconds())
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	Start(t, func() *exec.Cmd {
		return exec.CommandContext(context.WithoutCancel(t.Context()), nginx, "-e", filepath.Join(dir, "error.log"), "-p", dir, "-c", conf)
	}, func() error {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.WithoutCancel(t.Context()), "tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
	return address
}
