package access

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
)

// Limits bound what one caller can cost the others. 0 is no limit. Those per
// second, and of streams, hold for each server process; a back end, which acts
// for many, has its own.
type Limits struct {
	MutexesPerSession int `toml:"mutexes_per_session"`
	MutexesPerUser    int `toml:"mutexes_per_user"`
	WaitersPerMutex   int `toml:"waiters_per_mutex"`

	// RequestsPerSecond counts the items of a batch one by one; twice as many
	// are allowed at once, and one batch.
	RequestsPerSecond        int `toml:"requests_per_second"`
	BackendRequestsPerSecond int `toml:"backend_requests_per_second"`
	Streams                  int `toml:"event_streams"`
	BackendStreams           int `toml:"backend_event_streams"`
	// Looks are records at which a caller's pages are present at a time.
	Looks        int `toml:"looks"`
	BackendLooks int `toml:"backend_looks"`
	// RefusalsPerSecond is of requests without valid credentials, by address.
	RefusalsPerSecond int `toml:"refusals_per_second"`
}

// DefaultLimits let an office and its programs work, and stop what runs wild.
func DefaultLimits() Limits {
	return Limits{
		MutexesPerSession: 1000, MutexesPerUser: 5000, WaitersPerMutex: 1000,
		RequestsPerSecond: 100, BackendRequestsPerSecond: 5000, Streams: 50, BackendStreams: 1000,
		Looks: 500, BackendLooks: 50_000, RefusalsPerSecond: 20,
	}
}

// LimitError says which limit a call met. It is editlock.ErrLimited.
type LimitError struct {
	Limit      string // as in the configuration, such as mutexes_per_session
	Max        int
	RetryAfter time.Duration // when it is worth another try
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("this is over the limit %s, which is %d here", e.Limit, e.Max)
}

// Is makes errors.Is(err, editlock.ErrLimited) true.
func (e *LimitError) Is(target error) bool { return target == editlock.ErrLimited }

// The limits, as errors and counters name them.
const (
	mutexesPerSession = "mutexes_per_session"
	mutexesPerUser    = "mutexes_per_user"
	waitersPerMutex   = "waiters_per_mutex"
	requestsPerSecond = "requests_per_second"
	eventStreams      = "event_streams"
	refusalsPerSecond = "refusals_per_second"
	looks             = "looks"
	backendLooks      = "backend_looks"

	backendRequestsPerSecond = "backend_requests_per_second"
	backendEventStreams      = "backend_event_streams"

	// bodySize is the same for all, and no setting.
	bodySize = "body_size"
)

// Counters tell how often each limit was met, and how often something was
// refused, since the process began.
type Counters struct {
	limits    map[string]*atomic.Uint64
	forbidden atomic.Uint64
	unknown   atomic.Uint64
	invalid   atomic.Uint64
}

func newCounters() *Counters {
	c := &Counters{limits: map[string]*atomic.Uint64{}}
	for _, name := range []string{
		mutexesPerSession, mutexesPerUser, waitersPerMutex, requestsPerSecond,
		backendRequestsPerSecond, eventStreams, backendEventStreams, looks, backendLooks, refusalsPerSecond, bodySize,
	} {
		c.limits[name] = new(atomic.Uint64)
	}
	return c
}

// Limited is how often each limit was met, by its name.
func (c *Counters) Limited() map[string]uint64 {
	out := make(map[string]uint64, len(c.limits))
	for name, n := range c.limits {
		out[name] = n.Load()
	}
	return out
}

// Forbidden is how often a known caller was refused what they asked for.
func (c *Counters) Forbidden() uint64 { return c.forbidden.Load() }

// Unauthenticated is how often a request had no valid credentials.
func (c *Counters) Unauthenticated() uint64 { return c.unknown.Load() }

// Invalid is how often a call was refused for what it says, such as a field
// that is too long.
func (c *Counters) Invalid() uint64 { return c.invalid.Load() }

// AddInvalid counts a call that was refused for what it says.
func (c *Counters) AddInvalid() { c.invalid.Add(1) }

// AddTooLarge counts a call whose body is larger than a server takes.
func (c *Counters) AddTooLarge() { c.limits[bodySize].Add(1) }

func (c *Counters) limited(name string, limit int, after time.Duration) error {
	c.limits[name].Add(1)
	return &LimitError{Limit: name, Max: limit, RetryAfter: after}
}

// maxKnown bounds how many callers are remembered for their rates.
const maxKnown = 50_000

// rates holds callers to their requests per second.
type rates struct {
	mu sync.Mutex
	by map[string]*rate.Limiter
}

