package mcp

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/editlock/editlock"
)

const (
	defaultWait = 30 * time.Second
	maxWait     = 10 * time.Minute
	// tellEvery is how often a client that wants to know is told that the call goes
	// on: many give up calls of which they hear nothing.
	tellEvery = 5 * time.Second
)

func (d *Door) askHolder(ctx context.Context, req *sdk.CallToolRequest, in askIn) answer[heldOut] {
	auto, err := in.autoRelease()
	wait := defaultWait
	if err == nil && in.Wait != 0 {
		wait, err = duration("wait_s", in.Wait, time.Second, maxWait)
	}
	if err == nil && in.Message == "" {
		err = &editlock.InvalidError{Field: "message", Problem: "must not be empty: it is what the holder reads"}
	}
	if err != nil {
		return refusedHold(err)
	}
	c, err := d.begin(ctx, req, in.named, nil)
	if err != nil {
		return refusedHold(err)
	}
	defer c.end()
	defer goesOn(ctx, req, wait, name(in.root()))()
	var m editlock.Mutex
	err = c.act(ctx, func(ctx context.Context) (err error) {
		m, err = c.Locker.Capture(ctx, in.root(), &editlock.CaptureOptions{
			StatusData: in.StatusData, AutoRelease: auto, Wait: wait, Message: in.Message,
		})
		return err
	})
	if err == nil { // what was waited for is held for some seconds only, until it is refreshed
		m, err = c.renew(ctx, editlock.RefreshItem{ID: m.ID, Token: m.Token})
	}
	var busy *editlock.BusyError
	if !errors.As(err, &busy) {
		if err != nil {
			return refusedHold(err)
		}
		return c.holding(m)
	}
	p := problemOf(err)
	out := heldOut{State: "no_answer", Problem: p}
	text := fmt.Sprintf("%s %s has not handed it over within %s.", editing(busy.Holder), who(busy.Holder.Owner), span(wait))
	if no := busy.Declined; no != nil {
		out.State, out.Answer = "declined", line(no.Message)
		text = fmt.Sprintf("%s declines.", who(no.By))
		if no.Message != "" {
			text = fmt.Sprintf("%s declines: %q.", who(no.By), out.Answer)
		}
		p.Advice = "Do something else, or come back later. Don't ask again at once."
	}
	return answer[heldOut]{text + " " + p.Advice, out, err}
}

// goesOn tells a client that wants to know that the call goes on, until stop.
func goesOn(ctx context.Context, req *sdk.CallToolRequest, wait time.Duration, lock string) (stop func()) {
	token := req.Params.GetProgressToken()
	if token == nil {
		return func() {}
	}
	ctx, stop = context.WithCancel(ctx)
	go func() {
		tick := time.NewTicker(tellEvery)
		defer tick.Stop()
		for begun := time.Now(); ; {
			_ = req.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ // who is gone needs no word
				ProgressToken: token, Progress: time.Since(begun).Seconds(), Total: wait.Seconds(),
				Message: "waiting for " + lock,
			})
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return stop
}
