//go:build !linux

package sqlite

import (
	"context"
	"time"
)

// bell is not heard: processes poll.
type bell struct{}

func (*bell) hang(string) {}
func (*bell) ring()       {}
func (*bell) take()       {}

func (*bell) wait(ctx context.Context, d time.Duration) { pause(ctx, d) }
