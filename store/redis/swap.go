package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store"
)

// What a swap expects and gives, as bits for the script.
const (
	expectFree = 1 << iota
	expectSession
	expectData
	expectWaiting
	expectToken
)

const (
	giveHolder = 1 << iota
	giveRest
	giveTicket
	giveBody
	giveNote
)

// maxSpan bounds terms, so that times stay whole microseconds in a script's
// doubles, which count to 2^53: the year 2255.
const maxSpan = 100 * 365 * 24 * time.Hour

// Swap implements store.Store.
func (s *Store) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	if err := validate(req); err != nil {
		return store.Result{}, err
	}
	if err := ctx.Err(); err != nil || len(req.Swaps) == 0 {
		return store.Result{Done: len(req.Swaps) == 0}, err
	}
	answer, err := s.evalBehind(ctx, queues(req), s.scripts.swap, swapArgs(req)...)
	if err != nil {
		return store.Result{}, err
	}
	if len(answer) != 2+len(req.Swaps) {
		return store.Result{}, fmt.Errorf("redis: an answer of %d parts to %d swaps", len(answer), len(req.Swaps))
	}
	done, err := answer[0].AsInt64()
	if err != nil {
		return store.Result{}, err
	}
	now, err := answer[1].AsInt64()
	if err != nil {
		return store.Result{}, err
	}
	res := store.Result{Done: done > 0, Replayed: done == 2, Now: fromMicros(now), Records: make([]*store.Record, len(req.Swaps))}
	for i, sw := range req.Swaps {
		if res.Records[i], err = recordOf(sw.Name, answer[2+i]); err != nil {
			return store.Result{}, err
		}
	}
	return res, nil
}

// queues reports whether a request joins a queue, or leaves one: the leave of
// who gave up must not overtake his join.
func queues(req store.Request) bool {
	return slices.ContainsFunc(req.Swaps, func(sw store.Swap) bool { return sw.Do == store.Join || sw.Do == store.Leave })
}

func validate(req store.Request) error {
	if err := req.Validate(); err != nil {
		return err
	}
	for _, sw := range req.Swaps {
		spans := []time.Duration{sw.Confirm}
		if sw.Terms != nil {
			spans = append(spans, sw.Terms.Idle, sw.Terms.MaxHold)
		}
		if t := sw.Ticket; t != nil {
			spans = append(spans, t.Terms.Idle, t.Terms.MaxHold, t.Confirm, t.ClaimAfter)
		}
		for _, d := range spans {
			if d > maxSpan {
				return fmt.Errorf("redis: a span of %v on %q; at most a hundred years are kept", d, sw.Name)
			}
		}
	}
	return nil
}

// swapArgs writes a request as the script reads it.
func swapArgs(req store.Request) []string {
	args := make([]string, 0, 2+6*len(req.Swaps))
	args = append(args, req.ID, strconv.Itoa(len(req.Swaps)))
	for i := range req.Swaps {
		args = appendSwap(args, &req.Swaps[i], req.ID)
	}
	return args
}

