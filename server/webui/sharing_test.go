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

// readers is a table with a report that three read and one waits to change, and an
// import of which three may go on and two do.
func readers() *fixed {
	report, nightly := editlock.ID{Group: "crm", Mode: "report", ID: "7"}, editlock.ID{Group: "etl", Mode: "import", ID: "nightly"}
	waiting := []editlock.Waiter{{ID: "w1", Owner: person("Kim"), Since: epoch.Add(-time.Minute), Message: "A typo on page 2"}}
	l := &fixed{}
	for i, name := range []string{"Ivanov", "Petrova", "Sidorova"} {
		m := held(report, person(name), time.Duration(30-i)*time.Minute, 4*time.Minute)
		m.Token, m.Sharing, m.Waiters, m.Waiting = editlock.Token(3+i), editlock.Shared, waiting, 1
		l.mutexes = append(l.mutexes, m)
	}
	for i, name := range []string{"worker-1", "worker-2"} {
		m := held(nightly, editlock.Owner{Session: name, Host: "batch"}, time.Duration(8-i)*time.Minute, time.Minute)
		m.Token, m.Limit = editlock.Token(8+i), 3
		l.mutexes = append(l.mutexes, m)
	}
	for i, m := range l.mutexes {
		l.entries = append([]editlock.Event{{
			Seq: uint64(i + 1), Kind: editlock.KindCaptured, ID: m.ID, Owner: m.Owner, Actor: m.Owner, Token: m.Token, At: m.CapturedAt,
			Sharing: m.Sharing, Limit: m.Limit,
		}}, l.entries...)
	}
	return l
}

func TestList_CountsAQueueOnceHoweverManyHold(t *testing.T) {
	v := visit(t, readers(), "")
	for _, test := range []struct{ address, locks, waiting string }{
		{"/", "5", "1"}, {"/?sort=who", "5", "1"}, {"/?person=u:petrova", "1", "1"}, {"/?group=etl", "2", "0"},
	} {
		got := countsOn(v.get(test.address))
		if got["locks"] != test.locks || got["waiting"] != test.waiting {
			t.Errorf("%s counts %v, want %s locks and %s who wait", test.address, got, test.locks, test.waiting)
		}
	}
	if got := strings.Count(v.get("/ui/person?who=u:kim"), "number 1 in the queue"); got != 1 {
		t.Errorf("a person waits for a lock %d times", got)
	}
}

func TestPager_VisitsEveryHoldOfOneNameOnce(t *testing.T) {
	for _, order := range []string{"", "-name", "since", "-since", "waiting"} {
		l := &fixed{}
		for i := range 130 {
			m := held(editlock.ID{ID: "pool"}, person(fmt.Sprint("Person", i)), time.Hour, time.Hour)
			m.Token, m.Limit = editlock.Token(i+1), 200
			l.mutexes = append(l.mutexes, m)
		}
		v, seen, pages := visit(t, l, ""), map[string]bool{}, 0
		column, isTurned := readSort(order)
		for at := (filter{Sort: column, Turned: isTurned}).address(); at != ""; pages++ {
			body := v.get(at)
			for _, m := range l.mutexes {
				if strings.Contains(body, `data-key="//pool `+fmt.Sprint(m.Token)+`"`) {
					seen[m.Owner.Name] = true
				}
			}
			at = linkOn(body, "Next")
		}
		if len(seen) != 130 || pages != 3 {
			t.Errorf("ordered %q: %d holders on %d pages, want 130 on 3", order, len(seen), pages)
		}
	}
}

