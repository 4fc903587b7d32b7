package locktest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"editlock"
)

// badCall is a call with one wrong argument, and the field to be named.
type badCall struct {
	name  string
	field string
	call  func(ctx context.Context, l editlock.Locker) error
}

// testInvalid checks that every limit is kept, that the error names the
// field, and that nothing changes.
func testInvalid(t *testing.T, h Harness) {
	s := h.Open(t)
	held := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: heldData})
	past := history(t, s.Locker, editlock.HistoryQuery{})
	for _, group := range []struct {
		name string
		bad  []badCall
	}{
		{"ID", badIDs()},
		{"Owner", badOwners()},
		{"Capture", badCaptures()},
		{"CaptureAll", badBatches(func(ctx context.Context, l editlock.Locker, ids []editlock.ID) error {
			_, err := l.CaptureAll(ctx, ids, nil)
			return err
		})},
		{"ReleaseAll", badBatches(func(ctx context.Context, l editlock.Locker, ids []editlock.ID) error {
			_, err := l.ReleaseAll(ctx, ids)
			return err
		})},
		{"Several", badSeveral()},
		{"Refresh", badRefreshes()},
		{"Release", badReleases()},
		{"Takeover", badTakeovers()},
		{"Decline", badDeclines()},
		{"Query", badQueries()},
	} {
		for _, tt := range group.bad {
			t.Run(group.name+"/"+tt.name, func(t *testing.T) {
				wantInvalid(t, tt.call(as(t, ivanov), s.Locker), tt.field)
			})
		}
	}
	t.Run("nothing has changed", func(t *testing.T) {
		wantStanding(t, s.Locker, held)
		wantNames(t, list(t, s.Locker, editlock.Query{}), doc.String())
		if diff := cmp.Diff(past, history(t, s.Locker, editlock.HistoryQuery{})); diff != "" {
			t.Errorf("history changed (-before +after):\n%s", diff)
		}
	})
	t.Run("what just keeps the limits is accepted", func(t *testing.T) { atLimits(t, h) })
}

// badTexts are wrong values of a text field.
func badTexts(limit int) map[string]string {
	return map[string]string{
		"too long":                 strings.Repeat("x", limit+1),
		"too long in bytes":        strings.Repeat("я", limit/2) + "xx",
		"not UTF-8":                "a\xffb",
		"a NUL":                    "a\x00b",
		"a line break":             "a\nb",
		"a control character":      "a\x1bb",
		"a control character (C1)": "a\u0085b",
	}
}

// badIDs tries every wrong ID on every call that takes one.
func badIDs() (all []badCall) {
	calls := map[string]func(ctx context.Context, l editlock.Locker, id editlock.ID) error{
		"Capture": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, err := l.Capture(ctx, id, nil)
			return err
		},
		"Request": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, _, err := l.Request(ctx, id)
			return err
		},
		"Release": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, err := l.Release(ctx, id, editlock.Condition{})
			return err
		},
		"Takeover": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, err := l.Takeover(ctx, id, 1, why, nil)
			return err
		},
		"ForceRelease": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			return l.ForceRelease(ctx, id, 1, why)
		},
		"HandOver": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, err := l.HandOver(ctx, id)
			return err
		},
		"Decline": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, err := l.Decline(ctx, id, "w", "")
			return err
		},
	}
	for call, do := range calls {
		add := func(name, field string, id editlock.ID) {
			all = append(all, badCall{call + "/" + name, field, func(ctx context.Context, l editlock.Locker) error {
				return do(ctx, l, id)
			}})
		}
		add("id empty", "mutex.id", editlock.ID{Group: "g", Mode: "m"})
		add("all empty", "mutex.id", editlock.ID{})
		for name, text := range badTexts(editlock.MaxGroup) {
			add("group "+name, "mutex.group", editlock.ID{Group: text, ID: "1"})
			add("mode "+name, "mutex.mode", editlock.ID{Mode: text, ID: "1"})
		}
		for name, text := range badTexts(editlock.MaxID) {
			add("id "+name, "mutex.id", editlock.ID{ID: text})
		}
	}
	return all
}

