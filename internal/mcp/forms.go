package mcp

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
)

// What tools take and answer. Answers have a problem instead of the rest where the
// call was refused.

// lockName names a lock.
type lockName struct {
	Group string `json:"group,omitempty" jsonschema:"the part of the system that the record belongs to; leave it out for the empty group"`
	Mode  string `json:"mode,omitempty" jsonschema:"the type of the record, such as invoice; leave it out for the empty mode"`
	ID    string `json:"id" jsonschema:"the record"`
	Part  string `json:"part,omitempty" jsonschema:"a part of the record that is locked by itself, such as address; leave it out for the whole record"`
}

func (n lockName) root() editlock.ID {
	return editlock.ID{Group: n.Group, Mode: n.Mode, ID: n.ID, Part: n.Part}
}

// party is an owner.
type party struct {
	Name       string `json:"name" jsonschema:"how people call it"`
	Kind       string `json:"kind" jsonschema:"person, agent or job"`
	OnBehalfOf string `json:"on_behalf_of,omitempty" jsonschema:"whom an agent or a job acts for"`
	UserID     string `json:"user_id,omitempty"`
	Login      string `json:"login,omitempty"`
	Host       string `json:"host,omitempty"`
}

func partyOf(o editlock.Owner) *party {
	if o == (editlock.Owner{}) {
		return nil
	}
	p := &party{Name: o.Label(), Kind: o.Kind.String(), OnBehalfOf: o.OnBehalfOf, UserID: o.UserID, Login: o.Login, Host: o.Host}
	if o.Name == "" && o.Login == "" && o.UserID == "" {
		p.Name = "unknown" // a session is nobody's name, and may be all that a hold is known by
	}
	return p
}

// lock is a lock that is held.
type lock struct {
	Group      string   `json:"group"`
	Mode       string   `json:"mode"`
	ID         string   `json:"id"`
	Part       string   `json:"part,omitempty" jsonschema:"the part of the record; absent: the whole of it"`
	Below      bool     `json:"below,omitempty" jsonschema:"all records of the group and mode"`
	Holder     *party   `json:"holder" jsonschema:"who holds it"`
	Yours      bool     `json:"yours" jsonschema:"you hold it"`
	Since      string   `json:"since" jsonschema:"when it was captured, in UTC"`
	ExpiresIn  *float64 `json:"expires_in_s,omitempty" jsonschema:"in how many seconds it is free again unless it is refreshed; absent: not by itself"`
	StatusData string   `json:"status_data,omitempty" jsonschema:"what its holder has written beside it, cut off at 4000 characters"`
	Sharing    string   `json:"sharing,omitempty" jsonschema:"exclusive or shared; absent with a limit"`
	Limit      int      `json:"limit,omitempty" jsonschema:"at most so many hold it at once"`
	Waiting    int      `json:"waiting,omitempty" jsonschema:"how many wait for it"`
}

// maxData is how much of a status data is told, in characters.
const maxData = 4000

func lockOf(m editlock.Mutex, yours bool) *lock {
	l := &lock{
		Group: m.ID.Group, Mode: m.ID.Mode, ID: m.ID.ID, Part: m.ID.Part, Below: m.ID.Below, Holder: partyOf(m.Owner), Yours: yours, Since: moment(m.CapturedAt),
		StatusData: cut(m.StatusData, maxData), Sharing: wire.FromSharing(m.Sharing), Limit: m.Limit, Waiting: m.Waiting,
	}
	if left, ends := m.ExpiresIn(); ends {
		seconds := left.Seconds()
		l.ExpiresIn = &seconds
	}
	return l
}

// cut is the beginning of a text.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "…"
}

// line makes a text that others wrote fit for a line of an answer.
func line(text string) string { return strings.Join(strings.Fields(cut(text, 300)), " ") }

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// problem is why a call was refused.
type problem struct {
	Code    string `json:"code" jsonschema:"the stable name of the kind of problem: busy, held_by_person, lost, conflict, invalid, forbidden, unauthenticated, limited, unavailable"`
	Message string `json:"message" jsonschema:"what is wrong"`
	Advice  string `json:"advice" jsonschema:"what to do now"`
	Field   string `json:"field,omitempty" jsonschema:"the argument that is wrong"`
	Holder  *lock  `json:"holder,omitempty" jsonschema:"who is in the way, or has it now"`
	How     string `json:"how,omitempty" jsonschema:"of lost: expired, taken_over, force_released, handed_over or released"`
	By      *party `json:"by,omitempty" jsonschema:"of lost: who ended it"`
	Reason  string `json:"reason,omitempty" jsonschema:"of lost: why"`
}

