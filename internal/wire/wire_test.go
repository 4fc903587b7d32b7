package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/wire/strictjson"
)

// Generators of whatever a server may have to tell of.

var (
	text   = rapid.String()
	moment = rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMicro(rapid.Int64Range(0, 1<<51).Draw(t, "µs")).UTC()
	})
	sometimes = func(g *rapid.Generator[time.Time]) *rapid.Generator[time.Time] {
		return rapid.OneOf(rapid.Just(time.Time{}), g)
	}
	id = rapid.Custom(func(t *rapid.T) editlock.ID {
		return editlock.ID{Group: text.Draw(t, "group"), Mode: text.Draw(t, "mode"), ID: text.Draw(t, "id")}
	})
	owner = rapid.Custom(func(t *rapid.T) editlock.Owner {
		return editlock.Owner{
			Session: text.Draw(t, "session"), UserID: text.Draw(t, "user"), Login: text.Draw(t, "login"),
			Name: text.Draw(t, "name"), Host: text.Draw(t, "host"),
			Kind:       rapid.SampledFrom([]editlock.OwnerKind{editlock.Person, editlock.Agent, editlock.Job}).Draw(t, "kind"),
			OnBehalfOf: text.Draw(t, "on behalf of"),
		}
	})
	whole       = rapid.Int64Range(int64(editlock.MinAutoRelease), int64(editlock.MaxAutoRelease))
	autoRelease = rapid.Custom(func(t *rapid.T) editlock.AutoRelease {
		if rapid.Bool().Draw(t, "never") {
			return editlock.Never
		}
		a := editlock.AutoRelease{Idle: time.Duration(whole.Draw(t, "idle"))}
		if rapid.Bool().Draw(t, "bounded") {
			a.MaxHold = time.Duration(whole.Draw(t, "max hold"))
		}
		return a
	})
	mutex = rapid.Custom(func(t *rapid.T) editlock.Mutex {
		m := editlock.Mutex{
			ID: id.Draw(t, "id"), Owner: owner.Draw(t, "owner"), StatusData: text.Draw(t, "data"),
			AutoRelease: autoRelease.Draw(t, "auto"), Token: editlock.Token(rapid.Uint64Range(1, 1<<53-1).Draw(t, "token")),
			CapturedAt: moment.Draw(t, "captured"), RefreshedAt: moment.Draw(t, "refreshed"),
			ExpiresAt: sometimes(moment).Draw(t, "expires"), AsOf: moment.Draw(t, "as of"),
			GrantAfter: time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "grant after")),
			Waiting:    rapid.IntRange(0, 1e6).Draw(t, "waiting"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "waiters") {
			m.Waiters = append(m.Waiters, editlock.Waiter{
				ID: text.Draw(t, "waiter"), Owner: owner.Draw(t, "owner"), Since: moment.Draw(t, "since"),
				Message: text.Draw(t, "message"), GrantAt: sometimes(moment).Draw(t, "grant at"),
			})
		}
		return m
	})
	busyError = rapid.Custom(func(t *rapid.T) error {
		e := &editlock.BusyError{
			Holder: mutex.Draw(t, "holder"), Holders: rapid.SliceOfN(mutex, 0, 3).Draw(t, "holders"), Self: rapid.Bool().Draw(t, "self"),
		}
		if rapid.Bool().Draw(t, "declined") {
			e.Declined = &editlock.Refusal{By: owner.Draw(t, "by"), At: moment.Draw(t, "at"), Message: text.Draw(t, "message")}
		}
		return e
	})
	lostError = rapid.Custom(func(t *rapid.T) error {
		e := &editlock.LostError{
			ID: id.Draw(t, "id"), How: editlock.EventKind(text.Draw(t, "how")), At: sometimes(moment).Draw(t, "at"), Reason: text.Draw(t, "reason"),
			Code: text.Draw(t, "code"),
			By:   rapid.OneOf(rapid.Just(editlock.Owner{}), owner).Draw(t, "by"),
		}
		if rapid.Bool().Draw(t, "held") {
			m := mutex.Draw(t, "holder")
			e.Holder = &m
		}
		return e
	})
	personError  = rapid.Custom(func(t *rapid.T) error { return &editlock.HeldByPersonError{Holder: mutex.Draw(t, "holder")} })
	notHeldError = rapid.Custom(func(t *rapid.T) error { return &editlock.NotHeldError{ID: id.Draw(t, "id")} })
	invalidError = rapid.Custom(func(t *rapid.T) error {
		e := &editlock.InvalidError{Field: text.Draw(t, "field"), Problem: text.Draw(t, "problem"), Code: text.Draw(t, "code")}
		if e.Code != "" {
			e.Args = rapid.SliceOfN(text, 0, 3).Draw(t, "args")
		}
		return e
	})
)

