package webui

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

func TestHistory_AsksForWhatItsAddressSays(t *testing.T) {
	day := func(d, h int) time.Time { return time.Date(2026, 3, d, h, 0, 0, 0, time.UTC) }
	for query, want := range map[string]editlock.HistoryQuery{
		"":                                      {},
		"q=+urgent+":                            {Text: "urgent"},
		"group=crm&mode=contract&user=kim":      {Group: "crm", Mode: "contract", UserID: "kim"},
		"group=crm&mode=contract&object=2417":   {ID: &editlock.ID{Group: "crm", Mode: "contract", ID: "2417"}, Tree: true},
		"group=crm&object=2417&scope=alone":     {ID: &editlock.ID{Group: "crm", ID: "2417"}},
		"mode=contract&scope=tree&kind=expired": {ID: &editlock.ID{Mode: "contract", Below: true}, Tree: true, Kinds: []editlock.EventKind{editlock.KindExpired}},
		"group=crm&object=2417":                 {Group: "crm", Text: "2417"},
		"object=2417&q=urgent":                  {Text: "urgent"},
		"kind=expired":                          {Kinds: []editlock.EventKind{editlock.KindExpired}},
		"from=2026-03-01&to=2026-03-01":         {From: day(1, 0), To: day(2, 0)},
		"from=2026-03-01T00:00:00%2B03:00":      {From: day(1, 0).Add(-3 * time.Hour)},
		"to=2026-03-01T00:00:00-09:00&before=x": {To: day(2, 9), Cursor: "x"},
	} {
		l := &long{fixed: office(), entries: 1}
		body := visit(t, l, "").get("/ui/history?" + query)
		want.Limit = historyPage
		if diff := cmp.Diff(want, l.asked[0]); diff != "" || len(l.asked) != 1 {
			t.Errorf("%s: asked %d times for %s", query, len(l.asked), diff)
		}
		if live := want.Text == "" && want.Cursor == ""; strings.Contains(body, " data-live>") != live {
			t.Errorf("%s: a page that is kept current: %v", query, !live)
		}
	}
	v := visit(t, office(), "")
	for _, query := range []string{"from=yesterday", "to=2026-02-30", "from=2026-03-01T25:00:00Z"} {
		if res, body := v.do("/ui/history?" + query); res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "must be a day such as 2026-03-01") {
			t.Errorf("%s: %s", query, res.Status)
		}
	}
}

func TestHistory_PagesOnAndSaysWhatItHasNotSearched(t *testing.T) {
	l := &long{fixed: office(), entries: 120}
	v := visit(t, l, "")
	body := v.get("/ui/history?kind=captured")
	older := linkOn(body, "Older")
	if strings.Count(body, `<li data-key="`) != historyPage || !strings.HasSuffix(older, "/ui/history?before=50&kind=captured") {
		t.Errorf("the first page has %d entries and leads to %q", strings.Count(body, `<li data-key="`), older)
	}
	body = v.get("/ui/history?kind=captured&before=100")
	if strings.Count(body, `<li data-key="`) != 20 || linkOn(body, "Older") != "" || !strings.Contains(body, ">Newest</a>") {
		t.Error("the last page leads on, or not back")
	}

	// Of an object in any group and mode so many pages are searched, and no more.
	l.entries, l.asked = 10_000, nil
	body = v.get("/ui/history?object=nothing")
	if len(l.asked) != searchCalls || !strings.Contains(body, "Nothing was found so far") || !strings.Contains(body, ">Search what is older</a>") {
		t.Errorf("%d pages were searched", len(l.asked))
	}
	l.asked = nil
	body = v.get("/ui/history?object=3")
	if shown := strings.Count(body, `<li data-key="`); shown < historyPage/2 || shown != strings.Count(body, "<bdi>3</bdi>") || len(l.asked) != searchCalls {
		t.Errorf("it shows %d entries of %d searches", shown, len(l.asked))
	}
}

func TestHistory_KeepsItsFilterInForms(t *testing.T) {
	body := visit(t, office(), "").get("/ui/history?q=a&group=b&mode=c&object=d&user=e&kind=expired&from=2026-03-01T00:00:00%2B03:00&to=2026-03-02")
	for _, want := range []string{
		`name="q" value="a"`, `name="group" value="b"`, `name="mode" value="c"`, `name="object" value="d"`, `name="user" value="e"`,
		`<option value="expired" selected>`, `name="from" value="2026-03-01"`, `name="to" value="2026-03-02"`,
		`href="../ui/history.csv?from=2026-03-01T00%3a00%3a00%2b03%3a00&amp;group=b`, `<option value="petrova">Petrova</option>`,
	} {
		if !strings.Contains(body, want) && !strings.Contains(strings.ReplaceAll(body, "%3A", "%3a"), strings.ReplaceAll(want, "%2b", "%2B")) {
			t.Errorf("it has no %s", want)
		}
	}
}

