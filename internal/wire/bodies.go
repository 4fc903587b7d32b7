package wire

// The bodies of requests and answers, in the order of DESIGN's table.

// CaptureRequest is the body of POST /v1/capture. A pointer that is nil, or a
// slice, was not given.
type CaptureRequest struct {
	Mutex       *ID          `json:"mutex,omitzero" doc:"What to capture. Either this or mutexes is required."`
	Mutexes     []ID         `json:"mutexes,omitzero" nullable:"false" doc:"Several to capture, all or none: up to 1000, each once."`
	Owner       *Owner       `json:"owner,omitzero" doc:"Who captures. Credentials that say it need no word; without them it is required."`
	StatusData  string       `json:"status_data,omitzero" doc:"Text kept with the mutex, at most 64 KiB. Absent or empty keeps what is there."`
	AutoRelease *AutoRelease `json:"auto_release,omitzero" doc:"Absent: freed 300s after the last refresh, or as it is."`
	If          *Condition   `json:"if,omitzero" doc:"At most one of its members. Absent or empty: no condition."`
	Wait        *Duration    `json:"wait,omitzero" doc:"How long to queue for what another holds, up to 1h. Goes with one mutex, and with no condition or free."`
	Message     string       `json:"message,omitzero" maxLength:"1000" doc:"Asks the holder to hand over. Goes with wait. At most 1000 bytes."`
	GrantAfter  *Duration    `json:"grant_after,omitzero" doc:"Who asks with a message gets the mutex if this holder does not answer so long, 1s to 24h. Absent: not by itself, or as it is."`
	Sharing     string       `json:"sharing,omitzero" enum:"exclusive,shared" doc:"Who may hold it too: nobody, or all who share it. Absent: exclusive for a new hold, as it is for one's own. Another one for one's own changes it: to shared at any time, to exclusive only while nobody else holds it or waits."`
	Limit       int          `json:"limit,omitzero" minimum:"1" maximum:"10000" doc:"At most so many may hold it at once; all must say the same. Goes without sharing."`
}

// CaptureAnswer is the answer to a capture or takeover of one mutex, and to a
// request.
type CaptureAnswer struct {
	State   string  `json:"state" enum:"FREE,CAPTURED_BY_ME,CAPTURED_BY_OTHER,WAITING"`
	Mutex   *Mutex  `json:"mutex" doc:"Null if it is free. Of WAITING: as its holder has it, null if that is not known."`
	Holders []Mutex `json:"holders,omitzero" nullable:"false" doc:"Of a request, where several hold it: the first 20 of them, mutex among them. mutex.beside counts the others."`
	// Place and Kept are of Waiting.
	Place int      `json:"place,omitzero" doc:"Of WAITING: the place in the queue, 1 for the first. Absent: beyond the first 20."`
	Kept  Duration `json:"kept_for,omitzero" doc:"Of WAITING: the place is kept so long for the same call, with the same Idempotency-Key."`
}

// Waiting is the state of a capture that waits on.
const Waiting = "WAITING"

// Waits reports whether the capture waits on.
func (a *CaptureAnswer) Waits() bool { return a.State == Waiting }

// Waits reports false: nobody waits for several.
func (a *CaptureAllAnswer) Waits() bool { return false }

// CaptureAllAnswer is the answer to a capture of several.
type CaptureAllAnswer struct {
	Mutexes []Mutex `json:"mutexes" nullable:"false" doc:"In the order asked for."`
}

// RefreshRequest is the body of POST /v1/refresh.
type RefreshRequest struct {
	Owner *Owner        `json:"owner,omitzero" doc:"Who refreshes. Absent, and not said by credentials: the tokens alone decide, as far as that is allowed."`
	Items []RefreshItem `json:"items" nullable:"false" minItems:"1" maxItems:"1000" doc:"Each is refreshed for itself; none is ever captured."`
	// Presence spares a page a second call.
	Presence *Looks `json:"presence,omitzero" doc:"What the page shows, as /v1/presence takes it. It needs an owner, or credentials that say it."`
}

// RefreshItem is one mutex to refresh.
type RefreshItem struct {
	Mutex       *ID          `json:"mutex,omitzero" required:"true"`
	Token       uint64       `json:"token" minimum:"1" maximum:"9007199254740991" doc:"As a capture returned it."`
	StatusData  string       `json:"status_data,omitzero" doc:"Absent or empty keeps what is there."`
	AutoRelease *AutoRelease `json:"auto_release,omitzero" doc:"Absent keeps what is there."`
}

// RefreshAnswer is the answer to a refresh: a result per item, in their order.
type RefreshAnswer struct {
	Results  []RefreshResult `json:"results" nullable:"false"`
	Presence []LookResult    `json:"presence,omitempty" nullable:"false" doc:"A result per look, in their order. Absent if none were sent."`
}

// LookRequest is the body of POST /v1/request.
type LookRequest struct {
	Mutex *ID    `json:"mutex,omitzero" required:"true"`
	Owner *Owner `json:"owner,omitzero" doc:"Absent: the answer is as a stranger sees it."`
}

