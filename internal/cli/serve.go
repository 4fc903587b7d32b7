package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client/js"
	"github.com/editlock/editlock/examples/demo"
	"github.com/editlock/editlock/internal/config"
	"github.com/editlock/editlock/internal/entry"
	"github.com/editlock/editlock/internal/storeurl"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/server/telemetry"
)

const (
	// maxHeader is twice the longest token that is taken.
	maxHeader = 32 << 10
	// headerWithin, requestWithin, which is with the body, and idleFor bound
	// what a slow or silent client costs. The API has its own time for bodies;
	// this one holds where nobody reads them, as behind a refusal.
	headerWithin  = 10 * time.Second
	requestWithin = 20 * time.Second
	idleFor       = 2 * time.Minute
	// pingAfter is how long an HTTP/2 connection may be silent before it has to
	// show that it lives; pingWithin is how long that may take.
	pingAfter  = 30 * time.Second
	pingWithin = 15 * time.Second
	// finishWithin is how long requests may go on after the first signal.
	finishWithin = 20 * time.Second
)

// heapFloor is memory that is set aside and never touched, so that it costs
// addresses only. The collector takes it for live and runs when as much again
// is garbage: a small server would else collect ten times a second while it is
// flooded, and each collection delays all callers for some milliseconds.
const heapFloor = 128 << 20

// spareThread lets one thread more than there are processors run Go code: the
// one that writes to disk, and is behind everybody's requests when it comes
// back from there. A machine's own limit, or GOMAXPROCS, stays what it is.
func spareThread() {
	if n := runtime.NumCPU(); runtime.GOMAXPROCS(0) == n && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(n + 1)
	}
}

// server is one run of serve.
type server struct {
	*app
	conf     *config.Config
	security *security
	tls      *tls.Config // nil: plain HTTP
	log      *slog.Logger

	telemetry *telemetry.Telemetry
}

func (a *app) serve() *cobra.Command {
	s := &server{app: a}
	cmd := a.command(&cobra.Command{
		Use: "serve",
		Example: `editlock serve --demo
editlock serve --listen 127.0.0.1:7200 --store sqlite:/var/lib/editlock/locks.db
editlock serve --config /etc/editlock/editlock.toml`,
		Args: a.arguments(),
	})
	a.configFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.prepare(cmd); err != nil {
			return err
		}
		return s.observe(cmd.Context())
	}
	return cmd
}

// checkAddress refuses addresses that other machines reach, where nobody is
// authenticated: a caller can be anybody.
func (s *server) checkAddress(ctx context.Context) error {
	host, port, err := net.SplitHostPort(s.conf.Listen)
	if err == nil {
		_, err = net.DefaultResolver.LookupPort(ctx, "tcp", port)
	}
	if err != nil {
		return s.usage("serve.address", s.conf.Listen, err)
	}
	if s.security.known() {
		return nil
	}
	if host == "" { // all addresses
		return s.usage("serve.exposed", s.conf.Listen)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return s.usage("serve.address", s.conf.Listen, err)
	}
	for _, ip := range ips {
		if !ip.Unmap().IsLoopback() {
			return s.usage("serve.exposed", s.conf.Listen)
		}
	}
	return nil
}

// run serves until SIGINT or SIGTERM, and then until all is answered.
func (s *server) run(ctx context.Context, locks editlock.Locker) error {
	floor := make([]byte, heapFloor)
	defer runtime.KeepAlive(floor)
	spareThread()
	ctx, heard := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer heard()
	ln, err := (&net.ListenConfig{Control: giveUpVanished(writeWithin)}).Listen(ctx, "tcp", s.conf.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return errors.New(s.words.Text("serve.in_use", s.conf.Listen))
	case err != nil:
		return err
	}
	if err := s.sideServers(ctx); err != nil {
		return err
	}
	go s.security.follow(ctx)
	log, api := s.log, s.security.api(locks, s.log)
	srv := &http.Server{
		Handler:           s.security.front(s.telemetry.Trace(s.routes(api, locks)), log),
		TLSConfig:         s.tls,
		HTTP2:             &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingWithin, WriteByteTimeout: writeWithin},
		ReadHeaderTimeout: headerWithin,
		ReadTimeout:       requestWithin,
		IdleTimeout:       idleFor,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	if s.conf.Demo {
		s.say(s.words.Text("serve.demo", s.address(ln)+"demo/"))
	} else {
		s.say(s.words.Text("serve.plain", s.address(ln)))
	}
	log.Info("serving", "address", ln.Addr().String(), "store", storeurl.Redact(s.conf.Store))
	if s.security.known() && s.tls == nil && !ln.Addr().(*net.TCPAddr).IP.IsLoopback() {
		log.Warn("without TLS, keys and tokens can be read on the way, unless a proxy before this server has it")
	}

	failed := make(chan error, 1)
	go func() { failed <- s.accept(srv, patientListener{ln}) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	heard() // a second signal ends the process at once
	log.Info("stopping: no new connections, finishing what is under way")
	api.Drain()
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	if err := srv.Shutdown(finish); err != nil {
		log.Warn("some requests did not end and were cut off", "after", finishWithin)
		_ = srv.Close()
	}
	log.Info("stopped")
	return nil
}

// accept serves a listener, by TLS if there is a certificate.
func (s *server) accept(srv *http.Server, ln net.Listener) error {
	if s.tls != nil {
		return srv.ServeTLS(ln, "", "")
	}
	return srv.Serve(ln)
}

func (s *server) routes(api *httpapi.Handler, locks editlock.Locker) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.security.metrics(api, s.telemetry.Handler()))
	manager := s.security.manager(api, locks, s.conf.Demo, s.log)
	mux.Handle("/{$}", manager)
	mux.Handle("/ui/", manager)
	mux.Handle("GET /editlock/", js.Handler("/editlock/", http.HandlerFunc(missing)))
	if s.conf.Demo {
		mux.Handle("/demo/", demo.New(locks, nil))
	}
	if s.security.known() && s.security.chain.Login != nil {
		s.security.chain.Login.Register(mux)
	}
	return entry.Routes(mux, api, entry.Home)
}

// missing refuses a path below one that is served.
func missing(w http.ResponseWriter, r *http.Request) {
	entry.Refuse(w, r, wire.NewProblem(wire.NotFound, fmt.Sprintf("there is nothing at %.200q", r.URL.Path)), entry.Home)
}

// address is where a browser on this machine finds the server.
func (s *server) address(ln net.Listener) string {
	at := ln.Addr().(*net.TCPAddr)
	host := at.IP.String()
	if at.IP.IsUnspecified() {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(at.String())
	scheme := "http://"
	if s.tls != nil {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port) + "/"
}