func share(t *testing.T, l editlock.Locker, o editlock.Owner, opts editlock.CaptureOptions) editlock.Mutex {
	t.Helper()
	m, err := l.Capture(editlock.WithOwner(t.Context(), o), editlock.ID{Group: "crm", Mode: "report", ID: "7"}, &opts)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLock_TellsOfTheFirstHoldersAndHowManyMore(t *testing.T) {
	l := locker(t)
	for i := range 23 {
		share(t, l, person(fmt.Sprintf("Person%02d", i)), editlock.CaptureOptions{Limit: 30})
	}
	body := visit(t, l, "Petrova").get("/ui/lock?id=crm/report/7")
	for _, want := range []string{"23 of 30 hold it", "and 3 more hold it", "<bdi>Person19</bdi>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if got := strings.Count(body, `class="card"`); got != 20+1 { // and the timeline's
		t.Errorf("the page has %d cards", got)
	}
	if !strings.Contains(body, " still held") || strings.Count(body, ` open"`) != maxLanes {
		t.Errorf("the timeline shows %d of %d lanes as held", strings.Count(body, ` open"`), maxLanes)
	}
}

func TestAct_EndsTheHoldThatWasMeantAndNoOther(t *testing.T) {
	l := locker(t)
	var all []editlock.Mutex
	for i := range 23 {
		all = append(all, share(t, l, person(fmt.Sprintf("Person%02d", i)), editlock.CaptureOptions{Sharing: editlock.Shared}))
	}
	v := visit(t, l, "Petrova")
	v.get("/")
	for _, m := range []editlock.Mutex{all[1], all[22]} { // one of those whom a request names, and one behind them
		_, body := v.do("/ui/confirm?do=release", "one="+keyOf(m))
		if !strings.Contains(body, "<bdi>"+m.Owner.Name+"</bdi>") || !strings.Contains(body, "Others who hold the same lock keep it.") {
			t.Fatalf("the page that asks is not about %s's hold:\n%s", m.Owner.Name, body)
		}
		res, _ := v.do("/ui/act", "do=release", "lock="+keyOf(m), "reasoned=1", "reason=gone+home")
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("answered %s", res.Status)
		}
		if diff := cmp.Diff([]string{"force_released 7 by Petrova from " + m.Owner.Name + ": gone home"}, told(t, l, 1)); diff != "" {
			t.Error(diff)
		}
	}
	if _, m, _ := l.Request(t.Context(), all[0].ID); m.Token != all[0].Token || m.Beside != 20 {
		t.Errorf("left are %d beside %+v", m.Beside, m.Owner)
	}
	if res, _ := v.do("/ui/act", "do=takeover", "lock="+keyOf(all[2]), "reasoned=1", "reason=urgent"); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("the takeover was answered with %s", res.Status)
	}
	_, body := v.do("/ui/act", "do=takeover", "lock="+keyOf(all[3]), "reasoned=1", "reason=urgent")
	if !strings.Contains(body, "you hold it already, and share it") {
		t.Errorf("a second share is refused without a reason:\n%s", body)
	}
}

func TestStays_OfSeveralWhoShareEndEachForItself(t *testing.T) {
	id := editlock.ID{ID: "7"}
	at := func(minutes int) time.Time { return epoch.Add(time.Duration(minutes) * time.Minute) }
	entry := func(minutes int, kind editlock.EventKind, token editlock.Token, owner string) editlock.Event {
		return editlock.Event{Kind: kind, ID: id, Token: token, Owner: person(owner), Actor: person(owner), At: at(minutes), Sharing: editlock.Shared}
	}
	taken := entry(50, editlock.KindTakenOver, 5, "Kim")
	taken.Other, taken.Replaced, taken.Reason = person("Ivanov"), 1, "urgent"
	upgraded := entry(70, editlock.KindUpgraded, 7, "Kim")
	upgraded.Sharing = editlock.Exclusive
	got := staysOf([]editlock.Event{ // newest first
		upgraded,
		entry(65, editlock.KindReleased, 3, "Chen"), // began before what was read
		entry(60, editlock.KindReleased, 2, "Petrova"),
		taken,
		entry(20, editlock.KindCaptured, 2, "Petrova"),
		entry(10, editlock.KindCaptured, 1, "Ivanov"),
	})
	kim := person("Kim")
	want := []stay{
		{ID: id, Owner: person("Ivanov"), Token: 1, From: at(10), To: at(50), End: editlock.KindTakenOver, By: &kim, Reason: "urgent"},
		{ID: id, Owner: person("Petrova"), Token: 2, From: at(20), To: at(60), End: editlock.KindReleased},
		{ID: id, Owner: kim, Token: 5, From: at(50), To: at(70), Taken: true, End: editlock.KindUpgraded},
		{ID: id, Owner: person("Chen"), To: at(65), End: editlock.KindReleased},
		{ID: id, Owner: kim, Token: 7, From: at(70)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
