package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

var (
	pageSecret = []byte("0123456789abcdef0123456789abcdef")
	everything = []auth.Grant{{Rights: []auth.Right{auth.Admin}, Group: "*", Mode: "*"}}
)

// guarded is a server that wants to know who calls.
type guarded struct {
	url     string
	manager *editlock.Manager
	key     string // an API key that may do everything

	mu    sync.Mutex
	calls []http.Header // as they came
}

func newGuarded(t *testing.T, l access.Limits) *guarded {
	t.Helper()
	g := &guarded{manager: editlock.NewManager(memory.New(nil), nil)}
	k, secret := auth.NewKey(auth.Key{Name: "shop", Grants: everything, Scope: auth.Scope{Sessions: []auth.Pattern{"*"}, Users: []auth.Pattern{"*"}}})
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := auth.ChangeKeys(file, func([]auth.Key) ([]auth.Key, error) { return []auth.Key{k}, nil }); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	keys, err := auth.OpenKeys(file, quiet)
	if err != nil {
		t.Fatal(err)
	}
	signing, err := auth.Secret(pageSecret)
	if err != nil {
		t.Fatal(err)
	}
	chain := &auth.Chain{Keys: keys, Tokens: auth.NewTokens(&auth.Issuer{Name: "shop", Audience: "editlock", Keys: auth.FixedKeys{signing}})}
	h := httpapi.New(g.manager, &httpapi.Options{Authenticator: chain, Access: access.New(access.Policy{}, l, quiet), Logger: quiet})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.calls = append(g.calls, r.Header.Clone())
		g.mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	g.url, g.key = server.URL, secret
	t.Cleanup(func() {
		h.Drain()
		server.Close()
		_ = g.manager.Close()
	})
	return g
}

func (g *guarded) sent() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.calls)
}

