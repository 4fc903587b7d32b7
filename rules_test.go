package editlock

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/store"
)

// The people of the tables below.
var (
	me       = Owner{Session: "mine", UserID: "17", Name: "Me"}
	meAgain  = Owner{Session: "mine again", UserID: "17", Name: "Me"}
	someone  = Owner{Session: "theirs", UserID: "18", Name: "Someone"}
	nameless = Owner{Session: "nameless"}
	myAgent  = Owner{Session: "mine", UserID: "17", Name: "Me", Kind: Agent, OnBehalfOf: "Me"}
)

// record is what stands under a name in the tables below.
func record(by Owner) *store.Record {
	return &store.Record{Name: "//1", Token: 7, Holder: party(by, time.Minute), Data: "x", Terms: store.Terms{Idle: time.Hour}}
}

func TestDecideCapture(t *testing.T) {
	mine, theirs, myOther := record(me), record(someone), record(meAgain)
	session, data := me.Session, "x"
	acquire := func(o CaptureOptions) store.Op { return capture{name: "//1", owner: me, opts: o}.acquire() }
	renew := func(x store.Expect) store.Op {
		x.Session = &session
		return store.Op{Name: "//1", Do: store.Renew, Expect: x}
	}
	for _, tt := range []struct {
		name string
		rec  *store.Record
		cond Condition
		want store.Op
		err  error
	}{
		{"free, no condition: take", nil, Condition{}, acquire(CaptureOptions{}), nil},
		{"free, IfFree: take", nil, IfFree(), acquire(CaptureOptions{}), nil},
		{"free, IfStatusData: lost", nil, IfStatusData("x"), store.Op{}, ErrLost},
		{"free, IfStatusData of nothing: lost", nil, IfStatusData(""), store.Op{}, ErrLost},
		{"free, IfToken: lost", nil, IfToken(7), store.Op{}, ErrLost},
		{"mine, no condition: touch what was seen", mine, Condition{}, renew(store.Expect{Token: 7}), nil},
		{"mine, IfFree: busy", mine, IfFree(), store.Op{}, ErrBusy},
		{"mine, IfStatusData equals: touch on that data", mine, IfStatusData("x"), renew(store.Expect{Token: 7, Data: &data}), nil},
		{"mine, IfStatusData differs: lost", mine, IfStatusData("y"), store.Op{}, ErrLost},
		{"mine, IfStatusData of nothing: lost", mine, IfStatusData(""), store.Op{}, ErrLost},
		{"mine, IfToken equals: touch on that token", mine, IfToken(7), renew(store.Expect{Token: 7}), nil},
		{"mine, IfToken differs: lost", mine, IfToken(8), store.Op{}, ErrLost},
		{"another's, no condition: busy", theirs, Condition{}, store.Op{}, ErrBusy},
		{"another's, IfFree: busy", theirs, IfFree(), store.Op{}, ErrBusy},
		{"another's, IfStatusData: lost", theirs, IfStatusData("x"), store.Op{}, ErrLost},
		{"another's, IfToken: lost", theirs, IfToken(7), store.Op{}, ErrLost},
		{"mine in another session, no condition: busy", myOther, Condition{}, store.Op{}, ErrBusy},
		{"mine in another session, IfFree: busy", myOther, IfFree(), store.Op{}, ErrBusy},
		{"mine in another session, IfStatusData: lost", myOther, IfStatusData("x"), store.Op{}, ErrLost},
		{"mine in another session, IfToken: lost", myOther, IfToken(7), store.Op{}, ErrLost},
		{"my agent's in my session, no condition: busy", record(myAgent), Condition{}, store.Op{}, ErrBusy},
		{"my agent's in my session, IfToken: lost", record(myAgent), IfToken(7), store.Op{}, ErrLost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decideCapture(capture{name: "//1", owner: me, opts: CaptureOptions{If: tt.cond}}, tt.rec)
			if err != tt.err { //nolint:errorlint // bare by contract
				t.Errorf("error is %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("swap (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecideCapture_Values(t *testing.T) {
	full := CaptureOptions{StatusData: "y", AutoRelease: AutoRelease{Idle: time.Minute, MaxHold: time.Hour}, GrantAfter: 2 * time.Minute}
	for _, tt := range []struct {
		name   string
		rec    *store.Record
		opts   CaptureOptions
		data   *string
		terms  *store.Terms
		holder *store.Party
	}{
		{"a take without options writes the defaults", nil, CaptureOptions{}, ptr(""), &store.Terms{Idle: DefaultIdle}, ptr(party(me, 0))},
		{"a take writes the options", nil, full, ptr("y"), &store.Terms{Idle: time.Minute, MaxHold: time.Hour}, ptr(party(me, 2*time.Minute))},
		{"a take of never has no terms", nil, CaptureOptions{AutoRelease: Never}, ptr(""), &store.Terms{}, ptr(party(me, 0))},
		{"a touch without options replaces nothing", record(me), CaptureOptions{}, nil, nil, nil},
		{"a touch replaces what is given", record(me), full, ptr("y"), full.AutoRelease.change(), ptr(party(me, 2*time.Minute))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sw, err := decideCapture(capture{name: "//1", owner: me, opts: tt.opts}, tt.rec)
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			got := store.Op{Data: sw.Data, Terms: sw.Terms, Holder: sw.Holder}
			if diff := cmp.Diff(store.Op{Data: tt.data, Terms: tt.terms, Holder: tt.holder}, got); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

// TestCaptureGuess checks that the first operation, made before anything was seen,
// carries the caller's condition itself.
func TestCaptureGuess(t *testing.T) {
	session, data := me.Session, "x"
	for _, tt := range []struct {
		name string
		cond Condition
		do   store.Action
		want store.Expect
	}{
		{"no condition hopes for a free one", Condition{}, store.Acquire, store.Expect{Free: true}},
		{"IfFree", IfFree(), store.Acquire, store.Expect{Free: true}},
		{"IfStatusData hopes for mine with that data", IfStatusData("x"), store.Renew, store.Expect{Session: &session, Data: &data}},
		{"IfToken hopes for mine with that token", IfToken(7), store.Renew, store.Expect{Session: &session, Token: 7}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := capture{name: "//1", owner: me, opts: CaptureOptions{If: tt.cond}}
			sw, err := decideCapture(c, c.guess())
			if err != nil || sw.Do != tt.do {
				t.Fatalf("action %d, %v; want %d", sw.Do, err, tt.do)
			}
			if diff := cmp.Diff(tt.want, sw.Expect); diff != "" {
				t.Errorf("expect (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecideRelease(t *testing.T) {
	mine, theirs, myOther := record(me), record(someone), record(meAgain)
	session, data := me.Session, "x"
	for _, tt := range []struct {
		name string
		rec  *store.Record
		cond Condition
		want *store.Expect // nil: nothing to do
		err  error
	}{
		{"free: nothing", nil, Condition{}, nil, nil},
		{"free, IfStatusData: nothing", nil, IfStatusData("x"), nil, nil},
		{"free, IfToken: nothing", nil, IfToken(7), nil, nil},
		{"mine: drop", mine, Condition{}, &store.Expect{Session: &session}, nil},
		{"mine, IfStatusData equals: drop on that data", mine, IfStatusData("x"), &store.Expect{Token: 7, Session: &session, Data: &data}, nil},
		{"mine, IfStatusData differs: nothing", mine, IfStatusData("y"), nil, nil},
		{"mine, IfToken equals: drop on that token", mine, IfToken(7), &store.Expect{Session: &session, Token: 7}, nil},
		{"mine, IfToken differs: nothing", mine, IfToken(6), nil, nil},
		{"another's: busy", theirs, Condition{}, nil, ErrBusy},
		{"another's, IfStatusData: nothing", theirs, IfStatusData("x"), nil, nil},
		{"another's, IfToken: nothing", theirs, IfToken(7), nil, nil},
		{"mine in another session: busy", myOther, Condition{}, nil, ErrBusy},
		{"mine in another session, IfStatusData: nothing", myOther, IfStatusData("x"), nil, nil},
		{"mine in another session, IfToken: nothing", myOther, IfToken(7), nil, nil},
		{"my agent's in my session: busy", record(myAgent), Condition{}, nil, ErrBusy},
		{"my agent's in my session, IfToken: nothing", record(myAgent), IfToken(7), nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sw, err := decideRelease("//1", me, tt.cond, 0, tt.rec)
			if err != tt.err { //nolint:errorlint // bare by contract
				t.Errorf("error is %v, want %v", err, tt.err)
			}
			if sw == nil {
				if tt.want != nil {
					t.Error("nothing to do, want a drop")
				}
				return
			}
			if sw.Do != store.Release || sw.Name != "//1" || sw.Event == nil || sw.Event.Kind != string(KindReleased) {
				t.Errorf("swap is %+v, want a drop with an entry", sw)
			}
			if diff := cmp.Diff(tt.want, &sw.Expect); diff != "" {
				t.Errorf("expect (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecideRelease_WithAGraceBoundsTheHold(t *testing.T) {
	mine := &store.Record{Name: "//1", Token: 7, Holder: party(me, 0), Data: "x"}
	sw, err := decideRelease("//1", me, IfStatusData("x"), 5*time.Second, mine)
	if err != nil || sw == nil {
		t.Fatalf("%+v, %v", sw, err)
	}
	want := store.Op{
		Name: "//1", Do: store.Renew, Expect: store.Expect{Token: 7, Session: &me.Session, Data: &mine.Data}, ConfirmWithin: 5 * time.Second,
	}
	if diff := cmp.Diff(want, *sw); diff != "" {
		t.Errorf("swap (-want +got):\n%s", diff)
	}
	if sw, err := decideRelease("//1", me, IfStatusData("y"), 5*time.Second, mine); sw != nil || err != nil {
		t.Errorf("where the condition fails: %+v, %v", sw, err)
	}
}

func TestDecideRefresh(t *testing.T) {
	mySession, otherSession := me.Session, meAgain.Session
	moved := party(me, time.Minute)
	for _, tt := range []struct {
		name    string
		rec     *store.Record
		token   Token
		byToken bool
		expect  store.Expect
		holder  *store.Party
		err     error
	}{
		{"free: lost", nil, 7, false, store.Expect{}, nil, ErrLost},
		{"free, by token: lost", nil, 7, true, store.Expect{}, nil, ErrLost},
		{"mine: touch, the holder stays", record(me), 7, false, store.Expect{Token: 7, Session: &mySession}, nil, nil},
		{"mine, another token: lost", record(me), 6, false, store.Expect{}, nil, ErrLost},
		{"mine in another session: touch, and move in", record(meAgain), 7, false, store.Expect{Token: 7, Session: &otherSession}, &moved, nil},
		{"mine in another session, another token: lost", record(meAgain), 8, false, store.Expect{}, nil, ErrLost},
		{"another's: lost", record(someone), 7, false, store.Expect{}, nil, ErrLost},
		{"my agent's in my session: lost", record(myAgent), 7, false, store.Expect{}, nil, ErrLost},
		{"of a holder without a user: lost", record(nameless), 7, false, store.Expect{}, nil, ErrLost},
		{"another's, by token: touch, the holder stays", record(someone), 7, true, store.Expect{Token: 7}, nil, nil},
		{"another's, by another token: lost", record(someone), 8, true, store.Expect{}, nil, ErrLost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sw, err := decideRefresh("//1", me, RefreshItem{Token: tt.token, ByToken: tt.byToken}, tt.rec)
			if err != tt.err { //nolint:errorlint // bare by contract
				t.Fatalf("error is %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			want := store.Op{Name: "//1", Do: store.Renew, Expect: tt.expect, Holder: tt.holder}
			if diff := cmp.Diff(want, sw); diff != "" {
				t.Errorf("swap (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecideSeen(t *testing.T) {
	for _, tt := range []struct {
		name string
		rec  *store.Record
		want error
	}{
		{"free: nobody holds it", nil, ErrNotHeld},
		{"the holder seen: go on", record(someone), nil},
		{"another by now: busy", &store.Record{Token: 8}, ErrBusy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := decideSeen(7, tt.rec); !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
		})
	}
}

func TestDecideAll(t *testing.T) {
	ids := []ID{{ID: "1"}, {ID: "2"}, {ID: "3"}}
	mine, theirs := record(me), record(someone)
	c := capture{owner: me}
	t.Run("all free or mine: a swap each, in order", func(t *testing.T) {
		ops, inTheWay, err := (&Manager{}).decideAll(c, ids, []*store.Record{nil, mine, nil})
		if err != nil || inTheWay != nil || len(ops) != 3 {
			t.Fatalf("%d swaps, %d in the way, %v", len(ops), len(inTheWay), err)
		}
		for i, do := range []store.Action{store.Acquire, store.Renew, store.Acquire} {
			if ops[i].Do != do || ops[i].Name != ids[i].String() {
				t.Errorf("swap %d is %+v, want action %d on %v", i, ops[i], do, ids[i])
			}
		}
	})
	t.Run("one held by another: all refused, and all in the way named", func(t *testing.T) {
		_, inTheWay, err := (&Manager{}).decideAll(c, ids, []*store.Record{theirs, nil, theirs})
		if !errors.Is(err, ErrBusy) || len(inTheWay) != 2 {
			t.Errorf("%d in the way, %v; want 2 and busy", len(inTheWay), err)
		}
	})
}

func TestStanding(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rec    *store.Record
		caller Owner
		want   State
	}{
		{"nothing", nil, me, Free},
		{"my session's", record(me), me, CapturedByMe},
		{"another session of mine", record(me), meAgain, CapturedByOther},
		{"another's", record(me), someone, CapturedByOther},
		{"a stranger asks", record(me), Owner{}, CapturedByOther},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := standing(tt.rec, tt.caller); got != tt.want {
				t.Errorf("standing = %v, want %v", got, tt.want)
			}
		})
	}
}
