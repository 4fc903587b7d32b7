package cli

import (
	"context"
	"os"
	"os/user"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
)

// ownerFlags say who acts.
type ownerFlags struct {
	app   *app
	cmd   *cobra.Command
	owner editlock.Owner
}

func (a *app) ownerFlags(cmd *cobra.Command) *ownerFlags {
	o := a.whoFlags(cmd)
	a.kindFlags(cmd.Flags(), &o.owner, "flag.owner_kind")
	return o
}

// whoFlags are ownerFlags without those of kindFlags.
func (a *app) whoFlags(cmd *cobra.Command) *ownerFlags {
	o := &ownerFlags{app: a, cmd: cmd}
	fs := cmd.Flags()
	fs.StringVar(&o.owner.Session, "session", "", a.words.Text("flag.session"))
	fs.StringVar(&o.owner.UserID, "user", "", a.words.Text("flag.user"))
	fs.StringVar(&o.owner.Login, "login", "", a.words.Text("flag.login"))
	fs.StringVar(&o.owner.Name, "name", "", a.words.Text("flag.name"))
	fs.StringVar(&o.owner.Host, "host", "", a.words.Text("flag.host"))
	return o
}

// kindFlags say what sort of owner acts, and for whom.
func (a *app) kindFlags(fs *pflag.FlagSet, to *editlock.Owner, key string) {
	fs.Var(kindValue{&to.Kind}, "kind", a.words.Text(key))
	a.behalfFlag(fs, to)
}

func (a *app) behalfFlag(fs *pflag.FlagSet, to *editlock.Owner) {
	fs.StringVar(&to.OnBehalfOf, "on-behalf-of", "", a.words.Text("flag.on_behalf_of"))
}

// ownSession tells that the session is this process's.
func (o *ownerFlags) ownSession() bool {
	return !o.cmd.Flags().Changed("session") && o.app.jwt == ""
}

// person is the owner of a command that names none: the user of the operating
// system on this host, so that people on two hosts, or two people on one, are
// told apart. The session is this process's, as of the library's console owner,
// which it is where the system has no name for the user.
var person = sync.OnceValue(func() editlock.Owner {
	owner := editlock.ConsoleOwner()
	host, err := os.Hostname()
	if err != nil {
		host = owner.Host
	}
	login := strconv.Itoa(os.Getuid()) // in a container it may be all there is
	if u, err := user.Current(); err == nil && u.Username != "" {
		login = u.Username[strings.LastIndexByte(u.Username, '\\')+1:] // without the domain that Windows puts before it
	}
	at := login + "@" + host
	known := editlock.Owner{Session: owner.Session, UserID: at, Login: login, Name: at, Host: host}
	if known.Validate() != nil {
		return owner
	}
	return known
})

// get returns the owner: the person at this terminal where the flags don't say
// otherwise. User, login and name are one person's: given one of them, the
// others are not those of the terminal, on whose behalf an agent or a job acts. Where
// a JWT's claims are the owner, only what is given is said beside its session: the
// server knows the rest.
func (o *ownerFlags) get() editlock.Owner {
	given := o.cmd.Flags().Changed
	owner, here := o.owner, person()
	if o.app.jwt != "" {
		if !given("session") {
			owner.Session = client.SessionOf(o.app.jwt)
		}
		return owner
	}
	if !given("session") {
		owner.Session = here.Session
	}
	if !given("user") && !given("login") && !given("name") {
		owner.UserID, owner.Login, owner.Name = here.UserID, here.Login, here.Name
	}
	if !given("host") {
		owner.Host = here.Host
	}
	if owner.Kind != editlock.Person && !given("on-behalf-of") {
		owner.OnBehalfOf = here.Name
	}
	return owner
}

// with returns a context whose calls are made by the owner.
func (o *ownerFlags) with(ctx context.Context) context.Context {
	return editlock.WithOwner(ctx, o.get())
}
