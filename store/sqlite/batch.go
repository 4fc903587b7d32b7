package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"editlock/store"
	"editlock/store/sqlite/internal/dbfile"
)

// batch is one transaction: the states it has read, what it changed, and the
// effects to write before it commits. Everything that all its jobs need is
// read at once, and everything they leave is written at once.
type batch struct {
	st  *writeStatements
	now time.Time

	seq, seqBefore uint64
	indexed        uint64
	queues         bool                 // whether any ticket exists
	left           bool                 // whether one went, so that none may exist
	peers          map[string]time.Time // filled if one does
	lines          *lines
	states         map[string]store.State
	before         map[string]*store.Record // as read
	requests       map[string]bool          // IDs that took effect already
	entries        []store.Entry
	news           []store.Signal
}

func (b *batch) env() store.Env {
	return store.Env{
		Now:   b.now,
		Next:  func() uint64 { b.seq++; return b.seq },
		Alive: func(peer string) bool { return b.now.Before(b.peers[peer]) },
	}
}

// load reads what the swaps among the jobs need and the memory lacks.
func (b *batch) load(ctx context.Context, jobs []*job, known map[string]*store.Record) error {
	b.states = make(map[string]store.State)
	b.before = make(map[string]*store.Record)
	b.requests = make(map[string]bool)
	if b.queues {
		if err := b.loadPeers(ctx); err != nil {
			return err
		}
	}
	var names, requests []any
	for _, j := range jobs {
		if j.swap == nil {
			continue
		}
		if j.swap.ID != "" {
			requests = append(requests, j.swap.ID)
		}
		for _, sw := range j.swap.Swaps {
			if _, listed := b.states[sw.Name]; listed {
				continue
			}
			rec, sure := known[sw.Name]
			b.states[sw.Name], b.before[sw.Name] = store.State{Record: rec}, rec
			if !sure {
				names = append(names, sw.Name)
			}
		}
	}
	err := b.st.records.each(ctx, names, func(rows *sql.Rows) error {
		rec, err := scanRecord(rows)
		if err == nil {
			b.states[rec.Name], b.before[rec.Name] = store.State{Record: rec}, rec
		}
		return err
	})
	if err != nil {
		return err
	}
	return b.st.requests.each(ctx, requests, func(rows *sql.Rows) error {
		var (
			id string
			at int64
		)
		err := rows.Scan(&id, &at)
		b.requests[id] = b.now.Sub(fromMicros(at)) < store.RetryWindow
		return err
	})
}

// loadPeers reads the waiting processes, unless they are known.
func (b *batch) loadPeers(ctx context.Context) (err error) {
	if b.peers != nil {
		return nil
	}
	b.peers = make(map[string]time.Time)
	rows, err := b.st.peers.QueryContext(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var (
			id      string
			expires int64
		)
		if err := rows.Scan(&id, &expires); err != nil {
			return err
		}
		b.peers[id] = fromMicros(expires)
	}
	return rows.Err()
}

// swap performs one request on the batch.
func (b *batch) swap(ctx context.Context, req store.Request) (store.Result, error) {
	for _, sw := range req.Swaps {
		if sw.Do == store.Join {
			if err := b.loadPeers(ctx); err != nil {
				return store.Result{}, err
			}
		}
		if err := b.loadQueue(ctx, sw); err != nil {
			return store.Result{}, err
		}
	}
	env := b.env()
	if req.ID != "" && b.requests[req.ID] {
		res := store.Result{Done: true, Replayed: true, Now: b.now}
		for _, sw := range req.Swaps {
			res.Records = append(res.Records, b.states[sw.Name].InForce(env))
		}
		return res, nil
	}
	res, eff := store.Run(req, env,
		func(name string) store.State { return b.states[name] },
		func(name string, st store.State) { b.states[name] = st })
	return res, b.effect(ctx, eff)
}

// effect books what a step did. Tickets are written at once, so that the next
// step on their queue finds them; the rest waits for flush.
func (b *batch) effect(ctx context.Context, eff store.Effects) error {
	for _, t := range eff.Joined {
		if _, err := b.st.putTicket.ExecContext(ctx, ticketArgs(t)...); err != nil {
			return err
		}
		b.queues = true
		b.lines.put(t)
	}
	for _, id := range eff.Left {
		if _, err := b.st.dropTicket.ExecContext(ctx, id); err != nil {
			return err
		}
		b.left = true
		b.lines.drop(id)
	}
	for _, e := range eff.Entries {
		if e.Request != "" {
			b.requests[e.Request] = true
		}
	}
	b.entries = append(b.entries, eff.Entries...)
	b.news = append(b.news, eff.News...)
	return nil
}

