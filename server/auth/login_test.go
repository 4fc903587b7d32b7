package auth_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"github.com/editlock/editlock/server/auth"
)

// office is a provider and a server whose people log in with it.
type office struct {
	provider, server *httptest.Server
	login            *auth.Login
	calls            chan *http.Request // to the provider's authorization
}

func openOffice(t *testing.T) *office {
	t.Helper()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the provider writes there
	o := &office{calls: make(chan *http.Request, 100)}
	mux := http.NewServeMux()
	o.server = httptest.NewServer(mux)
	t.Cleanup(o.server.Close)

	var provider http.Handler
	o.provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("response_type") {
			o.calls <- r
		}
		provider.ServeHTTP(w, r)
	}))
	t.Cleanup(o.provider.Close)
	clients := map[string]*storage.Client{"editlock": storage.WebClient("editlock", "s3cret", o.server.URL+"/auth/callback")}
	provider = exampleop.SetupServer(o.provider.URL,
		storage.NewStorageWithClients(storage.NewUserStore(o.provider.URL), clients), nil, false)

	var err error
	o.login, err = auth.NewLogin(auth.LoginOptions{
		Issuer: o.provider.URL, ClientID: "editlock", ClientSecret: "s3cret", PublicURL: o.server.URL,
		Scopes: []string{"email"}, UserPrefix: "id:", Lifetime: time.Hour, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	o.login.Register(mux)
	chain := &auth.Chain{Login: o.login}
	mux.HandleFunc("/who", func(w http.ResponseWriter, r *http.Request) {
		c, err := chain.Authenticate(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(c)
	})
	return o
}

// browser keeps cookies and follows redirects.
type browser struct {
	*http.Client
	office *office
}

func (o *office) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{&http.Client{Jar: jar}, o}
}

// answer is one whose body was read.
type answer struct {
	Status     string
	StatusCode int
	Header     http.Header
	Request    *http.Request // the last one, after redirects
}

func (b *browser) do(t *testing.T, method, address string, form url.Values, header ...string) (answer, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.Status, res.StatusCode, res.Header, res.Request}, string(data)
}

func (b *browser) who(t *testing.T) *auth.Caller {
	t.Helper()
	res, body := b.do(t, "GET", b.office.server.URL+"/who", nil)
	if res.StatusCode != 200 {
		return nil
	}
	c := new(auth.Caller)
	if err := json.Unmarshal([]byte(body), c); err != nil {
		t.Fatal(err)
	}
	return c
}

var requestID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// begin opens the login, up to the provider's form, and returns the form.
func (b *browser) begin(t *testing.T, back string) url.Values {
	t.Helper()
	res, body := b.do(t, "GET", b.office.server.URL+auth.LoginPath(back), nil)
	id := requestID.FindStringSubmatch(body)
	if res.StatusCode != 200 || id == nil {
		t.Fatalf("the provider shows no form: %s %s", res.Status, body)
	}
	return url.Values{"id": {id[1]}, "username": {"test-user2"}, "password": {"verysecure"}}
}

// submit sends the provider's form, and follows to the end.
func (b *browser) submit(t *testing.T, form url.Values) (answer, string) {
	t.Helper()
	return b.do(t, "POST", b.office.provider.URL+"/login/username", form)
}