func appendSwap(args []string, sw *store.Swap, request string) []string {
	var expects, gives byte
	if sw.Expect.Free {
		expects |= expectFree
	}
	if sw.Expect.Session != nil {
		expects |= expectSession
	}
	if sw.Expect.Data != nil {
		expects |= expectData
	}
	if sw.Expect.Waiting {
		expects |= expectWaiting
	}
	if sw.Expect.Token != 0 {
		expects |= expectToken
	}
	holder := sw.Holder != nil && (sw.Do == store.Take || sw.Do == store.Touch)
	rest := sw.Do == store.Take || sw.Do == store.Touch && sw.Data != nil
	ticket := sw.Do == store.Join || sw.Do == store.Leave
	if holder {
		gives |= giveHolder
	}
	if rest {
		gives |= giveRest
	}
	if ticket {
		gives |= giveTicket
	}
	if sw.Do == store.Join {
		gives |= giveBody
	}
	if sw.Note != nil {
		gives |= giveNote
	}

	head := make(packer, 0, 64)
	head.byte(byte(sw.Do))
	head.byte(expects)
	head.byte(gives)
	head.number(float64(sw.Expect.Token))
	var terms store.Terms
	if sw.Terms != nil {
		terms = *sw.Terms
	}
	head.terms(terms)
	head.optional(sw.Confirm)
	if sw.Do == store.Take {
		head = append(head, ttl(terms)...)
	}
	args = append(args, sw.Name, string(head))
	if sw.Expect.Session != nil {
		args = append(args, *sw.Expect.Session)
	}
	if sw.Expect.Data != nil {
		args = append(args, *sw.Expect.Data)
	}
	if holder {
		args = append(args, packed(func(p *packer) { p.party(*sw.Holder) }))
	}
	if rest {
		args = append(args, packed(func(p *packer) {
			if sw.Do == store.Take {
				p.text(request)
			}
			data := ""
			if sw.Data != nil {
				data = *sw.Data
			}
			p.text(data)
		}))
	}
	if ticket {
		args = append(args, sw.Ticket.ID, sw.Ticket.Peer)
	}
	if sw.Do == store.Join {
		args = append(args, packed(func(p *packer) { p.ticket(sw.Ticket, sw.Name) }))
	}
	if sw.Note != nil {
		switch sw.Do {
		case store.Join:
			request = "" // a retry is known by its ticket
		case store.Leave:
			request = sw.Ticket.ID
		default: // known by the request itself
		}
		args = append(args, packed(func(p *packer) { p.note(sw.Note, sw.Name, request) }))
	}
	return args
}

// grace is how long Redis keeps what expired, for a sweep to log it: GRACE of
// the scripts.
const grace = 24 * time.Hour

// ttl is for how many milliseconds Redis keeps a record that is taken on such
// terms; empty: for ever.
func ttl(t store.Terms) string {
	lasts := max(t.Idle, 0)
	if t.MaxHold > 0 && (lasts == 0 || t.MaxHold < lasts) {
		lasts = t.MaxHold
	}
	if lasts == 0 {
		return ""
	}
	return strconv.FormatInt((lasts + grace + time.Millisecond - 1).Milliseconds(), 10)
}

// ticket writes what a ticket says, but for its place.
func (p *packer) ticket(t *store.Ticket, name string) {
	p.terms(t.Terms)
	p.optional(t.Confirm)
	p.optional(t.ClaimAfter)
	p.party(t.Holder)
	p.text(t.Data)
	if t.Note == nil {
		p.text("")
	} else {
		p.text(packed(func(p *packer) { p.note(t.Note, name, t.ID) }))
	}
	p.text(t.Value)
}

func packed(write func(p *packer)) string {
	p := make(packer, 0, 128)
	write(&p)
	return string(p)
}

// recordOf reads what is in force under a name, as a script answers it: nil,
// or a record, or one with how many wait and the first of their tickets.
func recordOf(name string, m rueidis.RedisMessage) (*store.Record, error) {
	if m.IsNil() {
		return nil, nil
	}
	parts := []rueidis.RedisMessage{m}
	if m.IsArray() {
		var err error
		if parts, err = m.ToArray(); err != nil {
			return nil, err
		}
	}
	raw, err := parts[0].ToString()
	if err != nil {
		return nil, err
	}
	u := unpacker{rest: raw}
	rec := u.record(name)
	if u.err != nil {
		return nil, fmt.Errorf("%w: the record of %q", u.err, name)
	}
	if len(parts) == 1 {
		return rec, nil
	}
	waiting, err := parts[1].AsInt64()
	if err != nil {
		return nil, err
	}
	rec.Waiting = int(waiting)
	for i := 2; i+1 < len(parts); i += 2 {
		id, err := parts[i].ToString()
		if err != nil {
			return nil, err
		}
		body, err := parts[i+1].ToString()
		if err != nil {
			return nil, err
		}
		if err := addWaiter(rec, id, body); err != nil {
			return nil, err
		}
	}
	return rec, nil
}

func addWaiter(rec *store.Record, id, body string) error {
	u := unpacker{rest: body}
	t := u.ticket(rec.Name, id)
	if u.err != nil {
		return fmt.Errorf("%w: the ticket %q on %q", u.err, id, rec.Name)
	}
	t.Claim = t.ClaimOn(rec)
	rec.Waiters = append(rec.Waiters, t)
	return nil
}
