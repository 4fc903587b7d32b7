package mcp_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/mcp"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/httpapi"
)

const secret = "0123456789abcdef0123456789abcdef"

// office is a server that asks for credentials, and the tools before it.
type office struct {
	locks editlock.Locker // past all checks
	url   string          // of the tools
	keys  map[string]string
}

// newOffice has a key for each name: agents and others for agents alone, crm for all.
func newOffice(t *testing.T, owner editlock.Owner, origins ...string) *office {
	t.Helper()
	o := &office{locks: newLocks(t), keys: map[string]string{}}
	quiet := slog.New(slog.DiscardHandler)
	file := filepath.Join(t.TempDir(), "keys.json")
	anyone := auth.Scope{Sessions: []auth.Pattern{"*"}, Users: []auth.Pattern{"*"}}
	all := auth.Grant{Rights: auth.Rights, Group: "*", Mode: "*"}
	for name, kinds := range map[string]auth.Kinds{"agents": {editlock.Agent}, "others": {editlock.Agent}, "crm": nil, "people": {editlock.Person}} {
		k, key := auth.NewKey(auth.Key{Name: name, Scope: anyone, Grants: []auth.Grant{all}, Kinds: kinds})
		o.keys[name] = key
		if err := auth.ChangeKeys(file, func(ks []auth.Key) ([]auth.Key, error) { return append(ks, k), nil }); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := auth.OpenKeys(file, quiet)
	if err != nil {
		t.Fatal(err)
	}
	key, err := auth.Secret([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	chain := &auth.Chain{Keys: keys, Tokens: auth.NewTokens(&auth.Issuer{Name: "shop", Audience: "editlock", Keys: auth.FixedKeys{key}})}
	policy := access.Policy{Rules: []access.Rule{{Everyone: true, Grant: all}}}
	api := httptest.NewServer(httpapi.New(o.locks, &httpapi.Options{
		Authenticator: chain, Access: access.New(policy, access.Limits{}, quiet), Logger: quiet,
	}))
	t.Cleanup(api.Close)
	o.url = serve(t, api.URL, owner, true, origins...)
	return o
}

// serve has the tools before a server.
func serve(t *testing.T, api string, owner editlock.Owner, demanded bool, origins ...string) (url string) {
	t.Helper()
	callers, err := mcp.Remote(api, owner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(callers.Close)
	demand, err := callers.Demanded(t.Context())
	if err != nil || demand != demanded {
		t.Fatalf("Demanded = %v, %v", demand, err)
	}
	door := httptest.NewServer(mcp.New(mcp.Options{
		Caller: callers.Caller, Demand: demand, Origins: origins,
	}).Handler())
	t.Cleanup(door.Close)
	return door.URL + mcp.Path
}

// bearer adds a credential to requests.
type bearer struct{ secret string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.secret)
	return http.DefaultTransport.RoundTrip(r)
}

// agent connects with a credential.
func agent(t *testing.T, url, credential string) *sdk.ClientSession {
	t.Helper()
	client := sdk.NewClient(&sdk.Implementation{Name: "test-agent", Title: "Test agent", Version: "1"}, nil)
	transport := &sdk.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: bearer{credential}}, DisableStandaloneSSE: true}
	s, err := client.Connect(t.Context(), transport, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func token(t *testing.T, o editlock.Owner) string {
	t.Helper()
	signed, err := auth.Mint([]byte(secret), auth.PageToken{Issuer: "shop", Audience: "editlock", Owner: o})
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// The credential of each request says who the agent is.
func TestHTTP_ActsWithTheCallersCredential(t *testing.T) {
	o := newOffice(t, editlock.Owner{Kind: editlock.Agent})
	person := editlock.Owner{Session: "anna-1", UserID: "anna", Name: "Anna"}
	assistant := editlock.Owner{Session: "anna-1", UserID: "anna", Name: "Assistant", Kind: editlock.Agent, OnBehalfOf: "Anna"}
	for _, test := range []struct {
		name, credential string
		args             map[string]any
		want             editlock.Owner // its session apart
	}{
		{"an agents' key", o.keys["agents"], nil, editlock.Owner{Name: "Test agent", Kind: editlock.Agent}},
		{"an agents' key, by name", o.keys["agents"], map[string]any{"agent": "Fixer", "on_behalf_of": "Clara"}, editlock.Owner{Name: "Fixer", Kind: editlock.Agent, OnBehalfOf: "Clara"}},
		{"a key for all", o.keys["crm"], nil, editlock.Owner{Name: "Test agent", Kind: editlock.Agent}},
		{"a person's token", token(t, person), nil, editlock.Owner{UserID: "anna", Name: "Test agent", Kind: editlock.Agent, OnBehalfOf: "Anna"}},
		{"a person's token, for another", token(t, person), map[string]any{"on_behalf_of": "Boris"}, editlock.Owner{UserID: "anna", Name: "Test agent", Kind: editlock.Agent, OnBehalfOf: "Anna"}},
		{"an agent's token", token(t, assistant), nil, editlock.Owner{UserID: "anna", Name: "Assistant", Kind: editlock.Agent, OnBehalfOf: "Anna"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := agent(t, o.url, test.credential)
			got := call(t, a, "capture", with(page, "id", "x"))
			if got.error {
				t.Fatalf("refused: %s", got.text)
			}
			call(t, a, "release", map[string]any{"hold": got.at("hold")}).want(t, map[string]any{"released": true})
			args := with(page)
			for name, v := range test.args {
				args[name] = v
			}
			got = call(t, a, "capture", args)
			m := standing(t, o.locks, doc)
			m.Owner.Session = ""
			if got.error || m.Owner != test.want {
				t.Errorf("held by %+v, want %+v: %s", m.Owner, test.want, got.text)
			}
			call(t, a, "refresh", map[string]any{"hold": got.at("hold")}).want(t, map[string]any{"state": "captured"})
			call(t, a, "who_holds", with(page, "hold", got.at("hold"))).want(t, map[string]any{"state": "yours"})
			call(t, a, "release", map[string]any{"hold": got.at("hold")}).want(t, map[string]any{"released": true})
		})
	}
	t.Run("a key for people", func(t *testing.T) {
		call(t, agent(t, o.url, o.keys["people"]), "capture", page).
			want(t, map[string]any{"problem.code": "forbidden", "problem.field": "owner.kind"}, "your credentials are for: person", "Calling again does not help")
	})
	t.Run("a key that is not known", func(t *testing.T) {
		call(t, agent(t, o.url, "elk_nobody_00"), "capture", page).
			want(t, map[string]any{"problem.code": "unauthenticated"}, "The API key is not known.", "a valid API key or token")
	})
}

// A hold is worth nothing with another credential, and two captures with one key
// are two holders.
func TestHTTP_AHoldIsItsCallersAlone(t *testing.T) {
	o := newOffice(t, editlock.Owner{Kind: editlock.Agent})
	mine, other := agent(t, o.url, o.keys["agents"]), agent(t, o.url, o.keys["others"])
	hold := call(t, mine, "capture", page).at("hold")
	for name, a := range map[string]*sdk.ClientSession{"another key": other, "a token": agent(t, o.url, token(t, editlock.Owner{UserID: "eve", Session: "eve-1"}))} {
		t.Run(name, func(t *testing.T) {
			call(t, a, "refresh", map[string]any{"hold": hold}).want(t, map[string]any{"state": "refused", "problem.code": "lost"})
			call(t, a, "release", map[string]any{"hold": hold}).want(t, map[string]any{"released": false})
			call(t, a, "who_holds", with(page, "hold", hold)).want(t, map[string]any{"state": "held"})
		})
	}
	call(t, mine, "capture", page).want(t, map[string]any{"state": "refused", "problem.code": "busy", "problem.holder.holder.kind": "agent"})
	call(t, mine, "refresh", map[string]any{"hold": hold}).want(t, map[string]any{"state": "captured"})
}

// No session of the protocol is kept, so none can be another's.
func TestHTTP_KeepsNoSession(t *testing.T) {
	o := newOffice(t, editlock.Owner{Kind: editlock.Agent})
	res := post(t, o.url, initialize, "Authorization", "Bearer "+o.keys["agents"])
	if id := res.header.Get("Mcp-Session-Id"); res.status != http.StatusOK || id != "" {
		t.Errorf("%d with the session %q: %s", res.status, id, res.body)
	}
	if got := post(t, o.url, tools, "Authorization", "Bearer "+o.keys["agents"], "Mcp-Session-Id", "somebody-elses"); got.status != http.StatusOK || !strings.Contains(got.body, "who_holds") {
		t.Errorf("a request that names a session: %d %s", got.status, got.body)
	}
}

const (
	initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`
	tools      = `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`
)

type reply struct {
	status int
	header http.Header
	body   string
}

func post(t *testing.T, url, body string, header ...string) reply {
	return send(t, "POST", url, body, header...)
}

func send(t *testing.T, method, url, body string, header ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(data)}
}

func TestHTTP_RefusesForeignPagesAndNames(t *testing.T) {
	demanding := newOffice(t, editlock.Owner{Kind: editlock.Agent}, "https://app.example.org")
	api := httptest.NewServer(httpapi.New(newLocks(t), nil))
	t.Cleanup(api.Close)
	open := serve(t, api.URL, editlock.Owner{Kind: editlock.Agent}, false)
	key := []string{"Authorization", "Bearer " + demanding.keys["agents"]}
	for _, test := range []struct {
		name   string
		url    string
		header []string
		want   int
	}{
		{"no browser", open, nil, 200},
		{"a page of another site", open, []string{"Origin", "https://evil.example"}, 403},
		{"a page of nowhere", open, []string{"Origin", "null"}, 403},
		{"a page of another site, by fetch metadata", open, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a name that a page made this machine's", open, []string{"Host", "evil.example", "Origin", "http://evil.example"}, 403},
		{"a name of another machine", open, []string{"Host", "evil.example"}, 403},
		{"a credential where none is asked for", open, []string{"Authorization", "Bearer x"}, 200},
		{"no credential", demanding.url, nil, 401},
		{"half a credential", demanding.url, []string{"Authorization", "Bearer"}, 401},
		{"another scheme", demanding.url, []string{"Authorization", "Basic eDp5"}, 401},
		{"a credential", demanding.url, key, 200},
		{"a credential, by a name", demanding.url, append([]string{"Host", "locks.example.org"}, key...), 200},
		{"a credential, from another site", demanding.url, append([]string{"Origin", "https://evil.example"}, key...), 403},
		{"a credential, from a site that may", demanding.url, append([]string{"Origin", "https://app.example.org"}, key...), 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := post(t, test.url, tools, test.header...)
			if got.status != test.want {
				t.Errorf("%d %s, want %d", got.status, got.body, test.want)
			}
			if (got.header.Get("WWW-Authenticate") != "") != (test.want == 401) || got.header.Get("Cache-Control") == "" {
				t.Errorf("headers %v", got.header)
			}
		})
	}
	for what, got := range map[string]reply{
		"another path": post(t, strings.TrimSuffix(open, mcp.Path)+"/", tools), "a stream": send(t, "GET", open, ""),
		"the end of a session": send(t, "DELETE", open, "", "Mcp-Session-Id", "x"),
		"a large body":         post(t, open, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":"`+strings.Repeat("x", 600<<10)+`"}}`),
	} {
		want := map[string]int{"another path": 404, "a stream": 405, "the end of a session": 405, "a large body": 413}[what]
		if got.status != want {
			t.Errorf("%s: %d %.200s, want %d", what, got.status, got.body, want)
		}
	}
}

// What the tools say of a server that is gone, or no server, names no secret.
func TestHTTP_ServersThatDoNotAnswer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + ln.Addr().String()
	_ = ln.Close()
	callers, err := mcp.Remote(url, editlock.Owner{Kind: editlock.Agent})
	if err != nil {
		t.Fatal(err)
	}
	defer callers.Close()
	if testing.Short() {
		t.Skip("the client tries for some seconds")
	}
	if _, err := callers.Demanded(t.Context()); err == nil {
		t.Error("nobody answers, and that is no error")
	}
	if _, err := mcp.Remote("http://user:pass@host", editlock.Owner{}); err == nil || strings.Contains(err.Error(), "pass@") {
		t.Errorf("a URL with a password: %v", err)
	}
	d := mcp.New(mcp.Options{Caller: callers.Caller})
	srv := httptest.NewServer(d.Handler())
	defer srv.Close()
	got := call(t, agent(t, srv.URL+mcp.Path, "elk_secret_1"), "who_holds", page)
	got.want(t, map[string]any{"state": "unknown", "problem.code": "unavailable"}, "Try again in some seconds; until it works, nothing is locked.")
	if data, _ := json.Marshal(got.form); strings.Contains(string(data)+got.text, "elk_secret") {
		t.Errorf("it tells the credential: %s %s", data, got.text)
	}
}
