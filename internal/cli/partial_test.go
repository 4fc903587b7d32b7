package cli_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
)

// partial are sets of rights that are not all, in the order of the cells of
// shares. Rules give them to the users of these names.
var partial = []struct {
	user   string
	rights []auth.Right
}{
	{"has-read", []auth.Right{auth.Read}},
	{"has-use", []auth.Right{auth.Use}},
	{"has-history", []auth.Right{auth.History}},
	{"has-takeover", []auth.Right{auth.Read, auth.Takeover}},
	{"has-all-but-admin", []auth.Right{auth.Read, auth.Use, auth.Takeover, auth.ForceRelease, auth.History}},
}

// partialRules are the rules for the users of partial.
func partialRules() string {
	var text strings.Builder
	for _, p := range partial {
		fmt.Fprintf(&text, "\n[[rule]]\nusers = [%q]\nrights = %s\ngroup = \"docs\"\nmode = \"*\"\n",
			p.user, strings.ReplaceAll(fmt.Sprintf("%q", p.rights), " ", ","))
	}
	return text.String()
}

// What cells of shares say beside those of surface.
const (
	told  = " told" // who holds what is not the caller's
	does  = " done" // what is held is not as before
	again = "303 /" // to the page that the form came from
)

// share is what callers with some of the rights get at a route.
type share struct {
	route, send, body string    // as in surface
	want              [5]string // in the order of partial
	ofKey             [5]string // of a key, which is nobody's own; empty: as want
}

// shares are the routes whose answer depends on rights.
var shares = []share{
	{route: "POST /v1/capture", body: `{"mutex":{"group":"docs","id":"new"}OWNER}`, want: [5]string{no, ok + does, no, no, ok + does}},
	{route: "POST /v1/capture", body: `{"mutex":{"group":"docs","id":"theirs"}OWNER}`, want: [5]string{no, "409 busy" + told, no, no, "409 busy" + told}},
	{route: "POST /v1/refresh", body: `{"items":[{"mutex":{"group":"docs","id":"mine"},"token":MYTOKEN,"status_data":"x"}]OWNER}`, want: [5]string{itemNo, ok + does, itemNo, itemNo, ok + does}},
	// A key that names nobody shows the token's number alone.
	{
		route: "POST /v1/refresh", body: `{"items":[{"mutex":{"group":"docs","id":"theirs"},"token":THEIRTOKEN}]}`,
		want: [5]string{itemNo, "200 lost" + told, itemNo, itemNo, "200 lost" + told}, ofKey: [5]string{itemNo, itemNo, itemNo, itemNo, itemNo},
	},
	{route: "POST /v1/request", body: `{"mutex":{"group":"docs","id":"theirs"}OWNER}`, want: [5]string{ok + told, ok + told, no, ok + told, ok + told}},
	// As at /v1/request: who may use it may ask who is in the way, and is told who looks.
	{route: "POST /v1/presence", body: `{"page":"p","looks":[{"mutex":{"group":"docs","id":"theirs"}}]OWNER}`, want: [5]string{ok, ok, itemNo, ok, ok}},
	{route: "POST /v1/presence-query", body: `{"mutexes":[{"group":"docs","id":"theirs"}]OWNER}`, want: [5]string{ok + told, ok + told, itemNo, ok + told, ok + told}},
	{route: "POST /v1/release", body: `{"mutex":{"group":"docs","id":"mine"}OWNER}`, want: [5]string{no, ok + does, no, no, ok + does}},
	{route: "POST /v1/takeover", body: `{"mutex":{"group":"docs","id":"theirs"},"seen_token":THEIRTOKEN,"reason":"so"OWNER}`, want: [5]string{no, no, no, ok + does, ok + does}},
	{route: "POST /v1/takeover", body: `{"mutex":{"group":"docs","id":"mine"},"seen_token":MYTOKEN,"reason":"so"OWNER}`, want: [5]string{no, ok + does, no, no, ok + does}},
	{route: "POST /v1/force-release", body: `{"mutex":{"group":"docs","id":"theirs"},"seen_token":THEIRTOKEN,"reason":"so"OWNER}`, want: [5]string{no, no, no, no, ok + does}},
	// Every session that a key may act for is its own.
	{
		route: "POST /v1/release-session", body: `{"session":"THEIRSESSION"OWNER}`,
		want: [5]string{no, no, no, no, ok + does}, ofKey: [5]string{no, ok + does, no, no, ok + does},
	},
	{route: "POST /v1/release-session", body: `{"session":"MYSESSION"OWNER}`, want: [5]string{no, ok + does, no, no, ok + does}},
	{route: "POST /v1/hand-over", body: `{"mutex":{"group":"docs","id":"mine"}OWNER}`, want: [5]string{no, ok, no, no, ok}},
	{route: "POST /v1/decline", body: `{"mutex":{"group":"docs","id":"mine"},"waiter":"w1"OWNER}`, want: [5]string{no, ok, no, no, ok}},
	// One's own are seen with use; a key has none.
	{
		route: "GET /v1/mutexes",
		want:  [5]string{ok + told, ok, no, ok + told, ok + told}, ofKey: [5]string{ok + told, no, no, ok + told, ok + told},
	},
	{route: "GET /v1/history", want: [5]string{no, no, ok + told, no, ok + told}},
	{route: "GET /v1/history", send: "/v1/history?group=docs&id=theirs", want: [5]string{no, no, ok + told, no, ok + told}},
	{
		route: "GET /v1/events",
		want:  [5]string{ok, ok, no, ok, ok}, ofKey: [5]string{ok, no, no, ok, ok},
	},
	{route: "GET /metrics", want: [5]string{no, no, no, no, no}},

	{route: "GET /{$}", send: "/", want: [5]string{ok + told, ok, ok, ok + told, ok + told}},
	{route: "/{$}", send: "/", want: [5]string{ok + told, ok, ok, ok + told, ok + told}},
	{route: "GET /ui/tree", send: "/ui/tree?open=docs/&open=docs//", want: [5]string{ok + told, ok, ok, ok + told, ok + told}},
	// Who may read what happened sees it here, too.
	{route: "GET /ui/person", send: "/ui/person?who=u:petrov", want: [5]string{ok + told, ok, ok + told, ok + told, ok + told}},
	// As at /v1/request: who may use it may ask who is in the way.
	{route: "GET /ui/lock", send: "/ui/lock?id=docs//theirs", want: [5]string{ok + told, ok + told, html403, ok + told, ok + told}},
	{route: "GET /ui/history", want: [5]string{html403, html403, ok + told, html403, ok + told}},
	{route: "GET /ui/history.csv", want: [5]string{html403, html403, ok + told, html403, ok + told}},
	{route: "GET /ui/history.json", want: [5]string{html403, html403, ok + told, html403, ok + told}},
	{
		route: "POST /ui/confirm", send: "/ui/confirm?do=takeover", body: "lock=docs//theirs+THEIRTOKEN",
		want: [5]string{html403, html403, html403, ok + told, ok + told}, ofKey: [5]string{html403, html403, html403, html403, html403},
	},
	{
		route: "POST /ui/confirm", send: "/ui/confirm?do=release", body: "lock=docs//theirs+THEIRTOKEN",
		want: [5]string{html403, html403, html403, html403, ok + told}, ofKey: [5]string{html403, html403, html403, html403, html403},
	},
	// Refused ones are told of on a page, one by one.
	{
		route: "POST /ui/act", send: "/ui/act?do=takeover", body: "lock=docs//theirs+THEIRTOKEN&reason=so",
		want: [5]string{ok, ok, ok, again + does, again + does}, ofKey: [5]string{ok, ok, ok, ok, ok},
	},
	{
		route: "POST /ui/act", send: "/ui/act?do=release", body: "lock=docs//theirs+THEIRTOKEN&reason=so",
		want: [5]string{ok, ok, ok, ok, again + does}, ofKey: [5]string{ok, ok, ok, ok, ok},
	},
	{
		route: "POST /ui/act", send: "/ui/act?do=release", body: "lock=docs//mine+MYTOKEN",
		want: [5]string{ok, again + does, ok, ok, again + does}, ofKey: [5]string{ok, ok, ok, ok, ok},
	},
}

