package faults

import (
	"fmt"
	"math"
	"time"

	"github.com/editlock/editlock"
)

type kind string

const (
	capture  kind = "capture"
	refresh  kind = "refresh"
	release  kind = "release"
	takeover kind = "takeover"
	force    kind = "force release"
	request  kind = "request"
	// What a call that was sent more than once may do again, when its first
	// sending arrives late.
	lateTouch   kind = "late touch"
	lateRelease kind = "late release"
)

// outcome is what a call was told.
type outcome string

const (
	done    outcome = "done"
	busy    outcome = "busy"    // holder is in the way
	lost    outcome = "lost"    // holder has it, or nobody
	no      outcome = "no"      // a release found nothing to do
	abided  outcome = "abided"  // one of several that were refused because of another
	unknown outcome = "unknown" // it may have happened, or happen still
)

// never is the return of a call that may still happen.
const never = int64(math.MaxInt64)

// call is one call for one mutex, and what came of it. A CaptureAll is one for
// each mutex, of one name.
type call struct {
	name    string // no other call has it; the caller's login, so that history tells of it
	several int    // how many mutexes its CaptureAll was for, else 0
	kind    kind
	client  int
	session string
	id      editlock.ID
	free    bool           // if it is free
	ifData  *string        // if it has this status data
	token   editlock.Token // if it has this token; of a takeover, the one seen
	data    string         // status data to set
	wait    time.Duration
	idle    time.Duration // 0: never freed by itself

	sent, back int64 // on one monotonic clock
	sendings   int32 // how often it went out
	outcome    outcome
	holder     *editlock.Mutex // as answered; nil: free
	err        error
}

func (c *call) retried() bool { return c.sendings > 1 }

// until is when the call had its last effect, at the latest.
func (c *call) until() int64 {
	if c.outcome == unknown || c.kind == release && c.retried() && c.token == 0 {
		return never
	}
	return c.back
}

func (c *call) String() string {
	text := fmt.Sprintf("%s: %s of %s by %s", c.name, c.kind, c.id, c.session)
	if c.free {
		text += " if free"
	}
	if c.ifData != nil {
		text += fmt.Sprintf(" if data %q", *c.ifData)
	}
	if c.token != 0 {
		text += fmt.Sprint(" token ", c.token)
	}
	if c.data != "" {
		text += " with data " + c.data
	}
	if c.wait > 0 {
		text += fmt.Sprint(" waiting ", c.wait)
	}
	text += fmt.Sprintf(", %.4f s to ", float64(c.sent)/1e9)
	if c.back == never {
		text += "?"
	} else {
		text += fmt.Sprintf("%.4f s", float64(c.back)/1e9)
	}
	text += fmt.Sprintf(", sent %d times: %s", c.sendings, c.outcome)
	if c.holder != nil {
		text += fmt.Sprintf(", held by %s, token %d, data %q", c.holder.Owner.Session, c.holder.Token, c.holder.StatusData)
	}
	if c.err != nil {
		text += fmt.Sprintf(" (%v)", c.err)
	}
	return text
}