// take counts n more of what a caller asks for. A single request must be within
// the burst. The rest of a batch must not: a caller who owes nothing may have a
// whole one, and then owes what exceeds the burst. after is how long it takes
// until a request is allowed.
func (r *rates) take(who string, perSecond, n int, owed bool) (after time.Duration, ok bool) {
	if perSecond <= 0 || n <= 0 {
		return 0, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.by[who]
	if l == nil {
		if len(r.by) >= maxKnown || r.by == nil {
			r.forgetIdle()
		}
		l = rate.NewLimiter(rate.Limit(perSecond), 2*perSecond)
		r.by[who] = l
	}
	now := time.Now()
	has, needs := l.TokensAt(now), 1.0
	if owed {
		needs = 0
	}
	if has < needs {
		return time.Duration((1 - has) / float64(perSecond) * float64(time.Second)), false
	}
	for ; n > 0; n -= l.Burst() { // a limiter reserves no more than its burst at a time
		l.ReserveN(now, min(n, l.Burst()))
	}
	return 0, true
}

// forgetIdle lets go of callers who could send a full burst anyway; if all are
// busy, of all: they start over.
func (r *rates) forgetIdle() {
	kept := make(map[string]*rate.Limiter)
	for who, l := range r.by {
		if l.Tokens() < float64(l.Burst()) {
			kept[who] = l
		}
	}
	if len(kept) >= maxKnown {
		clear(kept)
	}
	r.by = kept
}

// streams counts the event streams of callers, up to a limit.
type streams struct{ tally[string] }

func (s *streams) open(who string, limit int) bool {
	if n := s.tally.open(who); limit > 0 && n > limit {
		s.close(who)
		return false
	}
	return true
}

// tally counts what is under way, by whose it is.
type tally[K comparable] struct {
	mu sync.Mutex
	by map[K]int
}

// open returns how many there are with this one.
func (t *tally[K]) open(of K) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[K]int{}
	}
	t.by[of]++
	return t.by[of]
}

func (t *tally[K]) close(of K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by[of]--; t.by[of] <= 0 {
		delete(t.by, of)
	}
}

// waitKey is a digest of what names a wait: names are long, and anybody may make up
// many. The zero key is of a wait whose caller can't come back.
type waitKey [sha256.Size]byte

func keyOf(owner editlock.Owner, id editlock.ID, requestID string) waitKey {
	if requestID == "" {
		return waitKey{}
	}
	return sha256.Sum256([]byte(owner.Session + "\n" + id.String() + "\n" + requestID)) // they have no control characters
}

// Admit counts one request of a caller against their rate. Its error is a
// *LimitError.
func (g *Control) Admit(c *auth.Caller) error { return g.count(c, 1, false) }

// AdmitItems counts what a request that was admitted asks for beside its first
// item. A caller may ask for a whole batch at once; until the rate has made up
// for it, further requests are refused. Its error is a *LimitError.
func (g *Control) AdmitItems(c *auth.Caller, items int) error { return g.count(c, items-1, true) }

// rowsPerRequest are the rows of a page that count as a request.
const rowsPerRequest = 100

// OweRows counts the rows of a page that a request was answered with, beyond those of
// a usual one: until the rate has made up for them, further requests are refused.
func (g *Control) OweRows(c *auth.Caller, rows int) { _ = g.count(c, (rows-1)/rowsPerRequest, true) }

type besideKey struct{}

// WithItems returns a context for a call with a batch, in whose request stand so
// many items more: they are counted with it, as one batch.
func WithItems(ctx context.Context, items int) context.Context {
	return context.WithValue(ctx, besideKey{}, items)
}

// itemsBeside are those of WithItems.
func itemsBeside(ctx context.Context) int {
	n, _ := ctx.Value(besideKey{}).(int)
	return n
}

func (g *Control) count(c *auth.Caller, n int, owed bool) error {
	name, limit := requestsPerSecond, g.limits.RequestsPerSecond
	if c.Scope != nil {
		name, limit = backendRequestsPerSecond, g.limits.BackendRequestsPerSecond
	}
	if after, ok := g.rates.take(c.Name, limit, n, owed); !ok {
		return g.Counters.limited(name, limit, after)
	}
	return nil
}

// Refused counts a request without valid credentials, by its address, and
// writes it to the audit log. The error is the one to answer with.
func (g *Control) Refused(ctx context.Context, address string, err error) error {
	g.Counters.unknown.Add(1)
	limit := g.limits.RefusalsPerSecond
	if after, ok := g.rates.take("address:"+address, limit, 1, false); !ok {
		return g.Counters.limited(refusalsPerSecond, limit, after)
	}
	g.Log(ctx, "unauthenticated", nil, "address", address, "why", err.Error())
	return err
}

// OpenStream counts an event stream of a caller until done is called. Its
// error is a *LimitError.
func (g *Control) OpenStream(c *auth.Caller) (done func(), err error) {
	name, limit := eventStreams, g.limits.Streams
	if c.Scope != nil {
		name, limit = backendEventStreams, g.limits.BackendStreams
	}
	if !g.streams.open(c.Name, limit) {
		return nil, g.Counters.limited(name, limit, 10*time.Second)
	}
	return sync.OnceFunc(func() { g.streams.close(c.Name) }), nil
}