func TestLogin(t *testing.T) {
	o := openOffice(t)
	t.Run("by code and PKCE makes the owner known, and leads back", func(t *testing.T) {
		b := o.browser(t)
		if b.who(t) != nil {
			t.Fatal("somebody is known before the login")
		}
		res, body := b.submit(t, b.begin(t, "/who?x=1"))
		if res.Request.URL.RequestURI() != "/who?x=1" {
			t.Fatalf("ended at %s: %s", res.Request.URL, body)
		}
		c := b.who(t)
		if c == nil || c.Owner.UserID != "id:id2" || c.Owner.Login != "test-user2" || c.Owner.Name != "Test User2" || c.Method != auth.OIDC || !c.Ambient {
			t.Fatalf("got %+v", c)
		}
		if len(o.calls) == 0 {
			t.Fatal("the provider was not asked")
		}
		q := (<-o.calls).URL.Query()
		if q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("state") == "" || q.Get("nonce") == "" {
			t.Errorf("asked without PKCE, state or nonce: %v", q)
		}
		for _, cookie := range b.Jar.Cookies(res.Request.URL) {
			if strings.Contains(c.Owner.Session, cookie.Value) || strings.Contains(cookie.Value, c.Owner.Session) {
				t.Error("the session that all may see is the one in the cookie")
			}
		}
	})
	t.Run("ends at logout, for a stolen cookie too", func(t *testing.T) {
		b := o.browser(t)
		b.submit(t, b.begin(t, "/who"))
		thief := o.browser(t)
		at, _ := url.Parse(o.server.URL)
		thief.Jar.SetCookies(at, b.Jar.Cookies(at))
		if thief.who(t) == nil {
			t.Fatal("the cookie alone should do, until the logout")
		}
		if res, _ := b.do(t, "GET", o.server.URL+"/auth/logout", nil); res.StatusCode != 405 || b.who(t) == nil {
			t.Errorf("a link logs out: %s", res.Status)
		}
		if res, _ := b.do(t, "POST", o.server.URL+"/auth/logout", url.Values{}, "Sec-Fetch-Site", "cross-site"); res.StatusCode != 403 || b.who(t) == nil {
			t.Errorf("another site logs out: %s", res.Status)
		}
		res, body := b.do(t, "POST", o.server.URL+"/auth/logout", url.Values{}, "Origin", o.server.URL)
		if res.StatusCode != 200 || !strings.Contains(body, o.provider.URL+"/end_session?") {
			t.Errorf("got %s %s", res.Status, body)
		}
		if b.who(t) != nil || thief.who(t) != nil {
			t.Error("the session goes on")
		}
	})
	t.Run("gives a new session, whatever cookie was planted before", func(t *testing.T) {
		b := o.browser(t)
		at, _ := url.Parse(o.server.URL)
		b.Jar.SetCookies(at, []*http.Cookie{{Name: "editlock_login", Value: "PLANTED", Path: "/"}})
		b.submit(t, b.begin(t, "/who"))
		thief := o.browser(t)
		thief.Jar.SetCookies(at, []*http.Cookie{{Name: "editlock_login", Value: "PLANTED", Path: "/"}})
		if b.who(t) == nil || thief.who(t) != nil {
			t.Error("the planted session counts")
		}
	})
	t.Run("that another browser began is refused", func(t *testing.T) {
		victim, attacker := o.browser(t), o.browser(t)
		form := attacker.begin(t, "/who")
		attacker.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if r.URL.Path == "/auth/callback" {
				return http.ErrUseLastResponse
			}
			return nil
		}
		res, _ := attacker.submit(t, form)
		link := res.Header.Get("Location")
		if !strings.Contains(link, "/auth/callback?") {
			t.Fatalf("no callback: %q", link)
		}
		if res, _ := victim.do(t, "GET", link, nil); res.StatusCode != 403 || victim.who(t) != nil {
			t.Errorf("got %s", res.Status)
		}
	})
	t.Run("counts once", func(t *testing.T) {
		b := o.browser(t)
		form, callback := b.begin(t, "/who"), ""
		b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if r.URL.Path == "/auth/callback" {
				callback = r.URL.String()
			}
			return nil
		}
		b.submit(t, form)
		if res, _ := b.do(t, "GET", callback, nil); callback == "" || res.StatusCode != 403 {
			t.Errorf("the same callback again: %s", res.Status)
		}
	})
	t.Run("may be under way twice in one browser", func(t *testing.T) {
		b := o.browser(t)
		first, second := b.begin(t, "/who?n=1"), b.begin(t, "/who?n=2")
		if res, _ := b.submit(t, second); res.Request.URL.RawQuery != "n=2" {
			t.Errorf("the second ended at %s", res.Request.URL)
		}
		if res, _ := b.submit(t, first); res.Request.URL.RawQuery != "n=1" {
			t.Errorf("the first ended at %s", res.Request.URL)
		}
	})
	t.Run("refuses what the provider refuses", func(t *testing.T) {
		b := o.browser(t)
		form := b.begin(t, "/who")
		form.Set("password", "wrong")
		b.submit(t, form)
		if b.who(t) != nil {
			t.Error("logged in by a wrong password")
		}
	})
}

