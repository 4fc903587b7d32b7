package webui

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/editlocktest"
)

func locker(t *testing.T) editlock.Locker {
	t.Helper()
	return editlocktest.NewLocker(t)
}

func capture(t *testing.T, l editlock.Locker, o editlock.Owner, id string) editlock.Mutex {
	t.Helper()
	m, err := l.Capture(editlock.WithOwner(t.Context(), o), editlock.ID{Group: "crm", Mode: "contract", ID: id}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func keyOf(m editlock.Mutex) string { return url.QueryEscape(target{m.ID, m.Token}.String()) }

// told is the newest history as "kind id who whom reason".
func told(t *testing.T, l editlock.Locker, n int) []string {
	t.Helper()
	page, err := l.History(t.Context(), editlock.HistoryQuery{Limit: n})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range page.Entries {
		ev := eventOf(e)
		line := fmt.Sprintf("%s %s by %s", ev.Kind, ev.ID.ID, ev.Who.Label())
		if ev.Whom != nil {
			line += " from " + ev.Whom.Label()
		}
		if ev.Reason != "" {
			line += ": " + ev.Reason
		}
		out = append(out, line)
	}
	return out
}

func TestAct_ReleasesAnothersLockInOnesNameWithAReason(t *testing.T) {
	l := locker(t)
	m := capture(t, l, person("Ivanov"), "2417")
	v := visit(t, l, "Petrova")
	v.get("/") // what is read now must not be shown afterwards

	res, _ := v.do("/ui/act", "do=release", "lock="+keyOf(m), "reasoned=1", "reason=gone+home", "back=/?group=crm")
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "../?group=crm" {
		t.Fatalf("answered %s to %q", res.Status, got)
	}
	if diff := cmp.Diff([]string{"force_released 2417 by Petrova from Ivanov: gone home"}, told(t, l, 1)); diff != "" {
		t.Error(diff)
	}
	v.headers["Cookie"] += "; " + res.cookies[0].Name + "=" + res.cookies[0].Value
	body := v.get("/")
	if !strings.Contains(body, "Released: 1.") || len(idsOn(body)) != 0 {
		t.Error("the list does not say so, or still shows the lock")
	}
}

func TestAct_TakesAReasonOfSeveralLines(t *testing.T) {
	l := locker(t)
	m := capture(t, l, person("Ivanov"), "2417")
	v := visit(t, l, "Petrova")
	if res, _ := v.do("/ui/act", "do=release", "lock="+keyOf(m), "reasoned=1", "reason=gone%0D%0A%0D%0Ahome"); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("answered %s", res.Status)
	}
	if diff := cmp.Diff([]string{"force_released 2417 by Petrova from Ivanov: gone home"}, told(t, l, 1)); diff != "" {
		t.Error(diff)
	}
}

func TestAct_TakesOverWithAReason(t *testing.T) {
	l := locker(t)
	m := capture(t, l, person("Ivanov"), "2417")
	v := visit(t, l, "Petrova")

	if res, _ := v.do("/ui/act", "do=takeover", "lock="+keyOf(m), "reasoned=1", "reason=urgent"); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("answered %s", res.Status)
	}
	if diff := cmp.Diff([]string{"taken_over 2417 by Petrova from Ivanov: urgent"}, told(t, l, 1)); diff != "" {
		t.Error(diff)
	}
	if got := idsOn(v.get("/?mine=1")); len(got) != 1 {
		t.Errorf("her own locks are %q", got)
	}
	_, now, err := l.Request(editlock.WithoutOwner(t.Context()), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, body := v.do("/ui/confirm?do=release", "one="+keyOf(now)); strings.Contains(body, `name="reason"`) {
		t.Error("a reason is asked for a lock of one's own")
	}
	if res, _ := v.do("/ui/act", "do=release", "lock="+keyOf(now)); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("releasing her own answered %s", res.Status)
	}
	if diff := cmp.Diff([]string{"released 2417 by Petrova"}, told(t, l, 1)); diff != "" {
		t.Error(diff)
	}
}

