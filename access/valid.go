package access

import (
	"context"

	"editlock/auth"
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
