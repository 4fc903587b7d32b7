package webui

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// epoch is the time of the store in these tests.
var epoch = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// fixed is a Locker that shows what it is given, a few at a time.
type fixed struct {
	editlock.Locker // what is not shown is not called

	mutexes []editlock.Mutex
	entries []editlock.Event
	err     error
	lists   int // calls of List
}

func (f *fixed) List(_ context.Context, q editlock.Query) (editlock.Page, error) {
	f.lists++
	all := f.mutexes
	if q.Visible != nil {
		all = nil
		for _, m := range f.mutexes {
			if (Identity{Visible: q.Visible}).sees(&m) {
				all = append(all, m)
			}
		}
	}
	from, _ := strconv.Atoi(q.Cursor)
	to := min(from+q.Limit, len(all))
	p := editlock.Page{Mutexes: all[from:to]}
	if to < len(all) {
		p.Next = strconv.Itoa(to)
	}
	return p, f.err
}

func (f *fixed) Request(_ context.Context, id editlock.ID) (editlock.State, editlock.Mutex, error) {
	var all []editlock.Mutex
	for _, m := range f.mutexes {
		if m.ID == id {
			all = append(all, m)
		}
	}
	if len(all) == 0 {
		return editlock.Free, editlock.Mutex{}, f.err
	}
	m := all[0]
	m.Beside = len(all) - 1
	for _, other := range all[1:] {
		other.Waiters, other.Waiting = nil, 0
		m.Others = append(m.Others, other)
	}
	return editlock.CapturedByOther, m, f.err
}

func (f *fixed) History(_ context.Context, q editlock.HistoryQuery) (editlock.HistoryPage, error) {
	var p editlock.HistoryPage
	for _, e := range f.entries {
		if q.ID == nil || *q.ID == e.ID {
			p.Entries = append(p.Entries, e)
		}
	}
	return p, f.err
}

func person(name string) editlock.Owner {
	user := strings.ToLower(name)
	return editlock.Owner{Session: "s-" + user, UserID: user, Login: user, Name: name, Host: "desk-" + user}
}

// held is a mutex as it stands at epoch.
func held(id editlock.ID, by editlock.Owner, since, left time.Duration) editlock.Mutex {
	return editlock.Mutex{
		ID: id, Owner: by, Token: 7, AutoRelease: editlock.TimeoutAutoRelease(5 * time.Minute),
		CapturedAt: epoch.Add(-since), RefreshedAt: epoch.Add(-time.Minute), ExpiresAt: epoch.Add(left), AsOf: epoch,
	}
}

// office is a small table with one of everything.
func office() *fixed {
	contract := held(editlock.ID{Group: "crm", Mode: "contract", ID: "2417"}, person("Ivanov"), 2*time.Hour, 4*time.Minute)
	contract.StatusData = "tab 81f0"
	contract.Waiters = []editlock.Waiter{
		{ID: "w1", Owner: person("Petrova"), Since: epoch.Add(-3 * time.Minute), Message: "Only the date, please", GrantAt: epoch.Add(time.Minute)},
		{ID: "w2", Owner: person("Sidorova"), Since: epoch.Add(-time.Minute)},
	}
	contract.Waiting = 2
	invoice := held(editlock.ID{Group: "crm", Mode: "invoice", ID: "1093"}, person("Petrova"), 5*time.Minute, 2*time.Minute)
	invoice.Token, invoice.AutoRelease.MaxHold = 9, 8*time.Hour
	job := held(editlock.ID{ID: "nightly import"}, editlock.Owner{Session: "cron-1", Host: "batch"}, 26*time.Hour, 0)
	job.ExpiresAt, job.AutoRelease = time.Time{}, editlock.Never
	return &fixed{
		mutexes: []editlock.Mutex{job, contract, invoice}, // as their names sort
		entries: []editlock.Event{
			{Seq: 9, Kind: editlock.KindHandedOver, ID: invoice.ID, Owner: person("Kim"), Actor: person("Kim"), Other: person("Petrova"), At: epoch.Add(-5 * time.Minute), Reason: "no_answer"},
			{Seq: 8, Kind: editlock.KindForceReleased, ID: invoice.ID, Owner: person("Ivanov"), Actor: person("Sidorova"), At: epoch.Add(-time.Hour), Reason: "gone home"},
			{Seq: 7, Kind: editlock.KindTakenOver, Token: contract.Token, ID: contract.ID, Owner: person("Ivanov"), Actor: person("Ivanov"), Other: person("Kim"), At: epoch.Add(-2 * time.Hour), Reason: "urgent"},
			{Seq: 6, Kind: editlock.KindExpired, ID: contract.ID, Owner: person("Chen"), At: epoch.Add(-3 * time.Hour)},
			{Seq: 5, Kind: editlock.KindCaptured, ID: contract.ID, Owner: person("Chen"), Actor: person("Chen"), At: epoch.Add(-26 * time.Hour)},
		},
	}
}

// visitor asks a manager as one browser would.
type visitor struct {
	t       *testing.T
	manager http.Handler
	headers map[string]string
}

// visit returns a visitor who has said a name; none if it is empty.
func visit(t *testing.T, l editlock.Locker, name string) *visitor {
	t.Helper()
	v := &visitor{t: t, manager: New(l, &Options{Demo: true}), headers: map[string]string{}}
	if name != "" {
		res, _ := v.do("/ui/me", "name="+name)
		var cookies []string
		for _, c := range res.cookies {
			cookies = append(cookies, c.Name+"="+c.Value)
		}
		v.headers["Cookie"] = strings.Join(cookies, "; ")
	}
	return v
}

// answer is what came back, its body aside.
type answer struct {
	Status     string
	StatusCode int
	Header     http.Header
	cookies    []*http.Cookie
}

// do sends a request and returns the answer with its body. A form makes it a
// POST.
func (v *visitor) do(address string, form ...string) (answer, string) {
	v.t.Helper()
	r := httptest.NewRequest(http.MethodGet, address, nil)
	if len(form) > 0 {
		r = httptest.NewRequest(http.MethodPost, address, strings.NewReader(strings.Join(form, "&")))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range v.headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	v.manager.ServeHTTP(w, r)
	res := w.Result()
	_ = res.Body.Close()
	return answer{res.Status, res.StatusCode, res.Header, res.Cookies()}, w.Body.String()
}

// get returns a page that must be there.
func (v *visitor) get(address string) string {
	v.t.Helper()
	res, body := v.do(address)
	if res.StatusCode != http.StatusOK {
		v.t.Fatalf("GET %s: %s", address, res.Status)
	}
	return body
}
