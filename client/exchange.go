package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/wire/strictjson"
)

const (
	// maxTries bounds how often a call is sent; with the pauses between,
	// that is about five seconds: a server has time to restart.
	maxTries   = 9
	firstPause = 50 * time.Millisecond
	maxPause   = 2 * time.Second
	// answerWithin is how long an answer may take beyond a wait asked for,
	// before the connection counts as dead.
	answerWithin = 30 * time.Second
	// maxAnswer is more than a page of 1000 mutexes takes.
	maxAnswer = 128 << 20
)

// message is one request to the server.
type message struct {
	method string
	path   string         // with the query, if there is one
	key    string         // Idempotency-Key, if there is one
	first  time.Time      // when a retry was sent first; zero: this is no retry
	body   any            // pointer to a form; nil: none
	wait   *wire.Duration // the body's wait, which a retry shortens
	short  bool           // the server is known to answer before the wait is over
}

// post sends a form that a retry may repeat freely, and reads the answer into
// another.
func (c *Client) post(ctx context.Context, path string, body, answer any) error {
	return c.send(ctx, message{method: http.MethodPost, path: path, body: body}, answer)
}

// once sends a form with a key, so that a repetition is the same call.
func (c *Client) once(ctx context.Context, path string, body, answer any) error {
	key, err := requestID(ctx, "")
	if err != nil {
		return err
	}
	return fields(c.send(ctx, message{method: http.MethodPost, path: path, key: key, body: body}, answer))
}

func (c *Client) get(ctx context.Context, path string, q url.Values, answer any) error {
	return c.send(ctx, message{method: http.MethodGet, path: path + "?" + q.Encode()}, answer)
}

// send tries until there is an answer that counts.
func (c *Client) send(ctx context.Context, m message, answer any) error {
	var deadline time.Time
	if m.wait != nil {
		deadline = time.Now().Add(time.Duration(*m.wait))
	}
	secret, err := c.authorize(ctx, "")
	if err != nil {
		return err
	}
	if m.key != "" {
		m.first = editlock.AttemptFrom(ctx).First
	}
	sent := time.Now()
	c.nameless(ctx, m.body, secret)
	data, err := encode(m.body)
	if err != nil {
		return err
	}
	renewed := false
	var limited time.Duration // waited for limits
	for tries := 1; ; {
		if c.open.Err() != nil {
			return unavailable("the client is closed")
		}
		var again *retryable
		began := time.Now()
		err = c.try(ctx, m, data, secret, answer)
		if c.renews(err) && !renewed {
			newer, failed := c.authorize(ctx, secret)
			if failed != nil {
				return failed
			}
			if renewed = newer != secret; renewed {
				secret = newer
				continue
			}
		}
		if !errors.As(err, &again) {
			return err
		}
		if again.limit {
			limited += again.after
		}
		if tries == maxTries || limited > maxLimited {
			return again.err
		}
		if err := pause(ctx, tries, again); err != nil {
			return err
		}
		if m.first.IsZero() {
			m.first = sent
		}
		if m.wait != nil {
			*m.wait = left(deadline)
			data, _ = encode(m.body) // as before but for the wait
		}
		switch {
		case m.wait != nil && time.Since(began) >= waited && time.Now().Before(deadline):
			tries = 1 // it was cut off while it waited, as by a proxy
		case !again.limit:
			tries++
		}
	}
}

func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	data, err := strictjson.Append(make([]byte, 0, 512), body)
	if err != nil {
		return nil, wire.Malformed(err)
	}
	return data, nil
}

// retryable is an error that another try may not meet.
type retryable struct {
	err   error
	after time.Duration // as the server asks
	limit bool          // it asks so because of a limit
}

func (r *retryable) Error() string { return r.err.Error() }
func (r *retryable) Unwrap() error { return r.err }

// pause waits before another try: longer each time, and for each client at
// random, so that a restarted server is not met by all at once.
func pause(ctx context.Context, tries int, why *retryable) error {
	d := min(firstPause<<min(tries-1, 10), maxPause)
	d = d/2 + rand.N(d/2+1)
	if why.limit {
		d += why.after // sooner would be refused
	} else {
		d += min(why.after, maxPause)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx, why.err)
	}
}

// ended is the error of a context that ended, with what it last met.
func ended(ctx context.Context, last error) error {
	return &endedError{ctx.Err(), last}
}

type endedError struct{ end, last error }

func (e *endedError) Error() string { return e.end.Error() + "; before that: " + e.last.Error() }
func (e *endedError) Unwrap() error { return e.end }

