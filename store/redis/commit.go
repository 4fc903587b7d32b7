package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store/kv"
)

const (
	maxTxns  = 256     // in one call of the script
	maxDrawn = 1 << 15 // numbers that one call draws
)

// Limits implements kv.Engine. Redis does one script at a time, so one call at a
// time is enough, and shares the start of its script among many.
func (e *engine) Limits() kv.Limits { return kv.Limits{Txns: 64, Bytes: 1 << 20, Calls: 1} }

// Commit implements kv.Engine. A batch is one call of a script.
func (e *engine) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	answers := make([]kv.Answer, 0, len(txns))
	for len(txns) > 0 || len(answers) == 0 {
		n, drawn := 0, 0
		for n < len(txns) && n < maxTxns && (n == 0 || drawn+txns[n].Numbers <= maxDrawn) {
			drawn += txns[n].Numbers
			n++
		}
		some, err := e.commit(ctx, txns[:n])
		if err != nil {
			return nil, err
		}
		answers, txns = append(answers, some...), txns[n:]
	}
	return answers, nil
}

func (e *engine) commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	b := newBatch(e, txns)
	for i := range txns {
		if err := b.add(&txns[i]); err != nil {
			return nil, err
		}
	}
	answer, err := e.eval(ctx, b.behind, e.scripts.commit, b.keys, b.all()...)
	if err != nil {
		return nil, err
	}
	e.folds.changed(len(txns))
	return b.read(txns, &reply{parts: answer})
}

// batch is a call of the script in the making.
type batch struct {
	e           *engine
	keys, args  []string
	plan        packer
	pieces      []piece
	txns, drawn int
	behind      bool       // it must come behind what was sent before
	found       []kv.Found // for all ranges
}

// piece is a piece of the log: entries, by their places from one on, and their tags.
// Who reads an entry looks through its piece.
type piece struct {
	place, n      int
	entries, tags packer
}

// maxPiece is how many entries a piece has.
const maxPiece = 32

// all are the arguments of the script.
func (b *batch) all() []string {
	all := make([]string, 0, 2+3*len(b.pieces)+len(b.args))
	all = append(all, rueidis.BinaryString(b.plan), rueidis.BinaryString(b.pieces[0].entries), rueidis.BinaryString(b.pieces[0].tags),
		strconv.Itoa(b.drawn), strconv.Itoa(len(b.pieces)-1))
	for _, p := range b.pieces[1:] {
		all = append(all, strconv.Itoa(p.place), rueidis.BinaryString(p.entries), rueidis.BinaryString(p.tags))
	}
	return append(all, b.args...)
}

func newBatch(e *engine, txns []kv.Txn) *batch {
	entries, tags, ranges := 0, 0, 0
	for i := range txns {
		ranges += len(txns[i].Read)
		for j := range txns[i].Log {
			in := &txns[i].Log[j]
			entries += entryLen + len(in.Value)
			tags += tagsLen
			for _, tag := range in.Tags {
				tags += tagLen + len(tag)
			}
		}
	}
	b := &batch{
		e: e, keys: make([]string, 1, 1+3*len(txns)), args: make([]string, 0, 2*len(txns)),
		plan: make(packer, 0, planLen*len(txns)), pieces: []piece{{place: 1, entries: make(packer, 0, entries), tags: make(packer, 0, tags)}},
		found: make([]kv.Found, ranges),
	}
	b.keys[0] = e.armed
	return b
}

// Lengths of what is packed for each transaction, entry and tag, besides texts.
const (
	planLen  = 43
	entryLen = 8
	tagsLen  = 5
	tagLen   = 2
)

func (b *batch) add(t *kv.Txn) error {
	b.txns++
	for i := range t.Then {
		if w := &t.Then[i]; len(w.Tags) > maxTags || len(w.Lease) >= lends {
			return fmt.Errorf("redis: the row %q has %d tags; at most %d are allowed", w.Key, len(w.Tags), maxTags)
		}
	}
	for i := range t.Log {
		b.entry(&t.Log[i])
	}
	if kind := kindOf(t); kind != other {
		b.planPlain(kind, t)
	} else {
		b.planOther(t)
	}
	b.drawn += t.Numbers
	return nil
}

func (b *batch) entry(in *kv.Entry) {
	place := b.drawn + in.Number
	if b.pieces[len(b.pieces)-1].n == maxPiece {
		b.pieces = append(b.pieces, piece{place: place})
	}
	p := &b.pieces[len(b.pieces)-1]
	p.n++
	place -= p.place - 1
	p.entries.short(b.txns)
	p.entries.short(place)
	p.entries.long(len(in.Value))
	p.entries = append(p.entries, in.Value...)
	p.tags.short(b.txns)
	p.tags.short(place)
	p.tags.byte(byte(len(in.Tags)))
	for _, tag := range in.Tags {
		p.tags.short(len(tag))
		p.tags = append(p.tags, tag...)
	}
}

