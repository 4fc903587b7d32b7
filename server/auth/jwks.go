package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire/strictjson"
)

const (
	// jwksFresh is how old a key set may be before it is fetched again, in the
	// background: a key taken out of it counts at most so much longer.
	jwksFresh = 5 * time.Minute
	// jwksPause is between fetches that a token with an unknown kid asks for,
	// which anybody can send.
	jwksPause = 5 * time.Second
	// DefaultKeepKeys is how long keys count while their address is silent.
	DefaultKeepKeys = 24 * time.Hour

	jwksWithin  = 10 * time.Second
	maxJWKS     = 1 << 20
	maxJWKSKeys = 100
)

// JWKS is the public keys that an issuer publishes, fetched when needed and
// kept. A kid not seen before makes it look again, so a new key counts at
// once. While the address does not answer, the keys before it count on, for
// KeepFor at most.
type JWKS struct {
	URL     string
	KeepFor time.Duration // 0 means DefaultKeepKeys
	Client  *http.Client  // nil means one with timeouts
	Log     *slog.Logger

	now func() time.Time // for tests; nil is time.Now

	mu      sync.Mutex
	keys    []SigningKey
	fetched time.Time     // when keys were
	tried   time.Time     // when a fetch began last
	failed  error         // what became of it
	flight  chan struct{} // closed when the fetch under way ends; nil: none
}

// CheckURL refuses an address whose keys anybody on the way could change.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%q is not a URL", address)
	}
	if u.Scheme == "https" || u.Scheme == "http" && IsLoopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("%q must begin with https:// (http:// on this machine only)", address)
}

// IsLoopback reports whether a host, which may have a port, is this machine by
// its name or address, whatever a resolver would say.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = trimHost(host)
	if host == "localhost" || len(host) > len(".localhost") && host[len(host)-len(".localhost"):] == ".localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Find implements KeySource.
func (j *JWKS) Find(ctx context.Context, kid string) ([]SigningKey, error) {
	j.mu.Lock()
	now := j.clock()
	found := j.matching(kid)
	usable := len(j.keys) > 0 && now.Sub(j.fetched) < j.keepFor()
	switch {
	case usable && len(found) > 0:
		if now.Sub(j.fetched) > jwksFresh && now.Sub(j.tried) > jwksPause {
			j.begin(now) // in the background
		}
		j.mu.Unlock()
		return found, nil
	case now.Sub(j.tried) > jwksPause || j.flight != nil:
		flight := j.begin(now)
		j.mu.Unlock()
		select {
		case <-flight:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		j.mu.Lock()
	}
	defer j.mu.Unlock()
	if len(j.keys) == 0 || j.clock().Sub(j.fetched) >= j.keepFor() {
		return nil, fmt.Errorf("%w: the issuer's keys can't be fetched: the server's log says why", editlock.ErrUnavailable)
	}
	return j.matching(kid), nil
}

// problem is why no keys count at present, nil if some do or nobody asked yet.
func (j *JWKS) problem() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.keys) > 0 && j.clock().Sub(j.fetched) < j.keepFor() {
		return nil
	}
	return j.failed
}

func (j *JWKS) clock() time.Time {
	if j.now != nil {
		return j.now()
	}
	return time.Now()
}

func (j *JWKS) keepFor() time.Duration {
	if j.KeepFor == 0 {
		return DefaultKeepKeys
	}
	return j.KeepFor
}

// matching returns the keys of a kid; all of them if there is none.
func (j *JWKS) matching(kid string) []SigningKey {
	if kid == "" {
		return j.keys
	}
	var out []SigningKey
	for _, k := range j.keys {
		if k.kid == kid {
			out = append(out, k)
		}
	}
	return out
}

// begin fetches the keys, once at a time. The caller holds mu.
func (j *JWKS) begin(now time.Time) <-chan struct{} {
	if j.flight != nil {
		return j.flight
	}
	flight := make(chan struct{})
	j.flight, j.tried = flight, now
	go func() {
		keys, err := j.fetch()
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.failed = err; err == nil {
			j.keys, j.fetched = keys, now
		} else if j.Log != nil {
			j.Log.Warn("the issuer's keys can't be fetched; those known count on", "url", j.URL, "keys", len(j.keys), "err", err)
		}
		j.flight = nil
		close(flight)
	}()
	return flight
}

func (j *JWKS) fetch() ([]SigningKey, error) {
	ctx, cancel := context.WithTimeout(context.Background(), jwksWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, j.URL, nil)
	if err != nil {
		return nil, err
	}
	client := j.Client
	if client == nil {
		client = NewHTTPClient()
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxJWKS))
	if err != nil {
		return nil, err
	}
	return parseJWKS(data)
}

// NewHTTPClient returns a client for an issuer's addresses, which follows no
// redirect away from what was configured.
func NewHTTPClient() *http.Client {
	return &http.Client{
		Timeout: jwksWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("it redirects; configure the address it redirects to")
		},
	}
}

// parseJWKS takes the keys that sign and that can be used here. Others, of
// kinds not known, don't spoil the set; a shared secret has no place in it.
func parseJWKS(data []byte) ([]SigningKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := strictjson.UnmarshalKnown(data, &set); err != nil {
		return nil, fmt.Errorf("it is no key set: %w", err)
	}
	if len(set.Keys) > maxJWKSKeys {
		return nil, fmt.Errorf("it has %d keys; at most %d are taken", len(set.Keys), maxJWKSKeys)
	}
	var out []SigningKey
	for _, raw := range set.Keys {
		var jwk jose.JSONWebKey
		if jwk.UnmarshalJSON(raw) != nil || jwk.Use != "" && jwk.Use != "sig" {
			continue
		}
		k, err := PublicKey(jwk.Key)
		if err != nil {
			continue
		}
		k.kid = jwk.KeyID
		if alg := jose.SignatureAlgorithm(jwk.Algorithm); alg != "" {
			if !slices.Contains(k.algorithms, alg) {
				continue
			}
			k.algorithms = []jose.SignatureAlgorithm{alg}
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		return nil, errors.New("it has no key that signs")
	}
	return out, nil
}

// trimHost is a host without brackets or the dot of a full name, in lower case.
func trimHost(host string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(host, "]"), "["), "."))
}
