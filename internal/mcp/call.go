package mcp

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/bidi"
	"github.com/editlock/editlock/internal/wire"
)

// call is one call of a tool.
type call struct {
	Caller
	own bool // the hold of the call has a session of its own
}

// named is how an agent wants to be shown.
type named struct {
	Agent      string `json:"agent,omitempty" jsonschema:"your name, as people will read it; leave it out to be shown as your client program"`
	OnBehalfOf string `json:"on_behalf_of,omitempty" jsonschema:"the person you act for, as people will read it; credentials that say it count more"`
}

// begin finds out who calls. h is the hold that the call is about, if it is.
func (d *Door) begin(ctx context.Context, req *sdk.CallToolRequest, as named, h *hold) (*call, error) {
	extra := req.GetExtra()
	if extra == nil {
		extra = new(sdk.RequestExtra)
	}
	who, err := d.opts.Caller(ctx, extra.Header)
	if err != nil {
		return nil, err
	}
	c := &call{Caller: who}
	o := &c.Owner
	switch {
	case o.Session != "":
	case h != nil && h.Session != "":
		o.Session, c.own = h.Session, true
	default:
		o.Session, c.own = sessionPrefix+rand.Text(), true
	}
	if as.Agent != "" {
		o.Name = as.Agent
	}
	if as.OnBehalfOf != "" {
		o.OnBehalfOf = as.OnBehalfOf
	}
	if o.Kind = editlock.Agent; o.Name == "" {
		o.Name = clientName(req)
	}
	return c, nil
}

// sessionPrefix begins the sessions that are made here.
const sessionPrefix = "mcp-"

// clientName is what the client program calls itself, if that can be a name.
func clientName(req *sdk.CallToolRequest) string {
	info := req.ClientInfo()
	if info == nil {
		return "agent"
	}
	for _, name := range []string{info.Title, info.Name} {
		name = strings.TrimSpace(bidi.Plain(name))
		if name != "" && (editlock.Owner{Session: "s", Name: name}).Validate() == nil {
			return name
		}
	}
	return "agent"
}

// act calls f as the caller's owner. Where credentials say the name, or on whose
// behalf, they are right, and f is called again without.
func (c *call) act(ctx context.Context, f func(ctx context.Context) error) error {
	for {
		err := f(editlock.WithOwner(ctx, c.Owner))
		var p *wire.Problem
		if !errors.As(err, &p) || p.Code != wire.Forbidden {
			return err
		}
		switch {
		case p.Field == "owner.name" && c.Owner.Name != "":
			c.Owner.Name = ""
		case p.Field == "owner.on_behalf_of" && c.Owner.OnBehalfOf != "":
			c.Owner.OnBehalfOf = ""
		default:
			return err
		}
	}
}

// hold is what the caller gets of a mutex.
func (c *call) hold(m editlock.Mutex) string {
	h := hold{ID: m.ID, Token: m.Token}
	if c.own {
		h.Session = c.Owner.Session
	}
	return h.handle()
}

func (c *call) end() {
	if c.Close != nil {
		c.Close()
	}
}
