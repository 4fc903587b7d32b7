package access

import (
	"context"

	"editlock/auth"
)

var (
	errExpired = &auth.Error{Problem: "the credentials have expired", Presented: true}
	errEnded   = &auth.Error{Problem: "the credentials are no longer valid: the login ended, or the API key was revoked or changed", Presented: true}
)

// whileValid ends what lasts when the caller's login or API key ends: by
// somebody, see [auth.Caller.Ended], or in time. Tokens and certificates have
// successors, who would find the place in the queue gone. stop must be called.
func whileValid(ctx context.Context, c *auth.Caller) (_ context.Context, stop func()) {
	if c.Ended == nil {
		return ctx, func() {}
	}
	expire := func() {}
	if !c.Expires.IsZero() {
		ctx, expire = context.WithDeadlineCause(ctx, c.Expires, errExpired)
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
