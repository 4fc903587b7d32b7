package httpapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
)

// partly are rights to parts of a store, one kind for each way to have them.
var partly = access.Policy{
	Rules: []access.Rule{
		{Users: []string{"group"}, Grant: auth.Grant{Rights: []auth.Right{auth.Read, auth.History}, Group: "zpublic", Mode: "*"}},
		{Users: []string{"mode"}, Grant: auth.Grant{Rights: []auth.Right{auth.Read, auth.History}, Group: "*", Mode: "zpublic"}},
		{Users: []string{"front"}, Grant: auth.Grant{Rights: []auth.Right{auth.Read, auth.History}, Group: "zp*", Mode: "z*"}},
		{Users: []string{"own"}, Grant: auth.Grant{Rights: []auth.Right{auth.Use}, Group: "*", Mode: "*"}},
		{Users: []string{"root"}, Grant: auth.Grant{Rights: []auth.Right{auth.Admin}, Group: "*", Mode: "*"}},
	},
}

// A caller who may see a part of a store is answered as if there were nothing else in
// it, whatever the filters, the limit and the cursor.
func TestLists_AnswerAsIfThereWereNothingThatTheCallerMayNotSee(t *testing.T) {
	hidden, bare := startSecured(t, partly, access.Limits{}), startSecured(t, partly, access.Limits{})
	shown := []editlock.ID{
		{Group: "zpublic", Mode: "zpublic", ID: "1"}, {Group: "zpublic", Mode: "zpublic", ID: "2"}, {Group: "zpublic", Mode: "zpublic", ID: "3"},
	}
	for i := range 60 {
		for _, id := range []editlock.ID{
			{Group: "salaries", ID: fmt.Sprintf("%02d", i)}, {Group: "zpublic2", Mode: "m", ID: fmt.Sprint(i)}, {Group: "a", Mode: "secret", ID: fmt.Sprint(i)},
		} {
			hidden.grab(t, petrov, id, "the needle")
		}
	}
	for _, s := range []*secured{hidden, bare} {
		for _, id := range shown {
			s.grab(t, editlock.Owner{Session: "own-1", UserID: "own", Name: "own"}, id, "")
		}
	}
	queries := []string{
		"", "group=salaries", "group=zpublic", "mode=secret", "mode=zpublic", "user_id=" + petrov.UserID, "user_id=own", "group=salaries&user_id=" + petrov.UserID,
	}
	trees := []string{
		"tree=true&group=zpublic", "tree=true&group=salaries", "tree=true&group=zpublic&mode=zpublic", "tree=true&group=zpublic&mode=zpublic&id=1", "tree=true",
		"tree=true&group=zpublic2&mode=m&id=1",
	}
	type answer struct {
		Mutexes []struct {
			Mutex struct{ Group, Mode, ID string }
		}
		Entries []struct {
			Mutex struct{ Group, Mode, ID string }
		}
		Next *string `json:"next_cursor"`
	}
	for _, user := range []string{"group", "mode", "front", "own"} {
		paths := []string{"/v1/mutexes?session=petrov-1&", "/v1/mutexes?text=needle&", "/v1/mutexes?"}
		if user != "own" {
			paths = append(paths, "/v1/history?", "/v1/history?kind=captured&")
		}
		for _, path := range paths {
			asked := queries
			if strings.HasPrefix(path, "/v1/history") {
				asked = append(slices.Clone(queries), trees...)
			}
			for _, query := range asked {
				for _, limit := range []string{"&limit=1", "&limit=2", ""} {
					var got [2][]string
					for i, s := range []*secured{hidden, bare} {
						for cursor, pages := "", 0; ; pages++ {
							got1 := s.get(t, path+query+limit+cursor, bearer(page(t, user))...)
							var p answer
							if err := json.Unmarshal([]byte(got1.body), &p); err != nil || got1.status != 200 {
								t.Fatalf("%d %s", got1.status, got1.body)
							}
							text := ""
							for _, m := range append(p.Mutexes, p.Entries...) {
								text += fmt.Sprint(m.Mutex)
							}
							got[i] = append(got[i], text)
							if p.Next == nil {
								break
							}
							if data, err := base64.RawURLEncoding.DecodeString(*p.Next); err != nil || strings.Contains(string(data), "salaries") || strings.Contains(string(data), "zpublic") || len(data) < 28 {
								t.Errorf("%s at %s%s: the cursor says %q", user, path, query, data)
							}
							if cursor = "&cursor=" + *p.Next; pages > 10 {
								t.Fatalf("%s at %s%s%s: no end after %d pages: %q", user, path, query, limit, pages, got[i])
							}
						}
					}
					if a, b := strings.Join(got[0], "|"), strings.Join(got[1], "|"); a != b {
						t.Errorf("%s at %s%s%s: pages %s, but %s with nothing hidden", user, path, query, limit, a, b)
					}
				}
			}
		}
	}
}