type (
	whoIn struct {
		lockName
		Hold string `json:"hold,omitempty" jsonschema:"a hold that capture gave you, to find out whether it is in force"`
	}
	whoOut struct {
		State   string   `json:"state" jsonschema:"free, yours, held, or unknown where there is a problem"`
		Lock    *lock    `json:"lock,omitempty" jsonschema:"who holds it; absent if it is free"`
		Others  []*lock  `json:"others,omitempty" jsonschema:"others who hold it at the same time"`
		Problem *problem `json:"problem,omitempty"`
	}

	listIn struct {
		Group  string `json:"group,omitempty" jsonschema:"only of this group"`
		Mode   string `json:"mode,omitempty" jsonschema:"only of this mode"`
		Text   string `json:"text,omitempty" jsonschema:"only with this text in the name, the status data or the holder"`
		Limit  int    `json:"limit,omitempty" jsonschema:"at most so many, 1 to 200; 50 by default"`
		Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor of the page before"`
	}
	listOut struct {
		Locks   []*lock  `json:"locks"`
		Next    string   `json:"next_cursor,omitempty" jsonschema:"of the next page; absent at the end"`
		Problem *problem `json:"problem,omitempty"`
	}

	captureIn struct {
		lockName
		named
		terms
		Sharing string `json:"sharing,omitempty" jsonschema:"exclusive, which is the default, or shared to hold it beside others who only read"`
		Limit   int    `json:"limit,omitempty" jsonschema:"hold it as one of at most so many; all must say the same"`
	}
	// terms are about what is held.
	terms struct {
		StatusData string  `json:"status_data,omitempty" jsonschema:"text that others see beside the lock, such as what you are doing"`
		Idle       float64 `json:"idle_s,omitempty" jsonschema:"free it so many seconds after the last refresh"`
		MaxHold    float64 `json:"max_hold_s,omitempty" jsonschema:"free it so many seconds after the capture, refreshed or not"`
	}
	heldOut struct {
		State   string   `json:"state" jsonschema:"captured or refused; of ask_holder also declined or no_answer"`
		Hold    string   `json:"hold,omitempty" jsonschema:"give it to refresh and release"`
		Lock    *lock    `json:"lock,omitempty" jsonschema:"the lock as you hold it"`
		Refresh float64  `json:"refresh_within_s,omitempty" jsonschema:"refresh it within so many seconds"`
		Answer  string   `json:"answer,omitempty" jsonschema:"what the holder answered"`
		Problem *problem `json:"problem,omitempty"`
	}

	refreshIn struct {
		Hold string `json:"hold" jsonschema:"as capture or ask_holder returned it"`
		terms
	}
	releaseIn struct {
		Hold string `json:"hold" jsonschema:"as capture or ask_holder returned it"`
	}
	releaseOut struct {
		Released bool     `json:"released" jsonschema:"false: it was not yours any more"`
		Problem  *problem `json:"problem,omitempty"`
	}

	askIn struct {
		lockName
		named
		terms
		Message string  `json:"message" jsonschema:"what the holder reads, at most 1000 bytes: say who asks, and what for"`
		Wait    float64 `json:"wait_s,omitempty" jsonschema:"how many seconds to wait for the answer, 1 to 600; 30 by default"`
	}

	historyIn struct {
		Group  string   `json:"group,omitempty" jsonschema:"only of this group"`
		Mode   string   `json:"mode,omitempty" jsonschema:"only of this mode"`
		ID     string   `json:"id,omitempty" jsonschema:"only of this record and its parts, in just the group and mode given"`
		Part   string   `json:"part,omitempty" jsonschema:"only of this part of the record"`
		Kinds  []string `json:"kinds,omitempty" jsonschema:"only these: captured, released, expired, taken_over, force_released, handed_over, waiting, declined, shared, upgraded"`
		Text   string   `json:"text,omitempty" jsonschema:"only with this text in the name, the reason or an owner"`
		Limit  int      `json:"limit,omitempty" jsonschema:"at most so many, 1 to 200; 50 by default"`
		Cursor string   `json:"cursor,omitempty" jsonschema:"next_cursor of the page before"`
	}
	historyOut struct {
		Entries []event  `json:"entries" jsonschema:"newest first"`
		Next    string   `json:"next_cursor,omitempty" jsonschema:"of the next page; absent at the end"`
		Problem *problem `json:"problem,omitempty"`
	}
	event struct {
		At     string `json:"at" jsonschema:"in UTC"`
		Kind   string `json:"kind"`
		Group  string `json:"group"`
		Mode   string `json:"mode"`
		ID     string `json:"id"`
		Part   string `json:"part,omitempty"`
		Below  bool   `json:"below,omitempty"`
		Owner  *party `json:"owner,omitempty" jsonschema:"who holds it, or held it until this"`
		Actor  *party `json:"actor,omitempty" jsonschema:"who did it"`
		Other  *party `json:"other,omitempty" jsonschema:"who lost it, got it, or was declined"`
		Reason string `json:"reason,omitempty"`
	}
)

// autoRelease is what the terms say of the end of a hold.
func (t terms) autoRelease() (editlock.AutoRelease, error) {
	var out editlock.AutoRelease
	for _, f := range []struct {
		field   string
		seconds float64
		to      *time.Duration
	}{{"idle_s", t.Idle, &out.Idle}, {"max_hold_s", t.MaxHold, &out.MaxHold}} {
		if f.seconds == 0 {
			continue
		}
		d, err := duration(f.field, f.seconds, editlock.MinAutoRelease, editlock.MaxAutoRelease)
		if err != nil {
			return out, err
		}
		*f.to = d
	}
	return out, nil
}
