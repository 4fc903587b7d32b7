package cli

import (
	"log/slog"
	"net"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/config"
)

// configFlags are those of serve; config and doctor take them, too.
func (a *app) configFlags(fs *pflag.FlagSet) {
	fs.SortFlags = false
	fs.String("config", "", a.words.Text("flag.config"))
	fs.String("listen", config.DefaultListen, a.words.Text("flag.listen"))
	fs.String("keys", "", a.words.Text("flag.serve_keys"))
	fs.String("tls-cert", "", a.words.Text("flag.tls_cert"))
	fs.String("tls-key", "", a.words.Text("flag.tls_key"))
	fs.String("client-ca", "", a.words.Text("flag.client_ca"))
	fs.String("metrics", "", a.words.Text("flag.metrics"))
	fs.String("pprof", "", a.words.Text("flag.pprof"))
	fs.Bool("demo", false, a.words.Text("flag.demo"))
}

// config puts together what a server is told.
func (a *app) config(cmd *cobra.Command) (*config.Config, error) {
	given := make(map[string]string)
	for _, key := range config.Keys() {
		if flag := cmd.Flags().Lookup(config.Flag(key)); flag != nil && flag.Changed {
			given[key] = flag.Value.String()
		}
	}
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	conf, err := config.Load(file, a.env, given)
	if err == nil && a.storeFile != "" {
		conf.SetSource("store", a.storeFrom)
	}
	return conf, err
}

// prepare refuses what a server can't be run with, and makes of the rest who
// may call, and the certificate.
func (s *server) prepare(cmd *cobra.Command) (err error) {
	if s.conf, err = s.config(cmd); err != nil {
		return err
	}
	if connect.Engine(s.conf.Store) == "http" {
		return s.usage("serve.remote")
	}
	if err := s.checkPairs(); err != nil {
		return err
	}
	if err := s.checkSides(); err != nil {
		return err
	}
	s.log = slog.New(slog.NewTextHandler(s.stderr, nil))
	if s.security, err = openSecurity(s.conf, s.log); err != nil {
		return err
	}
	if s.conf.Demo && s.security.known() {
		return s.usage("serve.demo_known")
	}
	if s.conf.TLSCert != "" {
		if s.tls, err = newTLS(s.conf, s.log); err != nil {
			return err
		}
	}
	return s.checkAddress(cmd.Context())
}

// checkPairs refuses settings that miss each other.
func (s *server) checkPairs() error {
	for _, pair := range []struct{ has, needs, flag, other string }{
		{s.conf.TLSCert, s.conf.TLSKey, "--tls-cert", "--tls-key"},
		{s.conf.TLSKey, s.conf.TLSCert, "--tls-key", "--tls-cert"},
		{s.conf.ClientCA, s.conf.TLSCert, "--client-ca", "--tls-cert"},
	} {
		if pair.has != "" && pair.needs == "" {
			return s.usage("serve.flag_with", pair.flag, pair.other)
		}
	}
	return nil
}

// checkSides refuses addresses beside the server's own that it will not listen
// on.
func (s *server) checkSides() error {
	for _, side := range []struct{ flag, address string }{{"--metrics", s.conf.Metrics}, {"--pprof", s.conf.Pprof}} {
		if side.address == "" {
			continue
		}
		at, err := net.ResolveTCPAddr("tcp", side.address)
		if err != nil {
			return s.usage("serve.side", side.flag, side.address, err)
		}
		if side.flag == "--pprof" && !at.IP.IsLoopback() {
			return s.usage("serve.pprof", side.address)
		}
	}
	return nil
}

// configuration prints or checks what serve would be told.
func (a *app) configuration() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use: "config",
		Example: `editlock config --config /etc/editlock/editlock.toml
editlock config --config editlock.toml --check`,
		Args: a.arguments(),
	})
	check := false
	a.configFlags(cmd.Flags())
	cmd.Flags().BoolVar(&check, "check", false, a.words.Text("flag.check"))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if check {
			if err := (&server{app: a}).prepare(cmd); err != nil {
				return err
			}
			a.say(a.words.Text("config.good"))
			return nil
		}
		c, err := a.config(cmd)
		if err != nil {
			return err
		}
		text, err := c.TOML(a.source)
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(text)
		return err
	}
	return cmd
}

// source says where a setting comes from.
func (a *app) source(s config.Source) string {
	if s.Kind == config.Default {
		return a.words.Text("config.default")
	}
	return s.Name
}