// badOwners tries every wrong owner on calls that act for one.
func badOwners() (all []badCall) {
	calls := map[string]func(ctx context.Context, l editlock.Locker) error{
		"Capture": func(ctx context.Context, l editlock.Locker) error {
			_, err := l.Capture(ctx, doc, nil)
			return err
		},
		"Release": func(ctx context.Context, l editlock.Locker) error {
			_, err := l.Release(ctx, doc, editlock.Condition{})
			return err
		},
		"Takeover": func(ctx context.Context, l editlock.Locker) error {
			_, err := l.Takeover(ctx, doc, 1, why, nil)
			return err
		},
		"Request": func(ctx context.Context, l editlock.Locker) error {
			_, _, err := l.Request(ctx, doc)
			return err
		},
	}
	for call, do := range calls {
		add := func(name, field string, o editlock.Owner) {
			all = append(all, badCall{call + "/" + name, field, func(ctx context.Context, l editlock.Locker) error {
				return do(editlock.WithOwner(ctx, o), l)
			}})
		}
		add("without a session", "owner.session", editlock.Owner{UserID: "17", Name: "Иванов"})
		if call != "Request" {
			all = append(all, badCall{call + "/by a stranger", "owner.session", func(ctx context.Context, l editlock.Locker) error {
				return do(editlock.AsStranger(ctx), l)
			}})
		}
		for name, text := range badTexts(editlock.MaxOwnerField) {
			add("session "+name, "owner.session", editlock.Owner{Session: text})
			add("user ID "+name, "owner.user_id", editlock.Owner{Session: "s", UserID: text})
			add("login "+name, "owner.login", editlock.Owner{Session: "s", Login: text})
			add("name "+name, "owner.name", editlock.Owner{Session: "s", Name: text})
			add("host "+name, "owner.host", editlock.Owner{Session: "s", Host: text})
		}
	}
	return all
}

// badOptions are wrong options of any capture.
func badOptions() map[string]struct {
	field string
	opts  editlock.CaptureOptions
} {
	type bad = struct {
		field string
		opts  editlock.CaptureOptions
	}
	auto := func(idle, maxHold time.Duration) editlock.CaptureOptions {
		return editlock.CaptureOptions{AutoRelease: editlock.AutoRelease{Idle: idle, MaxHold: maxHold}}
	}
	never := editlock.Never
	never.MaxHold = time.Hour
	return map[string]bad{
		"status data too long":  {"status_data", editlock.CaptureOptions{StatusData: strings.Repeat("x", editlock.MaxStatusData+1)}},
		"status data not UTF-8": {"status_data", editlock.CaptureOptions{StatusData: "a\xff"}},
		"idle below a second":   {"auto_release.idle", auto(999*time.Millisecond, 0)},
		"idle above 30 days":    {"auto_release.idle", auto(720*time.Hour+1, 0)},
		"idle negative":         {"auto_release.idle", auto(-time.Minute, 0)},
		"max hold below a second": {
			"auto_release.max_hold", auto(0, time.Millisecond),
		},
		"max hold above 30 days":     {"auto_release.max_hold", auto(time.Minute, 1000*time.Hour)},
		"max hold negative":          {"auto_release.max_hold", auto(time.Minute, -time.Second)},
		"never with a max hold":      {"auto_release", editlock.CaptureOptions{AutoRelease: never}},
		"grant after below a second": {"grant_after", editlock.CaptureOptions{GrantAfter: time.Millisecond}},
		"grant after above a day":    {"grant_after", editlock.CaptureOptions{GrantAfter: 25 * time.Hour}},
		"grant after negative":       {"grant_after", editlock.CaptureOptions{GrantAfter: -time.Second}},
		"request ID too long":        {"request_id", editlock.CaptureOptions{RequestID: strings.Repeat("x", 201)}},
		"request ID not UTF-8":       {"request_id", editlock.CaptureOptions{RequestID: "\xff"}},
		"condition token 0":          {"if.token", editlock.CaptureOptions{If: editlock.IfToken(0)}},
		"condition status data too long": {
			"if.status_data", editlock.CaptureOptions{If: editlock.IfStatusData(strings.Repeat("x", editlock.MaxStatusData+1))},
		},
		"wait negative":             {"wait", editlock.CaptureOptions{Wait: -time.Second}},
		"wait of days":              {"wait", editlock.CaptureOptions{Wait: 48 * time.Hour}},
		"wait with IfStatusData":    {"wait", editlock.CaptureOptions{Wait: time.Second, If: editlock.IfStatusData("x")}},
		"wait with IfToken":         {"wait", editlock.CaptureOptions{Wait: time.Second, If: editlock.IfToken(1)}},
		"message without a wait":    {"message", editlock.CaptureOptions{Message: "please"}},
		"message too long":          {"message", editlock.CaptureOptions{Wait: time.Second, Message: strings.Repeat("x", editlock.MaxMessage+1)}},
		"message not UTF-8":         {"message", editlock.CaptureOptions{Wait: time.Second, Message: "\xff"}},
		"message with control code": {"message", editlock.CaptureOptions{Wait: time.Second, Message: "a\x1bb"}},
	}
}

func badCaptures() (all []badCall) {
	for name, bad := range badOptions() {
		all = append(all, badCall{name, bad.field, func(ctx context.Context, l editlock.Locker) error {
			_, err := l.Capture(ctx, doc, &bad.opts)
			return err
		}})
	}
	return all
}

