package httpapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
)

func assistantFor(user string) auth.PageToken {
	return auth.PageToken{
		Owner: editlock.Owner{
			Session: user + "-1", UserID: user, Name: "Assistant", Kind: editlock.Agent, OnBehalfOf: user,
		},
		Groups: []string{"chiefs"},
	}
}

// A credential says which kinds of owner it is for. A call may not become a person
// by it, and may become an agent or a job of the person that it is for.
func TestKinds_AreWhatCredentialsAreFor(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	key := func(kinds ...editlock.OwnerKind) string {
		return s.key(t, auth.Key{Name: "crm", Grants: grants("docs", auth.Use), Kinds: kinds})
	}
	person := pageFor(t, auth.PageToken{Owner: editlock.Owner{Session: "anna-1", UserID: "anna", Name: "Anna"}, Groups: []string{"editors"}})
	for i, test := range []struct {
		name, credential, owner string
		want                    editlock.Owner
		field                   string // that is refused
	}{
		{"a key, of a person", key(), `{"session":"s"}`, editlock.Owner{Session: "s"}, ""},
		{"a key, of a person by name", key(), `{"session":"s","kind":"person"}`, editlock.Owner{Session: "s"}, ""},
		{
			"a key, of an agent", key(),
			`{"session":"s","kind":"agent","on_behalf_of":"Anna"}`,
			editlock.Owner{Session: "s", Kind: editlock.Agent, OnBehalfOf: "Anna"},
			"",
		},
		{"a key, of a robot", key(), `{"session":"s","kind":"robot"}`, editlock.Owner{}, "owner.kind"},
		{"an agents' key, of whom it does not say", key(editlock.Agent, editlock.Job), `{"session":"s"}`, editlock.Owner{Session: "s", Kind: editlock.Agent}, ""},
		{"an agents' key, of a job", key(editlock.Agent, editlock.Job), `{"session":"s","kind":"job"}`, editlock.Owner{Session: "s", Kind: editlock.Job}, ""},
		{"an agents' key, of a person", key(editlock.Agent, editlock.Job), `{"session":"s","kind":"person"}`, editlock.Owner{}, "owner.kind"},
		{"a jobs' key, of an agent", key(editlock.Job), `{"session":"s","kind":"agent"}`, editlock.Owner{}, "owner.kind"},
		{"a people's key, of an agent", key(editlock.Person), `{"session":"s","kind":"agent"}`, editlock.Owner{}, "owner.kind"},
		{"a person's token", person, `null`, editlock.Owner{Session: "anna-1", UserID: "anna", Name: "Anna"}, ""},
		{
			"a person's token, of an agent", person, `{"session":"anna-1","kind":"agent","name":"Helper"}`,
			editlock.Owner{Session: "anna-1", UserID: "anna", Name: "Helper", Kind: editlock.Agent, OnBehalfOf: "Anna"},
			"",
		},
		{
			"a person's token, of a job", person, `{"session":"anna-1","kind":"job"}`,
			editlock.Owner{Session: "anna-1", UserID: "anna", Name: "Anna", Kind: editlock.Job, OnBehalfOf: "Anna"},
			"",
		},
		{"a person's token, of another's agent", person, `{"session":"anna-1","kind":"agent","on_behalf_of":"Boris"}`, editlock.Owner{}, "owner.on_behalf_of"},
		{"a person's token, of another's agent by user", person, `{"session":"anna-1","user_id":"boris","kind":"agent"}`, editlock.Owner{}, "owner.user_id"},
		{"a person's token, under another name", person, `{"session":"anna-1","name":"Boris"}`, editlock.Owner{}, "owner.name"},
		{"a person's token, of an agent with a name that is none", person, `{"session":"anna-1","kind":"agent","name":" "}`, editlock.Owner{}, "owner.name"},
		{"an agent's token", pageFor(t, assistantFor("ivanov")), `null`, assistantFor("ivanov").Owner, ""},
		{"an agent's token, of a person", pageFor(t, assistantFor("ivanov")), `{"session":"ivanov-1","kind":"person"}`, editlock.Owner{}, "owner.kind"},
		{"an agent's token, of a job", pageFor(t, assistantFor("ivanov")), `{"session":"ivanov-1","kind":"job"}`, editlock.Owner{}, "owner.kind"},
		{"an agent's token, under another name", pageFor(t, assistantFor("ivanov")), `{"session":"ivanov-1","name":"Ivanov"}`, editlock.Owner{}, "owner.name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := fmt.Sprint(i)
			got := s.post(t, "/v1/capture", fmt.Sprintf(`{"mutex":{"group":"docs","id":%q},"owner":%s}`, id, test.owner), bearer(test.credential)...)
			if test.field != "" {
				if p := got.problem(t); p.Field != test.field || got.status != 403 && got.status != 400 {
					t.Errorf("%d %s, want %s refused", got.status, got.body, test.field)
				}
			}
			if held := s.holder(t, id); held != test.want {
				t.Errorf("held by %+v, want %+v: %s", held, test.want, got.body)
			}
		})
	}
}

