package cli

import (
	"context"

	"github.com/spf13/cobra"

	"editlock"
	"editlock/client"
)

// ownerFlags say who acts.
type ownerFlags struct {
	app   *app
	cmd   *cobra.Command
	owner editlock.Owner
}

func (a *app) ownerFlags(cmd *cobra.Command) *ownerFlags {
	o := &ownerFlags{app: a, cmd: cmd}
	fs := cmd.Flags()
	fs.StringVar(&o.owner.Session, "session", "", a.words.Text("flag.session"))
	fs.StringVar(&o.owner.UserID, "user", "", a.words.Text("flag.user"))
	fs.StringVar(&o.owner.Login, "login", "", a.words.Text("flag.login"))
	fs.StringVar(&o.owner.Name, "name", "", a.words.Text("flag.name"))
	fs.StringVar(&o.owner.Host, "host", "", a.words.Text("flag.host"))
	return o
}

// ownSession tells that the session is this process's.
func (o *ownerFlags) ownSession() bool {
	return !o.cmd.Flags().Changed("session") && o.app.jwt == ""
}

// get returns the owner: the console owner where the flags don't say
// otherwise. User, login and name are one person's: given one of them, the
// others are not the console user's. Where a JWT's claims are the owner, only
// what is given is said beside its session: the server knows the rest.
func (o *ownerFlags) get() editlock.Owner {
	given := o.cmd.Flags().Changed
	owner, console := o.owner, editlock.ConsoleOwner()
	if o.app.jwt != "" {
		if !given("session") {
			owner.Session = client.SessionOf(o.app.jwt)
		}
		return owner
	}
	if !given("session") {
		owner.Session = console.Session
	}
	if !given("user") && !given("login") && !given("name") {
		owner.UserID, owner.Login, owner.Name = console.UserID, console.Login, console.Name
	}
	if !given("host") {
		owner.Host = console.Host
	}
	return owner
}

// with returns a context whose calls are made by the owner.
func (o *ownerFlags) with(ctx context.Context) context.Context {
	return editlock.WithOwner(ctx, o.get())
}
