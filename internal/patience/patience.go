// Package patience carries, in the context of a Capture that waits, how its
// wait ends other than with the call: the steps under way in the store are not
// cut off by that, so the answer says what they came to.
package patience

import "context"

type endKey struct{}

// End is the context that bounds the wait of a call: that of WithEnd, or the
// call's own. Its cause is the answer of a wait that ended with it.
func End(ctx context.Context) context.Context {
	if end, ok := ctx.Value(endKey{}).(context.Context); ok {
		return end
	}
	return ctx
}

// WithEnd returns ctx with an end function for its wait. An ErrUnavailable as
// the cause keeps the place in the queue, for a retry; nil releases resources.
func WithEnd(ctx context.Context) (_ context.Context, end context.CancelCauseFunc) {
	bounded, end := context.WithCancelCause(End(ctx))
	return context.WithValue(ctx, endKey{}, bounded), end
}
