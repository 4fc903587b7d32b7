package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
)

// caller waits once: in requests, as a client does behind a server.
type caller struct {
	*story
	dice
	known
	home    int           // the server that it asks
	roams   int           // so many requests in a hundred go to the other one
	plain   bool          // it has one answer, whenever, and confirms nothing itself
	within  time.Duration // of its requests
	away    time.Duration // at most, between two requests
	vanish  int           // so many in a hundred of its chances to do so
	give    int           // up
	barging int           // another capture of its session
}

func (s *story) newCaller(name string) *caller {
	c := &caller{story: s}
	c.throw(s.seed, name)
	c.name, c.home = name, c.number(2)
	c.within = c.between(500*time.Millisecond, 6*time.Second)
	c.away = []time.Duration{10 * time.Millisecond, time.Second, 4 * time.Second, 9 * time.Second}[c.number(4)]
	c.plain = c.chance(15)
	if c.chance(30) {
		c.roams = []int{10, 50, 100}[c.number(3)]
	}
	switch c.number(10) {
	case 0, 1:
		c.give = 25
	case 2:
		c.vanish = 25
	case 3:
		c.barging = 25
	}
	s.meet(&c.known)
	return c
}

// live waits until the caller got the mutex and released it, or something else ends
// its wait.
func (c *caller) live() {
	for c.ctx.Err() == nil {
		if c.chance(c.roams) {
			c.home = 1 - c.home
		}
		srv := c.server(c.home)
		got, err := c.ask(srv)
		var on *patience.Waiting
		switch {
		case err == nil:
			c.use(got)
			return
		case errors.As(err, &on), errors.Is(err, context.Canceled):
		case errors.Is(err, editlock.ErrUnavailable):
			c.failed(&c.known, srv.n)
		default:
			c.refused(&c.known, err)
			return
		}
		switch {
		case c.chance(c.vanish):
			c.does(&c.known, vanishes)
			return
		case c.chance(c.give):
			c.withdraw(srv)
			return
		case c.chance(c.barging):
			c.barge()
			return
		}
		c.sleep(c.between(0, c.away))
	}
	c.does(&c.known, vanishes)
}

func (c *caller) as(ctx context.Context) context.Context {
	return editlock.WithOwner(ctx, editlock.Owner{Session: c.name})
}

// ask is one request. It may be cut off, and arrive, or be noticed to be cut off, only
// after that.
func (c *caller) ask(srv *server) (editlock.Mutex, error) {
	type answer struct {
		got editlock.Mutex
		err error
	}
	within := c.within
	if c.plain {
		within = 0
	}
	ctx, connection := patience.WithCaller(c.as(context.Background()), within)
	ctx, noticed := context.WithCancel(ctx)
	var gone <-chan time.Time
	if c.plain || c.chance(30) {
		gone = time.After(c.between(0, c.within))
	}
	late := time.Duration(0)
	if c.chance(15) {
		late = c.between(0, 700*time.Millisecond)
	}
	c.asks(&c.known, srv.n)
	sent, answered := time.Now(), make(chan answer)
	go func() {
		time.Sleep(late)
		got, err := srv.Capture(ctx, report, &editlock.CaptureOptions{
			Wait: time.Hour, RequestID: c.name, StatusData: c.name, AutoRelease: editlock.TimeoutAutoRelease(20 * time.Second),
		})
		c.answered(&c.known, srv.n, sent, err)
		select {
		case answered <- answer{got, err}:
		case <-ctx.Done():
			connection.Answered(false)
		}
	}()
	select {
	case a := <-answered:
		if a.err == nil && c.plain {
			c.takesUp(&c.known, a.got)
		}
		connection.Answered(a.err == nil)
		noticed()
		return a.got, a.err
	case <-gone:
		time.AfterFunc(c.between(0, 500*time.Millisecond), noticed)
		return editlock.Mutex{}, context.Canceled
	}
}

// use confirms what was got, holds it for a while, and releases it.
func (c *caller) use(got editlock.Mutex) {
	if c.chance(c.vanish) {
		c.does(&c.known, vanishes)
		return
	}
	for !c.plain {
		c.takesUp(&c.known, got)
		res, err := c.server(c.home).Refresh(c.as(context.Background()), []editlock.RefreshItem{{ID: report, Token: got.Token}})
		if err == nil {
			err = res[0].Err
		}
		if err == nil {
			break
		}
		if !errors.Is(err, editlock.ErrUnavailable) {
			c.does(&c.known, ends)
			return
		}
		c.home = 1 - c.home
		if !c.sleep(c.between(50*time.Millisecond, time.Second)) {
			c.does(&c.known, ends)
			return
		}
	}
	c.holds(&c.known, got)
	c.sleep(c.between(0, 5*time.Second))
	c.does(&c.known, ends)
	for range 40 {
		if _, err := c.server(c.home).Release(c.as(context.Background()), report, editlock.IfToken(got.Token)); err == nil {
			return
		}
		c.home = 1 - c.home
		if !c.sleep(c.between(50*time.Millisecond, time.Second)) {
			return
		}
	}
}

// withdraw gives the wait up, at the server asked last or the other one.
func (c *caller) withdraw(srv *server) {
	if c.chance(20) {
		srv = c.server(1 - srv.n)
	}
	c.does(&c.known, withdraws)
	for c.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(c.as(context.Background()), 3*time.Second)
		_, err := srv.Release(ctx, report, editlock.IfRequest(c.name))
		cancel()
		if err == nil {
			c.withdrew(&c.known, srv.n)
			return
		}
		c.sleep(c.between(50*time.Millisecond, time.Second))
		srv = c.server(srv.n)
	}
}

// barge captures the mutex by another request of the same session, if it is free,
// and comes back for neither.
func (c *caller) barge() {
	c.does(&c.known, vanishes)
	for n := range 100 {
		ctx, cancel := context.WithTimeout(c.as(context.Background()), 3*time.Second)
		got, err := c.server(1-c.home).Capture(ctx, report, &editlock.CaptureOptions{
			If: editlock.IfFree(), RequestID: fmt.Sprint("another of ", c.name, n), AutoRelease: editlock.TimeoutAutoRelease(7 * time.Second),
		})
		cancel()
		if err == nil {
			c.barged(got)
			return
		}
		if !c.sleep(c.between(100*time.Millisecond, 500*time.Millisecond)) {
			return
		}
	}
}