// ReleaseRequest is the body of POST /v1/release.
type ReleaseRequest struct {
	Mutex   *ID        `json:"mutex,omitzero" doc:"What to release. Either this or mutexes is required."`
	Mutexes []ID       `json:"mutexes,omitzero" nullable:"false" doc:"Several to release, each for itself: up to 1000, each once. Goes without if."`
	Owner   *Owner     `json:"owner,omitzero" doc:"Who releases. Credentials that say it need no word; without them it is required."`
	If      *Condition `json:"if,omitzero" doc:"status_data, token or request: released only if it holds, else nothing happens."`
	Grace   *Duration  `json:"grace,omitzero" doc:"Released so long after, 1s to 60s, unless it is refreshed before: for a page that may only be reloading. Goes with one mutex."`
}

// ReleaseAnswer is the answer to a release of one mutex, or a forced one.
type ReleaseAnswer struct {
	Released bool `json:"released" doc:"False: there was nothing to release."`
}

// ReleaseAllAnswer is the answer to a release of several, or of a session.
type ReleaseAllAnswer struct {
	Released bool `json:"released" doc:"Whether any was."`
	Mutexes  []ID `json:"mutexes" nullable:"false" doc:"What was released."`
}

// TakeoverRequest is the body of POST /v1/takeover.
type TakeoverRequest struct {
	Mutex       *ID          `json:"mutex,omitzero" required:"true"`
	Owner       *Owner       `json:"owner,omitzero" doc:"Who takes over. Credentials that say it need no word; without them it is required."`
	SeenToken   uint64       `json:"seen_token" minimum:"1" maximum:"9007199254740991" doc:"The token of the holder seen: refused if it is another by now."`
	Reason      string       `json:"reason" minLength:"1" maxLength:"1000" doc:"For the one who loses the lock. At most 1000 bytes."`
	StatusData  string       `json:"status_data,omitzero"`
	AutoRelease *AutoRelease `json:"auto_release,omitzero"`
	GrantAfter  *Duration    `json:"grant_after,omitzero"`
}

// ForceReleaseRequest is the body of POST /v1/force-release.
type ForceReleaseRequest struct {
	Mutex     *ID    `json:"mutex,omitzero" required:"true"`
	Owner     *Owner `json:"owner,omitzero" doc:"Who does it. Credentials that say it need no word; without them it is required."`
	SeenToken uint64 `json:"seen_token" minimum:"1" maximum:"9007199254740991" doc:"The token of the holder seen: refused if it is another by now."`
	Reason    string `json:"reason" minLength:"1" maxLength:"1000" doc:"For the one who loses the lock. At most 1000 bytes."`
}

// ReleaseSessionRequest is the body of POST /v1/release-session.
type ReleaseSessionRequest struct {
	Session string `json:"session" minLength:"1" maxLength:"200" doc:"Whose mutexes are released."`
	Owner   *Owner `json:"owner,omitzero" doc:"Who does it, for the history. Absent: the session itself."`
}

// HandOverRequest is the body of POST /v1/hand-over.
type HandOverRequest struct {
	Mutex *ID    `json:"mutex,omitzero" required:"true"`
	Owner *Owner `json:"owner,omitzero" doc:"Who holds it. Credentials that say it need no word; without them it is required."`
}

// HandOverAnswer is the answer to a hand-over.
type HandOverAnswer struct {
	HandedOver bool `json:"handed_over" doc:"False: nobody waits, and the holder keeps it."`
}

// DeclineRequest is the body of POST /v1/decline.
type DeclineRequest struct {
	Mutex   *ID    `json:"mutex,omitzero" required:"true"`
	Owner   *Owner `json:"owner,omitzero" doc:"Who holds it. Credentials that say it need no word; without them it is required."`
	Waiter  string `json:"waiter" minLength:"1" maxLength:"200" doc:"The id of the waiter."`
	Message string `json:"message,omitzero" maxLength:"1000" doc:"For the waiter. At most 1000 bytes."`
}

// DeclineAnswer is the answer to a decline.
type DeclineAnswer struct {
	Declined bool `json:"declined" doc:"False: this waiter waits no more."`
}

// ListAnswer is the answer to GET /v1/mutexes.
type ListAnswer struct {
	Mutexes []Mutex `json:"mutexes" nullable:"false" doc:"In the order of their IDs."`
	Next    *string `json:"next_cursor" doc:"Cursor of the next page. A page may be short, or empty, and have a next one. Null at the end."`
}

// HistoryAnswer is the answer to GET /v1/history.
type HistoryAnswer struct {
	Entries []Entry `json:"entries" nullable:"false" doc:"Newest first."`
	Next    *string `json:"next_cursor" doc:"Cursor of the next page. A page may be short, or empty, and have a next one. Null at the end."`
}

// StatusAnswer is the answer of /healthz and /readyz.
type StatusAnswer struct {
	Status string `json:"status" enum:"ok"`
	// Parts are names and "ok" or "unavailable".
	Parts map[string]string `json:"parts,omitempty" doc:"Whether each part works: ok or unavailable. Of /readyz only."`
}

// Cursor returns the form of a page's Next.
func Cursor(next string) *string {
	if next == "" {
		return nil
	}
	return &next
}