// loadQueue puts a window of a name's queue into its state: the oldest live
// tickets, and the one that the swap speaks of.
func (b *batch) loadQueue(ctx context.Context, sw store.Swap) (err error) {
	if !b.queues {
		return nil
	}
	known, err := b.lines.of(ctx, b.st, sw.Name)
	if err != nil {
		return err
	}
	st := b.states[sw.Name]
	if known != nil {
		b.states[sw.Name] = b.fromMemory(st, sw, known)
		return nil
	}
	st.Queue, st.Rest = nil, 0
	rows, err := b.st.queue.QueryContext(ctx, b.now.UnixMicro(), sw.Name, store.MaxWaiters+1)
	if err != nil {
		return err
	}
	if st.Queue, err = readTickets(rows); err != nil {
		return err
	}
	if len(st.Queue) > store.MaxWaiters {
		var all int
		if err := b.st.waiting.QueryRowContext(ctx, b.now.UnixMicro(), sw.Name).Scan(&all); err != nil {
			return err
		}
		st.Rest = all - len(st.Queue)
	}
	if sw.Ticket != nil && !slices.ContainsFunc(st.Queue, func(t store.Ticket) bool { return t.ID == sw.Ticket.ID }) {
		own, err := scanTicket(b.st.ticket.QueryRowContext(ctx, sw.Ticket.ID))
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		case own.Name == sw.Name:
			b.insert(&st, own)
		}
	}
	b.states[sw.Name] = st
	return nil
}

// fromMemory is what loadQueue does where the queue is known.
func (b *batch) fromMemory(st store.State, sw store.Swap, known *line) store.State {
	st.Queue, st.Rest = known.window(store.MaxWaiters+1, b.env().Alive)
	if sw.Ticket == nil || slices.ContainsFunc(st.Queue, func(t store.Ticket) bool { return t.ID == sw.Ticket.ID }) {
		return st
	}
	if i := known.find(sw.Ticket.ID); i >= 0 {
		b.insert(&st, known.tickets[i])
	}
	return st
}

// insert puts a ticket from behind the window, or of a dead process, into it.
func (b *batch) insert(st *store.State, own store.Ticket) {
	at, _ := slices.BinarySearchFunc(st.Queue, own.Seq, func(t store.Ticket, seq uint64) int { return cmp.Compare(t.Seq, seq) })
	st.Queue = slices.Insert(st.Queue, at, own)
	if b.env().Alive(own.Peer) && st.Rest > 0 {
		st.Rest--
	}
}

func readTickets(rows *sql.Rows) (tickets []store.Ticket, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		t, err := scanTicket(rows)
		if err != nil {
			return nil, err
		}
		tickets = append(tickets, t)
	}
	return tickets, rows.Err()
}

// settle brings one name up to date.
func (b *batch) settle(ctx context.Context, name string) error {
	rec, err := scanRecord(b.st.record.QueryRowContext(ctx, name))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if _, known := b.states[name]; !known {
		b.states[name], b.before[name] = store.State{Record: rec}, rec
	}
	if err := b.loadQueue(ctx, store.Swap{Name: name}); err != nil {
		return err
	}
	st, eff := store.Settle(name, b.states[name], b.env())
	b.states[name] = st
	return b.effect(ctx, eff)
}

// flush writes what changed.
func (b *batch) flush(ctx context.Context) error {
	var puts, touches, drops []any
	for name, st := range b.states {
		was, is := b.before[name], st.Record
		switch {
		case was == is:
		case is == nil:
			drops = append(drops, name)
		case was != nil && onlyTouched(was, is):
			touches = append(touches, micros(is.Touched), micros(is.Expires), name)
		case was != nil:
			drops = append(drops, name)
			fallthrough
		default:
			puts = recordArgs(puts, is)
		}
	}
	if err := b.st.drop.each(ctx, drops); err != nil {
		return err
	}
	if err := b.st.put.each(ctx, puts); err != nil {
		return err
	}
	for i := 0; i < len(touches); i += 3 {
		if _, err := b.st.touch.ExecContext(ctx, touches[i:i+3]...); err != nil {
			return err
		}
	}
	last := b.seqBefore
	if n := len(b.entries); n > 0 {
		last = b.entries[n-1].Seq
		if err := b.flushLog(ctx, last); err != nil {
			return err
		}
	}
	if b.seq == last {
		return nil // the log itself tells
	}
	_, err := b.st.setSeq.ExecContext(ctx, int64(b.seq))
	return err
}

// flushLog writes the entries, and which requests they tell of.
func (b *batch) flushLog(ctx context.Context, last uint64) error {
	args, err := dbfile.LogArgs(b.entries)
	if err != nil {
		return err
	}
	if _, err := b.st.log.ExecContext(ctx, args...); err != nil {
		return err
	}
	var requests []any
	for _, e := range b.entries {
		if e.Request != "" {
			requests = append(requests, e.Request, int64(last), b.now.UnixMicro())
		}
	}
	return b.st.putRequest.each(ctx, requests)
}

// onlyTouched reports whether two versions of a record differ in their times
// of touch and expiry alone, as after a beat: the commonest write there is.
func onlyTouched(was, is *store.Record) bool {
	return is.Token == was.Token && is.Holder == was.Holder && is.Data == was.Data &&
		is.Terms == was.Terms && is.Taken.Equal(was.Taken) && is.Request == was.Request
}
