package editlock

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// firstError returns the first of several checks that failed.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c capture) validate() error {
	return firstError(c.opts.validate(), c.owner.Kind.checkLease(c.opts.AutoRelease))
}

func (o CaptureOptions) validate() error {
	if o.If.kind == ifRequest {
		return invalid("if.request", "goes_with_release", "goes with a release only")
	}
	if o.If.kind == ifStatusData || o.If.kind == ifToken {
		if o.Wait != 0 {
			return invalid("wait", "wait_with_condition", "goes with no condition or with if.free only: the others claim what is held already")
		}
	}
	if o.Wait < 0 || o.Wait > MaxWait {
		return invalid("wait", "above_maximum", "is %v; up to %v is allowed", o.Wait, MaxWait)
	}
	if o.Message != "" && o.Wait == 0 {
		return invalid("message", "goes_with_wait", "goes with a wait only: the holder answers who waits")
	}
	if o.GrantAfter != 0 && (o.GrantAfter < minGrantAfter || o.GrantAfter > maxGrantAfter) {
		return invalid("grant_after", "out_of_range", "is %v; between %v and %v is allowed", o.GrantAfter, minGrantAfter, maxGrantAfter)
	}
	return firstError(
		o.checkSharing(), checkStatusData(o.StatusData), o.AutoRelease.Validate(), o.If.validate(),
		checkWords("message", o.Message, MaxMessage), checkRequestID(o.RequestID),
	)
}

func checkRequestID(id string) error { return checkText("request_id", id, maxRequestID) }

// checkStatusData allows control characters: it is free text, often of
// several lines. A NUL is refused, as databases do.
func checkStatusData(text string) error {
	if len(text) > MaxStatusData {
		return invalid("status_data", "too_long", "is %d bytes long; at most %d are allowed", len(text), MaxStatusData)
	}
	if !utf8.ValidString(text) {
		return invalid("status_data", "not_utf8", "is not valid UTF-8")
	}
	for i := range len(text) {
		if text[i] == 0 {
			return invalid("status_data", "nul_character", "has a NUL character at byte %d; none is allowed", i)
		}
	}
	return nil
}

func checkReason(reason string) error {
	if reason == "" {
		return invalid("reason", "empty_reason", "must not be empty: the one who loses the lock will read it")
	}
	return checkWords("reason", reason, MaxMessage)
}

func checkGrace(grace time.Duration) error {
	if grace < minGrace || grace > maxGrace {
		return invalid("grace", "out_of_range", "is %v; between %v and %v is allowed", grace, minGrace, maxGrace)
	}
	return nil
}

func checkSeen(seen Token) error {
	if seen == 0 {
		return invalid("seen_token", "not_a_seen_token", "must be the token of the holder seen")
	}
	return nil
}

// within says of an invalid field that it stands in an item of a list. What
// the field's own name begins with is cut off.
func within(item, cut string, err error) error {
	var bad *InvalidError
	if !errors.As(err, &bad) {
		return err
	}
	in := *bad
	in.Field = item + strings.TrimPrefix(bad.Field, cut)
	return &in
}

// checkIDs holds a batch to its limits and its IDs to theirs, and refuses one
// named twice.
func checkIDs(ids []ID) error {
	if len(ids) == 0 || len(ids) > MaxBatch {
		return invalid("mutexes", "item_count", "has %d items; between 1 and %d are allowed", len(ids), MaxBatch)
	}
	seen := make(map[ID]int, len(ids))
	for i, id := range ids {
		if err := id.Validate(); err != nil {
			return within(fmt.Sprintf("mutexes[%d]", i), "mutex", err)
		}
		if j, twice := seen[id]; twice {
			return invalid(fmt.Sprintf("mutexes[%d]", i), "duplicate", "is mutexes[%d] again; name each once", j)
		}
		seen[id] = i
	}
	return nil
}

func (q Query) validate() error {
	return firstError(
		checkLimit(q.Limit), checkText("group", q.Group, MaxGroup), checkText("mode", q.Mode, MaxMode),
		checkText("session", q.Session, MaxOwnerField), checkText("user_id", q.UserID, MaxOwnerField),
		checkText("text", q.Text, maxTextFilter),
	)
}

// checkScope checks the mutex that a query names, if any. With tree there must be one.
func checkScope(id *ID, tree bool) error {
	if id != nil {
		return id.Validate()
	}
	if tree {
		return invalid("tree", "tree_without_mutex", "goes with a mutex: it stands for all that is below it")
	}
	return nil
}

func (q HistoryQuery) validate() error {
	if err := checkScope(q.ID, q.Tree); err != nil {
		return err
	}
	if len(q.Kinds) > maxKindsFilter {
		return invalid("kind", "too_many_values", "is given %d times; at most %d are allowed", len(q.Kinds), maxKindsFilter)
	}
	for _, k := range q.Kinds {
		if !k.known() {
			return invalid("kind", "unknown_kind", "%q is not known; captured, released, expired, taken_over, force_released, handed_over, waiting, declined, shared and upgraded are", k)
		}
	}
	return firstError(
		checkLimit(q.Limit), checkText("group", q.Group, MaxGroup), checkText("mode", q.Mode, MaxMode),
		checkText("user_id", q.UserID, MaxOwnerField), checkText("text", q.Text, maxTextFilter),
	)
}

func (k EventKind) known() bool {
	switch k {
	case KindCaptured, KindReleased, KindExpired, KindTakenOver, KindForceReleased,
		KindHandedOver, KindWaiting, KindDeclined, KindShared, KindUpgraded:
		return true
	default: // a gap is no entry
		return false
	}
}

func checkLimit(n int) error {
	if n < 0 || n > MaxPage {
		return invalid("limit", "above_maximum", "is %d; up to %d is allowed", n, MaxPage)
	}
	return nil
}

// scoped makes the ID of a request from the one that its caller gave, and from
// who asks what: callers may count their IDs from 1, or share one by mistake,
// and must not be told that what another captured is theirs. The given ID stays
// in front, as those that sort by time are cheaper to keep.
func scoped[Name ID | string](requestID, verb, session string, names ...Name) string {
	if requestID == "" {
		return ""
	}
	h := sha256.New()
	for _, part := range []string{requestID, verb, session} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	for _, name := range names {
		fmt.Fprintf(h, "/%s", any(name))
	}
	suffix := "-" + hex.EncodeToString(h.Sum(nil)[:8])
	front := requestID[:min(len(requestID), maxRequestID-len(suffix))]
	return strings.ToValidUTF8(front, "") + suffix
}

// newRequestID returns an ID that sorts by time, so that an index over many
// of them grows at its end.
func newRequestID() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return fmt.Sprintf("%016x%s", time.Now().UnixNano(), hex.EncodeToString(random[:]))
}
