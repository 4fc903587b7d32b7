package mcp

import (
	"context"
	"errors"
	"net/http"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
)

// Callers are the agents that call over HTTP.
type Callers struct {
	owner editlock.Owner  // what is known of all
	locks editlock.Locker // of a store; nil: of a server
	url   string          // of the server
	http  *http.Client
}

// Local returns agents that hold locks of a store, which is theirs from now on.
// Nobody asks who they are.
func Local(locks editlock.Locker, owner editlock.Owner) *Callers {
	return &Callers{owner: owner, locks: locks}
}

// Remote returns agents that hold locks of the server at a URL. Each brings its own
// credential, which goes to that server as it is, and nowhere else.
func Remote(url string, owner editlock.Owner) (*Callers, error) {
	c := &Callers{owner: owner, url: url, http: client.NewHTTPClient()}
	locks, err := c.open("")
	if err != nil {
		return nil, err
	}
	return c, locks.Close()
}

func (c *Callers) open(secret string) (*client.Client, error) {
	o := &client.Options{HTTPClient: c.http}
	if secret != "" {
		o.Credential = client.StaticCredential(secret)
	}
	return client.New(c.url, o)
}

// Demanded reports whether the server refuses those who bring no credential.
func (c *Callers) Demanded(ctx context.Context) (bool, error) {
	locks, err := c.open("")
	if err != nil {
		return false, err
	}
	defer func() { _ = locks.Close() }()
	_, _, err = locks.Request(editlock.WithoutOwner(ctx), editlock.ID{ID: "editlock mcp"}) // changes nothing
	if errors.Is(err, editlock.ErrUnauthenticated) {
		return true, nil
	}
	return false, err
}

// Caller is who sends a request with a header. A token says whose session it is.
func (c *Callers) Caller(_ context.Context, header http.Header) (Caller, error) {
	if c.locks != nil {
		return Caller{Locker: c.locks, Owner: c.owner}, nil
	}
	secret, _, err := Bearer(header)
	if err != nil {
		return Caller{}, err
	}
	locks, err := c.open(secret)
	if err != nil {
		return Caller{}, err
	}
	owner := c.owner
	if secret != "" && client.NamesOwner(secret) {
		owner.Session = client.SessionOf(secret)
	}
	return Caller{Locker: locks, Owner: owner, Close: func() { _ = locks.Close() }}, nil
}

// Close closes the store, or the connections to the server.
func (c *Callers) Close() {
	if c.locks != nil {
		_ = c.locks.Close()
		return
	}
	c.http.CloseIdleConnections()
}