func TestAct_ClearsOnePersonsFiftyLocksWithFiftyEntries(t *testing.T) {
	l := locker(t)
	for i := range 60 {
		capture(t, l, person("Ivanov"), fmt.Sprintf("%02d", i))
	}
	capture(t, l, person("Sidorova"), "hers")
	v := visit(t, l, "Petrova")

	_, body := v.do("/ui/confirm?do=release", "all=1", "back=/?person=u:ivanov")
	if !strings.Contains(body, "Release 60 locks?") {
		t.Fatalf("asks for something else:\n%s", body)
	}
	form := []string{"do=release", "reason=left+the+company", "reasoned=1"}
	for _, key := range strings.Split(body, `name="lock" value="`)[1:] {
		key, _, _ = strings.Cut(key, `"`)
		form = append(form, "lock="+url.QueryEscape(key))
	}
	if res, _ := v.do("/ui/act", form...); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("answered %s", res.Status)
	}
	if diff := cmp.Diff([]string{"hers"}, idsOn(v.get("/"))); diff != "" {
		t.Errorf("left are: %s", diff)
	}
	for _, line := range told(t, l, 60) {
		if !strings.HasPrefix(line, "force_released ") || !strings.HasSuffix(line, " by Petrova from Ivanov: left the company") {
			t.Errorf("the history has %q", line)
		}
	}
}

func TestAct_LeavesAloneWhatIsNotAsItWasSeen(t *testing.T) {
	l := locker(t)
	seen := capture(t, l, person("Ivanov"), "changed")
	free := capture(t, l, person("Ivanov"), "freed")
	stays := capture(t, l, person("Ivanov"), "stays")
	if err := l.ForceRelease(editlock.WithOwner(t.Context(), person("Kim")), seen.ID, seen.Token, "x"); err != nil {
		t.Fatal(err)
	}
	capture(t, l, person("Sidorova"), "changed")
	if err := l.ForceRelease(editlock.WithOwner(t.Context(), person("Kim")), free.ID, free.Token, "x"); err != nil {
		t.Fatal(err)
	}
	v := visit(t, l, "Petrova")
	form := []string{"do=release", "reason=old", "reasoned=1", "lock=" + keyOf(seen), "lock=" + keyOf(free), "lock=" + keyOf(stays)}

	if _, body := v.do("/ui/confirm", form...); !strings.Contains(body, "Release stays?") || !strings.Contains(body, "have changed since you saw them") {
		t.Errorf("the question does not say what has changed:\n%s", body)
	}
	res, body := v.do("/ui/act", form...)
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "Released: 1.") {
		t.Errorf("answered %s:\n%s", res.Status, body)
	}
	for _, want := range []string{`<a class="owner" href="../ui/person?who=u%3Asidorova">`, "is now held by", "is free already"} {
		if !strings.Contains(body, want) {
			t.Errorf("it does not say %q:\n%s", want, body)
		}
	}
	if got := idsOn(v.get("/")); len(got) != 1 || got[0] != "changed" {
		t.Errorf("left are %q", got)
	}
}