// Who may not read the history sees the rest of a page, and is asked about nothing:
// pages that are kept current would fill the audit log.
func TestHistory_IsAskedForOnlyByThoseWhoMayReadIt(t *testing.T) {
	l := &long{fixed: office(), entries: 1}
	v := visit(t, l, "")
	v.manager = New(l, &Options{Identify: func(r *http.Request) Identity {
		me := Identity{Owner: person("Kim"), History: []editlock.Area{}}
		if r.Header.Get("May") != "" {
			me.History = []editlock.Area{{Group: "crm", Mode: "invoice"}}
		}
		return me
	}})
	for _, test := range []struct {
		address, may string
		asked        int
	}{
		{"/ui/lock?id=crm/contract/2417", "", 0},
		{"/ui/lock?id=crm/contract/2417", "some", 0},
		{"/ui/lock?id=crm/invoice/1093", "some", 1},
		{"/ui/person?who=u:petrova", "", 0},
		{"/ui/person?who=u:petrova", "some", 1},
	} {
		l.asked, v.headers["May"] = nil, test.may
		body := v.get(test.address)
		if len(l.asked) != test.asked || strings.Contains(body, "You are not allowed to see the history") != (test.asked == 0) {
			t.Errorf("%s, who may see %q: asked %d times", test.address, test.may, len(l.asked))
		}
		if strings.Contains(body, ">History</a>") != (test.may != "") {
			t.Errorf("%s, who may see %q: the page of the history is offered, or not", test.address, test.may)
		}
	}
}

