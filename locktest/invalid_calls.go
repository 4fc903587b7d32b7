package locktest

import (
	"context"
	"strings"
	"time"

	"github.com/editlock/editlock"
)

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
		"message turning text":      {"message", editlock.CaptureOptions{Wait: time.Second, Message: "a\u202eb"}},
		"message of two lines":      {"message", editlock.CaptureOptions{Wait: time.Second, Message: "a\u2028b"}},
		"message of two paragraphs": {"message", editlock.CaptureOptions{Wait: time.Second, Message: "a\u2029b"}},
		"message of blanks":         {"message", editlock.CaptureOptions{Wait: time.Second, Message: " \u3164"}},
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
	add("with a reason of blanks", "reason", args{1, " \u2003"})
	add("with a reason that turns text", "reason", args{1, "urgent\u202e"})
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
	add("message of blanks", "message", "w", " ")
	add("message turning text", "message", "w", "no\u2066")
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
	hist("kind unknown", "kind", editlock.HistoryQuery{Kinds: []editlock.EventKind{"refreshed"}})
	hist("id empty", "mutex.id", editlock.HistoryQuery{ID: &editlock.ID{Group: "g"}})
	watch("id empty", "mutex.id", editlock.WatchQuery{ID: &editlock.ID{Group: "g"}})
	hist("tree without a mutex", "tree", editlock.HistoryQuery{Tree: true, Group: "g"})
	watch("tree without a mutex", "tree", editlock.WatchQuery{Tree: true})
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
