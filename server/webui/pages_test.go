package webui

import (
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

var update = flag.Bool("update", false, "rewrite the pages in testdata")

// What differs from run to run: the time, the browser's secret, the assets.
var varying = regexp.MustCompile(`data-now="[^"]*"|/ui/assets/[0-9a-f]+`)

func TestPages_AreAsInTestdata(t *testing.T) {
	for _, tc := range []struct {
		name, who, lang, address string
		form                     []string
		locker                   *fixed
	}{
		{name: "list", who: "Petrova", address: "/"},
		{name: "list-stranger-ru", lang: "ru", address: "/?q=ivan&sort=since"},
		{name: "list-none", who: "Petrova", address: "/?q=nothing+like+it"},
		{name: "list-empty", address: "/", locker: &fixed{}},
		{name: "mine-ru", who: "petrova", lang: "ru", address: "/?mine=1"},
		{name: "lock", who: "Petrova", address: "/ui/lock?id=crm/contract/2417"},
		{name: "lock-never-ru", lang: "ru", address: "/ui/lock?id=//nightly%2520import"},
		{name: "lock-free", who: "Petrova", address: "/ui/lock?id=crm/contract/1"},
		{name: "person", who: "Kim", address: "/ui/person?who=u:petrova"},
		{name: "person-session", address: "/ui/person?who=s:cron-1"},
		{name: "history-ru", lang: "ru", address: "/ui/history"},
		{name: "confirm-release", who: "Petrova", address: "/ui/confirm?do=release", form: []string{"lock=crm/contract/2417+7&lock=crm/invoice/1093+8"}},
		{name: "confirm-takeover-ru", who: "Kim", lang: "ru", address: "/ui/confirm?do=takeover", form: []string{"one=crm/contract/2417+7"}},
		{name: "me-ru", lang: "ru", address: "/ui/me?back=/ui/history"},
		{name: "list-shared", who: "Petrova", address: "/", locker: readers()},
		{name: "list-shared-ru", lang: "ru", address: "/", locker: readers()},
		{name: "lock-shared-ru", who: "Petrova", lang: "ru", address: "/ui/lock?id=crm/report/7", locker: readers()},
		{name: "lock-limit", who: "Petrova", address: "/ui/lock?id=etl/import/nightly", locker: readers()},
		{name: "confirm-release-shared", who: "Petrova", address: "/ui/confirm?do=release", form: []string{"lock=crm/report/7+4&lock=etl/import/nightly+8"}, locker: readers()},
		{name: "confirm-takeover-limit-ru", who: "Kim", lang: "ru", address: "/ui/confirm?do=takeover", form: []string{"one=etl/import/nightly+9"}, locker: readers()},
		{name: "list-paths", who: "Petrova", address: "/", locker: paths()},
		{name: "list-paths-ru", lang: "ru", address: "/", locker: paths()},
		{name: "lock-all", who: "Kim", address: "/ui/lock?id=crm/contract/", locker: paths()},
		{name: "lock-part-ru", who: "Kim", lang: "ru", address: "/ui/lock?id=crm/contract/7%23address", locker: paths()},
		{name: "confirm-release-all", who: "Kim", address: "/ui/confirm?do=release", form: []string{"one=crm/contract/+3"}, locker: paths()},
		{name: "confirm-release-all-ru", who: "Kim", lang: "ru", address: "/ui/confirm?do=release", form: []string{"one=crm/contract/+3"}, locker: paths()},
		{name: "confirm-takeover-part", who: "Kim", address: "/ui/confirm?do=takeover", form: []string{"one=crm/contract/7%23lines+6"}, locker: paths()},
		{name: "list-kinds", who: "Anna", address: "/", locker: helpers()},
		{name: "list-kinds-ru", who: "Anna", lang: "ru", address: "/", locker: helpers()},
		{name: "lock-agent", who: "Anna", address: "/ui/lock?id=crm/contract/7", locker: helpers()},
		{name: "person-agent-ru", who: "Anna", lang: "ru", address: "/ui/person?who=u:assistant", locker: helpers()},
		{name: "history-kinds-ru", who: "Anna", lang: "ru", address: "/ui/history", locker: helpers()},
		{name: "tree", who: "Kim", address: treeOf(address7), locker: paths()},
		{name: "tree-folded-ru", lang: "ru", address: "/ui/tree", locker: readers()},
		{name: "tree-ru", lang: "ru", address: "/ui/tree?open=crm/&open=crm/report/&open=etl/&open=etl/import/", locker: readers()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.locker == nil {
				tc.locker = office()
			}
			v := visit(t, tc.locker, tc.who)
			if tc.lang != "" {
				v.headers["Accept-Language"] = tc.lang
			}
			res, body := v.do(tc.address, tc.form...)
			if res.StatusCode != http.StatusOK {
				t.Fatalf("answered %s", res.Status)
			}
			got := varying.ReplaceAllString(body, "VARYING")
			path := filepath.Join("testdata", tc.name+".html")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the page differs from %s (-update rewrites it):\n%s", path, diff)
			}
		})
	}
}