// sharer is a caller with some of the rights.
type sharer struct {
	caller
	sort string
	set  int // in partial
}

// sharers are a key and a person with each set of rights, and one whose token
// brings them.
func sharers(t *testing.T, d *deployment) []sharer {
	t.Helper()
	var all []sharer
	s := d.servers[0]
	for i, p := range partial {
		grant := auth.Grant{Rights: p.rights, Group: "docs", Mode: "*"}
		brought := map[string]any{"editlock": map[string]any{"grants": []auth.Grant{grant}}}
		token := func(user string, change map[string]any) http.Header {
			return bearerOf(d.token(t, jose.HS256, d.secret, user, change))
		}
		all = append(all,
			sharer{caller{header: bearerOf(d.key(t, auth.Key{Grants: []auth.Grant{grant}})), owner: person("sidorova"), states: true, at: s}, "key", i},
			sharer{caller{header: token(p.user, nil), owner: person(p.user), issuer: shopIssuer, at: s}, "rule", i},
			sharer{caller{header: token("clerk", brought), owner: person("clerk"), issuer: shopIssuer, at: s}, "grant", i})
	}
	for _, c := range all {
		await(t, "the key", func() bool { return d.servers[0].call(t, "GET", "/v1/mutexes", "", c.header).status != 401 })
	}
	return all
}

// Who has some of the rights may do what these are for, and nothing else: the
// rest is refused, changes nothing and does not tell who holds what.
func TestSurface_OfCallersWithSomeRights(t *testing.T) {
	d := deploy(t)
	s := d.servers[0]
	all := slices.Clone(shares)
	for _, row := range surface { // what no right opens or closes
		if slices.ContainsFunc(shares, func(r share) bool { return r.route == row.route }) {
			continue
		}
		same := row.want[powerless]
		if row.want[entitled] != same || row.want[backend] != same {
			t.Errorf("%s depends on rights: what does each of them open there?", row.route)
		}
		all = append(all, share{route: row.route, send: row.send, body: row.body, want: [5]string{same, same, same, same, same}})
	}
	for _, c := range sharers(t, d) {
		for i, row := range all {
			t.Run(fmt.Sprintf("%s %s at %s, row %d", c.sort, partial[c.set].user, row.route, i+1), func(t *testing.T) {
				const holder = "Petrov Who Holds It"
				theirs := d.hold(t, s, "theirs", editlock.Owner{Session: "petrov-1", UserID: "petrov", Name: holder})
				mine := d.own(t, "mine", &c.caller)
				method, path, body := c.ask(row.route, row.send, row.body, mine, theirs)
				before := d.state(t, s)
				got := s.call(t, method, path, body, c.header)
				said := d.tell(got)
				if strings.Contains(got.body, holder) {
					said += told
				}
				if d.state(t, s) != before {
					said += does
				}
				want := row.want[c.set]
				if c.sort == "key" && row.ofKey != [5]string{} {
					want = row.ofKey[c.set]
				}
				if said != want {
					t.Errorf("got %s, want %s: %.300s", said, want, got.body)
				}
				d.clear(t, s)
			})
		}
	}
}