func TestAct_RefusesStrangersAndForgedForms(t *testing.T) {
	l := locker(t)
	m := capture(t, l, person("Ivanov"), "2417")
	for name, tc := range map[string]struct {
		who  string
		form string
		want string
	}{
		"a stranger":         {"", "lock=" + keyOf(m) + "&reason=x&reasoned=1", "not allowed to"},
		"no reason":          {"Petrova", "lock=" + keyOf(m) + "&reasoned=1&reason=+", "Give a reason"},
		"no reason asked":    {"Petrova", "lock=" + keyOf(m), "was refused"},
		"too long a reason":  {"Petrova", "lock=" + keyOf(m) + "&reasoned=1&reason=" + strings.Repeat("x", 1001), "Give a reason"},
		"no lock":            {"Petrova", "reason=x", "Not done"},
		"no token":           {"Petrova", "reason=x&lock=crm/contract/2417", "must be the name of a lock and a token"},
		"no name":            {"Petrova", "reason=x&lock=a/b/c/d+7", "has 4 parts"},
		"everything at once": {"Petrova", "reason=x&all=1&back=/", "Not done"},
		"too many":           {"Petrova", "reason=x" + strings.Repeat("&lock=a+1", 1001), "1000 times at most"},
	} {
		t.Run(name, func(t *testing.T) {
			_, body := visit(t, l, tc.who).do("/ui/act?do=release", tc.form)
			if !strings.Contains(body, tc.want) {
				t.Errorf("the answer does not say %q:\n%s", tc.want, body)
			}
			if state, _, err := l.Request(editlock.WithoutOwner(t.Context()), m.ID); err != nil || state == editlock.Free {
				t.Errorf("the lock is %s (%v)", state, err)
			}
		})
	}
}

func TestAct_KeepsToWhatOneMayDo(t *testing.T) {
	l := locker(t)
	me := person("Petrova")
	mine, theirs := capture(t, l, me, "mine"), capture(t, l, person("Ivanov"), "theirs")
	v := visit(t, l, "")
	v.manager = New(l, &Options{Identify: func(*http.Request) Identity { return Identity{Owner: me} }})

	body := v.get("/")
	if strings.Contains(body, "do=takeover") || strings.Contains(body, "Release crm/contract/theirs") || !strings.Contains(body, "Release crm/contract/mine") {
		t.Error("the list offers what is not allowed, or not what is")
	}
	if strings.Contains(body, "/ui/me") {
		t.Error("it offers to change a name that is proved")
	}
	for _, do := range []string{release, takeOver} {
		if res, _ := v.do("/ui/confirm?do="+do, "one="+keyOf(theirs)); res.StatusCode != http.StatusForbidden {
			t.Errorf("asked to %s another's: %s", do, res.Status)
		}
		if _, body := v.do("/ui/act?do="+do, "one="+keyOf(theirs), "reason=x"); !strings.Contains(body, "you are not allowed to") {
			t.Errorf("%s of another's is not refused", do)
		}
	}
	if res, _ := v.do("/ui/act?do=release", "one="+keyOf(mine)); res.StatusCode != http.StatusSeeOther {
		t.Errorf("releasing her own: %s", res.Status)
	}
	if diff := cmp.Diff([]string{"theirs"}, idsOn(v.get("/"))); diff != "" {
		t.Errorf("left are: %s", diff)
	}
}

func TestAct_EndsAnyOfTheHoldsOfAMutex(t *testing.T) {
	l := locker(t)
	var held []editlock.Mutex
	for n := range 30 {
		m, err := l.Capture(editlock.WithOwner(t.Context(), person(fmt.Sprint("Reader ", n))), editlock.ID{Group: "crm", ID: "2417"}, &editlock.CaptureOptions{Sharing: editlock.Shared})
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, m)
	}
	v := visit(t, l, "Petrova")
	for _, n := range []int{1, 28} {
		who := fmt.Sprint("Reader ", n)
		if _, body := v.do("/ui/confirm?do=release", "one="+keyOf(held[n])); !strings.Contains(body, who) || !strings.Contains(body, `name="reason"`) {
			t.Errorf("the page does not ask about %s:\n%s", who, body)
		}
		if res, body := v.do("/ui/act", "do=release", "lock="+keyOf(held[n]), "reasoned=1", "reason=gone"); res.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: answered %s:\n%s", who, res.Status, body)
		}
		if diff := cmp.Diff([]string{"force_released 2417 by Petrova from " + who + ": gone"}, told(t, l, 1)); diff != "" {
			t.Error(diff)
		}
	}
}