// hostile are owners, names and texts that would be markup if they could.
const probe = `<img src=x onerror=alert(1)>"'&lt;{{.}}`

func TestPages_ShowHostileTextAsText(t *testing.T) {
	o := editlock.Owner{Session: "s" + probe, UserID: "u" + probe, Login: "l" + probe, Name: "n" + probe, Host: "h" + probe}
	m := held(editlock.ID{Group: "g" + probe, Mode: "m" + probe, ID: "i" + probe}, o, time.Hour, time.Hour)
	m.StatusData = "d" + probe
	m.Waiters, m.Waiting = []editlock.Waiter{{ID: probe, Owner: o, Since: epoch, Message: "w" + probe}}, 1
	l := &fixed{mutexes: []editlock.Mutex{m}, entries: []editlock.Event{
		{Seq: 1, Kind: editlock.KindTakenOver, ID: m.ID, Owner: o, Actor: o, Other: o, At: epoch, Reason: "r" + probe},
	}}
	v := visit(t, l, "n%3Cimg+src=x%3E")
	q := strings.NewReplacer("<", "%3C", ">", "%3E", `"`, "%22", " ", "+", "&", "%26", "'", "%27", "{", "%7B", "}", "%7D", ";", "%3B").Replace(probe)
	id := strings.NewReplacer("%", "%25", "&", "%26", `"`, "%22", "<", "%3C", ">", "%3E", " ", "+", "+", "%2B", ";", "%3B", "#", "%23").Replace(m.ID.String())
	key := id + "+7"
	for _, tc := range []struct {
		address string
		form    []string
		shows   []string // the first letters of the probes that must be seen
	}{
		{address: "/", shows: []string{"i", "g", "m", "d", "n", "h"}},
		{address: "/?q=" + q + "&person=u:" + q + "&group=" + q + "&mode=" + q, shows: []string{"value=\""}},
		{address: "/ui/lock?id=" + id, shows: []string{"i", "g", "m", "d", "n", "h", "s", "u", "l", "w", "r"}},
		{address: "/ui/person?who=u:u" + q, shows: []string{"n", "u", "l", "w", "i", "r"}},
		{address: "/ui/person?who=s:" + q},
		{address: "/ui/history?x=" + q, shows: []string{"i", "g", "m", "n", "r"}},
		{address: "/ui/confirm?do=release", form: []string{"one=" + key, "reason=" + q, "back=/?q=" + q}, shows: []string{"i", "n"}},
		{address: "/ui/act?do=takeover", form: []string{"one=" + key, "reasoned=1", "reason="}},
		{address: "/ui/me?back=/ui/" + q},
		{address: "/ui/nowhere/" + q},
	} {
		_, body := v.do(tc.address, tc.form...)
		if strings.Contains(body, "<img src=x") || strings.Contains(body, `onerror=alert(1)>`) {
			t.Errorf("%s: the probe became markup", tc.address)
		}
		for _, letter := range tc.shows {
			if !strings.Contains(body, letter+"&lt;img src=x onerror=alert(1)&gt;") && !strings.Contains(body, letter+"&lt;img src=x") {
				t.Errorf("%s does not show the text that begins with %q", tc.address, letter)
			}
		}
	}
}

// turning is a text that would turn round what is around it, if it could: by
// its letters, and by ending the isolation that it is shown in.
const turning = "שם\u2069\u202e"

// isolations are where a text keeps to itself, as a badge does, and the values that no
// reader sees.
var isolations = regexp.MustCompile(`(?s)<bdi>.*?</bdi>|<span class="badge[^>]*>|\x{2068}[^\x{2069}]*\x{2069}| (?:value|href|placeholder|data-key)="[^"]*"|<textarea.*?</textarea>`)

func TestPages_KeepTheOrderOfTextWhateverNamesAreWrittenIn(t *testing.T) {
	o := editlock.Owner{Session: "s" + turning, UserID: "u" + turning, Login: "l" + turning, Name: "n" + turning, Host: "h" + turning}
	id := editlock.ID{Group: "g" + turning, Mode: "m" + turning, ID: "i" + turning}
	m := held(id, o, time.Hour, time.Hour)
	m.StatusData = "d" + turning
	m.Waiters, m.Waiting = []editlock.Waiter{{ID: "w", Owner: o, Since: epoch, Message: "w" + turning}}, 1
	l := &fixed{mutexes: []editlock.Mutex{m}, entries: []editlock.Event{
		{Seq: 1, Kind: editlock.KindTakenOver, ID: id, Owner: o, Actor: o, Other: o, At: epoch, Reason: "r" + turning},
	}}
	v := visit(t, l, "דוד")
	name, who := url.QueryEscape(id.String()), url.QueryEscape("u:u"+turning)
	for _, tc := range []struct {
		address string
		form    []string
	}{
		{address: "/"},
		{address: "/?mine=1"},
		{address: "/ui/lock?id=" + name},
		{address: "/ui/person?who=" + who},
		{address: "/ui/history"},
		{address: "/ui/confirm?do=release", form: []string{"one=" + name + "+7"}},
		{address: "/ui/confirm?do=takeover", form: []string{"one=" + name + "+7&one=" + name + "+8"}},
		{address: "/ui/confirm?do=takeover", form: []string{"one=" + name + "+8"}}, // not as the reader saw it
		{address: "/ui/act?do=takeover", form: []string{"one=" + name + "+7&reasoned=1&reason="}},
		{address: "/ui/act?do=release", form: []string{"lock=a+8"}}, // an outcome
	} {
		_, body := v.do(tc.address, tc.form...)
		if strings.ContainsAny(regexp.MustCompile(` (?:value|href)="[^"]*"`).ReplaceAllString(body, ""), "\u202a\u202b\u202c\u202d\u202e\u2066\u2067") {
			t.Errorf("%s has a character in it that turns text round", tc.address)
		}
		rest := isolations.ReplaceAllString(body, "")
		for _, part := range []string{"ש", "ד"} {
			if i := strings.Index(rest, part); i >= 0 {
				t.Errorf("%s shows a name that does not keep to itself: %q", tc.address, rest[max(0, i-60):min(len(rest), i+40)])
			}
		}
	}
}

