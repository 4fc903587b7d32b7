package access

import (
	"context"
	"log/slog"
	"slices"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/server/auth"
)

// Control holds callers to a policy and to limits, and writes what it refuses,
// and whose hold is ended by another, to the audit log.
type Control struct {
	Counters *Counters

	policy Policy
	limits Limits
	audit  *slog.Logger

	rates   rates
	streams streams
	waits   tally[editlock.ID] // captures with patience, in this process
	// returning are waits whose callers are away, and whose places in the queue are
	// kept for them: a waiter that comes back in time makes no queue longer.
	returning patience.Recent[waitKey]
	bySession quotas
	byUser    quotas
	ranks     *ranks
}

// New returns a Control. audit gets one line per decision; nil means
// slog.Default().
func New(p Policy, l Limits, audit *slog.Logger) *Control {
	if audit == nil {
		audit = slog.Default()
	}
	return &Control{
		Counters: newCounters(), policy: p, limits: l, audit: audit, ranks: newRanks(),
		returning: patience.Recent[waitKey]{Most: maxKnown},
		bySession: quotas{limit: mutexesPerSession, max: l.MutexesPerSession, query: func(who string) editlock.Query {
			return editlock.Query{Session: who}
		}},
		byUser: quotas{limit: mutexesPerUser, max: l.MutexesPerUser, query: func(who string) editlock.Query {
			return editlock.Query{UserID: who}
		}},
	}
}

// May reports whether a caller has a right to a mutex.
func (g *Control) May(c *auth.Caller, right auth.Right, id editlock.ID) bool {
	return g.policy.May(c, right, id)
}

// MayAny reports whether a caller has a right to any mutex at all.
func (g *Control) MayAny(c *auth.Caller, right auth.Right) bool { return g.policy.MayAny(c, right) }

// Visible are the areas whose mutexes a caller may see, by MaySee: what may be
// read, and the caller's own of what may be used.
func (g *Control) Visible(c *auth.Caller) []editlock.Area {
	areas := g.policy.areas(c, auth.Read)
	if c.Scope != nil {
		return areas
	}
	for _, own := range g.policy.areas(c, auth.Use) {
		own.Holder = c.Owner
		areas = append(areas, own)
	}
	return areas
}

// Usable are the areas whose mutexes a caller may capture.
func (g *Control) Usable(c *auth.Caller) []editlock.Area { return g.policy.areas(c, auth.Use) }

// Remembered are the areas whose history a caller may read.
func (g *Control) Remembered(c *auth.Caller) []editlock.Area { return g.policy.areas(c, auth.History) }

// MaySee reports whether a caller may see who holds a mutex: the caller may read it,
// or it is their own, or an agent's or a job's of theirs.
func (g *Control) MaySee(c *auth.Caller, id editlock.ID, holder ...editlock.Owner) bool {
	if g.May(c, auth.Read, id) {
		return true
	}
	if c.Scope != nil || !g.May(c, auth.Use, id) {
		return false
	}
	own := editlock.Area{Group: "*", Mode: "*", Holder: c.Owner}
	return slices.ContainsFunc(holder, func(o editlock.Owner) bool { return o.Session != "" && own.Contains(id, o) })
}

// samePerson also wants a session: the zero Owner is nobody.
func samePerson(a, b editlock.Owner) bool { return b.Session != "" && a.SamePerson(b) }

// For returns l as a caller may use it. Its calls act for the caller's owner;
// a back end's for the owner in the context, within its scope. Refusals are
// *auth.ForbiddenError and *LimitError, beside those of l. Its Close does
// nothing: l is others' too.
func (g *Control) For(l editlock.Locker, c *auth.Caller) editlock.Locker {
	return &guarded{g: g, inner: formerly{l}, caller: c}
}

// InContext returns l as the caller in each call's context may use it (see
// auth.WithCaller). Without one, all is refused.
func (g *Control) InContext(l editlock.Locker) editlock.Locker {
	return &guarded{g: g, inner: formerly{l}}
}

// requestIDKey is of the context's request ID.
type requestIDKey struct{}

// WithRequestID returns a context whose decisions are logged with an ID.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestIDFrom returns the ID of the request that a context belongs to.
func RequestIDFrom(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// Log writes a line to the audit log.
func (g *Control) Log(ctx context.Context, decision string, c *auth.Caller, attrs ...any) {
	line := []any{"decision", decision}
	if c != nil {
		line = append(line, "caller", c.Name, "method", string(c.Method))
	}
	if id := RequestIDFrom(ctx); id != "" {
		line = append(line, "request_id", id)
	}
	g.audit.InfoContext(ctx, "audit", append(line, attrs...)...)
}

// deny refuses something, with a line in the audit log.
func (g *Control) deny(ctx context.Context, c *auth.Caller, do string, id editlock.ID, problem string) error {
	g.Counters.forbidden.Add(1)
	g.Log(ctx, "forbidden", c, "do", do, "mutex", id.String(), "why", problem)
	return &auth.ForbiddenError{Problem: problem}
}

// Refuse writes a refusal of an owner that a caller stated to the audit log.
func (g *Control) Refuse(ctx context.Context, c *auth.Caller, do string, err error) {
	g.Counters.forbidden.Add(1)
	g.Log(ctx, "forbidden", c, "do", do, "why", err.Error())
}
