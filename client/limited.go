package client

import (
	"net/http"
	"strconv"
	"time"

	"github.com/editlock/editlock"
)

// LimitedError says that a call was over a limit of the server, which did
// nothing then. It is editlock.ErrLimited.
type LimitedError struct {
	Problem    error         // names the limit
	RetryAfter time.Duration // when it is worth another try, as the server says
}

func (e *LimitedError) Error() string { return e.Problem.Error() }

// Is makes errors.Is(err, editlock.ErrLimited) true.
func (e *LimitedError) Is(target error) bool { return target == editlock.ErrLimited }

func (e *LimitedError) Unwrap() error { return e.Problem }

// maxLimited is how long a call waits in all because of limits. A limit that
// asks for a longer wait is the caller's to deal with.
const maxLimited = 5 * time.Second

// retryAfter is what the server asks for; 0 if that is nothing, or a date.
func retryAfter(res *http.Response) time.Duration {
	seconds, _ := strconv.ParseUint(res.Header.Get("Retry-After"), 10, 16)
	return time.Duration(seconds) * time.Second
}
