package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/server/presence"
)

// told is an answer about records, as tests read it.
type told struct {
	Code       string
	Holder     *struct{ Session string }
	CapturedAt *string `json:"captured_at"`
	Mine       bool
	Readers    []struct {
		Owner      struct{ Session string }
		CapturedAt string `json:"captured_at"`
		Mine       bool
	}
	People []struct {
		Owner        struct{ Session, Name string }
		State, Since string
	}
	Count int
}

// said is what one result says: the code of a problem, or who is there.
func (r told) said() string {
	if r.Code != "" {
		return r.Code
	}
	out := fmt.Sprint(r.Count)
	for _, p := range r.People {
		out += " " + p.Owner.Session + ":" + p.State
	}
	if r.Holder != nil {
		out += " held by " + r.Holder.Session
	}
	if r.Mine {
		out += ", mine"
	}
	for _, reader := range r.Readers {
		out += " read by " + reader.Owner.Session
		if reader.Mine {
			out += ", mine"
		}
	}
	return out
}

// loose reads what a test wants to know of an answer.
func loose[T any](t *testing.T, r reply) T {
	t.Helper()
	var out T
	if err := json.Unmarshal([]byte(r.body), &out); err != nil || r.status != http.StatusOK {
		t.Fatalf("status %d, %v: %s", r.status, err, r.body)
	}
	return out
}

