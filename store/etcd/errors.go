package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/editlock/editlock/store/kv"
)

var errNoStore = errors.New("etcd: the store's keys are gone")

// permanent are the errors that another try would meet again, in plain words.
var permanent = []struct {
	err   error
	plain string
}{
	{rpctypes.ErrAuthFailed, "the user or password was refused"},
	{rpctypes.ErrUserEmpty, "a user and password are needed: etcd has authentication enabled"},
	{rpctypes.ErrPermissionDenied, "the user may not read and write all keys with the store's prefix: grant a role readwrite on it"},
	{rpctypes.ErrAuthNotEnabled, "a user and password are given, but etcd has authentication disabled"},
	{rpctypes.ErrNoSpace, "etcd's database is full: compact and defragment it, then disarm the alarm"},
	{rpctypes.ErrRequestTooLarge, "the request writes more than etcd takes at once: name fewer mutexes in one call, or raise --max-request-bytes"},
	{rpctypes.ErrTooManyOps, "the request writes more keys than etcd takes at once: name fewer mutexes in one call, or raise --max-txn-ops to 128 at least"},
}

// problem is an error of etcd in plain words. It may pass or not.
type problem struct {
	plain     string
	permanent bool
	err       error
}

func (p *problem) Error() string { return fmt.Sprintf("etcd: %s (%v)", p.plain, p.err) }
func (p *problem) Unwrap() error { return p.err }

// explain says in plain words what is wrong.
func (e *engine) explain(ctx context.Context, err error) error {
	if e.quit.Err() != nil {
		return kv.ErrClosed
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return ctx.Err()
	}
	return explain(err, e.client.Endpoints())
}

func explain(err error, endpoints []string) error {
	for _, p := range permanent {
		if errors.Is(err, p.err) {
			return &problem{p.plain, true, err}
		}
	}
	switch st, _ := status.FromError(err); {
	case st.Code() == codes.ResourceExhausted && strings.Contains(st.Message(), "larger than max"):
		return &problem{"the request writes more than etcd takes at once: name fewer mutexes in one call", true, err}
	case errors.Is(err, context.DeadlineExceeded), st.Code() == codes.Unavailable, st.Code() == codes.DeadlineExceeded:
		return &problem{"no answer from " + strings.Join(endpoints, ", "), false, err}
	}
	return &problem{"the request failed", false, err}
}

// temporary reports whether another try may succeed.
func temporary(err error) bool {
	var p *problem
	return errors.As(err, &p) && !p.permanent || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errNoStore)
}
