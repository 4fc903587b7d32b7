package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
)

// stored is the session of a holder in the store.
func (s *secured) stored(t *testing.T, id string) string {
	t.Helper()
	_, m, err := s.locker.Request(editlock.WithoutOwner(t.Context()), editlock.ID{Group: "docs", ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return m.Owner.Session
}

// A session counts for the issuer or the back end that vouches for it. Who
// names another's, as it was stated or as it is shown, is another holder.
func TestSessions_CountWithinTheirRealmOnly(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	everything := []auth.Pattern{"*"}
	foreign := func(session string) string {
		return signed(t, jose.RS256, s.rsa, nil, claims(rsaIssuer, map[string]any{"sub": "mallory", "sid": session, "groups": []string{"editors"}}))
	}
	till := s.key(t, auth.Key{
		Name: "till", Grants: grants("docs", auth.Read, auth.Use), Scope: auth.Scope{Sessions: everything, Users: []auth.Pattern{"shop:*"}},
	})
	other := s.key(t, auth.Key{
		Name: "other", Grants: grants("docs", auth.Read, auth.Use), Scope: auth.Scope{Sessions: everything, Users: []auth.Pattern{"other:*"}},
	})
	type attacker struct {
		name, credential, owner string // owner is a part of the body
	}
	acting := func(session, user string) string {
		if user == "" {
			return fmt.Sprintf(`,"owner":{"session":%q}`, session)
		}
		return fmt.Sprintf(`,"owner":{"session":%q,"user_id":%q}`, session, user)
	}
	for _, victim := range []struct{ name, credential, owner, stated string }{
		{"a page", page(t, "ivanov", "editors"), "", "ivanov-1"},
		{"another back end", other, acting("job-1", ""), "job-1"},
		{"another back end's user", other, acting("job-2", "other:1"), "job-2"},
	} {
		id := strings.ReplaceAll(victim.name, " ", "-")
		mutex := fmt.Sprintf(`"mutex":{"group":"docs","id":%q}`, id)
		first := s.post(t, "/v1/capture", `{`+mutex+`,"status_data":"draft"`+victim.owner+`}`, bearer(victim.credential)...)
		if first.status != 200 {
			t.Fatalf("%s: %d %s", victim.name, first.status, first.body)
		}
		var got struct{ Mutex struct{ Token uint64 } }
		if err := json.Unmarshal([]byte(first.body), &got); err != nil {
			t.Fatal(err)
		}
		before, shown := s.state(t), s.stored(t, id)
		for _, by := range []attacker{
			{"another issuer with the session", foreign(victim.stated), ""},
			{"another issuer with what is shown", foreign(shown), ""},
			{"another key with the session", till, acting(victim.stated, "shop:1")},
			{"another key with the session alone", till, acting(victim.stated, "")},
			{"another key with what is shown", till, acting(shown, "shop:1")},
		} {
			for name, call := range map[string][2]string{
				"release":            {"release", `{` + mutex + by.owner + `}`},
				"release by status":  {"release", `{` + mutex + `,"if":{"status_data":"draft"}` + by.owner + `}`},
				"release by token":   {"release", fmt.Sprintf(`{%s,"if":{"token":%d}%s}`, mutex, got.Mutex.Token, by.owner)},
				"release later":      {"release", `{` + mutex + `,"grace":"1s"` + by.owner + `}`},
				"release several":    {"release", `{` + strings.Replace(mutex, `"mutex":`, `"mutexes":[`, 1) + `]` + by.owner + `}`},
				"capture":            {"capture", `{` + mutex + by.owner + `}`},
				"capture by token":   {"capture", fmt.Sprintf(`{%s,"if":{"token":%d}%s}`, mutex, got.Mutex.Token, by.owner)},
				"capture by status":  {"capture", `{` + mutex + `,"if":{"status_data":"draft"}` + by.owner + `}`},
				"capture several":    {"capture", `{` + strings.Replace(mutex, `"mutex":`, `"mutexes":[`, 1) + `]` + by.owner + `}`},
				"refresh":            {"refresh", fmt.Sprintf(`{"items":[{%s,"token":%d,"status_data":"mine"}]%s}`, mutex, got.Mutex.Token, by.owner)},
				"takeover":           {"takeover", fmt.Sprintf(`{%s,"seen_token":%d,"reason":"so"%s}`, mutex, got.Mutex.Token, by.owner)},
				"forced release":     {"force-release", fmt.Sprintf(`{%s,"seen_token":%d,"reason":"so"%s}`, mutex, got.Mutex.Token, by.owner)},
				"hand-over":          {"hand-over", `{` + mutex + by.owner + `}`},
				"decline":            {"decline", `{` + mutex + `,"waiter":"w"` + by.owner + `}`},
				"release of session": {"release-session", fmt.Sprintf(`{"session":%q%s}`, victim.stated, by.owner)},
				"release of shown":   {"release-session", fmt.Sprintf(`{"session":%q%s}`, shown, by.owner)},
			} {
				t.Run(by.name+" acts for "+victim.name+": "+name, func(t *testing.T) {
					got := s.post(t, "/v1/"+call[0], call[1], bearer(by.credential)...)
					if s.state(t) != before {
						t.Errorf("it changed what is held: %d %s", got.status, got.body)
					}
				})
			}
			t.Run(by.name+" is no "+victim.name, func(t *testing.T) {
				got := s.post(t, "/v1/request", `{`+mutex+by.owner+`}`, bearer(by.credential)...)
				if strings.Contains(got.body, "CAPTURED_BY_ME") {
					t.Errorf("got %s", got.body)
				}
			})
		}
	}
}

// What callers see of their own realm is what they stated; of others they see
// what nobody can state.
func TestSessions_AreShownAsStated(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	key := func(name string) string {
		return s.key(t, auth.Key{Name: name, Grants: grants("*", auth.Read, auth.Use, auth.History)})
	}
	shop, again, till := key("shop"), key("shop"), key("till")
	long := strings.Repeat("l", editlock.MaxOwnerField)
	sessions := func(credential, path string) string {
		t.Helper()
		var out []string
		var got struct {
			Mutexes, Entries []struct{ Owner struct{ Session string } }
		}
		if err := json.Unmarshal([]byte(s.get(t, path, bearer(credential)...).body), &got); err != nil {
			t.Fatal(err)
		}
		for _, m := range append(got.Mutexes, got.Entries...) {
			out = append(out, m.Owner.Session)
		}
		return strings.Join(out, " ")
	}
	for id, session := range map[string]string{"a": "s1", "b": long} {
		body := fmt.Sprintf(`{"mutex":{"group":"docs","id":%q},"owner":{"session":%q}}`, id, session)
		if got := s.post(t, "/v1/capture", body, bearer(shop)...); got.status != 200 {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		if got := s.post(t, "/v1/request", body, bearer(again)...); !strings.Contains(got.body, "CAPTURED_BY_ME") {
			t.Errorf("another key of the same name is another: %s", got.body)
		}
		if got := s.post(t, "/v1/request", body, bearer(till)...); !strings.Contains(got.body, "CAPTURED_BY_OTHER") {
			t.Errorf("another back end is the same: %s", got.body)
		}
	}
	token := pageFor(t, auth.PageToken{Owner: editlock.Owner{Session: long, UserID: "u"}, Groups: []string{"editors"}})
	if got := s.post(t, "/v1/request", `{"mutex":{"group":"docs","id":"b"}}`, bearer(token)...); !strings.Contains(got.body, "CAPTURED_BY_ME") ||
		!strings.Contains(got.body, `"session":"`+long) {
		t.Errorf("an issuer of the key's name does not share its sessions: %s", got.body)
	}
	shown, digest := s.stored(t, "a"), s.stored(t, "b")
	want := map[string]string{
		"own list": "s1 " + digest, "own history": "s1", "own filter": "s1",
		"others' list": shown + " " + digest, "others' filter": "", "others' filter by what is shown": shown,
	}
	got := map[string]string{
		"own list": sessions(shop, "/v1/mutexes"), "own history": sessions(shop, "/v1/history?group=docs&id=a"),
		"own filter": sessions(shop, "/v1/mutexes?session=s1"), "others' list": sessions(till, "/v1/mutexes"),
		"others' filter":                  sessions(till, "/v1/mutexes?session=s1"),
		"others' filter by what is shown": sessions(till, "/v1/mutexes?session="+url.QueryEscape(shown)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Holds of before sessions had realms stay their holders', by each door; and
// become nobody else's.
func TestSessions_OfBeforeRealmsStayTheirHolders(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	everything := []auth.Pattern{"*"}
	back := func(name string, users ...auth.Pattern) string {
		return s.key(t, auth.Key{Name: name, Grants: grants("docs", auth.Read, auth.Use), Scope: auth.Scope{Sessions: everything, Users: users}})
	}
	stating := func(session string) string { return fmt.Sprintf(`,"owner":{"session":%q}`, session) }
	holders := []struct {
		name, credential, body string
		owner                  editlock.Owner
	}{
		{"a page's", page(t, "ivanov", "editors"), "", editlock.Owner{Session: "ivanov-1", UserID: "ivanov"}},
		{"a back end's", back("till"), stating("job"), editlock.Owner{Session: "job"}},
	}
	strangers := map[string][2]string{
		"another issuer's":    {signed(t, jose.RS256, s.rsa, nil, claims(rsaIssuer, map[string]any{"sid": "ivanov-1", "groups": []string{"editors"}})), ""},
		"another user's page": {pageFor(t, auth.PageToken{Owner: editlock.Owner{Session: "ivanov-1", UserID: "mallory"}, Groups: []string{"editors"}}), ""},
		"a page with a job's": {pageFor(t, auth.PageToken{Owner: editlock.Owner{Session: "job", UserID: "olga"}, Groups: []string{"editors"}}), ""},
		"another back end's":  {back("other", "other:*"), stating("ivanov-1")},
	}
	post := func(credential, path, body string, held editlock.Mutex) string {
		t.Helper()
		return s.post(t, "/v1/"+path, strings.Replace(body, "TOKEN", fmt.Sprint(held.Token), 1), bearer(credential)...).body
	}
	const ones = `"mutex":{"group":"docs","id":"old"}`
	doors := map[string]struct {
		path, body string // TOKEN is of the hold
		answer     string
		held       bool // still, with the same token
	}{
		"request":             {"request", `{` + ones + ``, "CAPTURED_BY_ME", true},
		"capture":             {"capture", `{` + ones + ``, "CAPTURED_BY_ME", true},
		"capture by token":    {"capture", `{` + ones + `,"if":{"token":TOKEN}`, "CAPTURED_BY_ME", true},
		"capture by status":   {"capture", `{` + ones + `,"if":{"status_data":"draft"}`, "CAPTURED_BY_ME", true},
		"capture if free":     {"capture", `{` + ones + `,"if":{"free":true}`, `"self":true`, true},
		"capture with a wait": {"capture", `{` + ones + `,"wait":"1h"`, "CAPTURED_BY_ME", true},
		"capture of several":  {"capture", `{"mutexes":[{"group":"docs","id":"old"},{"group":"docs","id":"new"}]`, `"id":"new"`, true},
		"refresh":             {"refresh", `{"items":[{` + ones + `,"token":TOKEN}]`, `"refreshed_at"`, true},
		"release":             {"release", `{` + ones + ``, `"released":true`, false},
		"release by token":    {"release", `{` + ones + `,"if":{"token":TOKEN}`, `"released":true`, false},
		"release by status":   {"release", `{` + ones + `,"if":{"status_data":"draft"}`, `"released":true`, false},
		"release later":       {"release", `{` + ones + `,"grace":"60s"`, `"released":true`, true},
		"release of several":  {"release", `{"mutexes":[{"group":"docs","id":"old"},{"group":"docs","id":"none"}]`, `"id":"old"`, false},
		"takeover":            {"takeover", `{` + ones + `,"seen_token":TOKEN,"reason":"another tab"`, "CAPTURED_BY_ME", false},
		"hand-over":           {"hand-over", `{` + ones + ``, `"handed_over":false`, true},
		"decline":             {"decline", `{` + ones + `,"waiter":"w"`, `"declined":false`, true},
	}
	hold := func(o editlock.Owner) editlock.Mutex {
		t.Helper()
		m, err := s.locker.Capture(editlock.WithOwner(t.Context(), o), editlock.ID{Group: "docs", ID: "old"}, &editlock.CaptureOptions{StatusData: "draft"})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	clear := func() {
		t.Helper()
		page, err := s.locker.List(t.Context(), editlock.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Mutexes {
			if _, err := s.locker.ReleaseSession(t.Context(), m.Owner.Session); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, h := range holders {
		for name, door := range doors {
			t.Run(h.name+", "+name, func(t *testing.T) {
				if door.path == "takeover" && h.body != "" {
					return // without a user, a session is all that there is to tell one's own by
				}
				clear()
				m := hold(h.owner)
				got := post(h.credential, door.path, door.body+h.body+"}", m)
				_, now, err := s.locker.Request(editlock.WithoutOwner(t.Context()), m.ID)
				if err != nil || !strings.Contains(got, door.answer) || (now.Token == m.Token) != door.held {
					t.Errorf("token %d became %d, %v: %s", m.Token, now.Token, err, got)
				}
				if door.path == "capture" && strings.Contains(got, `"session":"~`) {
					t.Errorf("the holder is shown as another: %s", got)
				}
			})
		}
		t.Run(h.name+", release of the session", func(t *testing.T) {
			clear()
			got := post(h.credential, "release-session", fmt.Sprintf(`{"session":%q%s}`, h.owner.Session, h.body), hold(h.owner))
			if !strings.Contains(got, `"id":"old"`) || s.stored(t, "old") != "" {
				t.Errorf("got %s", got)
			}
		})
		for who, by := range strangers {
			if who == "another back end's" && h.body != "" {
				continue // nothing tells them apart
			}
			for name, door := range doors {
				if strings.Contains(door.body, `"wait"`) {
					continue // joins the queue
				}
				t.Run(h.name+", "+name+" with "+who+" session", func(t *testing.T) {
					clear()
					m := hold(h.owner)
					before := s.state(t)
					got := post(by[0], door.path, door.body+by[1]+"}", m)
					if s.state(t) != before {
						t.Errorf("it changed what is held: %s", got)
					}
				})
			}
		}
	}
}
