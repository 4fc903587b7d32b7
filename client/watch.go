package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/wire/strictjson"
)

const (
	// silence is how long a stream may be quiet before it counts as dead:
	// three heartbeats of the server.
	silence = 45 * time.Second
	// maxLine is more than an entry takes, and more than a problem.
	maxLine = 256 << 10
)

// Watch implements Locker. When the connection is cut it comes back and goes
// on behind the last event, without loss or repetition; if that fails as often
// as for any call, it ends with ErrUnavailable.
func (c *Client) Watch(ctx context.Context, q editlock.WatchQuery) iter.Seq2[editlock.Event, error] {
	return func(yield func(editlock.Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(c.open, cancel)()
		w := &watch{client: c, yield: yield}
		if err := w.run(ctx, q); err != nil {
			if c.open.Err() != nil {
				err = unavailable("the client is closed")
			}
			yield(editlock.Event{}, err)
		}
	}
}

// watch is one Watch under way.
type watch struct {
	client *Client
	yield  func(editlock.Event, error) bool
	params query

	last    uint64 // the number to resume behind
	resumes bool   // there is one
	heard   bool   // the server spoke since the last try

	secret  string        // the credential, if there is one
	limited time.Duration // waited for limits since the server last spoke
	stopped bool          // the loop broke
}

// run keeps the stream up until the loop breaks (nil) or something ends it.
func (w *watch) run(ctx context.Context, q editlock.WatchQuery) error {
	w.params = query{}
	if err := w.params.id(q.ID, q.Tree, q.Group, q.Mode); err != nil {
		return err
	}
	w.params.set("session", q.Session)
	if q.After != nil {
		w.params.set("after", strconv.FormatUint(*q.After, 10))
		w.last = *q.After
	}
	for tries := 1; ; tries++ {
		w.heard = false
		err := w.authorized(ctx)
		if w.stopped {
			return nil
		}
		var again *retryable
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.As(err, &again):
			return err
		case w.heard:
			tries, w.limited = 1, 0
		case tries >= maxTries:
			return again.err
		}
		if again.limit {
			if w.limited += again.after; w.limited > maxLimited {
				return again.err
			}
		}
		if err := pause(ctx, tries, again); err != nil {
			return ctx.Err()
		}
	}
}

// authorized follows with the credential there is, and once with a newer one
// if it is refused: streams end when a token does.
func (w *watch) authorized(ctx context.Context) error {
	var err error
	if w.secret == "" {
		if w.secret, err = w.client.authorize(ctx, ""); err != nil {
			return err
		}
	}
	err = w.follow(ctx)
	if !w.client.renews(err) {
		return err
	}
	newer, failed := w.client.authorize(ctx, w.secret)
	switch {
	case failed != nil:
		return failed
	case newer == w.secret:
		return err
	}
	w.secret = newer
	return w.follow(ctx)
}

// follow reads one stream to its end.
func (w *watch) follow(ctx context.Context) error {
	c := w.client
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dead := time.AfterFunc(silence, cancel)
	defer dead.Stop()

	m := message{method: http.MethodGet, path: "/v1/events?" + url.Values(w.params).Encode()}
	req, err := http.NewRequestWithContext(ctx, m.method, c.base+m.path, nil)
	if err != nil {
		return err
	}
	if w.resumes {
		req.Header.Set("Last-Event-ID", strconv.FormatUint(w.last, 10))
	}
	setCredential(req, w.secret)
	res, err := c.http.Do(req)
	if err != nil {
		return w.cut(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxLine)) // half a problem is none
		return c.refused(m, res, body)
	}
	if !isType(res, "text/event-stream") {
		return c.strange(m, "content of type %.80q", res.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxLine)
	return w.read(m, lines, dead)
}

// cut is the error of a stream that ended by itself.
func (w *watch) cut(err error) error {
	return w.client.unreached(context.Background(), err)
}

// read takes events from the lines of a stream.
func (w *watch) read(m message, lines *bufio.Scanner, dead *time.Timer) error {
	var id, kind string
	var data []byte
	for lines.Scan() {
		dead.Reset(silence)
		w.heard = true
		line := lines.Bytes()
		if len(line) > 0 {
			name, value, _ := bytes.Cut(line, []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))
			switch string(name) {
			case "id":
				id = string(value)
			case "event":
				kind = string(value)
			case "data":
				if data = append(data, value...); len(data) > maxLine {
					return w.client.strange(m, "an event of more than %d bytes", maxLine)
				}
			}
			continue
		}
		if err := w.event(m, id, kind, data); err != nil || w.stopped {
			return err
		}
		id, kind, data = "", "", data[:0]
	}
	err := lines.Err()
	if err == nil {
		err = errors.New("the stream of events ended")
	}
	return w.cut(err)
}

// event takes up one event, which is over with the empty line behind it.
func (w *watch) event(m message, id, kind string, data []byte) error {
	if kind == "problem" {
		p := new(wire.Problem)
		if err := strictjson.UnmarshalKnown(data, p); err != nil {
			return w.client.strange(m, "a problem that makes no sense: %w", err)
		}
		if p.Code == wire.Unavailable {
			return &retryable{err: p.Err()}
		}
		return p.Err()
	}
	seq := w.last
	if id != "" {
		var err error
		if seq, err = strconv.ParseUint(id, 10, 64); err != nil {
			return w.client.strange(m, "an event of the id %.40q", id)
		}
	}
	if len(data) > 0 && seq > w.last {
		var e wire.Entry
		if err := strictjson.UnmarshalKnown(data, &e); err != nil {
			return w.client.strange(m, "an event that makes no sense: %w", err)
		}
		w.stopped = !w.yield(e.Root(), nil)
	}
	if id != "" {
		w.last, w.resumes = max(seq, w.last), true
	}
	return nil
}
