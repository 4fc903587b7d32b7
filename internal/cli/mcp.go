package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/mcp"
	"github.com/editlock/editlock/server/httpapi"
)

// mcpServer is one run of mcp.
type mcpServer struct {
	*app
	owner   *ownerFlags
	listen  string
	origins []string
}

// leaveWithin bounds the release of what an agent held that has gone.
const leaveWithin = 5 * time.Second

func (a *app) mcp() *cobra.Command {
	s := &mcpServer{app: a}
	cmd := a.command(&cobra.Command{
		Use: "mcp",
		Example: `editlock mcp --store http://127.0.0.1:7117 --credential-file agent.key
editlock mcp --name "Claude" --on-behalf-of "Anna Petrova"
editlock mcp --listen 127.0.0.1:7118 --store https://locks.example.org`,
		Args: a.arguments(),
	})
	cmd.Flags().SortFlags = false
	s.owner = a.whoFlags(cmd)
	s.owner.owner.Kind = editlock.Agent
	a.behalfFlag(cmd.Flags(), &s.owner.owner)
	cmd.Flags().StringVar(&s.listen, "listen", "", a.words.Text("flag.mcp_listen"))
	cmd.Flags().StringArrayVar(&s.origins, "origin", nil, a.words.Text("flag.mcp_origin"))
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error { return s.check(cmd) }
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		if s.listen == "" {
			return s.stdio(ctx)
		}
		return s.http(ctx)
	}
	return cmd
}

// check refuses flags that make no sense together.
func (s *mcpServer) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	switch {
	case s.listen == "" && given("origin"):
		return s.usage("serve.flag_with", "--origin", "--listen")
	case s.listen == "":
		return nil
	}
	for _, name := range []string{"session", "user", "login", "host"} {
		if given(name) {
			return s.usage("mcp.callers", "--"+name)
		}
	}
	if s.credentialPath() != "" || s.getenv("EDITLOCK_CREDENTIAL") != "" {
		return s.usage("mcp.credential")
	}
	for _, origin := range s.origins {
		if err := httpapi.CheckOrigin(origin); err != nil {
			return s.usage("usage.flag.invalid", "--origin", origin, s.words.Text("usage.origin"))
		}
	}
	return nil
}

// stdio serves the agent that has started this process.
func (s *mcpServer) stdio(ctx context.Context) error {
	return s.withLocker(ctx, func(ctx context.Context, locks editlock.Locker) error {
		owner := s.agent()
		if s.owner.ownSession() {
			defer s.leave(ctx, locks, owner)
		}
		door := mcp.New(mcp.Options{
			Version: programVersion(),
			Caller: func(context.Context, http.Header) (mcp.Caller, error) {
				return mcp.Caller{Locker: locks, Owner: owner}, nil
			},
		})
		return door.Run(ctx, s.stdin, s.stdout)
	})
}

// agent is the owner of the agent behind stdio. Its name is that of its program,
// unless a flag says another.
func (s *mcpServer) agent() editlock.Owner {
	owner := s.owner.get()
	owner.Name = s.owner.owner.Name
	return owner
}

// leave releases what the agent holds: nobody else knows of the session.
func (s *mcpServer) leave(ctx context.Context, locks editlock.Locker, owner editlock.Owner) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	_, _ = locks.ReleaseSession(editlock.WithOwner(ctx, owner), owner.Session) // else it expires
}

func (s *mcpServer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// http serves agents that bring their own credentials.
func (s *mcpServer) http(ctx context.Context) error {
	callers, demand, err := s.callers(ctx)
	if err != nil {
		return err
	}
	defer callers.Close()
	if err := s.checkListen(ctx, demand); err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return errors.New(s.words.Text("serve.in_use", s.listen))
	case err != nil:
		return err
	}
	log := s.logger()
	door := mcp.New(mcp.Options{
		Version: programVersion(), Caller: callers.Caller, Demand: demand, Origins: s.origins,
	})
	srv := &http.Server{
		Handler: door.Handler(), ReadHeaderTimeout: headerWithin, ReadTimeout: requestWithin, IdleTimeout: idleFor, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	s.note(s.words.Text("mcp.serving", "http://"+ln.Addr().String()+mcp.Path))
	if demand && !ln.Addr().(*net.TCPAddr).IP.IsLoopback() {
		log.Warn("without TLS, keys and tokens can be read on the way, unless a proxy before this server has it")
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	if srv.Shutdown(finish) != nil {
		_ = srv.Close()
	}
	return nil
}

// checkListen refuses addresses that other machines reach, where nobody is
// authenticated.
func (s *mcpServer) checkListen(ctx context.Context, demand bool) error {
	host, port, err := net.SplitHostPort(s.listen)
	if err == nil {
		_, err = net.DefaultResolver.LookupPort(ctx, "tcp", port)
	}
	var ips []net.IP
	if err == nil && host != "" {
		ips, err = net.DefaultResolver.LookupIP(ctx, "ip", host)
	}
	if err != nil {
		return s.usage("serve.address", s.listen, err)
	}
	if demand {
		return nil
	}
	for _, ip := range ips {
		if !ip.IsLoopback() {
			ips = nil
			break
		}
	}
	if len(ips) == 0 {
		return s.usage("mcp.exposed", s.listen)
	}
	return nil
}

// callers opens what agents hold locks of, and tells whether they are asked for
// credentials there.
func (s *mcpServer) callers(ctx context.Context) (*mcp.Callers, bool, error) {
	owner := editlock.Owner{Kind: s.owner.owner.Kind, Name: s.owner.owner.Name, OnBehalfOf: s.owner.owner.OnBehalfOf}
	url := s.storeURL()
	if connect.Engine(url) != "http" {
		locks, err := connect.Open(ctx, url, nil)
		if err != nil {
			return nil, false, err
		}
		return mcp.Local(locks, owner), false, nil
	}
	callers, err := mcp.Remote(url, owner)
	if err != nil {
		return nil, false, err
	}
	demand, err := callers.Demanded(ctx)
	if err != nil {
		callers.Close()
		return nil, false, err
	}
	return callers, demand, nil
}