// badBatches are wrong lists of IDs.
func badBatches(do func(ctx context.Context, l editlock.Locker, ids []editlock.ID) error) (all []badCall) {
	add := func(name, field string, ids []editlock.ID) {
		all = append(all, badCall{name, field, func(ctx context.Context, l editlock.Locker) error { return do(ctx, l, ids) }})
	}
	broken := rows(3)
	broken[1].Group = "a\nb"
	twice := rows(3)
	twice[2] = twice[0]
	add("no ID", "mutexes", nil)
	add("too many", "mutexes", rows(editlock.MaxBatch+1))
	add("a wrong one among others", "mutexes[1].group", broken)
	add("one twice", "mutexes[2]", twice)
	return all
}

func badSeveral() (all []badCall) {
	add := func(name, field string, o editlock.CaptureOptions) {
		all = append(all, badCall{name, field, func(ctx context.Context, l editlock.Locker) error {
			_, err := l.CaptureAll(ctx, rows(2), &o)
			return err
		}})
	}
	add("with a wait", "wait", editlock.CaptureOptions{Wait: time.Second})
	add("with IfStatusData", "if", editlock.CaptureOptions{If: editlock.IfStatusData("x")})
	add("with IfToken", "if", editlock.CaptureOptions{If: editlock.IfToken(1)})
	add("idle below a second", "auto_release.idle", editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(time.Millisecond)})
	all = append(all, badCall{"session empty", "session", func(ctx context.Context, l editlock.Locker) error {
		_, err := l.ReleaseSession(ctx, "")
		return err
	}})
	for name, text := range badTexts(editlock.MaxOwnerField) {
		all = append(all, badCall{"session " + name, "session", func(ctx context.Context, l editlock.Locker) error {
			_, err := l.ReleaseSession(ctx, text)
			return err
		}})
	}
	return all
}

func badRefreshes() (all []badCall) {
	add := func(name, field string, items ...editlock.RefreshItem) {
		all = append(all, badCall{name, field, func(ctx context.Context, l editlock.Locker) error {
			_, err := l.Refresh(ctx, items)
			return err
		}})
	}
	add("no item", "items")
	add("too many items", "items", make([]editlock.RefreshItem, editlock.MaxBatch+1)...)
	add("token 0", "items[0].token", editlock.RefreshItem{ID: doc})
	add("a wrong one among others", "items[1].mutex.id", editlock.RefreshItem{ID: doc, Token: 1}, editlock.RefreshItem{Token: 1})
	add("status data too long", "items[0].status_data", editlock.RefreshItem{ID: doc, Token: 1, StatusData: strings.Repeat("x", editlock.MaxStatusData+1)})
	add("idle below a second", "items[0].auto_release.idle", editlock.RefreshItem{ID: doc, Token: 1, AutoRelease: editlock.TimeoutAutoRelease(1)})
	return all
}

func badReleases() (all []badCall) {
	for name, bad := range map[string]struct {
		field string
		cond  editlock.Condition
	}{
		"token 0":              {"if.token", editlock.IfToken(0)},
		"IfFree":               {"if.free", editlock.IfFree()},
		"status data too long": {"if.status_data", editlock.IfStatusData(strings.Repeat("x", editlock.MaxStatusData+1))},
	} {
		all = append(all, badCall{name, bad.field, func(ctx context.Context, l editlock.Locker) error {
			_, err := l.Release(ctx, doc, bad.cond)
			return err
		}})
	}
	return all
}

func badTakeovers() (all []badCall) {
	type args struct {
		seen   editlock.Token
		reason string
	}
	add := func(name, field string, a args) {
		all = append(all,
			badCall{name, field, func(ctx context.Context, l editlock.Locker) error {
				_, err := l.Takeover(ctx, doc, a.seen, a.reason, nil)
				return err
			}},
			badCall{name + " to a forced release", field, func(ctx context.Context, l editlock.Locker) error {
				return l.ForceRelease(ctx, doc, a.seen, a.reason)
			}})
	}
	add("seen token 0", "seen_token", args{0, why})
	add("without a reason", "reason", args{1, ""})
	for name, text := range badTexts(editlock.MaxMessage) {
		add("reason "+name, "reason", args{1, text})
	}
	for name, bad := range badOptions() {
		if strings.HasPrefix(bad.field, "if") || strings.HasPrefix(bad.field, "wait") || bad.field == "message" {
			continue
		}
		all = append(all, badCall{name, bad.field, func(ctx context.Context, l editlock.Locker) error {
			_, err := l.Takeover(ctx, doc, 1, why, &bad.opts)
			return err
		}})
	}
	return all
}

func badDeclines() (all []badCall) {
	add := func(name, field, waiter, message string) {
		all = append(all, badCall{name, field, func(ctx context.Context, l editlock.Locker) error {
			_, err := l.Decline(ctx, doc, waiter, message)
			return err
		}})
	}
	add("waiter empty", "waiter", "", "no")
	add("waiter too long", "waiter", strings.Repeat("x", 201), "no")
	for name, text := range badTexts(editlock.MaxMessage) {
		add("message "+name, "message", "w", text)
	}
	return all
}