func (g *guarded) dial(t *testing.T, c client.Credential) *client.Client {
	t.Helper()
	l, err := client.New(g.url, &client.Options{Credential: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// token is a page's, of Ivanov.
func token(t *testing.T, lifetime time.Duration) string {
	t.Helper()
	text, err := auth.Mint(pageSecret, auth.PageToken{Issuer: "shop", Audience: "editlock", Owner: ivanov, Grants: everything, Lifetime: lifetime})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCredential_OfAKey_ActsForWhomTheContextNames(t *testing.T) {
	g := newGuarded(t, access.Limits{})
	c := g.dial(t, client.StaticCredential(g.key))
	for _, owner := range []editlock.Owner{petrova, editlock.ConsoleOwner()} {
		m, err := c.Capture(as(t, owner), editlock.ID{ID: owner.Session}, nil)
		if err != nil || m.Owner != owner {
			t.Errorf("%v: held by %+v, %v", owner.Session, m.Owner, err)
		}
	}
	if m, err := c.Capture(patient(t), doc, nil); err != nil || m.Owner != editlock.ConsoleOwner() {
		t.Errorf("without an owner it is held by %+v, %v", m.Owner, err)
	}
}

func TestCredential_OfATokenIsTheOwner(t *testing.T) {
	g := newGuarded(t, access.Limits{})
	c := g.dial(t, client.StaticCredential(token(t, time.Minute)))
	ctx := patient(t)
	theirs, err := g.manager.Capture(as(t, petrova), editlock.ID{ID: "theirs"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Each call that states an owner, from a program that names none.
	for name, call := range map[string]func() error{
		"capture": func() error {
			m, err := c.Capture(ctx, doc, nil)
			if err == nil && m.Owner != ivanov {
				t.Errorf("held by %+v", m.Owner)
			}
			return err
		},
		"capture all": func() error { _, err := c.CaptureAll(ctx, []editlock.ID{{ID: "a"}, {ID: "b"}}, nil); return err },
		"request":     func() error { _, _, err := c.Request(ctx, doc); return err },
		"refresh": func() error {
			m, err := c.Capture(ctx, editlock.ID{ID: "r"}, nil)
			if err != nil {
				return err
			}
			results, err := c.Refresh(ctx, []editlock.RefreshItem{{ID: m.ID, Token: m.Token}})
			if err != nil {
				return err
			}
			return results[0].Err
		},
		"release": func() error { _, err := c.Release(ctx, editlock.ID{ID: "x"}, editlock.Condition{}); return err },
		"release after": func() error {
			_, err := c.ReleaseAfter(ctx, editlock.ID{ID: "x"}, editlock.Condition{}, time.Second)
			return err
		},
		"release all":     func() error { _, err := c.ReleaseAll(ctx, []editlock.ID{{ID: "x"}}); return err },
		"release session": func() error { _, err := c.ReleaseSession(ctx, "gone"); return err },
		"takeover":        func() error { _, err := c.Takeover(ctx, theirs.ID, theirs.Token, "on leave", nil); return err },
		"force release": func() error {
			m, err := g.manager.Capture(as(t, petrova), editlock.ID{ID: "f"}, nil)
			if err != nil {
				return err
			}
			return c.ForceRelease(ctx, m.ID, m.Token, "on leave")
		},
		"hand over": func() error {
			m, err := c.Capture(ctx, editlock.ID{ID: "h"}, nil)
			if err != nil {
				return err
			}
			_, err = c.HandOver(ctx, m.ID)
			return err
		},
		"decline": func() error {
			m, err := c.Capture(ctx, editlock.ID{ID: "d"}, nil)
			if err != nil {
				return err
			}
			_, err = c.Decline(ctx, m.ID, "w1", "no")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := call(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("may be named too", func(t *testing.T) {
		if m, err := c.Capture(as(t, ivanov), doc, nil); err != nil || m.Owner != ivanov {
			t.Errorf("held by %+v, %v", m.Owner, err)
		}
	})
	t.Run("can't be another", func(t *testing.T) {
		if _, err := c.Capture(as(t, petrova), doc, nil); !errors.Is(err, editlock.ErrForbidden) {
			t.Errorf("got %v, want ErrForbidden", err)
		}
	})
	t.Run("holds", func(t *testing.T) {
		held, err := editlock.Hold(ctx, c, editlock.ID{ID: "held"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := held.SetStatusData(ctx, "half"); err != nil {
			t.Error(err)
		}
		if err := held.Release(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestCredential_IsAskedForAgainWhenRefused(t *testing.T) {
	g := newGuarded(t, access.Limits{})
	asked := 0
	old, good := token(t, time.Minute)+"x", token(t, time.Minute) // a broken signature
	c := g.dial(t, func(context.Context) (string, error) {
		if asked++; asked == 1 {
			return old, nil
		}
		return good, nil
	})
	for range 3 {
		if _, err := c.Capture(patient(t), doc, nil); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 2 || g.sent() != 4 {
		t.Errorf("the source was asked %d times, the server %d times; want 2 and 4", asked, g.sent())
	}
	t.Run("by a watch, too", func(t *testing.T) {
		asked = 0
		c := g.dial(t, func(context.Context) (string, error) {
			if asked++; asked == 1 {
				return old, nil
			}
			return good, nil
		})
		from := uint64(0)
		for _, err := range c.Watch(patient(t), editlock.WatchQuery{ID: &doc, After: &from}) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	})
	t.Run("once", func(t *testing.T) {
		asked, before := 0, g.sent()
		c := g.dial(t, func(context.Context) (string, error) {
			asked++
			return old + strings.Repeat("x", asked), nil
		})
		_, err := c.Capture(patient(t), doc, nil)
		if !errors.Is(err, editlock.ErrUnauthenticated) || asked != 2 || g.sent()-before != 2 {
			t.Errorf("asked %d times, sent %d: %v", asked, g.sent()-before, err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), old) {
			t.Errorf("the error tells the credential: %v", err)
		}
	})
	t.Run("and not sent again if it is the same", func(t *testing.T) {
		before := g.sent()
		_, err := g.dial(t, client.StaticCredential(old)).Capture(patient(t), doc, nil)
		if !errors.Is(err, editlock.ErrUnauthenticated) || g.sent()-before != 1 {
			t.Errorf("sent %d: %v", g.sent()-before, err)
		}
	})
	t.Run("and its failure is told", func(t *testing.T) {
		away := errors.New("the vault is sealed")
		_, err := g.dial(t, func(context.Context) (string, error) { return "", away }).Capture(patient(t), doc, nil)
		if !errors.Is(err, away) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCredential_ThatNoHeaderCarries(t *testing.T) {
	g := newGuarded(t, access.Limits{})
	for _, secret := range []string{"", "se cret", "secret\r\nX-Other: 1", "sécret"} {
		_, err := g.dial(t, client.StaticCredential(secret)).Capture(patient(t), doc, nil)
		if !errors.Is(err, editlock.ErrInvalid) || secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", secret, err)
		}
	}
	if g.sent() != 0 {
		t.Errorf("%d calls were sent", g.sent())
	}
}

func TestCredential_GoesToItsServerOnly(t *testing.T) {
	leaked := make(chan string, 10)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked <- r.Header.Get("Authorization") }))
	defer other.Close()
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer here.Close()
	// Also with a client that would follow, and within one host.
	for name, own := range map[string]*http.Client{"our own": nil, "the program's": {}} {
		c, err := client.New(here.URL, &client.Options{HTTPClient: own, Credential: client.StaticCredential("elk_secret")})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Capture(patient(t), doc, nil)
		if !errors.Is(err, editlock.ErrUnavailable) || strings.Contains(err.Error(), "elk_secret") {
			t.Errorf("%s: got %v", name, err)
		}
		for _, err := range c.Watch(patient(t), editlock.WatchQuery{}) {
			if err == nil {
				t.Errorf("%s: it watches", name)
			}
		}
	}
	select {
	case got := <-leaked:
		t.Errorf("another server was called with %q", got)
	default:
	}
}

func TestRefusals_HaveTheirErrors(t *testing.T) {
	for _, test := range []struct {
		status int
		want   error
	}{{401, editlock.ErrUnauthenticated}, {403, editlock.ErrForbidden}, {429, editlock.ErrLimited}} {
		t.Run(fmt.Sprint(test.status, " of a proxy"), func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(test.status)
			}))
			defer server.Close()
			_, err := dial(t, server.URL).Capture(patient(t), doc, nil)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			var limit *client.LimitedError
			if errors.As(err, &limit) != (test.status == 429) || limit != nil && limit.RetryAfter != time.Minute {
				t.Errorf("got %+v", limit)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Run("are waited out", func(t *testing.T) {
		g := newGuarded(t, access.Limits{BackendRequestsPerSecond: 1}) // and two at once
		c := g.dial(t, client.StaticCredential(g.key))
		for i := range 3 {
			if _, err := c.Capture(patient(t), doc, nil); err != nil {
				t.Fatalf("call %d: %v", i, err)
			}
		}
		if g.sent() < 4 {
			t.Errorf("only %d calls were sent: none was refused", g.sent())
		}
	})
	t.Run("that last are told at once", func(t *testing.T) {
		g := newGuarded(t, access.Limits{MutexesPerSession: 1})
		c := g.dial(t, client.StaticCredential(g.key))
		if _, err := c.Capture(patient(t), doc, nil); err != nil {
			t.Fatal(err)
		}
		_, err := c.Capture(patient(t), editlock.ID{ID: "second"}, nil)
		var limit *client.LimitedError
		if !errors.As(err, &limit) || limit.RetryAfter != 10*time.Second || !strings.Contains(err.Error(), "mutexes_per_session") || g.sent() != 2 {
			t.Errorf("after %d calls: %v", g.sent(), err)
		}
	})
}