func saidBy(t *testing.T, got reply) []string {
	t.Helper()
	var out []string
	for _, r := range loose[struct{ Results []told }](t, got).Results {
		out = append(out, r.said())
	}
	return out
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// look is a beat of a page, in a world where everybody is believed.
func (w *world) look(t *testing.T, owner, page string, looks ...string) []string {
	t.Helper()
	return saidBy(t, w.post(t, "/v1/presence", fmt.Sprintf(`{"owner":%s,"page":%q,"looks":[%s]}`, owner, page, strings.Join(looks, ","))))
}

func lookAt(id, more string) string {
	return fmt.Sprintf(`{"mutex":{"group":"demo","id":%q}%s}`, id, more)
}

func TestPresence_TellsWhoElseLooks(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	want(t, w.look(t, ivanov, "p1", lookAt("1", ""), lookAt("2", `,"state":"unsaved"`)), "0", "0")
	want(t, w.look(t, petrova, "p1", lookAt("2", `,"state":"idle"`), lookAt("3", "")), "1 s-ivanov:unsaved", "0")
	want(t, w.look(t, ivanov, "p1", lookAt("1", ""), lookAt("2", "")), "0", "1 s-petrova:idle")
	// As a page that closes sends it.
	got := w.send(t, "POST", "/v1/presence", fmt.Sprintf(`{"owner":%s,"page":"p1","looks":[]}`, ivanov), "Content-Type", "text/plain;charset=UTF-8")
	want(t, saidBy(t, got))
	want(t, w.look(t, petrova, "p1", lookAt("2", "")), "0")
}

func TestPresence_ChangesNothingInTheStore(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	ctx := editlock.WithOwner(t.Context(), editlock.Owner{Session: "s-ivanov", UserID: "17"})
	m, err := w.locker.Capture(ctx, editlock.ID{Group: "demo", ID: "1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Second)
	for range 3 {
		w.look(t, ivanov, "p1", lookAt("1", `,"state":"editing"`), lookAt("2", ""))
		w.look(t, petrova, "p1", lookAt("1", ""))
	}
	_, now, err := w.locker.Request(ctx, m.ID)
	if err != nil || now.RefreshedAt != m.RefreshedAt || now.ExpiresAt != m.ExpiresAt {
		t.Errorf("the lock was %+v and is %+v, %v", m, now, err)
	}
	page, err := w.locker.History(t.Context(), editlock.HistoryQuery{})
	if err != nil || len(page.Entries) != 1 {
		t.Errorf("history has %+v, %v; want the capture alone", page.Entries, err)
	}
}

func TestPresence_GoesAlongWithARefresh(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	w.look(t, petrova, "p1", lookAt("1", ""))
	got := w.post(t, "/v1/capture", `{"mutex":{"group":"demo","id":"1"},"owner":`+ivanov+`}`)
	token := loose[struct{ Mutex struct{ Token int } }](t, got).Mutex.Token
	item := fmt.Sprintf(`"items":[{"mutex":{"group":"demo","id":"1"},"token":%d}]`, token)
	got = w.post(t, "/v1/refresh", fmt.Sprintf(`{"owner":%s,%s,"presence":{"page":"p1","looks":[%s]}}`, ivanov, item, lookAt("1", `,"state":"unsaved"`)))
	answer := loose[struct {
		Results  []struct{ Token int }
		Presence []told
	}](t, got)
	if len(answer.Results) != 1 || answer.Results[0].Token != token {
		t.Errorf("the refresh: %s", got.body)
	}
	want(t, []string{answer.Presence[0].said()}, "1 s-petrova:looking")
	want(t, w.look(t, petrova, "p1", lookAt("1", "")), "1 s-ivanov:unsaved")
	if got := w.post(t, "/v1/refresh", fmt.Sprintf(`{"owner":%s,%s}`, ivanov, item)); strings.Contains(got.body, "presence") {
		t.Errorf("a refresh without it: %s", got.body)
	}
	w.post(t, "/v1/refresh", fmt.Sprintf(`{%s,"presence":{"page":"p1","looks":[]}}`, item)).want(t, "invalid", "presence")
}

func TestPresence_RefusesWhatMakesNoSense(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	for _, c := range []struct{ body, field string }{
		{`{"owner":` + ivanov + `,"looks":[]}`, "page"},
		{`{"owner":` + ivanov + `,"page":"` + strings.Repeat("p", 101) + `","looks":[]}`, "page"},
		{`{"owner":` + ivanov + `,"page":"a\u0001b","looks":[]}`, "page"},
		{`{"owner":` + ivanov + `,"page":"p"}`, "looks"},
		{`{"page":"p","looks":[]}`, "owner"},
		{`{"owner":{"session":""},"page":"p","looks":[]}`, "owner.session"},
		{`{"owner":` + ivanov + `,"page":"p","looks":[{}]}`, "looks[0].mutex"},
		{`{"owner":` + ivanov + `,"page":"p","looks":[{"mutex":{"id":""}}]}`, "looks[0].mutex.id"},
		{`{"owner":` + ivanov + `,"page":"p","looks":[` + lookAt("1", "") + `,` + lookAt("1", "") + `]}`, "looks[1].mutex"},
		{`{"owner":` + ivanov + `,"page":"p","looks":[` + lookAt("1", `,"state":"bored"`) + `]}`, "looks[0].state"},
		{`{"owner":` + ivanov + `,"page":"p","looks":[` + strings.Repeat(lookAt("1", "")+",", 1000) + lookAt("2", "") + `]}`, "looks"},
	} {
		w.post(t, "/v1/presence", c.body).want(t, "invalid", c.field)
	}
	ids := make([]string, 101)
	for i := range ids {
		ids[i] = fmt.Sprintf(`{"id":"%d"}`, i)
	}
	w.post(t, "/v1/presence-query", `{"mutexes":[`+strings.Join(ids, ",")+`]}`).want(t, "invalid", "mutexes")
	w.post(t, "/v1/presence-query", `{"mutexes":[]}`).want(t, "invalid", "mutexes")
	w.post(t, "/v1/presence-query", `{"mutexes":[{"id":"1"},{"id":"1"}]}`).want(t, "invalid", "mutexes[1].mutex")
}

func TestPresenceQuery_TellsOfTheRowsOfAList(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	w.post(t, "/v1/capture", `{"mutex":{"group":"demo","id":"2"},"owner":`+petrova+`}`)
	w.look(t, petrova, "p1", lookAt("2", `,"state":"unsaved"`), lookAt("3", ""))
	w.look(t, ivanov, "p1", lookAt("1", ""))
	rows := `{"mutexes":[{"group":"demo","id":"1"},{"group":"demo","id":"2"},{"group":"demo","id":"3"},{"group":"demo","id":"4"}]%s}`
	want(t, saidBy(t, w.post(t, "/v1/presence-query", fmt.Sprintf(rows, ""))),
		"1 s-ivanov:looking", "1 s-petrova:unsaved held by s-petrova", "1 s-petrova:looking", "0")
	want(t, saidBy(t, w.post(t, "/v1/presence-query", fmt.Sprintf(rows, `,"owner":`+petrova))),
		"1 s-ivanov:looking", "0 held by s-petrova, mine", "0", "0")
}

// A reader who shares the lock must not be surprised by an edit; nobody is told that they edit.
func TestPresenceQuery_TellsReadersFromEditors(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	capture := func(owner, mutex, more string) {
		t.Helper()
		if got := w.post(t, "/v1/capture", `{"mutex":`+mutex+`,"owner":`+owner+more+`}`); got.status != http.StatusOK {
			t.Fatal(got.body)
		}
	}
	const shared = `,"sharing":"shared"`
	capture(petrova, `{"group":"demo","id":"1"}`, shared)
	capture(ivanov, `{"group":"demo","id":"1"}`, shared)
	capture(petrova, `{"group":"demo","id":"2","part":"address"}`, shared)
	capture(ivanov, `{"group":"demo","id":"2","part":"lines"}`, "")
	capture(ivanov, `{"group":"demo","id":"3"}`, `,"limit":2`)
	w.look(t, petrova, "p1", lookAt("1", ""))
	rows := `{"mutexes":[{"group":"demo","id":"1"},{"group":"demo","id":"2"},{"group":"demo","id":"3"}]%s}`
	want(t, saidBy(t, w.post(t, "/v1/presence-query", fmt.Sprintf(rows, ""))),
		"1 s-petrova:looking read by s-petrova read by s-ivanov", "0 held by s-ivanov read by s-petrova", "0 held by s-ivanov")
	want(t, saidBy(t, w.post(t, "/v1/presence-query", fmt.Sprintf(rows, `,"owner":`+ivanov))),
		"1 s-petrova:looking read by s-ivanov, mine read by s-petrova", "0 read by s-petrova", "0 held by s-ivanov, mine")
}

func TestPresence_IsTurnedOffPerGroup(t *testing.T) {
	w := start(t, httpapi.Options{Presence: presence.New(presence.Bounds{}, func(id editlock.ID) bool { return id.Group == "staff" })}, nil)
	staff := `{"mutex":{"group":"staff","id":"1"}}`
	want(t, w.look(t, petrova, "p1", staff, lookAt("1", "")), "forbidden", "0")
	want(t, w.look(t, ivanov, "p1", staff, lookAt("1", "")), "forbidden", "1 s-petrova:looking")
	want(t, saidBy(t, w.post(t, "/v1/presence-query", `{"mutexes":[{"group":"staff","id":"1"}]}`)), "0")
}

// Who a page is of, the credentials say; who may not see the lock is neither told
// nor shown.
func TestPresence_OfCallersWhoAreKnown(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	beat := func(token string) []string {
		return saidBy(t, s.post(t, "/v1/presence", `{"page":"p","looks":[{"mutex":{"group":"docs","id":"1"}}]}`, bearer(token)...))
	}
	want(t, beat(page(t, "anna", "editors")), "0")
	want(t, beat(page(t, "stranger", "others")), "forbidden")
	boris := beat(page(t, "boris", "editors"))
	want(t, boris, "1 anna-1:looking")
	query := `{"mutexes":[{"group":"docs","id":"1"}]}`
	want(t, saidBy(t, s.post(t, "/v1/presence-query", query, bearer(page(t, "stranger", "others"))...)), "forbidden")
	want(t, saidBy(t, s.post(t, "/v1/presence-query", query, bearer(page(t, "boss", "chiefs"))...)), "2 anna-1:looking boris-1:looking")
	got := s.post(t, "/v1/presence", `{"owner":{"session":"boris-1"},"page":"p","looks":[]}`, bearer(page(t, "anna", "editors"))...)
	got.want(t, "forbidden", "owner.session")
}
