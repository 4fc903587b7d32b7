package editlock

import (
	"context"
	"fmt"
	"os"
	"sync"
)

// MaxOwnerField is the limit of each field of an Owner, in bytes.
const MaxOwnerField = 200

// Owner says who captures. The identity is Session and Kind, compared byte for
// byte: two owners with the same ones are the same holder, whatever else they say.
// The same non-empty UserID in another session, with the same Kind, is the same
// person, who may continue there (see Locker.Refresh and Locker.Takeover).
type Owner struct {
	Session string // required
	UserID  string
	Login   string
	Name    string // for people to read
	Host    string

	Kind OwnerKind
	// OnBehalfOf is whom an agent or a job acts for, for people to read.
	OnBehalfOf string
}

// Validate reports the first field that breaks a limit, as *InvalidError.
func (o Owner) Validate() error {
	if o.Session == "" {
		return invalid("owner.session", "empty_session", "must not be empty: it is what tells one holder from another")
	}
	for _, f := range []struct{ name, text string }{
		{"owner.session", o.Session},
		{"owner.user_id", o.UserID},
		{"owner.login", o.Login},
		{"owner.name", o.Name},
		{"owner.host", o.Host},
		{"owner.on_behalf_of", o.OnBehalfOf},
	} {
		if err := checkWords(f.name, f.text, MaxOwnerField); err != nil {
			return err
		}
	}
	return o.Kind.validate()
}

// SameHolder reports whether both owners have one session and kind.
func (o Owner) SameHolder(other Owner) bool {
	return o.Session == other.Session && o.Kind == other.Kind
}

// SamePerson reports whether both owners are one session or one known user, and of
// one kind: an agent is never the person that it acts for.
func (o Owner) SamePerson(other Owner) bool {
	return o.SameHolder(other) || o.Kind == other.Kind && o.sameUser(other)
}

func (o Owner) sameUser(other Owner) bool { return o.UserID != "" && o.UserID == other.UserID }

// Label is the most readable of the owner's fields: name, login, user ID or
// session.
func (o Owner) Label() string {
	for _, s := range []string{o.Name, o.Login, o.UserID} {
		if s != "" {
			return s
		}
	}
	return o.Session
}

// SystemOwner is the owner of what the system does by itself.
func SystemOwner() Owner {
	return Owner{Session: "system", Name: "system", Host: "server"}
}

// ConsoleOwner is the owner of a program that names none: this process, on
// this host.
func ConsoleOwner() Owner { return consoleOwner() }

var consoleOwner = sync.OnceValue(func() Owner {
	host, err := os.Hostname()
	if err != nil || checkWords("", host, MaxOwnerField-40) != nil {
		host = "localhost"
	}
	return Owner{
		Session: fmt.Sprintf("console-session-%s-%d", host, os.Getpid()),
		UserID:  "console-user",
		Login:   "console",
		Name:    "console-user",
		Host:    host,
	}
})

type ownerKey struct{}

// WithOwner returns a context whose calls are made by o.
func WithOwner(ctx context.Context, o Owner) context.Context {
	return context.WithValue(ctx, ownerKey{}, o)
}

// OwnerFrom returns the owner a context carries, or the console owner.
func OwnerFrom(ctx context.Context) Owner {
	if o, ok := ctx.Value(ownerKey{}).(Owner); ok {
		return o
	}
	return ConsoleOwner()
}

// WithoutOwner returns a context without an owner, not even the console owner. To a
// Request every holder is another. Calls that act as an owner return ErrInvalid.
func WithoutOwner(ctx context.Context) context.Context {
	return context.WithValue(ctx, ownerKey{}, Owner{})
}
