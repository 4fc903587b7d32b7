package client

import (
	"context"
	"net/http"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
)

const (
	// answersWithin is how soon a server that can is asked to answer a wait:
	// before proxies commonly cut a request off.
	answersWithin = 25 * time.Second
	prefer        = "respond-async, wait=25"
	// waited is how long a request lasts at least that reached a server.
	waited = time.Second
	// leaveWithin bounds what a caller whose context ended still waits for.
	leaveWithin = 2 * time.Second
)

// captureAnswer is the answer to a capture. waits tells that it goes on.
type captureAnswer interface{ Waits() bool }

// wait sends a capture again until its wait is over.
func (c *Client) wait(ctx context.Context, m message, answer captureAnswer) error {
	deadline := time.Now().Add(time.Duration(*m.wait))
	for {
		err := c.send(ctx, m, answer)
		if err != nil || !answer.Waits() {
			return err
		}
		m.short = true
		*m.wait = left(deadline)
	}
}

// left is what remains of a wait, but never none at all: a wait knows what came
// of the one before.
func left(deadline time.Time) wire.Duration {
	return wire.Duration(max(time.Until(deadline), time.Millisecond))
}

// withdraw gives up the place of a wait, or what it was granted, for a caller
// whose context ended. If that fails, the server finds it out some seconds
// later.
func (c *Client) withdraw(ctx context.Context, waited *wire.CaptureRequest, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	secret, err := c.authorize(ctx, "")
	if err != nil {
		return
	}
	body := &wire.ReleaseRequest{Mutex: waited.Mutex, Owner: waited.Owner, If: &wire.Condition{Request: &key}}
	if data, err := encode(body); err == nil {
		_ = c.try(ctx, message{method: http.MethodPost, path: "/v1/release", body: body}, data, secret, new(wire.ReleaseAnswer))
	}
}

// provisional reports whether a mutex expires before its own terms say: it was
// granted after a wait, and is short until it is taken up.
func provisional(m editlock.Mutex) bool {
	if m.ExpiresAt.IsZero() {
		return false
	}
	idle := m.RefreshedAt.Add(m.AutoRelease.Idle)
	most := m.CapturedAt.Add(m.AutoRelease.MaxHold)
	return (m.AutoRelease.IsNever() || m.ExpiresAt.Before(idle)) && (m.AutoRelease.MaxHold == 0 || m.ExpiresAt.Before(most))
}

// confirm takes up a grant, which is gone soon otherwise.
func (c *Client) confirm(ctx context.Context, m editlock.Mutex) (editlock.Mutex, error) {
	results, err := c.Refresh(ctx, []editlock.RefreshItem{{ID: m.ID, Token: m.Token}})
	if err == nil {
		m, err = results[0].Mutex, results[0].Err
	}
	return m, err
}
