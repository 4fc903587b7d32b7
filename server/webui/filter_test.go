package webui

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

// idsOn are the names of the locks on a page, in its order.
func idsOn(body string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`class="what"><a href="[^"]*"><bdi>([^<]*)</bdi></a>`).FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return out
}

// countsOn are the numbers at the top of a page.
func countsOn(body string) map[string]string {
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`<dt>([^<]*)</dt><dd>([\d,+]+)</dd>`).FindAllStringSubmatch(body, -1) {
		out[m[1]] = m[2]
	}
	return out
}

func TestList_ShowsWhatTheFilterLeaves(t *testing.T) {
	l := office()
	gone := held(editlock.ID{Group: "zzz", ID: "expired"}, person("Chen"), time.Hour, -time.Second)
	l.mutexes = append(l.mutexes, gone)
	v := visit(t, l, "PETROVA")
	all := []string{"nightly import", "2417", "1093"}
	for address, want := range map[string][]string{
		"/":                            all,
		"/?group=crm":                  {"2417", "1093"},
		"/?mode=invoice":               {"1093"},
		"/?group=crm&mode=nothing":     nil,
		"/?person=u:ivanov":            {"2417"},
		"/?person=s:cron-1":            {"nightly import"},
		"/?mine=1":                     {"1093"},
		"/?waited=1":                   {"2417"},
		"/?q=CRM/CON":                  {"2417"},
		"/?q=TAB+81":                   {"2417"},
		"/?q=desk-petrova":             {"1093"},
		"/?q=s-ivanov":                 {"2417"},
		"/?q=ivan&group=crm&waited=1":  {"2417"},
		"/?sort=since":                 {"nightly import", "2417", "1093"},
		"/?sort=until":                 {"1093", "2417", "nightly import"},
		"/?sort=waiting":               {"2417", "nightly import", "1093"},
		"/?sort=-name":                 {"1093", "2417", "nightly import"},
		"/?sort=who":                   {"nightly import", "2417", "1093"},
		"/?sort=-who":                  {"1093", "2417", "nightly import"},
		"/?sort=-since":                {"1093", "2417", "nightly import"},
		"/?sort=-until":                {"nightly import", "2417", "1093"},
		"/?sort=-waiting":              {"1093", "nightly import", "2417"},
		"/?sort=nonsense&after=zzz":    all,
		"/?sort=-nonsense&page=-7":     all,
		"/?page=99":                    all,
		"/?after=0..crm/contract/2417": {"1093"},
		"/?after=0..crm/contract/2417&sort=-name": {"nightly import"},
	} {
		if diff := cmp.Diff(want, idsOn(v.get(address))); diff != "" {
			t.Errorf("%s shows the wrong locks (-want +got):\n%s", address, diff)
		}
	}
}

func TestList_SearchesInAllScriptsAndLetterCases(t *testing.T) {
	o := person("Ёлкина")
	v := visit(t, &fixed{mutexes: []editlock.Mutex{held(editlock.ID{ID: "счёт 7"}, o, time.Hour, time.Hour)}}, "")
	for _, text := range []string{"ёЛКИН", "СЧЁТ 7", "//счёт"} {
		if got := idsOn(v.get("/?q=" + url.QueryEscape(text))); len(got) != 1 {
			t.Errorf("%q finds %q", text, got)
		}
	}
}

// crowd is n locks of 50 people in 4 groups, named so that they sort.
func crowd(n int) *fixed {
	l := &fixed{}
	for i := range n {
		m := held(editlock.ID{Group: "g" + fmt.Sprint(i*4/n), Mode: "m", ID: fmt.Sprintf("%06d", i)}, person(fmt.Sprintf("Person%02d", i%50)), time.Duration(i%977)*time.Second, time.Hour)
		m.Waiting = i % 3
		l.mutexes = append(l.mutexes, m)
	}
	return l
}

func TestList_CountsAllPages(t *testing.T) {
	v := visit(t, crowd(2345), "")
	body := v.get("/")
	if diff := cmp.Diff(map[string]string{"locks": "2,345", "people": "50", "waiting": "2,344"}, countsOn(body)); diff != "" {
		t.Errorf("counts of everything: %s", diff)
	}
	if !strings.Contains(body, "1–50 of 2,345") {
		t.Error("the page does not say which part it is")
	}
	if diff := cmp.Diff(map[string]string{"locks": "47", "people": "1", "waiting": "46", "held in all": "2,345"}, countsOn(v.get("/?person=u:person07"))); diff != "" {
		t.Errorf("counts of a person: %s", diff)
	}
}

func TestList_ReadsSoManyLocksAndSaysSo(t *testing.T) {
	l := crowd(maxLocks + 1)
	body := visit(t, l, "").get("/?person=u:person07")
	if got := countsOn(body)["held in all"]; got != "100,000+" {
		t.Errorf("counts %q in all", got)
	}
	if !strings.Contains(body, "the first 100,000 by name") {
		t.Error("it does not say that there is more")
	}
	if l.lists > maxLocks/editlock.MaxPage {
		t.Errorf("it read %d pages", l.lists)
	}
}