// over is what arrives of a form: once as this package's reader has it, and
// once as encoding/json does.
func over[T any](t interface{ Fatalf(string, ...any) }, form *T) [2]T {
	data, err := strictjson.Append(nil, form)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	var out [2]T
	if err := strictjson.Unmarshal(data, &out[0]); err != nil {
		t.Fatalf("Unmarshal: %v in %s", err, data)
	}
	if err := json.Unmarshal(data, &out[1]); err != nil {
		t.Fatalf("encoding/json: %v in %s", err, data)
	}
	return out
}

func TestErrors_SurviveTheTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.OneOf(busyError, lostError, personError, notHeldError, invalidError).Draw(t, "error")
		sent := wire.FromError(fmt.Errorf("on the way: %w", want))
		for _, got := range over(t, sent) {
			if diff := cmp.Diff(want, got.Err(), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			if got.Err().Error() != want.Error() {
				t.Fatalf("text is %q, want %q", got.Err(), want)
			}
			if diff := cmp.Diff(sent, wire.FromError(got.Err()), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("the problem sent on (-want +got):\n%s", diff)
			}
		}
	})
}

func TestMutex_SurvivesTheTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := mutex.Draw(t, "mutex")
		form := wire.FromMutex(want)
		for _, arrived := range over(t, &form) {
			got, err := arrived.Root()
			if err != nil {
				t.Fatalf("Root: %v", err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
		}
	})
}

func TestEntry_SurvivesTheTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		maybe := rapid.OneOf(rapid.Just(editlock.Owner{}), owner)
		want := editlock.Event{
			Seq: rapid.Uint64Range(0, 1<<53-1).Draw(t, "seq"), Kind: editlock.EventKind(text.Draw(t, "kind")),
			ID: rapid.OneOf(rapid.Just(editlock.ID{}), id).Draw(t, "id"), Owner: maybe.Draw(t, "owner"),
			Actor: maybe.Draw(t, "actor"), Other: maybe.Draw(t, "other"),
			Token: editlock.Token(rapid.Uint64Range(0, 1<<53-1).Draw(t, "token")), At: sometimes(moment).Draw(t, "at"),
			Reason: text.Draw(t, "reason"),
		}
		form := wire.FromEntry(want)
		for _, arrived := range over(t, &form) {
			if diff := cmp.Diff(want, arrived.Root()); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
		}
	})
}

