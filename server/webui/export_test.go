package webui

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
)

// long is a Locker with a history of many entries, in pages.
type long struct {
	*fixed
	entries int
	asked   []editlock.HistoryQuery
	before  func(call int) error
}

func (l *long) History(ctx context.Context, q editlock.HistoryQuery) (editlock.HistoryPage, error) {
	l.asked = append(l.asked, q)
	if l.before != nil {
		if err := l.before(len(l.asked)); err != nil {
			return editlock.HistoryPage{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return editlock.HistoryPage{}, err
	}
	from, _ := strconv.Atoi(q.Cursor)
	var p editlock.HistoryPage
	for i := from; i < min(from+q.Limit, l.entries); i++ {
		id := editlock.ID{Group: "crm", Mode: "contract", ID: fmt.Sprint(i % 7)}
		p.Entries = append(p.Entries, editlock.Event{Seq: uint64(l.entries - i), Kind: editlock.KindCaptured, ID: id, Owner: person("Kim"), Actor: person("Kim"), Token: 7, At: epoch})
	}
	if from+q.Limit < l.entries {
		p.Next = strconv.Itoa(from + q.Limit)
	}
	return p, nil
}

func TestExport_HasAllThatTheFilterLeaves(t *testing.T) {
	l := &long{fixed: office(), entries: 2*editlock.MaxPage + 5}
	v := visit(t, l, "")
	res, body := v.do("/ui/history.json?group=crm&mode=contract&user=kim&kind=captured&from=2026-03-01&to=2026-03-02T00:00:00%2B03:00&q=x")
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/json" || !strings.HasPrefix(res.Header.Get("Content-Disposition"), `attachment; filename="editlock-history-2026`) {
		t.Fatalf("%s, %v", res.Status, res.Header)
	}
	var got wire.HistoryAnswer
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Next != nil || len(got.Entries) != l.entries {
		t.Fatalf("%d entries, %v", len(got.Entries), err)
	}
	want := editlock.HistoryQuery{
		Group: "crm", Mode: "contract", UserID: "kim", Kinds: []editlock.EventKind{editlock.KindCaptured}, Text: "x", Limit: editlock.MaxPage,
		From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 2, 21, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, l.asked[0]); diff != "" || len(l.asked) != 3 {
		t.Errorf("asked %d times for %s", len(l.asked), diff)
	}

	l.asked = nil
	_, body = v.do("/ui/history.csv?object=3")
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
	if err != nil || len(lines) != 1+(l.entries+3)/7 || l.asked[0].Text != "3" {
		t.Errorf("%d lines, %v, asked for %q", len(lines), err, l.asked[0].Text)
	}
}

func TestExport_IsForSpreadsheets(t *testing.T) {
	l := office()
	l.entries = []editlock.Event{{
		Seq: 9, Kind: editlock.KindTakenOver, ID: editlock.ID{Group: "=1+1", Mode: "@x", ID: `a"b;c,d`}, Token: 12, At: epoch.Add(1500 * time.Millisecond),
		Owner: editlock.Owner{Session: "-s", UserID: "+7", Login: "\tl", Name: "Анна"}, Actor: editlock.Owner{Session: "s", Name: "＝1"}, Reason: "-- none",
	}}
	v := visit(t, l, "")
	for lang, separator := range map[string]string{"en": ",", "ru": ";"} {
		v.headers["Accept-Language"] = lang
		res, body := v.do("/ui/history.csv")
		quoted := `"a""b;c,d"`
		want := "\ufeff" + strings.ReplaceAll("seq|at_utc|kind|group|mode|id|part|below|owner_name|owner_user_id|owner_login|owner_host|owner_session|owner_kind|owner_on_behalf_of|"+
			"actor_name|actor_user_id|actor_login|actor_host|actor_session|actor_kind|actor_on_behalf_of|other_name|other_user_id|other_login|other_host|other_session|other_kind|other_on_behalf_of|token|reason\r\n"+
			"9|2026-03-01 10:00:01.500|taken_over|'=1+1|'@x|"+quoted+"|||Анна|'+7|'\tl||'-s|person||'＝1||||s|person|||||||||12|'-- none\r\n", "|", separator)
		if diff := cmp.Diff(want, body); diff != "" || res.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Errorf("in %s, as %s: %s", lang, res.Header.Get("Content-Type"), diff)
		}
	}
}

func TestExport_AnswersWithAPageWhereItCannotBegin(t *testing.T) {
	l := &long{fixed: office(), entries: 1}
	v := visit(t, l, "")
	for address, want := range map[string]int{
		"/ui/history.csv?from=yesterday": http.StatusBadRequest,
		"/ui/history.csv":                http.StatusForbidden,
		"/ui/history.xml":                http.StatusNotFound,
	} {
		l.before = func(int) error { return editlock.ErrForbidden }
		if res, body := v.do(address); res.StatusCode != want || !strings.Contains(body, "<h1>") {
			t.Errorf("%s: %s", address, res.Status)
		}
	}
}