// The first of all locks by name may be others', and so many that a reader's own
// are behind them.
func TestList_ShowsWhatItsReaderMaySeeBehindAllThatIsRead(t *testing.T) {
	l := crowd(maxLocks + 1)
	for i := range 3 {
		l.mutexes = append(l.mutexes, held(editlock.ID{Group: "zpublic", ID: fmt.Sprint(i)}, person("Shown"), time.Minute, time.Hour))
	}
	v := visit(t, l, "")
	v.manager = New(l, &Options{Identify: func(r *http.Request) Identity {
		return Identity{Visible: []editlock.Area{{Group: r.Header.Get("Sees"), Mode: "*"}}}
	}})
	for _, test := range []struct {
		sees, address, locks string
		says                 bool
	}{
		{"zpublic", "/", "3", false},
		{"zpublic", "/?person=u:shown", "3", false},
		{"zpublic", "/?q=0", "1", false},
		{"nothing", "/", "0", false},
		{"g0", "/", "10,000", true},
	} {
		v.headers["Sees"] = test.sees
		body := v.get(test.address)
		if got := strings.TrimSuffix(countsOn(body)["locks"], "+"); got != test.locks || strings.Contains(body, "There are more locks than this page reads") != test.says {
			t.Errorf("who sees %s is shown %q locks at %s; more: %v", test.sees, got, test.address, test.says)
		}
	}
	if waits := v.get("/ui/person?who=u:person07"); strings.Contains(waits, "g1/") {
		t.Error("a person's page names locks that its reader may not see")
	}
}

func TestPager_VisitsEveryLockOnce(t *testing.T) {
	for _, order := range []string{"", "-name", "who", "-who", "since", "-since", "until", "-until", "waiting", "-waiting"} {
		l := crowd(487)
		v := visit(t, l, "")
		seen := map[string]int{}
		var pages []string
		column, isTurned := readSort(order)
		for at := (filter{Sort: column, Turned: isTurned}).address(); at != ""; {
			body := v.get(at)
			for _, id := range idsOn(body) {
				seen[id]++
			}
			pages = append(pages, at)
			at = linkOn(body, "Next")
		}
		if len(seen) != 487 || len(pages) != 10 || slices.Max(slices.Collect(mapValues(seen))) != 1 {
			t.Errorf("ordered %q: %d locks on %d pages, want 487 once each on 10", order, len(seen), len(pages))
		}
		for i := len(pages) - 1; i > 0; i-- {
			if got := linkOn(v.get(pages[i]), "Previous"); got != pages[i-1] {
				t.Errorf("ordered %q: before page %d is %q, want %q", order, i+1, got, pages[i-1])
			}
		}
	}
}

func TestPager_GoesOnWhereItWasThoughLocksCameAndWent(t *testing.T) {
	l := crowd(200)
	next := linkOn(visit(t, l, "").get("/"), "Next") // after 000049
	l.mutexes = append(l.mutexes[:20:20], l.mutexes[50:]...)

	got := idsOn(visit(t, l, "").get(next))
	if len(got) != 50 || got[0] != "000050" {
		t.Errorf("the second page has %d locks from %q on, want 50 from 000050", len(got), got[0])
	}
	l.mutexes = l.mutexes[:20]
	if got := idsOn(visit(t, l, "").get(next)); len(got) != 20 {
		t.Errorf("a page behind the end shows %d locks, want the last 20", len(got))
	}
}

func TestPager_NumbersPagesAndLeadsToThem(t *testing.T) {
	v := visit(t, crowd(487), "")
	for _, test := range []struct {
		address, here, range_ string
		numbers               []string
	}{
		{"/", "1", "1–50 of 487", []string{"1", "2", "3", "…", "10"}},
		{"/?page=5", "5", "201–250 of 487", []string{"1", "…", "3", "4", "5", "6", "7", "…", "10"}},
		{"/?page=10&sort=-since", "10", "451–487 of 487", []string{"1", "…", "8", "9", "10"}},
		{"/?page=11", "10", "451–487 of 487", []string{"1", "…", "8", "9", "10"}},
		{"/?page=9223372036854775807", "10", "451–487 of 487", []string{"1", "…", "8", "9", "10"}},
		{"/?page=x", "1", "1–50 of 487", []string{"1", "2", "3", "…", "10"}},
		{"/?after=0..g0/m/000002", "2", "4–53 of 487", []string{"1", "2", "3", "4", "…", "11"}},
		{"/?q=g1/&page=3", "3", "101–122 of 122", []string{"1", "2", "3"}},
	} {
		body := v.get(test.address)
		var numbers []string
		for _, m := range regexp.MustCompile(`<li[^>]*>(?:<[^>]*><span class="hidden">Page</span> )?([\d…]+)<`).FindAllStringSubmatch(body, -1) {
			numbers = append(numbers, m[1])
		}
		if diff := cmp.Diff(test.numbers, numbers); diff != "" {
			t.Errorf("%s has the wrong numbers: %s", test.address, diff)
		}
		if !strings.Contains(body, test.range_) || !strings.Contains(body, `aria-current="page"><span class="hidden">Page</span> `+test.here+`</span>`) {
			t.Errorf("%s is not page %s with %s", test.address, test.here, test.range_)
		}
	}
	body := v.get("/?q=person&sort=-who&waited=1")
	for _, field := range []string{`name="q" value="person"`, `name="sort" value="-who"`, `name="waited" value="1"`} {
		if !strings.Contains(body, `<input type="hidden" `+field+`>`) {
			t.Errorf("the form for a page's number forgets %s", field)
		}
	}
}