func TestPages_AreNotSentTwice(t *testing.T) {
	l := office()
	v := visit(t, l, "Petrova")
	res, _ := v.do("/")
	v.headers["If-None-Match"] = res.Header.Get("ETag")

	again, body := v.do("/")
	if again.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("unchanged: %s with %d bytes, want 304 without any", again.Status, len(body))
	}
	if _, err := time.Parse(time.RFC3339, again.Header.Get("Editlock-Now")); err != nil {
		t.Errorf("a 304 does not say what time it is: %v", err)
	}
	if other, _ := v.do("/?q=crm"); other.StatusCode != http.StatusOK {
		t.Errorf("another filter: %s, want 200", other.Status)
	}
	v.headers["Accept-Language"] = "ru"
	if other, _ := v.do("/"); other.StatusCode != http.StatusOK {
		t.Errorf("another language: %s, want 200", other.Status)
	}
}

func TestPages_SayThatTheStoreIsAway(t *testing.T) {
	v := visit(t, &fixed{err: editlock.ErrUnavailable}, "Petrova")
	for _, address := range []string{"/", "/ui/history", "/ui/lock?id=a", "/ui/person?who=u:a"} {
		res, body := v.do(address)
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %s, Retry-After %q", address, res.Status, res.Header.Get("Retry-After"))
		}
		if !strings.Contains(body, "The lock store does not answer") || !strings.Contains(body, ">Try again</a>") {
			t.Errorf("%s does not say so, or offers no way to try again:\n%s", address, body)
		}
	}
}

func TestPages_RefuseWrongAddresses(t *testing.T) {
	v := visit(t, office(), "")
	for address, want := range map[string]int{
		"/ui/lock":               http.StatusBadRequest,
		"/ui/lock?id=a/b/c/d":    http.StatusBadRequest,
		"/ui/person?who=petrova": http.StatusNotFound,
		"/ui/nowhere":            http.StatusNotFound,
	} {
		if res, _ := v.do(address); res.StatusCode != want {
			t.Errorf("%s: %s, want %d", address, res.Status, want)
		}
	}
}

func TestLanguage_IsTheReadersChoiceOrTheBrowsers(t *testing.T) {
	v := visit(t, office(), "")
	for accept, want := range map[string]string{"": "en", "ru-RU,ru;q=0.9,en;q=0.5": "ru", "de, ru;q=0.5": "ru", "de": "en", ";;": "en"} {
		v.headers["Accept-Language"] = accept
		if body := v.get("/"); !strings.Contains(body, `<html lang="`+want+`">`) {
			t.Errorf("Accept-Language %q is not answered in %s", accept, want)
		}
	}
	res, _ := v.do("/?q=a+b&lang=ru")
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "./?q=a+b" {
		t.Errorf("the switch leads to %q with %s, want the same page", got, res.Status)
	}
	v.headers["Accept-Language"], v.headers["Cookie"] = "en", res.Header.Get("Set-Cookie")
	if body := v.get("/"); !strings.Contains(body, `<html lang="ru">`) {
		t.Error("the choice is not remembered")
	}
}

func TestLocalPath_StaysInTheManager(t *testing.T) {
	for to, want := range map[string]string{
		"/?q=a": "/?q=a", "/ui/lock?id=a": "/ui/lock?id=a", "": "/", "/demo/": "/", "https://evil.example/": "/",
		"//evil.example/ui/": "/", `/\evil.example`: "/", "javascript:alert(1)": "/", "/ui/../demo": "/", "ui/x": "/",
		`/ui/..\..\demo`: "/", "/ui/%2e%2e/demo/": "/", "/?q=a#\r\nSet-Cookie: a=b": "/",
	} {
		if got := localPath(to); got != want {
			t.Errorf("localPath(%q) = %q, want %q", to, got, want)
		}
	}
}
