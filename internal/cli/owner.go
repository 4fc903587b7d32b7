package cli

import (
	"context"

	"github.com/spf13/cobra"

	"editlock"
)

// ownerFlags say who acts.
type ownerFlags struct {
	cmd   *cobra.Command
	owner editlock.Owner
}

func (a *app) ownerFlags(cmd *cobra.Command) *ownerFlags {
	o := &ownerFlags{cmd: cmd}
	fs := cmd.Flags()
	fs.StringVar(&o.owner.Session, "session", "", a.words.Text("flag.session"))
	fs.StringVar(&o.owner.UserID, "user", "", a.words.Text("flag.user"))
	fs.StringVar(&o.owner.Login, "login", "", a.words.Text("flag.login"))
	fs.StringVar(&o.owner.Name, "name", "", a.words.Text("flag.name"))
	fs.StringVar(&o.owner.Host, "host", "", a.words.Text("flag.host"))
	return o
}

// ownSession tells that the session is this process's.
func (o *ownerFlags) ownSession() bool { return !o.cmd.Flags().Changed("session") }

// get returns the owner: the console owner where the flags don't say
// otherwise. User, login and name are one person's: given one of them, the
// others are not the console user's.
func (o *ownerFlags) get() editlock.Owner {
	given := o.cmd.Flags().Changed
	owner, console := o.owner, editlock.ConsoleOwner()
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
