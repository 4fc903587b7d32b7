package access

import (
	"context"

	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/server/auth"
)

var (
	errExpired = &auth.Error{Problem: "the credentials have expired", Presented: true}
	errEnded   = &auth.Error{Problem: "the credentials are no longer valid: the login ended, or the API key was revoked or changed", Presented: true}
)

// whileValid ends what lasts with the caller's credentials: in time, or by
// somebody, see [auth.Caller.Ended]. stop must be called.
func whileValid(ctx context.Context, c *auth.Caller) (_ context.Context, stop func()) {
	expire := func() {}
	if !c.Expires.IsZero() {
		ctx, expire = context.WithDeadlineCause(ctx, c.Expires, errExpired)
	}
	if c.Ended == nil {
		return ctx, expire
	}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-c.Ended:
			cancel(errEnded)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(nil)
		expire()
	}
}

// WhileValid returns a context that ends with the credentials of the caller in it.
// stop must be called.
func WhileValid(ctx context.Context) (_ context.Context, stop func()) {
	if c := auth.CallerFrom(ctx); c != nil {
		return whileValid(ctx, c)
	}
	return ctx, func() {}
}

// waitWhileValid ends a wait with the caller's credentials, but cuts no step
// under way: its outcome would be unknown.
func waitWhileValid(ctx context.Context, c *auth.Caller) (_ context.Context, stop func()) {
	valid, release := whileValid(ctx, c)
	ctx, end := patience.WithEnd(ctx)
	unhook := context.AfterFunc(valid, func() { end(context.Cause(valid)) })
	return ctx, func() {
		unhook()
		end(nil)
		release()
	}
}

// invalidated is err, or what is wrong with the credentials if ctx ended for
// that.
func invalidated(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause == errExpired || cause == errEnded { //nolint:errorlint // the very causes
		return cause
	}
	return err
}
