package webui

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

// A type, one of its objects, and the parts of that.
var (
	allContracts = editlock.ID{Group: "crm", Mode: "contract", Below: true}
	contract7    = editlock.ID{Group: "crm", Mode: "contract", ID: "7"}
	address7     = editlock.ID{Group: "crm", Mode: "contract", ID: "7", Part: "address"}
	lines7       = editlock.ID{Group: "crm", Mode: "contract", ID: "7", Part: "lines"}
)

// paths is a table with all kinds of names.
func paths() *fixed {
	l := &fixed{}
	for i, id := range []editlock.ID{
		{Below: true}, {Group: "crm", Below: true}, allContracts, contract7, address7, lines7, {Group: "crm", Mode: "contract", ID: "70"},
	} {
		m := held(id, person([]string{"Ivanov", "Petrova", "Kim"}[i%3]), time.Duration(i+1)*time.Minute, time.Hour)
		m.Token = editlock.Token(i + 1)
		l.mutexes = append(l.mutexes, m)
		l.entries = append(l.entries, editlock.Event{Seq: uint64(9 - i), Kind: editlock.KindCaptured, ID: id, Owner: m.Owner, Actor: m.Owner, Token: m.Token, At: m.CapturedAt})
	}
	return l
}

// hold captures a name of any form.
func hold(t *testing.T, l editlock.Locker, o editlock.Owner, id editlock.ID) editlock.Mutex {
	t.Helper()
	m, err := l.Capture(editlock.WithOwner(t.Context(), o), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseName_ReadsEveryCanonicalName(t *testing.T) {
	for _, id := range []editlock.ID{
		{Below: true},
		{Group: "crm", Below: true},
		{Mode: "contract", Below: true},
		allContracts, contract7, address7,
		{ID: "7"},
		{Group: "a/b", Mode: "c d", ID: "e#f/", Part: "g/#"},
		{Group: "a/", Mode: "#", Below: true},
		{ID: "7", Part: "p/"},
	} {
		if got, err := parseName(id.String()); err != nil || got != id {
			t.Errorf("%q is read as %+v, %v", id, got, err)
		}
		if got, err := parseTarget(target{id, 7}.String()); err != nil || got != (target{id, 7}) {
			t.Errorf("the target of %q is read as %+v, %v", id, got, err)
		}
	}
}

func TestLock_OfAnyNameHasAPageAndItsHistory(t *testing.T) {
	v := visit(t, paths(), "Petrova")
	for _, m := range paths().mutexes {
		body := v.get(lockURL(m.ID))
		if !strings.Contains(body, m.Owner.Name+"</bdi></a>") || !strings.Contains(body, `value="`+target{m.ID, m.Token}.String()+`"`) || strings.Count(body, `<li data-key="`) != 1 {
			t.Errorf("the page of %s does not tell of its own hold and history alone", m.ID)
		}
		f := readHistoryFilter(historyOf(m.ID, alone).values())
		q, keep, err := f.query()
		if err != nil || keep != nil || q.ID == nil || *q.ID != m.ID || q.Group+q.Mode != "" {
			t.Errorf("the whole history of %s is asked for by %+v, %v", m.ID, q, err)
		}
	}
}

func TestAct_MeansTheVeryNameOfTheForm(t *testing.T) {
	for _, do := range []string{release, takeOver} {
		for _, id := range []editlock.ID{allContracts, contract7, address7} {
			t.Run(do+" "+id.String(), func(t *testing.T) {
				l, ivanov := locker(t), person("Ivanov")
				held := map[editlock.ID]editlock.Mutex{}
				for _, one := range []editlock.ID{allContracts, contract7, address7} {
					held[one] = hold(t, l, ivanov, one)
				}
				if do == takeOver { // Ivanov's others would be in the way
					for _, one := range []editlock.ID{allContracts, contract7, address7} {
						if one != id {
							if _, err := l.Release(editlock.WithOwner(t.Context(), ivanov), one, editlock.Condition{}); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
				v := visit(t, l, "Petrova")
				if _, body := v.do("/ui/confirm?do="+do, "one="+keyOf(held[id])); !strings.Contains(body, `name="lock" value="`+id.String()+" ") || strings.Count(body, `name="lock"`) != 1 {
					t.Fatalf("asks about something else:\n%s", body)
				}
				if res, body := v.do("/ui/act", "do="+do, "lock="+keyOf(held[id]), "reasoned=1", "reason=so"); res.StatusCode != http.StatusSeeOther {
					t.Fatalf("answered %s:\n%s", res.Status, body)
				}
				page, err := l.History(t.Context(), editlock.HistoryQuery{Limit: 1})
				want := map[string]editlock.EventKind{release: editlock.KindForceReleased, takeOver: editlock.KindTakenOver}[do]
				if e := page.Entries[0]; err != nil || e.ID != id || e.Kind != want || e.Owner.Name == "" || e.Reason != "so" {
					t.Errorf("it was %+v, %v", e, err)
				}
				if do == release {
					for one, m := range held {
						_, now, err := l.Request(editlock.WithOwner(t.Context(), ivanov), one)
						if stands := now.ID == one && now.Token == m.Token; err != nil || stands == (one == id) {
							t.Errorf("%s is held: %v, %v", one, stands, err)
						}
					}
				}
			})
		}
	}
}

func TestAct_SaysWhatIsAboveOrBelow(t *testing.T) {
	l := locker(t)
	ivanov := person("Ivanov")
	all := hold(t, l, ivanov, allContracts)
	hold(t, l, ivanov, address7)
	v := visit(t, l, "Petrova")
	_, body := v.do("/ui/act?do=takeover", "lock="+keyOf(all)+"&reasoned=1&reason=so")
	if !strings.Contains(body, "what is above or below it is held by") || !strings.Contains(body, `id=crm%2Fcontract%2F7%23address">`) {
		t.Errorf("it does not say what is in the way:\n%s", body)
	}
	if body := v.get(lockURL(contract7)); !strings.Contains(body, "Nobody holds this now") || !strings.Contains(body, "because of what is held above or below") || !strings.Contains(body, "all of contract") || strings.Contains(body, `id="release"`) {
		t.Errorf("the page of a free object does not tell of its path, or offers to act on it:\n%s", body)
	}
	// A form of an object that is free acts on nothing else.
	stale := target{contract7, all.Token}
	if _, body := v.do("/ui/act?do=release", "lock="+url.QueryEscape(stale.String())+"&reasoned=1&reason=so"); !strings.Contains(body, "is free already") {
		t.Errorf("a stale form is answered:\n%s", body)
	}
	if _, body := v.do("/ui/confirm?do=release", "one="+url.QueryEscape(stale.String())); !strings.Contains(body, "There is nothing to do") {
		t.Errorf("a stale form asks:\n%s", body)
	}
}

func TestAct_ReleasesAllBelowWithAnEntryEach(t *testing.T) {
	l := locker(t)
	for i := range 30 {
		hold(t, l, person(fmt.Sprint("P", i)), editlock.ID{Group: "crm", Mode: "contract", ID: fmt.Sprint(i), Part: "lines"})
	}
	for _, id := range []editlock.ID{{Group: "crm", Mode: "contracts", ID: "1"}, {Group: "crm", Mode: "invoice", Below: true}, {Group: "crma", Mode: "contract", ID: "1"}} {
		hold(t, l, person("Chen"), id)
	}
	v := visit(t, l, "Petrova")
	if body := v.get(lockURL(allContracts)); !strings.Contains(body, "Release all below (30)…") {
		t.Errorf("the page of a type that nobody holds as a whole does not offer it:\n%s", body)
	}
	_, body := v.do("/ui/confirm?do=release", "below=1&of="+url.QueryEscape(allContracts.String())+"&back=/ui/lock?id=crm/contract/")
	if !strings.Contains(body, "Release 30 locks?") || strings.Contains(body, "Release all below") {
		t.Fatalf("asks for something else:\n%s", body)
	}
	form := []string{"do=release", "reason=the+import", "reasoned=1"}
	for _, key := range strings.Split(body, `name="lock" value="`)[1:] {
		key, _, _ = strings.Cut(key, `"`)
		form = append(form, "lock="+url.QueryEscape(key))
	}
	if res, body := v.do("/ui/act", form...); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("answered %s:\n%s", res.Status, body)
	}
	page, err := l.History(t.Context(), editlock.HistoryQuery{Kinds: []editlock.EventKind{editlock.KindForceReleased}})
	if err != nil || len(page.Entries) != 30 {
		t.Errorf("%d entries, %v", len(page.Entries), err)
	}
	if left, err := l.List(t.Context(), editlock.Query{}); err != nil || len(left.Mutexes) != 3 {
		t.Errorf("left are %+v, %v", left.Mutexes, err)
	}
}

func TestAct_OffersAllBelowBesideALock(t *testing.T) {
	l := paths()
	v := visit(t, l, "Petrova")
	for name, want := range map[string]int{"crm/contract/ 3": 4, "crm/contract/7 4": 2, "crm/contract/7%23address 5": 0} {
		name := strings.ReplaceAll(name, " ", "+")
		_, body := v.do("/ui/confirm?do=release", "one="+name)
		if offers := strings.Contains(body, fmt.Sprintf("Release all below, too (%d)…", want)); offers != (want > 0) {
			t.Errorf("%s: the page does not offer %d below:\n%s", name, want, body)
		}
		if _, body := v.do("/ui/confirm?do=release", "below=1&lock="+name); strings.Count(body, `name="lock"`) != 1+want {
			t.Errorf("%s and all below are\n%s", name, body)
		}
		if _, body := v.do("/ui/confirm?do=takeover", "one="+name); strings.Contains(body, "below, too") {
			t.Errorf("%s: a takeover offers all below", name)
		}
	}
}

func TestExport_TellsPartsAndNodes(t *testing.T) {
	_, body := visit(t, paths(), "").do("/ui/history.csv")
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, line := range lines {
		got = append(got, line[3:8])
	}
	want := [][]string{
		{"group", "mode", "id", "part", "below"},
		{"", "", "", "", "true"},
		{"crm", "", "", "", "true"},
		{"crm", "contract", "", "", "true"},
		{"crm", "contract", "7", "", ""},
		{"crm", "contract", "7", "address", ""},
		{"crm", "contract", "7", "lines", ""},
		{"crm", "contract", "70", "", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestList_FindsParts(t *testing.T) {
	v := visit(t, paths(), "")
	for text, want := range map[string]int{"7#ADDR": 1, "address": 1, "crm/contract/7": 4, "7#": 2} {
		if got := strings.Count(v.get("/?q="+url.QueryEscape(text)), `<tr role="row" data-key=`); got != want {
			t.Errorf("%q finds %d locks, want %d", text, got, want)
		}
	}
}

func TestLock_TellsWhoWaitsForAllOfIt(t *testing.T) {
	l := locker(t)
	hold(t, l, person("Ivanov"), contract7)
	ctx, cancel := context.WithCancel(editlock.WithOwner(t.Context(), person("Smith")))
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = l.Capture(ctx, allContracts, &editlock.CaptureOptions{Wait: time.Minute, Message: "the <audit>"})
	}()
	defer func() { cancel(); <-gone }()
	for {
		_, m, err := l.Request(t.Context(), allContracts)
		if err != nil {
			t.Fatal(err)
		}
		if m.Draining != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	v := visit(t, l, "Petrova")
	for _, id := range []editlock.ID{allContracts, contract7, address7} {
		body := v.get(lockURL(id))
		_, told, _ := strings.Cut(body, `id="draining"`)
		if told, _, _ = strings.Cut(told, "</p>"); !strings.Contains(told, "Smith") || !strings.Contains(told, "all of contract") || !strings.Contains(told, "the &lt;audit&gt;") {
			t.Errorf("the page of %v tells %q", id, told)
		}
	}
	other := contract7
	other.Mode = "order"
	if body := v.get(lockURL(other)); strings.Contains(body, `id="draining"`) {
		t.Error("what nobody waits for is closed")
	}
}