func TestRefreshResult_IsAMutexOrAProblem(t *testing.T) {
	m := wire.FromMutex(mutex.Example(1))
	lost := wire.FromError(lostError.Example(1))
	answer := wire.RefreshAnswer{Results: []wire.RefreshResult{{Mutex: &m}, {Problem: lost}}}
	for _, got := range over(t, &answer) {
		if diff := cmp.Diff(answer, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestCondition_SurvivesTheTrip(t *testing.T) {
	for _, want := range []editlock.Condition{
		{},
		editlock.IfFree(),
		editlock.IfStatusData(""),
		editlock.IfStatusData("x"),
		editlock.IfToken(0),
		editlock.IfToken(7),
		editlock.IfRequest("k"),
	} {
		got, err := wire.FromCondition(want).Root()
		if err != nil || got != want {
			t.Errorf("%+v came back as %+v, %v", want, got, err)
		}
	}
}

func TestForms_ThatSayTwoThingsAreInvalid(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"free and token", `{"if":{"free":true,"token":7}}`, "if gives more than one of free, status_data, token and request; give one"},
		{"token and status data", `{"if":{"token":7,"status_data":""}}`, "if gives more than one of free, status_data, token and request; give one"},
		{"not free", `{"if":{"free":false}}`, "if.free must be true, or absent"},
		{"never and idle", `{"auto_release":{"never":true,"idle":"300s"}}`, "auto_release says never and idle at once; give one of them"},
		{"an idle of nothing", `{"auto_release":{"idle":"0s"}}`, "auto_release.idle is 0s; between 1s and 720h (30 days) are allowed"},
		{"the idle that the library means never by", `{"auto_release":{"idle":"-1ns"}}`, "auto_release.idle is -1ns; between 1s and 720h (30 days) are allowed"},
		{"a max hold of nothing", `{"auto_release":{"max_hold":"0"}}`, "auto_release.max_hold is 0s; between 1s and 720h (30 days) are allowed"},
		{"a number of seconds", `{"auto_release":{"idle":300}}`, "auto_release.idle must be a string, not a number"},
		{"a duration without unit", `{"wait":"30"}`, `wait must be a duration such as "300s", "5m" or "8h", not "30"`},
		{"a duration of years", `{"wait":"1y"}`, `wait must be a duration such as "300s", "5m" or "8h", not "1y"`},
		{"a duration beyond 64 bits", `{"wait":"9999999999h"}`, `wait must be a duration such as "300s", "5m" or "8h", not "9999999999h"`},
		{"a duration of a thousand digits", `{"wait":"` + strings.Repeat("1", 1000) + `"}`, `wait must be a duration such as "300s", "5m" or "8h", not "` + strings.Repeat("1", 40) + `…"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var body wire.CaptureRequest
			err := strictjson.Unmarshal([]byte(test.body), &body)
			if err == nil {
				_, err = body.If.Root()
			}
			if err == nil {
				_, err = body.AutoRelease.Root("auto_release")
			}
			if err == nil {
				t.Fatal("accepted")
			}
			var bad *editlock.InvalidError
			if !errors.As(wire.FromError(err).Err(), &bad) || bad.Error() != test.want {
				t.Errorf("got  %v\nwant %s", wire.FromError(err).Err(), test.want)
			}
		})
	}
}

func TestDuration_IsWrittenInSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", editlock.DefaultIdle: "300s", 8 * time.Hour: "28800s", editlock.MaxAutoRelease: "2592000s",
		1500 * time.Millisecond: "1.5s", time.Millisecond: "0.001s", time.Nanosecond: "0.000000001s", 10*time.Second + 10*time.Nanosecond: "10.00000001s",
		-time.Second: "-1s", -1500 * time.Millisecond: "-1.5s", math.MinInt64: "-9223372036.854775808s",
	} {
		got, err := wire.Duration(d).MarshalText()
		if err != nil || string(got) != want {
			t.Errorf("%v is written as %s, %v; want %s", d, got, err, want)
		}
		var back wire.Duration
		if err := back.UnmarshalText(got); err != nil || time.Duration(back) != d {
			t.Errorf("%s is read as %v, %v; want %v", got, time.Duration(back), err, d)
		}
	}
}

func TestKinds(t *testing.T) {
	t.Run("have distinct codes with the documented statuses", func(t *testing.T) {
		got := map[wire.Code]int{}
		for _, k := range wire.Kinds {
			got[k.Code] = k.Status
			if k.Title == "" {
				t.Errorf("%s has no title", k.Code)
			}
		}
		want := map[wire.Code]int{
			"busy": 409, "conflict": 409, "lost": 409, "not_held": 409, "invalid": 400, "forbidden": 403, "held_by_person": 403, "unauthenticated": 401, "unavailable": 503,
			"not_found": 404, "method_not_allowed": 405, "unsupported_media_type": 415, "too_large": 413, "limited": 429, "internal": 500,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("keep what errors.Is finds", func(t *testing.T) {
		for _, want := range []error{
			editlock.ErrForbidden, editlock.ErrUnauthenticated, editlock.ErrUnavailable, editlock.ErrBusy, editlock.ErrLost, editlock.ErrNotHeld, editlock.ErrInvalid,
		} {
			got := wire.FromError(fmt.Errorf("%w: because", want)).Err()
			if !errors.Is(got, want) {
				t.Errorf("%v came back as %v", want, got)
			}
		}
	})
	t.Run("say nothing of errors that are not the library's", func(t *testing.T) {
		p := wire.FromError(errors.New("password is hunter2"))
		if p.Code != wire.Internal || strings.Contains(p.Detail, "hunter2") {
			t.Errorf("got %+v", p)
		}
	})
	t.Run("of another version are ErrUnavailable", func(t *testing.T) {
		if err := (&wire.Problem{Code: "teapot"}).Err(); !errors.Is(err, editlock.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}

func BenchmarkCaptureRequest_Unmarshal(b *testing.B) {
	data := []byte(`{"mutex":{"group":"demo","mode":"document","id":"4711"},"owner":{"session":"s-1234567890","user_id":"17","login":"ivanov","name":"Иванов И. И.","host":"10.0.0.17"},"status_data":"req-1","auto_release":{"idle":"300s"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := strictjson.Unmarshal(data, new(wire.CaptureRequest)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCaptureAnswer(b *testing.B) {
	now := time.Date(2025, 11, 22, 12, 4, 0, 123456000, time.UTC)
	m := editlock.Mutex{
		ID: editlock.ID{Group: "demo", Mode: "document", ID: "4711"}, Token: 4711,
		Owner:      editlock.Owner{Session: "s-1234567890", UserID: "17", Login: "ivanov", Name: "Иванов И. И.", Host: "10.0.0.17"},
		StatusData: "req-1", AutoRelease: editlock.TimeoutAutoRelease(editlock.DefaultIdle),
		CapturedAt: now, RefreshedAt: now, ExpiresAt: now.Add(editlock.DefaultIdle), AsOf: now,
	}
	var data []byte
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			form := wire.FromMutex(m)
			data, _ = strictjson.Append(data[:0], &wire.CaptureAnswer{State: "CAPTURED_BY_ME", Mutex: &form})
		}
	})
	b.Run("UnmarshalKnown", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := strictjson.UnmarshalKnown(data, new(wire.CaptureAnswer)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
