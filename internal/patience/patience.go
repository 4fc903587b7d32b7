// Package patience carries, in the context of a Capture that waits, what a
// server knows of its caller: how the wait ends other than with the call, and
// whether the caller comes back for the place it has in the queue.
package patience

import (
	"context"
	"errors"
	"time"
)

// Grace is how long a place in a queue outlives the request of a caller behind
// a server, who asks again by the same request ID.
const Grace = 10 * time.Second

type (
	endKey    struct{}
	callerKey struct{}
)

// End is the context that bounds the wait of a call: that of WithEnd, or the
// call's own. Its cause is the answer of a wait that ended with it.
func End(ctx context.Context) context.Context {
	if end, ok := ctx.Value(endKey{}).(context.Context); ok {
		return end
	}
	return ctx
}

// WithEnd returns ctx with an end function for its wait, which cuts off none of
// the steps under way in the store: the answer says what they came to. An
// ErrUnavailable as the cause keeps the place in the queue, for a retry; nil
// releases resources.
func WithEnd(ctx context.Context) (_ context.Context, end context.CancelCauseFunc) {
	bounded, end := context.WithCancelCause(End(ctx))
	return context.WithValue(ctx, endKey{}, bounded), end
}

// Caller is a caller behind a network: the end of its call's context says that
// the connection ended, not that the caller left.
type Caller struct {
	// Within bounds the time to one answer: a wait that lasts longer ends with a
	// *Waiting, and goes on when the caller asks again by the same request ID. Such
	// a caller confirms what it is granted by itself. 0: one answer, whenever.
	Within time.Duration

	taken chan bool
}

// WithCaller returns ctx as that of a call by such a caller.
func WithCaller(ctx context.Context, within time.Duration) (context.Context, *Caller) {
	c := &Caller{Within: within, taken: make(chan bool, 1)}
	return context.WithValue(ctx, callerKey{}, c), c
}

// CallerOf is the caller of a call; nil if it is this process.
func CallerOf(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}

// Answered says, once, whether the connection took the answer.
func (c *Caller) Answered(taken bool) { c.taken <- taken }

// Took waits so long until the call is answered; false if the answer was not
// taken.
func (c *Caller) Took(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	select {
	case taken := <-c.taken:
		return taken
	case <-ctx.Done():
	}
	select { // it may have been answered just before
	case taken := <-c.taken:
		return taken
	default:
		return false
	}
}

// Returns reports whether the caller of a capture that ended with err may come
// back for its place: it was told to, or its connection ended.
func Returns(ctx context.Context, err error) bool {
	var waits *Waiting
	return errors.As(err, &waits) || CallerOf(ctx) != nil && ctx.Err() != nil && errors.Is(err, ctx.Err())
}

// Waiting is the error of a capture that waits on: its place in the queue is
// kept for Grace, until the caller asks again.
type Waiting struct {
	Ticket string // the waiter's ID
}

func (*Waiting) Error() string { return "still waiting; ask again with the same request ID" }
