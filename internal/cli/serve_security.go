package cli

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"editlock"
	"editlock/access"
	"editlock/auth"
	"editlock/httpapi"
	"editlock/webui"
)

// securityFlags say who may call a server, and over what.
type securityFlags struct {
	keys, security    string
	cert, key, caFile string
}

func (a *app) securityFlags(fs *pflag.FlagSet) *securityFlags {
	f := &securityFlags{}
	fs.StringVar(&f.keys, "keys", "", a.words.Text("flag.serve_keys"))
	fs.StringVar(&f.security, "security", "", a.words.Text("flag.security"))
	fs.StringVar(&f.cert, "tls-cert", "", a.words.Text("flag.tls_cert"))
	fs.StringVar(&f.key, "tls-key", "", a.words.Text("flag.tls_key"))
	fs.StringVar(&f.caFile, "client-ca", "", a.words.Text("flag.client_ca"))
	return f
}

// check refuses flags that miss each other.
func (f *securityFlags) check(s *server, cmd *cobra.Command) error {
	for _, pair := range [][2]string{{"tls-cert", "tls-key"}, {"tls-key", "tls-cert"}, {"client-ca", "tls-cert"}} {
		if cmd.Flags().Changed(pair[0]) && !cmd.Flags().Changed(pair[1]) {
			return s.usage("serve.flag_with", "--"+pair[0], "--"+pair[1])
		}
	}
	return nil
}

// security is who may call, and what he may do. Without a chain nobody is
// authenticated.
type security struct {
	file  *securityFile
	chain *auth.Chain
	guard *access.Guard
}

// open reads what the flags name.
func (f *securityFlags) open(log *slog.Logger) (*security, error) {
	file, err := readSecurity(f.security)
	if err != nil {
		return nil, err
	}
	sec := &security{file: file}
	chain := &auth.Chain{}
	if f.keys != "" {
		if chain.Keys, err = auth.OpenKeys(f.keys, log); err != nil {
			return nil, err
		}
	}
	if chain.Tokens, err = file.tokens(log); err != nil {
		return nil, err
	}
	if chain.Login, err = file.login(log); err != nil {
		return nil, err
	}
	if f.caFile != "" {
		if chain.Certificates, err = file.certificates(); err != nil {
			return nil, err
		}
	}
	if *chain != (auth.Chain{}) {
		sec.chain, sec.guard = chain, access.New(*file.policy(), file.Limits, log)
	}
	return sec, nil
}

// known tells whether callers are authenticated.
func (sec *security) known() bool { return sec.chain != nil }

// front puts a handler behind what all requests go through.
func (sec *security) front(next http.Handler) http.Handler {
	return httpapi.Front(next, &httpapi.FrontOptions{
		Open: !sec.known(), Origins: sec.file.HTTP.Origins, Proxies: sec.file.HTTP.Proxies,
	})
}

// api returns the HTTP interface.
func (sec *security) api(locks editlock.Locker, log *slog.Logger) *httpapi.Handler {
	o := &httpapi.Options{Logger: log}
	if sec.known() {
		o.Authenticator, o.Guard, o.Parts = sec.chain, sec.guard, sec.chain.Parts
	}
	return httpapi.New(locks, o)
}

// manager returns the lock manager: for everybody, or for those who are known.
func (sec *security) manager(api *httpapi.Handler, locks editlock.Locker, demo bool, log *slog.Logger) http.Handler {
	o := &webui.Options{Demo: demo, Logger: log}
	if !sec.known() {
		return webui.New(locks, o)
	}
	o.Identify, o.Everything = sec.identity, locks
	if sec.chain.Login != nil {
		o.Logout = auth.LogoutPath
	}
	return sec.members(api, webui.New(sec.guard.InContext(locks), o))
}

// identity is what the manager wants to know of a caller.
func (sec *security) identity(r *http.Request) webui.Identity {
	c := auth.CallerFrom(r.Context())
	if c == nil || c.Scope != nil {
		return webui.Identity{}
	}
	return webui.Identity{
		Owner:       c.Owner,
		MayRelease:  sec.guard.MayAny(c, auth.ForceRelease),
		MayTakeOver: sec.guard.MayAny(c, auth.Takeover),
		MaySee:      func(id editlock.ID, holder editlock.Owner) bool { return sec.guard.MaySee(c, id, holder) },
	}
}

// members lets those in who are known, and sends others to log in.
func (sec *security) members(api *httpapi.Handler, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if sec.mustLogIn(r) {
			http.Redirect(w, r, auth.LoginPath(r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		r, err := api.Identify(r)
		if err != nil {
			api.Refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// mustLogIn tells that a reader opens a page and has shown nothing yet. A
// script's request is not sent elsewhere: it could not read the answer.
func (sec *security) mustLogIn(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	if sec.chain.Login == nil || r.Method != http.MethodGet || mode != "" && mode != "navigate" {
		return false
	}
	_, err := sec.chain.Authenticate(r)
	var unknown *auth.Error
	return errors.As(err, &unknown) && !unknown.Presented
}
