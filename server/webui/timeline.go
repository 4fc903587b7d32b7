package webui

import (
	"fmt"
	"slices"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/avatar"
	"github.com/editlock/editlock/internal/bidi"
)

const (
	// drawn is how many entries of the history a timeline is made of at most, and
	// maxLanes how many lanes it has.
	drawn    = 200
	maxLanes = 12
)

// The picture's measures: heights in pixels, widths in per cent, so that it fits any
// page. Its sides have room for what shows that a bar goes on.
const (
	laneHeight = 50
	barTop     = 24
	axisHeight = 26
	leftSide   = 1.5
	rightSide  = 2.5
	leastWidth = .4
)

// timeline is a picture of who held what when: a lane for each person or lock, with
// the latest on top.
type timeline struct {
	Lanes  []lane
	Ticks  []tick
	Stays  []stay // the same as a table, newest first
	Own    bool   // of one person
	Left   string // where lanes begin
	Height int
	Axis   int  // where the lanes end
	Cut    bool // there is more history than was read
	Most   int  // entries that are read at most
	Hidden int  // lanes that are left out

	Taken, Forced, Open bool // what the legend explains

	from, to time.Time
}

// lane is what belongs to one person or lock.
type lane struct {
	Label string
	Class string // of its colour
	Kind  editlock.OwnerKind
	Face  string // initials; empty: it is a lock's
	Top   int
	Bars  []bar
}

// bar is a stay in a lane.
type bar struct {
	stay
	Class    string
	Who      string // as its title says
	X, Width string
	Y        int
	Ends     string // its right end
	Open     bool   // it goes on
	Earlier  bool   // it began before the picture does
	Lost     bool   // it ended with a takeover, by somebody who has no lane
}

// tick is a time on the axis.
type tick struct {
	At        time.Time
	X, Anchor string
}

// timelineOf draws entries, which are newest first. cut says that there are more. Of a
// stay that has not ended, held says whether it goes on now. Lanes are people's; or,
// if a person is given by a personKey, the locks' that they held.
func timelineOf(all []editlock.Event, cut bool, person string, now time.Time, held func(editlock.Token) bool) *timeline {
	stays := staysOf(all)
	if person != "" {
		stays = slices.DeleteFunc(stays, func(s stay) bool { return personKey(s.Owner) != person })
	}
	if len(stays) == 0 {
		return nil
	}
	t := &timeline{Cut: cut, Most: drawn, Own: person != "", Left: perCent(leftSide)}
	t.span(stays, now, held)
	lanes := map[string]int{} // by key
	for _, s := range slices.Backward(stays) {
		key := s.Owner.Kind.String() + personKey(s.Owner) // what an agent does in somebody's name is not theirs
		if person != "" {
			key = s.ID.String()
		}
		at, known := lanes[key]
		if !known {
			at = len(lanes)
			lanes[key] = at
			if at < maxLanes {
				t.Lanes = append(t.Lanes, laneOf(s, person != "", at*laneHeight))
			}
		}
		if at < maxLanes {
			t.Lanes[at].Bars = append(t.Lanes[at].Bars, t.bar(s, t.Lanes[at].Top, held))
		}
		t.Stays = append(t.Stays, s)
	}
	t.Hidden = len(lanes) - len(t.Lanes)
	t.Axis = len(t.Lanes) * laneHeight
	t.Height = t.Axis + axisHeight
	t.Ticks = t.ticks()
	return t
}

func laneOf(s stay, ofLock bool, top int) lane {
	if ofLock {
		return lane{Label: short(s.ID.String()), Top: top}
	}
	label := s.Owner.Label()
	return lane{Label: short(label), Kind: s.Owner.Kind, Class: avatar.Class(label), Face: avatar.Initials(label), Top: top}
}

// short is a text for a place that has no room for a long one.
func short(text string) string {
	if letters := []rune(text); len(letters) > 40 {
		text = string(letters[:39]) + "…"
	}
	return bidi.Isolate(text)
}

// span finds the times that the picture begins and ends with. It ends now only if
// something goes on, and then in steps: a page must not change because time goes by.
func (t *timeline) span(stays []stay, now time.Time, held func(editlock.Token) bool) {
	goesOn := false
	for _, s := range stays {
		for _, at := range []time.Time{s.From, s.To} {
			if at.IsZero() {
				continue
			}
			if t.from.IsZero() || at.Before(t.from) {
				t.from = at
			}
			if at.After(t.to) {
				t.to = at
			}
		}
		goesOn = goesOn || s.To.IsZero() && held(s.Token)
	}
	if goesOn {
		step := stepOf(now.Sub(t.from), 60)
		if next := now.Truncate(step).Add(step); next.After(t.to) {
			t.to = next
		}
	}
	if least := t.from.Add(time.Minute); t.to.Before(least) {
		t.to = least
	}
}

// stepOf is the shortest usual step of which a span has at most so many.
func stepOf(span time.Duration, most int) time.Duration {
	const day = 24 * time.Hour
	for _, step := range []time.Duration{
		10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour,
		12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 30 * day, 91 * day,
	} {
		if span <= time.Duration(most)*step {
			return step
		}
	}
	return 365 * day
}

// place is where a time stands, in per cent of the width.
func (t *timeline) place(at time.Time) float64 {
	return leftSide + (100-leftSide-rightSide)*float64(at.Sub(t.from))/float64(t.to.Sub(t.from))
}

func perCent(x float64) string { return fmt.Sprintf("%.2f%%", x) }

func (t *timeline) bar(s stay, top int, held func(editlock.Token) bool) bar {
	b := bar{stay: s, Class: avatar.Class(s.Owner.Label()), Who: bidi.Isolate(s.Owner.Label()), Y: top + barTop, Earlier: s.From.IsZero()}
	b.Lost = t.Own && s.End == editlock.KindTakenOver
	from, to := leftSide, 100-rightSide
	if !b.Earlier {
		from = t.place(s.From)
	}
	switch {
	case !s.To.IsZero():
		to = t.place(s.To)
	case held(s.Token):
		b.Open = true
	default: // it has expired, and nothing has said so yet
		to = from
	}
	width := max(to-from, leastWidth)
	b.X, b.Width, b.Ends = perCent(from), perCent(width), perCent(from+width)
	t.Taken = t.Taken || s.Taken || b.Lost
	t.Forced = t.Forced || s.End == editlock.KindForceReleased
	t.Open = t.Open || b.Open
	return b
}

// ticks are at most seven, at whole minutes.
func (t *timeline) ticks() []tick {
	step := max(stepOf(t.to.Sub(t.from), 6), time.Minute)
	var out []tick
	for at := t.from.UTC().Truncate(step); !at.After(t.to); at = at.Add(step) {
		if at.Before(t.from) {
			continue
		}
		x := t.place(at)
		one := tick{At: at, X: perCent(x), Anchor: "middle"}
		switch {
		case x < 5:
			one.Anchor = "start"
		case x > 95:
			one.Anchor = "end"
		}
		out = append(out, one)
	}
	return out
}