// hold is what stands under a name, but for who waits and when it was looked at.
func (s *secured) hold(t *testing.T, id string) editlock.Mutex {
	t.Helper()
	_, m, err := s.locker.Request(editlock.WithoutOwner(t.Context()), editlock.ID{Group: "docs", ID: id})
	if err != nil {
		t.Fatal(err)
	}
	m.AsOf, m.Waiters, m.Waiting = time.Time{}, nil, 0
	return m
}

// An agent that may do all that a chief may leaves a person's hold as it is, by
// whatever door, also in the person's own session.
func TestKinds_AgentsEndNoPersonsHold(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	ivanov := page(t, "ivanov", "chiefs")
	rights := []auth.Right{auth.Admin}
	agents := s.key(t, auth.Key{Name: pageIssuer, Grants: grants("*", rights...), Kinds: auth.Kinds{editlock.Agent}})
	const mutex = `"mutex":{"group":"docs","id":"a"}`
	first := s.post(t, "/v1/capture", `{`+mutex+`,"status_data":"draft","grant_after":"1s"}`, bearer(ivanov)...)
	var got struct{ Mutex struct{ Token uint64 } }
	if err := json.Unmarshal([]byte(first.body), &got); err != nil || first.status != 200 {
		t.Fatalf("%d %s", first.status, first.body)
	}
	before, shown := s.hold(t, "a"), s.stored(t, "a")
	for _, by := range []struct{ name, credential, owner string }{
		{"the person's token, lowered", ivanov, `,"owner":{"session":"ivanov-1","kind":"agent"}`},
		{"an agent's token, of the same session", pageFor(t, assistantFor("ivanov")), ""},
		{"an agents' key, of the same session", agents, `,"owner":{"session":"ivanov-1"}`},
		{"an agents' key, of the same session and user", agents, `,"owner":{"session":"ivanov-1","user_id":"ivanov"}`},
		{"an agents' key, of nobody", agents, ""},
	} {
		several := strings.Replace(mutex, `"mutex":`, `"mutexes":[`, 1) + `]`
		for name, call := range map[string][2]string{
			"release":            {"release", `{` + mutex},
			"release by status":  {"release", `{` + mutex + `,"if":{"status_data":"draft"}`},
			"release by token":   {"release", fmt.Sprintf(`{%s,"if":{"token":%d}`, mutex, got.Mutex.Token)},
			"release later":      {"release", `{` + mutex + `,"grace":"1s"`},
			"release several":    {"release", `{` + several},
			"capture":            {"capture", `{` + mutex},
			"capture by token":   {"capture", fmt.Sprintf(`{%s,"if":{"token":%d},"auto_release":{"idle":"1s"}`, mutex, got.Mutex.Token)},
			"capture by status":  {"capture", `{` + mutex + `,"if":{"status_data":"draft"},"auto_release":{"idle":"1s"}`},
			"capture several":    {"capture", `{` + several},
			"ask":                {"capture", `{` + mutex + `,"wait":"1500ms","message":"let me"`},
			"refresh":            {"refresh", fmt.Sprintf(`{"items":[{%s,"token":%d,"auto_release":{"idle":"1s"}}]`, mutex, got.Mutex.Token)},
			"takeover":           {"takeover", fmt.Sprintf(`{%s,"seen_token":%d,"reason":"so"`, mutex, got.Mutex.Token)},
			"forced release":     {"force-release", fmt.Sprintf(`{%s,"seen_token":%d,"reason":"so"`, mutex, got.Mutex.Token)},
			"hand-over":          {"hand-over", `{` + mutex},
			"decline":            {"decline", `{` + mutex + `,"waiter":"w"`},
			"release of session": {"release-session", `{"session":"ivanov-1"`},
			"release of shown":   {"release-session", fmt.Sprintf(`{"session":%q`, shown)},
		} {
			t.Run(by.name+": "+name, func(t *testing.T) {
				answer := s.post(t, "/v1/"+call[0], call[1]+by.owner+"}", bearer(by.credential)...)
				if diff := cmp.Diff(before, s.hold(t, "a")); diff != "" {
					t.Errorf("after %d %s (-before +after):\n%s", answer.status, answer.body, diff)
				}
				if call[0] != "takeover" && call[0] != "force-release" || by.name == "an agents' key, of nobody" {
					return
				}
				if p := answer.problem(t); answer.status != 403 || p.Code != "held_by_person" || p.Holder == nil || p.Holder.Owner.UserID != "ivanov" {
					t.Errorf("got %d %s", answer.status, answer.body)
				}
			})
		}
	}
	if text := s.audit.String(); !strings.Contains(text, "an agent ends no person's hold") {
		t.Errorf("the audit log says %s", text)
	}
}

