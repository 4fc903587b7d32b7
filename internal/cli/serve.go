package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"editlock"
	"editlock/httpapi"
	"editlock/internal/demo"
	"editlock/telemetry"
)

const (
	defaultListen = "127.0.0.1:7117"
	maxHeader     = 64 << 10
	// headerWithin and idleFor bound what a slow or silent client costs.
	headerWithin = 10 * time.Second
	idleFor      = 2 * time.Minute
	// pingAfter is how long an HTTP/2 connection may be silent before it has to
	// show that it lives; pingWithin is how long that may take.
	pingAfter  = 30 * time.Second
	pingWithin = 15 * time.Second
	// finishWithin is how long requests may go on after the first signal.
	finishWithin = 20 * time.Second
)

// server is one run of serve.
type server struct {
	*app
	listen   string
	demo     bool
	flags    *securityFlags
	side     *telemetryFlags
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
editlock serve --listen :7117 --security security.toml --tls-cert cert.pem --tls-key key.pem`,
		Args: a.arguments(),
	})
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&s.listen, "listen", defaultListen, a.words.Text("flag.listen"))
	fs.BoolVar(&s.demo, "demo", false, a.words.Text("flag.demo"))
	s.flags = a.securityFlags(fs)
	s.side = a.telemetryFlags(fs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if at := a.storeURL(); strings.HasPrefix(at, "http:") || strings.HasPrefix(at, "https:") {
			return a.usage("serve.remote")
		}
		if err := s.flags.check(s, cmd); err != nil {
			return err
		}
		if err := s.secure(); err != nil {
			return err
		}
		if err := s.checkAddress(cmd.Context()); err != nil {
			return err
		}
		return s.observe(cmd.Context())
	}
	return cmd
}

// secure reads who may call, and the certificate.
func (s *server) secure() (err error) {
	s.log = slog.New(slog.NewTextHandler(s.stderr, nil))
	if s.security, err = s.flags.open(s.log); err != nil {
		return err
	}
	if s.demo && s.security.known() {
		return s.usage("serve.demo_known")
	}
	if s.flags.cert != "" {
		s.tls, err = newTLS(s.flags, s.log)
	}
	return err
}

// checkAddress refuses addresses that other machines reach, where nobody is
// authenticated: whoever can call can be anybody.
func (s *server) checkAddress(ctx context.Context) error {
	host, port, err := net.SplitHostPort(s.listen)
	if err == nil {
		_, err = net.DefaultResolver.LookupPort(ctx, "tcp", port)
	}
	if err != nil {
		return s.usage("serve.address", s.listen, err)
	}
	if s.security.known() {
		return nil
	}
	if host == "" { // all addresses
		return s.usage("serve.exposed", s.listen)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return s.usage("serve.address", s.listen, err)
	}
	for _, ip := range ips {
		if !ip.Unmap().IsLoopback() {
			return s.usage("serve.exposed", s.listen)
		}
	}
	return nil
}

// run serves until SIGINT or SIGTERM, and then until all is answered.
func (s *server) run(ctx context.Context, locks editlock.Locker) error {
	ctx, heard := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer heard()
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", s.listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return errors.New(s.words.Text("serve.in_use", s.listen))
	case err != nil:
		return err
	}
	if err := s.sideServers(ctx); err != nil {
		return err
	}
	log, api := s.log, s.security.api(locks, s.log)
	srv := &http.Server{
		Handler:           s.security.front(s.telemetry.Trace(s.routes(api, locks))),
		TLSConfig:         s.tls,
		HTTP2:             &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingWithin, WriteByteTimeout: writeWithin},
		ReadHeaderTimeout: headerWithin,
		IdleTimeout:       idleFor,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	if s.demo {
		s.say(s.words.Text("serve.demo", s.address(ln)+"demo/"))
	} else {
		s.say(s.words.Text("serve.plain", s.address(ln)))
	}
	log.Info("serving", "address", ln.Addr().String(), "store", storeName(s.storeURL()))
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
	mux.Handle("/", api)
	mux.Handle("GET /metrics", s.security.metrics(api, s.telemetry.Handler()))
	manager := s.security.manager(api, locks, s.demo, s.log)
	mux.Handle("/{$}", manager)
	mux.Handle("/ui/", manager)
	if s.demo {
		mux.Handle("/demo/", demo.New(locks, nil))
	}
	if s.security.known() && s.security.chain.Login != nil {
		mux.Handle("/auth/", s.security.chain.Login)
	}
	return mux
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

// storeName is a store's URL without what may be a password.
func storeName(store string) string {
	u, err := url.Parse(store)
	if err != nil {
		scheme, _, _ := strings.Cut(store, ":")
		return scheme
	}
	u.RawQuery = ""
	return u.Redacted()
}
