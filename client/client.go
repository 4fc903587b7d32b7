// Package client is the [editlock.Locker] of a server: the same interface as
// the library, over HTTP. A program changes from an embedded store to a server
// by changing how it opens its Locker.
//
// # Retries
//
// A call is repeated if the server is unreachable, the connection is cut, or the status
// is 502, 503 or 504: with growing pauses, for some seconds or until its context ends.
// A connection may be cut after the server acted, so each method says what a
// repetition does. Two refusals are repeated, too: one for being over a limit (429),
// after the pause that the server asks for, if that is some seconds at most, else it
// is a *LimitedError; and one of the credential (401), if the Credential has a newer
// one.
package client

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/fault"
)

// Options adjusts a Client. Nil means defaults.
type Options struct {
	// HTTPClient sends the requests; it must not have a Timeout, which would
	// end waits and watches. Redirects are not followed, whatever it says. Nil
	// means one that keeps connections for reuse.
	HTTPClient *http.Client
	// Credential proves who calls, by Authorization: Bearer, to the server at
	// the URL alone. Nil means nothing does. Where it is a JWT, calls whose
	// context names no owner leave it to the claims; where it is an API key,
	// they are the console owner's, as they are without it.
	Credential Credential
	// OwnerProved says that HTTPClient shows who calls, by a client certificate:
	// without a Credential, calls whose context names no owner, or the console's,
	// leave it to the server.
	OwnerProved bool
}

// Client is a Locker on a server. It is safe for concurrent use.
type Client struct {
	base string // without a slash at its end
	http *http.Client
	own  bool // http was made here

	credential  *credential // nil: none
	ownerProved bool

	open context.Context // ends at Close
	end  context.CancelFunc
}

var _ editlock.Locker = (*Client)(nil)

// New returns a Client of the server at baseURL, such as
// "http://127.0.0.1:7117". It does not connect yet.
func New(baseURL string, o *Options) (*Client, error) {
	u, err := url.Parse(baseURL)
	switch {
	case err != nil:
		return nil, invalid("url", "not_a_url", "is not a URL") // perhaps with a password in it
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid("url", "not_http", "must begin with http:// or https://, not %q", u.Scheme)
	case u.Hostname() == "" || u.Opaque != "":
		return nil, invalid("url", "no_host", "names no host; write http://HOST:PORT")
	case u.User != nil:
		return nil, invalid("url", "user_in_url", "must not hold a user or password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, invalid("url", "query_in_url", "must end after the path: what follows ? or # has no meaning here")
	}
	c := &Client{base: strings.TrimRight(u.String(), "/")}
	if o != nil && o.HTTPClient != nil {
		given := *o.HTTPClient
		c.http = &given
	} else {
		c.http, c.own = NewHTTPClient(), true
	}
	// A POST that follows a redirect may become a GET, and the credential is
	// for one server.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if o != nil && o.Credential != nil {
		c.credential = newCredential(o.Credential)
	} else if o != nil {
		c.ownerProved = o.OwnerProved
	}
	c.open, c.end = context.WithCancel(context.Background())
	return c, nil
}

// idleConns is how many unused connections are kept: with fewer than a
// program has callers, they would be opened and closed all the time.
const idleConns = 256

// NewHTTPClient returns an HTTP client that suits Options.HTTPClient. Clients may
// share one, and its connections.
func NewHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dialer.DialContext,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: idleConns,
			IdleConnTimeout:     90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second,
			DisableCompression:  true, // answers are short, streams must not stall
		},
	}
}

// Close ends watches and lets go of unused connections. Calls after it fail
// with ErrUnavailable; mutexes stay held.
func (c *Client) Close() error {
	c.end()
	if c.own {
		c.http.CloseIdleConnections()
	}
	return nil
}

func invalid(field, code, format string, args ...any) error {
	problem, texts := fault.Problem(format, args...)
	return &editlock.InvalidError{Field: field, Problem: problem, Code: code, Args: texts}
}

func unavailable(format string, args ...any) error {
	return fmt.Errorf("%w: %w", editlock.ErrUnavailable, fmt.Errorf(format, args...))
}
