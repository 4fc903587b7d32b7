package webui

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/editlock/editlock"
)

func TestGuard_RefusesFormsOfOtherSites(t *testing.T) {
	for _, tc := range []struct {
		name    string
		headers map[string]string
		refused bool
	}{
		{"another site", map[string]string{"Sec-Fetch-Site": "cross-site"}, true},
		{"another name of the same site", map[string]string{"Sec-Fetch-Site": "same-site"}, true},
		{"an old browser on another site", map[string]string{"Origin": "https://evil.example"}, true},
		{"a sandboxed frame", map[string]string{"Origin": "null"}, true},
		{"another port of this machine", map[string]string{"Origin": "http://example.com:8080"}, true},
		{"this site", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://example.com"}, false},
		{"this site in an old browser", map[string]string{"Origin": "http://example.com"}, false},
		{"a reader's own doing", map[string]string{"Sec-Fetch-Site": "none"}, false},
		{"no browser", nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := locker(t)
			m := capture(t, l, person("Ivanov"), "a")
			v := visit(t, l, "Petrova")
			for name, value := range tc.headers {
				v.headers[name] = value
			}
			res, body := v.do("/ui/act?do=release", "lock="+url.QueryEscape(target{m.ID, m.Token}.String()), "reason=csrf")
			state, _, err := l.Request(editlock.WithoutOwner(t.Context()), m.ID)
			if err != nil {
				t.Fatal(err)
			}
			if refused := res.StatusCode == http.StatusForbidden; refused != tc.refused || refused != (state != editlock.Free) {
				t.Errorf("answered %s and the lock is %s, want refused: %v", res.Status, state, tc.refused)
			}
			if tc.refused && !strings.Contains(body, "Nothing was changed") {
				t.Error("the refusal does not say why")
			}
			if name, _ := v.do("/ui/me", "name=Mallory"); (name.StatusCode == http.StatusForbidden) != tc.refused || tc.refused && name.Header.Get("Set-Cookie") != "" {
				t.Errorf("a name is set with %s", name.Status)
			}
		})
	}
}

func TestGuard_KnowsItsOwnNamesOnThisMachine(t *testing.T) {
	server := httptest.NewServer(New(office(), nil))
	defer server.Close()
	for host, want := range map[string]int{
		"127.0.0.1:7117": 200, "localhost:7117": 200, "LOCALHOST": 200, "[::1]:7117": 200, "127.0.0.1": 200, "editlock.localhost:7117": 200, "127.8.8.8": 200,
		"evil.example": 421, "evil.example:7117": 421, "localhost.evil.example": 421, "10.0.0.1": 421, "127.0.0.1.nip.io": 421, ".localhost": 421,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("Host %q: %s, want %d", host, res.Status, want)
		}
		if want != 200 && strings.Contains(string(body), "Ivanov") {
			t.Errorf("Host %q: the refusal shows locks", host)
		}
	}
}

func TestGuard_SendsItsHeadersWithEveryAnswer(t *testing.T) {
	v := visit(t, office(), "")
	for _, address := range []string{"/", "/ui/nowhere", "/ui/lock", assetsPath + "/main.js", assetsPath + "/nothing.js"} {
		res, _ := v.do(address)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", address, name, got)
			}
		}
		got := res.Header.Get("Content-Security-Policy")
		missing := strings.HasSuffix(address, "/nothing.js") // a notice, which has a policy of its own
		if !missing && got != contentPolicy || !strings.HasPrefix(got, "default-src 'none'") || !strings.Contains(got, "frame-ancestors 'none'") {
			t.Errorf("%s: Content-Security-Policy is %q", address, got)
		}
	}
	for _, loose := range []string{"unsafe-", "http:", "https:", "*", "data:"} {
		if strings.Contains(contentPolicy, loose) {
			t.Errorf("the policy allows %s", loose)
		}
	}
}

func TestPages_NeedNoInlineScriptOrStyleNorOtherHosts(t *testing.T) {
	v := visit(t, office(), "Petrova")
	for _, address := range []string{"/", "/ui/lock?id=crm/contract/2417", "/ui/person?who=u:petrova", "/ui/history", "/ui/me"} {
		body := v.get(address)
		for _, forbidden := range []string{"<style", " style=", " onclick", " onload", "javascript:", "http://", "https://", "//cdn"} {
			if strings.Contains(strings.ToLower(body), forbidden) {
				t.Errorf("%s contains %s", address, forbidden)
			}
		}
	}
}

func TestCookies_AreForTheServerOnly(t *testing.T) {
	v := visit(t, office(), "")
	res, _ := v.do("/ui/me", "name=Petrova")
	if len(res.cookies) != 2 {
		t.Fatalf("%d cookies", len(res.cookies))
	}
	for _, c := range res.cookies {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
			t.Errorf("%s: %v", c.Name, c)
		}
	}
}

func TestName_MustBeOne(t *testing.T) {
	v := visit(t, office(), "")
	for form, want := range map[string]int{
		"name=Petrova&back=/ui/history":   http.StatusSeeOther,
		"name=+++":                        http.StatusUnprocessableEntity,
		"name=%00":                        http.StatusUnprocessableEntity,
		"name=%ff":                        http.StatusUnprocessableEntity,
		"name=" + strings.Repeat("x", 61): http.StatusUnprocessableEntity,
	} {
		if res, _ := v.do("/ui/me", form); res.StatusCode != want || want == http.StatusSeeOther && res.Header.Get("Location") != "../ui/history" {
			t.Errorf("%.40s: %s to %s, want %d", form, res.Status, res.Header.Get("Location"), want)
		}
	}
	v.headers["Cookie"] = "editlock_session=x; editlock_name=!!!"
	if body := v.get("/"); strings.Contains(body, "My locks") {
		t.Error("a broken cookie makes somebody of a stranger")
	}
}