func badQueries() (all []badCall) {
	list := func(name, field string, q editlock.Query) {
		all = append(all, badCall{"List/" + name, field, func(ctx context.Context, l editlock.Locker) error {
			_, err := l.List(ctx, q)
			return err
		}})
	}
	hist := func(name, field string, q editlock.HistoryQuery) {
		all = append(all, badCall{"History/" + name, field, func(ctx context.Context, l editlock.Locker) error {
			_, err := l.History(ctx, q)
			return err
		}})
	}
	watch := func(name, field string, q editlock.WatchQuery) {
		all = append(all, badCall{"Watch/" + name, field, func(ctx context.Context, l editlock.Locker) error {
			for _, err := range l.Watch(ctx, q) {
				return err
			}
			return nil
		}})
	}
	list("limit negative", "limit", editlock.Query{Limit: -1})
	list("limit above 1000", "limit", editlock.Query{Limit: editlock.MaxPage + 1})
	list("cursor made up", "cursor", editlock.Query{Cursor: "*"})
	list("text too long", "text", editlock.Query{Text: strings.Repeat("x", 501)})
	hist("limit negative", "limit", editlock.HistoryQuery{Limit: -1})
	hist("limit above 1000", "limit", editlock.HistoryQuery{Limit: editlock.MaxPage + 1})
	hist("cursor made up", "cursor", editlock.HistoryQuery{Cursor: "x"})
	hist("kind unknown", "kind", editlock.HistoryQuery{Kinds: []editlock.Kind{"refreshed"}})
	hist("id empty", "mutex.id", editlock.HistoryQuery{ID: &editlock.ID{Group: "g"}})
	watch("id empty", "mutex.id", editlock.WatchQuery{ID: &editlock.ID{Group: "g"}})
	for name, text := range badTexts(editlock.MaxGroup) {
		list("group "+name, "group", editlock.Query{Group: text})
		list("mode "+name, "mode", editlock.Query{Mode: text})
		list("session "+name, "session", editlock.Query{Session: text})
		list("user "+name, "user_id", editlock.Query{UserID: text})
		hist("group "+name, "group", editlock.HistoryQuery{Group: text})
		hist("mode "+name, "mode", editlock.HistoryQuery{Mode: text})
		hist("user "+name, "user_id", editlock.HistoryQuery{UserID: text})
		watch("group "+name, "group", editlock.WatchQuery{Group: text})
		watch("mode "+name, "mode", editlock.WatchQuery{Mode: text})
		watch("session "+name, "session", editlock.WatchQuery{Session: text})
	}
	return all
}

// atLimits uses every limit to the full.
func atLimits(t *testing.T, h Harness) {
	s := h.Open(t)
	fill := func(n int) string { return strings.Repeat("я", n/2) }
	id := editlock.ID{Group: fill(editlock.MaxGroup), Mode: fill(editlock.MaxMode), ID: fill(editlock.MaxID)}
	o := editlock.Owner{
		Session: fill(editlock.MaxOwnerField), UserID: fill(editlock.MaxOwnerField), Login: fill(editlock.MaxOwnerField),
		Name: fill(editlock.MaxOwnerField), Host: fill(editlock.MaxOwnerField),
	}
	m := capture(as(t, o), t, s.Locker, id, &editlock.CaptureOptions{
		StatusData:  fill(editlock.MaxStatusData),
		AutoRelease: editlock.AutoRelease{Idle: editlock.MaxDuration, MaxHold: editlock.MaxDuration},
		GrantAfter:  24 * time.Hour,
		RequestID:   fill(200),
	})
	if m.ID != id || m.Owner != o || m.StatusData != fill(editlock.MaxStatusData) {
		t.Error("the mutex came back changed")
	}
	wantStanding(t, s.Locker, m)
	if got := list(t, s.Locker, editlock.Query{Group: id.Group, Mode: id.Mode, Session: o.Session, UserID: o.UserID, Text: fill(500), Limit: 1}); len(got) != 1 {
		t.Errorf("listed %d times", len(got))
	}
	his, err := s.Locker.Takeover(as(t, petrova), id, m.Token, fill(editlock.MaxMessage), nil)
	if err != nil {
		t.Fatalf("Takeover: %v", err)
	}
	_, err = refresh(as(t, o), t, s.Locker, editlock.RefreshItem{ID: id, Token: m.Token})
	wantTakenOver(t, wantLost(t, err, &his), petrova, his, fill(editlock.MaxMessage))
	if _, err := s.Locker.ReleaseSession(as(t, o), o.Session); err != nil {
		t.Errorf("ReleaseSession: %v", err)
	}
}
