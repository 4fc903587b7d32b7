package etcd

import (
	"context"
	"time"
)

// OpenAt opens a store that keeps to a clock of the test's.
func OpenAt(ctx context.Context, url string, now func() time.Time) (*Store, error) {
	return open(ctx, url, now)
}