func TestLogin_SpeaksTheReadersLanguage(t *testing.T) {
	o := openOffice(t)
	for wanted, want := range map[string]string{"ru-RU,ru;q=0.9,en;q=0.8": `lang="ru"`, "en,ru": `lang="en"`, "": `lang="en"`, "de": `lang="en"`} {
		_, body := o.browser(t).do(t, "POST", o.server.URL+"/auth/logout", url.Values{}, "Accept-Language", wanted)
		if !strings.Contains(body, want) {
			t.Errorf("%q: got %s", wanted, body)
		}
	}
}

func TestLogin_LeadsBackToThisServerOnly(t *testing.T) {
	for _, back := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "evil", "/../evil", "/ui/../../evil", "/%2e%2e/evil", "/./", "/ui//history"} {
		if got := auth.LoginPath(back); got != "/auth/login?back=%2F" {
			t.Errorf("%q leads to %s", back, got)
		}
	}
}

func TestNewLogin_RefusesAddressesWithoutTLS(t *testing.T) {
	good := auth.LoginOptions{Issuer: "https://id.example", ClientID: "c", PublicURL: "https://locks.example"}
	for name, change := range map[string]func(*auth.LoginOptions){
		"issuer":     func(o *auth.LoginOptions) { o.Issuer = "http://id.example" },
		"public_url": func(o *auth.LoginOptions) { o.PublicURL = "http://locks.example" },
		"dots":       func(o *auth.LoginOptions) { o.PublicURL = "https://locks.example/path/../other" },
		"encoded":    func(o *auth.LoginOptions) { o.PublicURL = "https://locks.example/pa%2Fth" },
		"query":      func(o *auth.LoginOptions) { o.PublicURL = "https://locks.example/?path" },
		"user":       func(o *auth.LoginOptions) { o.PublicURL = "https://me@locks.example/" },
		"client":     func(o *auth.LoginOptions) { o.ClientID = "" },
	} {
		o := good
		change(&o)
		if _, err := auth.NewLogin(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, address := range []string{"https://locks.example", "https://locks.example/", "https://locks.example/path", "https://locks.example/a/b/"} {
		o := good
		o.PublicURL = address
		if _, err := auth.NewLogin(o); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Another site can send a browser to the login as often as it likes; what that
// leaves behind must not keep the server from taking the browser's requests.
func TestLogin_ManyBegunLeaveFewCookies(t *testing.T) {
	o := openOffice(t)
	address, err := url.Parse(o.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, back := range map[string]string{
		"short": "/ui/", "long": "/" + strings.Repeat("x", 1500), "too long": "/" + strings.Repeat("&", 1500),
	} {
		t.Run(name, func(t *testing.T) {
			b := o.browser(t)
			b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			for range 50 {
				b.do(t, "GET", o.server.URL+auth.LoginPath(back), nil)
			}
			all := 0
			for _, c := range b.Jar.Cookies(address) {
				size := len(c.Name) + len(c.Value)
				if all += size; size > 3<<10 {
					t.Errorf("a cookie has %d bytes; browsers drop those above 4096", size)
				}
			}
			if all > 12<<10 {
				t.Errorf("the cookies have %d bytes", all)
			}
			b.CheckRedirect = nil
			if b.submit(t, b.begin(t, back)); b.who(t) == nil {
				t.Error("nobody is logged in by the last one")
			}
		})
	}
}
