package cli

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/entry"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/server/telemetry"
)

// sendWithin is how long the last traces and metrics may take to be sent.
const sendWithin = 5 * time.Second

// observe opens the store and serves its locks, measured.
func (s *server) observe(ctx context.Context) (err error) {
	if s.telemetry, err = telemetry.New(ctx, &telemetry.Options{Version: programVersion()}); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendWithin)
		defer cancel()
		if err := s.telemetry.Shutdown(ctx); err != nil {
			s.log.Warn("the last traces or metrics could not be sent", "err", err)
		}
	}()
	if s.security.known() {
		if err := s.telemetry.Access(s.security.access.Counters); err != nil {
			return err
		}
	}
	heed := catchStops()
	locks, err := connect.Open(ctx, s.conf.Store, &connect.Options{
		Manager: &editlock.ManagerOptions{History: s.conf.Retention(), Limits: s.conf.HolderLimits(), Logger: s.log},
		Wrap:    s.telemetry.Store,
	})
	if err != nil {
		return err
	}
	defer func() { _ = locks.Close() }() // what was done is done
	defer heed(pauseOf(locks), s.stop)()
	following, stop := context.WithCancel(ctx)
	defer stop()
	go s.telemetry.Follow(following, locks)
	if link := editlock.BroadcasterOf(locks); link != nil {
		go s.security.board.Share(following, link)
	}
	return s.run(ctx, s.telemetry.Locker(locks))
}

// sideServers serve what is asked for on addresses of its own, until ctx ends.
func (s *server) sideServers(ctx context.Context) error {
	metrics, profile := http.NewServeMux(), http.NewServeMux()
	metrics.Handle("GET /metrics", s.telemetry.Handler())
	// Not pprof.Cmdline: a command line may hold a store's password.
	profile.HandleFunc("GET /debug/pprof/", pprof.Index)
	profile.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	profile.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	profile.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	for _, side := range []struct {
		flag, address string
		mux           *http.ServeMux
	}{{"metrics", s.conf.Metrics, metrics}, {"pprof", s.conf.Pprof, profile}} {
		if side.address == "" {
			continue
		}
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp", side.address)
		if err != nil {
			return s.usage("serve.side", "--"+side.flag, side.address, err)
		}
		if side.flag == "pprof" && !auth.IsLoopback(ln.Addr().String()) {
			_ = ln.Close()
			return s.usage("serve.pprof", side.address)
		}
		srv := &http.Server{
			Handler:           httpapi.Front(entry.OwnPages(entry.Routes(side.mux, nil)), &httpapi.FrontOptions{Open: true}),
			ReadHeaderTimeout: headerWithin, ReadTimeout: requestWithin, IdleTimeout: idleFor, MaxHeaderBytes: maxHeader,
		}
		context.AfterFunc(ctx, func() { _ = srv.Close() })
		go func() {
			if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("no longer serving", "what", side.flag, "err", err)
			}
		}()
		if side.flag == "metrics" && !auth.IsLoopback(ln.Addr().String()) {
			s.log.Warn("the metrics are open to all who reach their address", "address", ln.Addr().String())
		}
		s.log.Info("serving", "what", side.flag, "address", ln.Addr().String())
	}
	return nil
}

// metrics shows the metrics on the server's own address: to everybody where
// nobody is known, else to those with the right admin.
func (sec *security) metrics(api *httpapi.Handler, next http.Handler) http.Handler {
	if !sec.known() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, err := api.Identify(r)
		if c := auth.CallerFrom(r.Context()); err == nil && !sec.access.MayAny(c, auth.Admin) {
			err = &auth.ForbiddenError{Problem: "reading the metrics takes the right admin"}
			sec.access.Refuse(r.Context(), c, "read the metrics", err)
		}
		if err != nil {
			sec.refuse(api, w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}