// A made-up position would show what comes behind a hidden name.
func TestCursors_AreNotToBeMadeUp(t *testing.T) {
	s := startSecured(t, partly, access.Limits{})
	for i := range 3 {
		s.grab(t, petrov, editlock.ID{Group: "zpublic", Mode: "zpublic", ID: fmt.Sprint(i)}, "")
	}
	next := func(user, path string) string {
		var p struct {
			Next string `json:"next_cursor"`
		}
		if got := s.get(t, path, bearer(page(t, user))...); json.Unmarshal([]byte(got.body), &p) != nil || p.Next == "" {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return p.Next
	}
	for _, path := range []string{"/v1/mutexes?limit=1", "/v1/history?limit=1"} {
		good, others := next("group", path), next("root", path)
		for name, cursor := range map[string]string{
			"a name":           base64.RawURLEncoding.EncodeToString([]byte("zpublic/zpublic/0")),
			"a number":         "5",
			"another caller's": others,
			"one cut short":    good[:len(good)-4],
			"one changed":      strings.ToLower(good),
			"one of the other": next("group", map[string]string{"/v1/mutexes?limit=1": "/v1/history?limit=1", "/v1/history?limit=1": "/v1/mutexes?limit=1"}[path]),
		} {
			got := s.get(t, path+"&cursor="+cursor, bearer(page(t, "group"))...)
			if got.status != 400 || problemCode(got) != "invalid" || got.problem(t).Field != "cursor" {
				t.Errorf("%s at %s: %d %s", name, path, got.status, got.body)
			}
		}
		if got := s.get(t, path+"&cursor="+good, bearer(page(t, "group"))...); got.status != 200 {
			t.Errorf("the true one at %s: %d %s", path, got.status, got.body)
		}
	}
}

// Whether a session holds what a caller may not see is not told by a refusal.
func TestReleaseSession_RefusesAlikeWhatHoldsAndWhatDoesNot(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	if got := s.post(t, "/v1/capture", `{"mutex":{"group":"other","id":"1"}}`, bearer(page(t, "kim", "others"))...); got.status != 200 {
		t.Fatal(got.body)
	}
	ask := func(session string) string {
		got := s.post(t, "/v1/release-session", `{"session":"`+session+`"}`, bearer(page(t, "ivanov", "editors"))...)
		if got.status != 403 {
			t.Errorf("%s: %d %s", session, got.status, got.body)
		}
		return got.body
	}
	if holds, free := ask("kim-1"), ask("kim-2"); holds != free {
		t.Errorf("a session that holds: %s; one that does not: %s", holds, free)
	}
}

// grab captures for anybody.
func (s *secured) grab(t *testing.T, o editlock.Owner, id editlock.ID, status string) {
	t.Helper()
	if _, err := s.locker.Capture(editlock.WithOwner(t.Context(), o), id, &editlock.CaptureOptions{StatusData: status}); err != nil {
		t.Fatal(err)
	}
}