// try sends a message once.
func (c *Client) try(ctx context.Context, m message, data []byte, secret string, answer any) error {
	within := answerWithin
	switch {
	case m.short:
		within += answersWithin
	case m.wait != nil:
		within += time.Duration(*m.wait)
	}
	attempt, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	res, err := c.roundTrip(attempt, m, data, secret)
	if err != nil {
		return c.unreached(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	buf := buffers.Get().(*bytes.Buffer)
	defer putBuffer(buf)
	buf.Reset()
	n, err := buf.ReadFrom(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return c.unreached(ctx, err)
	case n > maxAnswer:
		return c.strange(m, "an answer of more than %d bytes", maxAnswer)
	case res.StatusCode != http.StatusOK && (m.wait == nil || res.StatusCode != http.StatusAccepted):
		return c.refused(m, res, buf.Bytes())
	case !isType(res, "application/json"):
		return c.strange(m, "content of type %.80q", res.Header.Get("Content-Type"))
	}
	if err := strictjson.UnmarshalKnown(buf.Bytes(), answer); err != nil {
		return c.strange(m, "JSON that makes no sense: %w", err)
	}
	return nil
}

func (c *Client) roundTrip(ctx context.Context, m message, data []byte, secret string) (*http.Response, error) {
	var body io.Reader
	if m.body != nil {
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, m.method, c.base+m.path, body)
	if err != nil {
		return nil, err
	}
	if m.body != nil {
		req.Header["Content-Type"] = jsonType
	}
	if m.key != "" {
		req.Header["Idempotency-Key"] = []string{m.key}
		req.GetBody = nil // a transport that repeats it by itself does not say its age
		if !m.first.IsZero() {
			req.Header["Idempotency-Age"] = []string{time.Since(m.first).String()}
		}
	}
	if m.wait != nil {
		req.Header.Set("Prefer", prefer)
	}
	setCredential(req, secret)
	return c.http.Do(req)
}

var jsonType = []string{"application/json"}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func putBuffer(buf *bytes.Buffer) {
	if buf.Cap() <= 64<<10 {
		buffers.Put(buf)
	}
}

// unreached is the error of a call that got no answer, or half of one.
func (c *Client) unreached(ctx context.Context, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the method and address, which are said here
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var distrusted *tls.CertificateVerificationError
	if errors.As(err, &distrusted) { // the next try would meet the same
		return unavailable("the certificate of %s is not trusted: %w", c.base, err)
	}
	return &retryable{err: unavailable("no answer from %s: %w", c.base, err)}
}

// refused is the error that a status other than 200 tells of.
func (c *Client) refused(m message, res *http.Response, body []byte) error {
	err := c.strange(m, "status %s", res.Status)
	if code, ok := refusals[res.StatusCode]; ok { // a proxy's, unless there is a problem
		err = wire.NewProblem(code, fmt.Sprintf("%s answers with status %s", c.base, res.Status))
	}
	if isType(res, wire.ProblemType) {
		p := new(wire.Problem)
		if strictjson.UnmarshalKnown(body, p) == nil && p.Code != "" {
			err = p.Err()
		}
	} else if to := res.Header.Get("Location"); to != "" {
		err = c.strange(m, "a redirect to %.200q", to)
	}
	switch res.StatusCode {
	case http.StatusTooManyRequests:
		after := max(retryAfter(res), time.Second)
		return &retryable{err: &LimitedError{Problem: err, RetryAfter: after}, after: after, limit: true}
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &retryable{err: err, after: retryAfter(res)}
	}
	return err
}

// refusals are the statuses that say enough without a problem.
var refusals = map[int]wire.Code{
	http.StatusUnauthorized: wire.Unauthenticated, http.StatusForbidden: wire.Forbidden, http.StatusTooManyRequests: wire.Limited,
}

// strange is the error of an answer that no editlock server gives.
func (c *Client) strange(m message, format string, args ...any) error {
	path, _, _ := strings.Cut(m.path, "?")
	return unavailable("%s answers %s %s with "+format+"; is it an editlock server?", append([]any{c.base, m.method, path}, args...)...)
}

func isType(res *http.Response, want string) bool {
	got, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(got), want)
}

// fields makes an error name what the library calls a field.
func fields(err error) error {
	var bad *editlock.InvalidError
	if errors.As(err, &bad) && bad.Field == "Idempotency-Key" {
		in := *bad
		in.Field = "request_id"
		return &in
	}
	return err
}