// A person who may use a mutex takes it over from an agent, whatever its rank, and
// from nobody else.
func TestKinds_APersonNeedsNoRightToTakeOverFromAnAgent(t *testing.T) {
	ranked := policy
	ranked.Ranks = access.Ranks{Groups: map[string]int{"chiefs": 9}}
	s := startSecured(t, ranked, access.Limits{})
	editor := page(t, "anna", "editors")
	job := assistantFor("olga")
	job.Owner.Kind = editlock.Job
	capture := func(token, id string) uint64 {
		t.Helper()
		r := s.post(t, "/v1/capture", fmt.Sprintf(`{"mutex":{"group":"docs","id":%q}}`, id), bearer(token)...)
		var got struct{ Mutex struct{ Token uint64 } }
		if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return got.Mutex.Token
	}
	end := func(token, call, id string, seen uint64) reply {
		t.Helper()
		return s.post(t, "/v1/"+call, fmt.Sprintf(`{"mutex":{"group":"docs","id":%q},"seen_token":%d,"reason":"I need it"}`, id, seen), bearer(token)...)
	}
	agent := pageFor(t, assistantFor("olga"))
	held := map[string]uint64{"agent": capture(agent, "agent"), "job": capture(pageFor(t, job), "job"), "person": capture(page(t, "olga", "chiefs"), "person")}
	for id, token := range held {
		if got := end(editor, "force-release", id, token); got.status != 403 {
			t.Errorf("forced release from a %s: %d %s", id, got.status, got.body)
		}
		if got := end(editor, "takeover", id, token); (got.status == 200) != (id == "agent") {
			t.Errorf("takeover from a %s: %d %s", id, got.status, got.body)
		}
	}
	body := fmt.Sprintf(`{"items":[{"mutex":{"group":"docs","id":"agent"},"token":%d}]}`, held["agent"])
	if got := s.post(t, "/v1/refresh", body, bearer(agent)...); !strings.Contains(got.body, `"how":"taken_over"`) || !strings.Contains(got.body, `"reason":"I need it"`) {
		t.Errorf("the agent is told %s", got.body)
	}
	// An agent has the rights that it has: this one may not take over.
	two := assistantFor("boris")
	two.Groups = []string{"editors"}
	if got := end(pageFor(t, two), "takeover", "job", held["job"]); got.status != 403 {
		t.Errorf("takeover by an agent without the right: %d %s", got.status, got.body)
	}
	// Who may use mutexes sees those of the own agents, too.
	own := access.Policy{Rules: []access.Rule{{Everyone: true, Grant: auth.Grant{Rights: []auth.Right{auth.Use}, Group: "docs", Mode: "*"}}}}
	s = startSecured(t, own, access.Limits{})
	capture(agent, "agent")
	for user, sees := range map[string]bool{"olga": true, "anna": false} {
		if got := s.get(t, "/v1/mutexes", bearer(page(t, user))...); strings.Contains(got.body, `"kind":"agent"`) != sees {
			t.Errorf("%s sees %s", user, got.body)
		}
	}
}