func TestList_SaysHowItIsOrderedAndHowItCanBe(t *testing.T) {
	v := visit(t, office(), "")
	heading := regexp.MustCompile(`<th scope="col" role="columnheader"(?: aria-sort="(\w+)")?><a class="sort" id="col\.(\w+)" href="\./([^"]*)">`)
	for _, test := range []struct {
		address string
		want    map[string][2]string // aria-sort and what a click leads to, by column
	}{
		{"/?q=crm", map[string][2]string{
			"lock": {"ascending", "?q=crm&sort=-name"}, "who": {"", "?q=crm&sort=who"}, "since": {"", "?q=crm&sort=since"},
			"until": {"", "?q=crm&sort=until"}, "waiting": {"", "?q=crm&sort=waiting"},
		}},
		{"/?sort=waiting&page=1", map[string][2]string{
			"lock": {"", ""}, "who": {"", "?sort=who"}, "since": {"", "?sort=since"}, "until": {"", "?sort=until"},
			"waiting": {"descending", "?sort=-waiting"},
		}},
		{"/?sort=-until", map[string][2]string{
			"lock": {"", ""}, "who": {"", "?sort=who"}, "since": {"", "?sort=since"}, "until": {"descending", "?sort=until"},
			"waiting": {"", "?sort=waiting"},
		}},
	} {
		got := map[string][2]string{}
		for _, m := range heading.FindAllStringSubmatch(v.get(test.address), -1) {
			got[m[2]] = [2]string{m[1], strings.ReplaceAll(m[3], "&amp;", "&")}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.address, diff)
		}
	}
}

// Neither an order nor a number of pages depends on locks that a reader may not
// see.
func TestList_IsOrderedAndNumberedAsIfNothingElseWereHeld(t *testing.T) {
	all, own := crowd(400), &fixed{}
	for _, m := range all.mutexes {
		if m.ID.Group == "g2" {
			own.mutexes = append(own.mutexes, m)
		}
	}
	sees := func(l editlock.Locker) *visitor {
		v := visit(t, l, "")
		v.manager = New(l, &Options{Demo: true, Identify: func(*http.Request) Identity {
			return Identity{Visible: []editlock.Area{{Group: "g2", Mode: "*"}}}
		}})
		return v
	}
	some, alone := sees(all), sees(own)
	for _, sort := range orders {
		for _, page := range []string{"", "&page=2", "&page=9", "&after=0..g1/m/000150", "&q=person1"} {
			at := "/?sort=" + sort.Value + page
			want, got := alone.get(at), some.get(at)
			if diff := cmp.Diff(varying.ReplaceAllString(want, ""), varying.ReplaceAllString(got, "")); diff != "" {
				t.Errorf("%s tells of what is not shown (-alone +among others):\n%s", at, diff)
			}
		}
	}
}

func mapValues(m map[string]int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

func linkOn(body, text string) string {
	m := regexp.MustCompile(`<a href="([^"]*)"[^>]*>` + text + `</a>`).FindStringSubmatch(body)
	if m == nil {
		return ""
	}
	return strings.TrimPrefix(strings.ReplaceAll(m[1], "&amp;", "&"), ".") // as a browser makes of it at the root
}

func TestScan_IsSharedByReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // all within a moment, however busy the machine
		l := crowd(10)
		h := New(l, nil)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)) })
		}
		wg.Wait()
		if l.lists != 1 {
			t.Errorf("20 readers cost %d scans, want 1", l.lists)
		}
	})
}

func TestScan_IsNotKeptIfItFailed(t *testing.T) {
	l := office()
	v := visit(t, l, "")
	l.err = errors.New("away")
	if res, _ := v.do("/"); res.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("answered %s", res.Status)
	}
	l.err = nil
	if got := idsOn(v.get("/")); len(got) != 3 {
		t.Errorf("shows %q after the store came back", got)
	}
}

func BenchmarkFilter10000Locks(b *testing.B) {
	l := crowd(10_000)
	for name, address := range map[string]string{"all": "/", "person": "/?person=u:person07", "text": "/?q=person07", "since": "/?sort=since&q=g1"} {
		h := New(l, nil)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