// A file that is not whole must not look like one.
func TestExport_IsCutOffWhereTheStoreFails(t *testing.T) {
	l := &long{fixed: office(), entries: 3 * editlock.MaxPage, before: func(call int) error {
		if call == 2 {
			return editlock.ErrUnavailable
		}
		return nil
	}}
	server := httptest.NewServer(New(l, nil))
	defer server.Close()
	for _, format := range []string{"csv", "json"} {
		l.asked = nil
		res, err := http.Get(server.URL + "/ui/history." + format)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err == nil || bytes.Count(body, []byte("captured")) != editlock.MaxPage {
			t.Errorf("%s ends with %v after %d entries", format, err, bytes.Count(body, []byte("captured")))
		}
	}
}

// pieces tells what has been written.
type pieces struct {
	*httptest.ResponseRecorder
	flushed func(written int)
}

func (p pieces) Flush() { p.flushed(p.Body.Len()) }

func TestExport_ComesInPiecesAndEndsWhenItsReaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &long{fixed: office(), entries: 1000 * editlock.MaxPage}
		l.before = func(int) error {
			time.Sleep(time.Second)
			return nil
		}
		h := New(l, nil)
		ctx, leave := context.WithCancel(t.Context())
		flushes := 0
		w := pieces{httptest.NewRecorder(), func(written int) {
			if flushes++; written/flushes > 300*editlock.MaxPage || flushes == 3 {
				leave()
			}
		}}
		begun := time.Now()
		defer func() {
			if cause := recover(); cause != http.ErrAbortHandler { //nolint:errorlint // the very value
				t.Errorf("it ended by %v", cause)
			}
			if took := time.Since(begun); flushes != 3 || len(l.asked) != 3 || took != 5*time.Second {
				t.Errorf("%d pieces of %d questions in %v, want 3 of a second with rests as long between", flushes, len(l.asked), took)
			}
		}()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/ui/history.csv", nil))
	})
}

func TestExport_CountsAgainstTheReadersRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &long{fixed: office(), entries: 3 * editlock.MaxPage}
		counted, refused := 0, 0
		h := New(l, &Options{Items: func(_ *http.Request, items int) error {
			if counted += items - 1; counted == 2 && refused < 3 {
				counted, refused = 1, refused+1
				return editlock.ErrLimited
			}
			return nil
		}})
		begun := time.Now()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/ui/history.json", nil))
		if took := time.Since(begun); counted != 2 || refused != 3 || took != 3*rateRest || !strings.HasSuffix(w.Body.String(), "null}\n") {
			t.Errorf("%d more requests were counted, %d refused, in %v: %.60s", counted, refused, took, w.Body)
		}
	})
}

func TestExport_LeavesRoomForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &long{fixed: office(), entries: 1, before: func(int) error {
			time.Sleep(time.Minute)
			return nil
		}}
		h := New(l, &Options{Identify: func(r *http.Request) Identity { return Identity{Owner: person(r.Header.Get("Who"))} }})
		var mu sync.Mutex
		got := map[string]int{}
		var all sync.WaitGroup
		for _, who := range []string{"Kim", "Kim", "Chen", "Chen", "Ivanov", "Ito", "Weber"} {
			all.Go(func() {
				r := httptest.NewRequest(http.MethodGet, "/ui/history.csv", nil)
				r.Header.Set("Who", who)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				mu.Lock()
				defer mu.Unlock()
				got[fmt.Sprint(who, " ", w.Code)]++
			})
			synctest.Wait()
		}
		all.Wait()
		if diff := cmp.Diff(map[string]int{"Kim 200": 1, "Kim 429": 1, "Chen 200": 1, "Chen 429": 1, "Ivanov 200": 1, "Ito 200": 1, "Weber 429": 1}, got); diff != "" {
			t.Error(diff)
		}
		r := httptest.NewRequest(http.MethodGet, "/ui/history.csv", nil)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("after them: %d", w.Code)
		}
	})
}

func TestExport_EndsWithTheReadersCredentials(t *testing.T) {
	l := &long{fixed: office(), entries: 2 * editlock.MaxPage}
	ended := errors.New("the login has ended")
	h := New(l, &Options{While: func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithCancelCause(ctx)
		l.before = func(call int) error {
			if call == 2 {
				cancel(ended)
			}
			return nil
		}
		return ctx, func() { cancel(nil) }
	}})
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler { //nolint:errorlint // the very value
			t.Errorf("it ended by %v", cause)
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/ui/history.csv", nil))
	t.Error("it went on")
}
