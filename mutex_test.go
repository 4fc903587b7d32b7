package editlock_test

import (
	"testing"
	"time"

	"github.com/editlock/editlock"
)

func TestState(t *testing.T) {
	for _, tt := range []struct {
		state editlock.State
		value int
		name  string
	}{
		{editlock.Free, 1, "FREE"},
		{editlock.CapturedByMe, 2, "CAPTURED_BY_ME"},
		{editlock.CapturedByOther, 3, "CAPTURED_BY_OTHER"},
	} {
		if int(tt.state) != tt.value || tt.state.String() != tt.name {
			t.Errorf("state %d %q, want %d %q as in m3-mutex", tt.state, tt.state, tt.value, tt.name)
		}
	}
}

func TestAutoRelease_Validate(t *testing.T) {
	neverWithin := editlock.Never
	neverWithin.MaxHold = time.Hour
	for _, tt := range []struct {
		name  string
		auto  editlock.AutoRelease
		field string // empty: valid
	}{
		{"not said", editlock.AutoRelease{}, ""},
		{"m3-mutex's default", editlock.TimeoutAutoRelease(300 * time.Second), ""},
		{"never", editlock.Never, ""},
		{"the shortest", editlock.AutoRelease{Idle: time.Second, MaxHold: time.Second}, ""},
		{"the longest", editlock.AutoRelease{Idle: 30 * 24 * time.Hour, MaxHold: 30 * 24 * time.Hour}, ""},
		{"max hold alone", editlock.AutoRelease{MaxHold: time.Hour}, ""},
		{"idle too short", editlock.TimeoutAutoRelease(time.Second - 1), "auto_release.idle"},
		{"idle too long", editlock.TimeoutAutoRelease(30*24*time.Hour + 1), "auto_release.idle"},
		{"idle negative", editlock.TimeoutAutoRelease(-time.Hour), "auto_release.idle"},
		{"max hold too short", editlock.AutoRelease{MaxHold: 1}, "auto_release.max_hold"},
		{"max hold too long", editlock.AutoRelease{MaxHold: 1000 * time.Hour}, "auto_release.max_hold"},
		{"max hold negative", editlock.AutoRelease{MaxHold: -1}, "auto_release.max_hold"},
		{"never, but at most an hour", neverWithin, "auto_release"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantField(t, tt.auto.Validate(), tt.field)
		})
	}
	if (editlock.AutoRelease{}).IsNever() || !editlock.Never.IsNever() {
		t.Error("IsNever is wrong")
	}
}

func TestMutex_ExpiresIn(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := editlock.Mutex{ExpiresAt: noon.Add(time.Minute), AsOf: noon}
	if in, ok := m.ExpiresIn(); in != time.Minute || !ok {
		t.Errorf("ExpiresIn = %v, %v; want a minute", in, ok)
	}
	m.ExpiresAt = time.Time{}
	if in, ok := m.ExpiresIn(); in != 0 || ok {
		t.Errorf("ExpiresIn = %v, %v; want never", in, ok)
	}
}

func TestCondition(t *testing.T) {
	for _, tt := range []struct {
		name       string
		cond       editlock.Condition
		zero, free bool
		data       string
		isData     bool
		token      editlock.Token
		isToken    bool
	}{
		{name: "none", cond: editlock.Condition{}, zero: true},
		{name: "IfFree", cond: editlock.IfFree(), free: true},
		{name: "IfStatusData", cond: editlock.IfStatusData("x"), data: "x", isData: true},
		{name: "IfStatusData of nothing is a condition", cond: editlock.IfStatusData(""), isData: true},
		{name: "IfToken", cond: editlock.IfToken(7), token: 7, isToken: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, isData := tt.cond.StatusData()
			token, isToken := tt.cond.Token()
			if tt.cond.IsZero() != tt.zero || tt.cond.Free() != tt.free || isData != tt.isData || data != tt.data || isToken != tt.isToken || token != tt.token {
				t.Errorf("zero %v, free %v, data %q %v, token %d %v", tt.cond.IsZero(), tt.cond.Free(), data, isData, token, isToken)
			}
		})
	}
}