// States of rows that conditions ask for, and conditions that count rows.
const (
	live = iota
	absent
	due
	noneDue
	atMost
	atMostDue
)

func (b *batch) planOther(t *kv.Txn) {
	// What looks for a leased row must find one whose caller gave up. So it comes
	// behind what writes them.
	b.behind = b.behind || len(t.Then) == 0 || slices.ContainsFunc(t.Then, func(w kv.Write) bool { return w.Lease != "" })
	var bits byte
	if len(t.Log) > 0 {
		bits = hasLog
	}
	b.plan = append(b.plan, other, bits, 0)
	for range 5 {
		b.plan.float(0)
	}
	m := make(msgpack, 0, 512)
	m.array(7)
	m.text(t.Once)
	since := 0.0
	if !t.Since.IsZero() {
		since = float64(t.Since.UnixMicro())
	}
	m.number(since)
	m.array(len(t.If))
	for i := range t.If {
		m.condition(&t.If[i])
	}
	m.array(len(t.Then))
	for i := range t.Then {
		m.write(&t.Then[i], b.drawn)
	}
	var ids []string
	for i := range t.Log {
		if id := t.Log[i].ID; id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	m.array(len(ids))
	m.text(ids...)
	m.array(len(t.Messages))
	for _, n := range t.Messages {
		m.array(4)
		m.text(n.To, n.Text)
		m.number(float64(n.Read), float64(n.N))
	}
	m.ranges(t.Read)
	b.args = append(b.args, rueidis.BinaryString(m))
}

func (m *msgpack) condition(c *kv.Cond) {
	key, state := c.Key, live
	switch {
	case key == "" && c.NoneDue:
		key, state = c.Prefix, noneDue
	case key == "" && c.Due:
		key, state = c.Prefix, atMostDue
	case key == "":
		key, state = c.Prefix, atMost
	case c.Absent:
		state = absent
	case c.Dead:
		state = due
	}
	m.array(8)
	m.text(key)
	m.number(float64(state), float64(c.Rev), float64(c.Ver))
	m.text(c.Tag, c.Lease)
	m.optional(c.Data)
	m.number(float64(c.AtMost))
}

// write is a write of a transaction behind so many numbers of the batch.
func (m *msgpack) write(w *kv.Write, drawn int) {
	number, key := 0, 0
	if w.Number > 0 {
		number = drawn + w.Number
	}
	if w.Numbered {
		key = number
	}
	m.array(5)
	switch {
	case w.Renew:
		m.number(renews)
	case w.Delete:
		m.number(deletes)
	default:
		m.number(creates)
	}
	m.text(w.Key)
	m.number(float64(key))
	switch {
	case !w.Renew:
		m.text(body(w, number), w.Lease)
		return
	case w.Value == nil:
		m.array(7)
		m.bool(false)
	default:
		m.array(7)
		m.text(string(w.Value))
	}
	m.optional(w.Data)
	if w.Tags == nil {
		m.bool(false)
	} else {
		var tags [maxTags]string
		copy(tags[:], w.Tags)
		m.array(maxTags)
		m.text(tags[:]...)
	}
	m.text(w.Lease)
	m.number(micros(w.TTL), micros(w.Max), micros(w.Within))
	m.text(w.Lease)
}

// read reads the answer of the script.
func (b *batch) read(txns []kv.Txn, r *reply) ([]kv.Answer, error) {
	now, first, ranged := moment(float64(r.number())), uint64(r.number()), r.number() == 1
	answers := make([]kv.Answer, len(txns))
	for i := range txns {
		t, a := &txns[i], &answers[i]
		if a.Now = now; first > 0 {
			a.First, first = first, first+uint64(t.Numbers)
		}
		status, one := int64(1), (*reply)(nil)
		if r.err == nil && len(r.parts) > 0 && r.parts[0].IsArray() {
			one = r.array()
			status = one.number()
		} else if n := r.number(); n != 1 && r.err == nil {
			r.err = errForm
		}
		a.Done, a.Replayed = status == 1, status == 2
		a.Found, b.found = b.found[:len(t.Read):len(t.Read)], b.found[len(t.Read):]
		switch {
		case r.err != nil:
		case ranged:
			for j := range a.Found {
				a.Found[j], _, _ = one.found()
			}
			r.err = one.err
		case one == nil && !t.Then[0].Delete:
			row := t.Then[0].Row(nil, a.First-1, now)
			row.Value, row.Tags = slices.Clone(row.Value), slices.Clone(row.Tags)
			a.Found[0] = kv.Found{Rows: []kv.Row{*row}, Count: 1}
		case one != nil && len(one.parts) > 0 && !one.parts[0].IsNil():
			row, err := parseRow(t.Then[0].Key, one.text())
			a.Found[0], r.err = kv.Found{Rows: []kv.Row{row}, Count: 1}, err
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	return answers, nil
}