func TestStays_AreMadeOfEntries(t *testing.T) {
	a, b := editlock.ID{Group: "crm", Mode: "contract", ID: "1"}, editlock.ID{ID: "2"}
	ivanov, petrova, kim := person("Ivanov"), person("Petrova"), person("Kim")
	at := func(minutes int) time.Time { return epoch.Add(time.Duration(minutes) * time.Minute) }
	entry := func(minutes int, kind editlock.EventKind, id editlock.ID, token editlock.Token, owner, actor, other editlock.Owner, reason string) editlock.Event {
		return editlock.Event{Seq: uint64(1000 - minutes), Kind: kind, ID: id, Token: token, Owner: owner, Actor: actor, Other: other, At: at(minutes), Reason: reason}
	}
	none := editlock.Owner{}
	got := staysOf([]editlock.Event{ // newest first
		entry(90, editlock.KindCaptured, b, 9, kim, kim, none, ""),
		entry(80, editlock.KindCaptured, a, 8, petrova, petrova, none, ""),
		entry(80, editlock.KindHandedOver, a, 5, kim, kim, petrova, "no_answer"),
		entry(75, editlock.KindForceReleased, b, 6, ivanov, kim, none, "gone home"),
		entry(70, editlock.KindWaiting, a, 5, kim, petrova, none, "may I?"),
		entry(60, editlock.KindTakenOver, a, 5, kim, kim, ivanov, "urgent"),
		entry(50, editlock.KindCaptured, a, 4, ivanov, ivanov, none, ""),
		entry(40, editlock.KindExpired, a, 3, petrova, petrova, none, ""),
		entry(30, editlock.KindCaptured, a, 3, petrova, petrova, none, ""),
		entry(20, editlock.KindReleased, a, 2, kim, kim, none, ""),
	})
	want := []stay{
		{ID: a, Owner: kim, To: at(20), End: editlock.KindReleased},
		{ID: a, Owner: petrova, Token: 3, From: at(30), To: at(40), End: editlock.KindExpired},
		{ID: a, Owner: ivanov, Token: 4, From: at(50), To: at(60), End: editlock.KindTakenOver, By: &kim, Reason: "urgent"},
		{ID: a, Owner: kim, Token: 5, From: at(60), To: at(80), Taken: true, End: editlock.KindHandedOver, By: &petrova},
		{ID: b, Owner: ivanov, To: at(75), End: editlock.KindForceReleased, By: &kim, Reason: "gone home"},
		{ID: a, Owner: petrova, Token: 8, From: at(80)},
		{ID: b, Owner: kim, Token: 9, From: at(90)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTimeline_IsBoundedAndSaysSo(t *testing.T) {
	var all []editlock.Event
	for i := range drawn {
		all = append(all, editlock.Event{Kind: editlock.KindCaptured, ID: editlock.ID{ID: fmt.Sprint(i)}, Owner: person(fmt.Sprint("P", i)), At: epoch.Add(-time.Duration(i) * time.Hour)})
	}
	held := func(editlock.Token) bool { return false }
	got := timelineOf(all, true, "", epoch, held)
	if len(got.Lanes) != maxLanes || got.Hidden != drawn-maxLanes || !got.Cut || len(got.Stays) != drawn || len(got.Ticks) < 2 || len(got.Ticks) > 7 {
		t.Errorf("%d lanes, %d hidden, cut: %v, %d stays, %d ticks", len(got.Lanes), got.Hidden, got.Cut, len(got.Stays), len(got.Ticks))
	}
	if own := timelineOf(all, false, "u:p7", epoch, held); len(own.Stays) != 1 || own.Lanes[0].Label != "//7" {
		t.Errorf("of one person: %+v", own)
	}
	taken := []editlock.Event{
		{Kind: editlock.KindTakenOver, ID: editlock.ID{ID: "a"}, Owner: person("Kim"), Actor: person("Kim"), Other: person("Chen"), At: epoch},
		{Kind: editlock.KindCaptured, ID: editlock.ID{ID: "a"}, Owner: person("Chen"), At: epoch.Add(-time.Hour)},
	}
	if own := timelineOf(taken, false, "u:chen", epoch, held); !own.Taken || !own.Lanes[0].Bars[0].Lost {
		t.Errorf("who lost a lock to a takeover is not shown it: %+v", own)
	}
	if all := timelineOf(taken, false, "", epoch, held); !all.Taken || all.Lanes[1].Bars[0].Lost {
		t.Errorf("a lock's timeline has a takeover once: %+v", all)
	}
	if none := timelineOf(nil, false, "", epoch, held); none != nil {
		t.Errorf("of nothing: %+v", none)
	}
}

// A page that is asked for again and again must not change because time goes by.
func TestTimeline_EndsNowInSteps(t *testing.T) {
	all := []editlock.Event{{Kind: editlock.KindCaptured, Token: 7, ID: editlock.ID{ID: "a"}, Owner: person("Kim"), At: epoch.Add(-10 * time.Hour)}}
	held := func(token editlock.Token) bool { return token == 7 }
	ends := map[time.Time]bool{}
	for minute := range 60 {
		now := epoch.Add(time.Duration(minute) * time.Minute)
		got := timelineOf(all, false, "", now, held)
		if got.to.Before(now) || !got.Lanes[0].Bars[0].Open {
			t.Errorf("at %v it ends at %v", now, got.to)
		}
		ends[got.to] = true
	}
	if len(ends) != 4 {
		t.Errorf("within an hour it has %d ends, want one in 15 minutes", len(ends))
	}
	if ended := timelineOf(all, false, "", epoch, func(editlock.Token) bool { return false }); !ended.to.Before(epoch) || ended.Lanes[0].Bars[0].Open {
		t.Errorf("what has expired goes on until %v", ended.to)
	}
}

func TestAsked_TellsAHolderOnEachPageWhoWaits(t *testing.T) {
	l := office()
	l.entries = nil
	v := visit(t, l, "ivanov")
	for _, address := range []string{"/", "/?mine=1", "/ui/lock?id=crm/invoice/1093", "/ui/person?who=u:petrova", "/ui/history"} {
		body := v.get(address)
		for _, want := range []string{"<title>(1) ", "/icon-asked.svg", `data-ask="7.w1"`, `data-who="Petrova"`, `data-lock="crm/contract/2417"`, "Only the date, please", "and behind them: 1"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %s", address, want)
			}
		}
	}
	res, _ := v.do("/ui/lock?id=crm/invoice/1093")
	l.mutexes[1].Waiters, l.mutexes[1].Waiting = nil, 0
	fresh := visit(t, l, "ivanov")
	fresh.headers["If-None-Match"] = res.Header.Get("ETag")
	if again, body := fresh.do("/ui/lock?id=crm/invoice/1093"); again.StatusCode != http.StatusOK || strings.Contains(body, "data-ask") || strings.Contains(body, "<title>(") {
		t.Errorf("when nobody waits any more: %s", again.Status)
	}
	for _, other := range []string{"", "Petrova"} {
		if body := visit(t, office(), other).get("/"); strings.Contains(body, "data-ask") {
			t.Errorf("%q is told what another is asked", other)
		}
	}
}
