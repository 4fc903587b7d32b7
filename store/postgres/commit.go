package postgres

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/editlock/editlock/store/kv"
)

// Limits implements kv.Engine. Commits take turns in all processes, so one call
// at a time is enough.
func (e *engine) Limits() kv.Limits { return kv.Limits{Txns: 256, Bytes: 4 << 20, Calls: 1} }

// What a write does, as bits.
const (
	ends     = 1 << iota // removes the row that is there
	puts                 // makes a row
	renews               // changes the row that is there
	numbered             // the key continues with a number
	retags               // a renewal replaces the tags
)

// States of rows that are counted or found.
const (
	whatever = iota
	live
	due
)

// batch is a call of editlock_commit in the making.
type batch struct {
	conds, writes, entries, ranges, notes array

	txns, probes, numbers, endings int64
	several, puts, renews, logs    bool
	unlogged, leaves               bool

	offsets []int64 // numbers drawn before those of each transaction
	own     []bool  // for each range: it is known once its transaction is done
}

// batches are used again for the sake of their memory.
var batches = sync.Pool{New: func() any { return new(batch) }}

// Commit implements kv.Engine: it is one call of editlock_commit.
func (e *engine) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	var answers []kv.Answer
	run := func(all bool) error {
		b := e.newBatch(txns, all)
		defer batches.Put(b)
		return e.call(ctx, e.commit, b.args(e.process), repeatable(txns), func(a *answer) error {
			answers = b.read(txns, a)
			return a.err
		})
	}
	err := run(false)
	if duplicate(err) { // a row whose lease has ended is still there
		err = run(true)
	}
	if err != nil {
		return nil, err
	}
	e.tell(txns, answers)
	return answers, nil
}

// repeatable reports whether a second try of transactions is known as such.
func repeatable(txns []kv.Txn) bool {
	return !slices.ContainsFunc(txns, func(t kv.Txn) bool {
		return len(t.Then)+len(t.Log) > 0 && (t.Once == "" || !slices.ContainsFunc(t.Log, func(in kv.Entry) bool { return in.ID == t.Once }))
	})
}

// newBatch makes a call of transactions. all: rows that conditions say are
// absent are removed, too.
func (e *engine) newBatch(txns []kv.Txn, all bool) *batch {
	b := batches.Get().(*batch) //nolint:forcetypeassert // there is nothing else in it
	*b = batch{
		conds: b.conds.again(e.types.cond), writes: b.writes.again(e.types.write), entries: b.entries.again(e.types.entry),
		ranges: b.ranges.again(e.types.rng), notes: b.notes.again(e.types.note),
		txns: int64(len(txns)), leaves: true, offsets: b.offsets[:0], own: b.own[:0],
	}
	for n := range txns {
		b.add(int64(n), &txns[n], all)
	}
	return b
}

func (b *batch) args(process []byte) [][]byte {
	return [][]byte{
		b.conds.done(), b.writes.done(), b.entries.done(), b.ranges.done(), b.notes.done(), process,
		int8Arg(b.txns), int8Arg(b.numbers), int8Arg(b.endings),
		boolArg(b.several), boolArg(b.puts), boolArg(b.renews), boolArg(b.logs), boolArg(b.unlogged), boolArg(b.leaves),
	}
}

func (b *batch) add(n int64, t *kv.Txn, all bool) {
	first := int64(len(b.own)) // of its ranges
	b.offsets = append(b.offsets, b.numbers)
	if t.Once != "" {
		b.cond(n, hash(t.Once), "", "", whatever, 0, 0, nil)
	}
	if !t.Since.IsZero() {
		b.cond(n, nil, "", "", whatever, 0, 0, &kv.Cond{Rev: uint64(t.Since.UnixMicro())})
	}
	for i := range t.If {
		b.condition(n, &t.If[i])
	}
	endings := b.endings
	for i := range t.Then {
		b.write(n, t, &t.Then[i], all)
	}
	b.several = b.several || b.endings > endings+1
	for i := range t.Log {
		in := &t.Log[i]
		b.logs = true
		b.entries.add(6)
		b.entries.int(n, b.offsets[n]+int64(in.Number))
		bytesIf(&b.entries, in.ID != "", hash(in.ID))
		bytes(&b.entries, in.Value)
		bytes(&b.entries, hashes(in.Tags))
		bytesIf(&b.entries, i == 0 && len(t.Messages) > 0, encodeNotes(t.Messages))
	}
	for _, note := range t.Messages {
		b.leaves = false
		b.notes.add(6)
		b.notes.int(n)
		bytes(&b.notes, note.To)
		bytes(&b.notes, note.Text)
		b.notes.int(int64(min(1, len(t.Log))), first+int64(note.Read), int64(note.N))
	}
	for i := range t.Read {
		b.find(n, t, &t.Read[i])
	}
	b.numbers += int64(t.Numbers)
	b.unlogged = b.unlogged || t.Numbers > 0 && len(t.Log) == 0
}

// hash is that by which IDs and tags are found and compared.
func hash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:16]
}

func hashes(tags []string) []byte {
	all := make([]byte, 0, 16*len(tags))
	for _, tag := range tags {
		all = append(all, hash(tag)...)
	}
	return all
}

// condition adds one of a transaction.
func (b *batch) condition(n int64, c *kv.Cond) {
	switch {
	case c.Key == "" && c.NoneDue:
		b.cond(n, nil, c.Prefix, successor(c.Prefix), due, 1, 1, nil)
	case c.Key == "":
		state := int64(live)
		if c.Due {
			state = whatever
		}
		b.cond(n, nil, c.Prefix, successor(c.Prefix), state, int64(c.AtMost)+1, int64(c.AtMost)+1, &kv.Cond{Tag: c.Tag})
	case c.Absent:
		b.cond(n, nil, c.Key, c.Key+"\x00", whatever, 1, 1, nil)
	case c.Dead:
		b.cond(n, nil, c.Key, c.Key+"\x00", due, 1, 0, c)
	default:
		b.cond(n, nil, c.Key, c.Key+"\x00", live, 1, 0, c)
	}
}

// cond says that the rows in a state whose keys are within bounds, and that have
// the other properties that c gives, are not as many as bad. They are counted up
// to a limit.
func (b *batch) cond(n int64, id []byte, from, till string, state, limit, bad int64, c *kv.Cond) {
	if c == nil {
		c = new(kv.Cond)
	}
	b.conds.add(12)
	b.conds.int(n)
	bytesIf(&b.conds, id != nil, id)
	bytesIf(&b.conds, till != "", from)
	bytesIf(&b.conds, till != "", till)
	b.conds.int(state, limit, bad, int64(c.Rev), int64(c.Ver))
	b.conds.text(c.Tag)
	b.conds.text(c.Lease)
	if c.Data == nil {
		bytesIf(&b.conds, false, "")
	} else {
		bytes(&b.conds, *c.Data)
	}
}

// probe adds a condition that decides nothing, and returns by which number it
// is told that it is not met.
func (b *batch) probe(from, till string, bad int64) int64 {
	b.probes++
	b.cond(b.txns+b.probes, nil, from, till, live, 1, bad, nil)
	return b.txns + b.probes
}

// write adds a write of a transaction.
func (b *batch) write(n int64, t *kv.Txn, w *kv.Write, all bool) {
	kind := int64(0)
	switch {
	case w.Renew:
		kind = renews
		b.renews = true
		if w.Tags != nil {
			kind |= retags
		}
	case w.Delete:
		kind = ends
	default:
		kind = puts
		b.puts = true
		if w.Numbered {
			kind |= numbered
		} else if all || !slices.ContainsFunc(t.If, func(c kv.Cond) bool { return c.Absent && c.Key == w.Key }) {
			kind |= ends
		}
	}
	if kind&ends != 0 {
		b.endings++
	}
	lent := int64(-1)
	if w.Lease != "" && !slices.ContainsFunc(t.Then, func(o kv.Write) bool { return o.Key == w.Lease && !o.Delete && !o.Renew }) {
		lent = b.probe(w.Lease, w.Lease+"\x00", 0)
	}
	number := int64(0)
	if w.Number > 0 {
		number = b.offsets[n] + int64(w.Number)
	}
	a := &b.writes
	a.add(13)
	a.int(n, kind)
	bytes(a, w.Key)
	a.int(number)
	bytesIf(a, w.Value != nil || !w.Renew, w.Value)
	data := ""
	if w.Data != nil {
		data = *w.Data
	}
	bytesIf(a, w.Data != nil || !w.Renew, data)
	for i := range 2 {
		tag := ""
		if i < len(w.Tags) {
			tag = w.Tags[i]
		}
		a.text(tag)
	}
	a.text(w.Lease)
	a.int(lent)
	life := int64(-1)
	bounds := []time.Duration{w.TTL, w.Max, w.Within}
	if w.Renew {
		bounds = bounds[2:]
	}
	for _, d := range bounds {
		if us := d.Microseconds(); d > 0 && (life < 0 || us < life) {
			life = us
		}
	}
	a.intIf(life >= 0, life)
	a.intIf(w.TTL != 0 || !w.Renew, int64(max(0, w.TTL)))
	a.intIf(w.Max != 0 || !w.Renew, int64(max(0, w.Max)))
}

// find adds a range of a transaction. What the transaction writes is known
// without being read, and a prefix under which nothing stood is still empty.
func (b *batch) find(n int64, t *kv.Txn, q *kv.Range) {
	own, probe := false, int64(-1)
	if len(t.Messages) == 0 {
		switch {
		case q.Key != "":
			_, own = known(t, q.Key)
		case q.Prefix != "" && q.Tag == "" && q.Lease == "" && !q.Overdue && !q.Due &&
			!slices.ContainsFunc(t.Then, func(w kv.Write) bool { return strings.HasPrefix(w.Key, q.Prefix) || w.Lease != "" }):
			probe = b.probe(max(q.Prefix, q.After), successor(q.Prefix), 1)
		}
	}
	b.leaves = b.leaves && (own || probe >= 0)
	b.ranges.add(14)
	rangeOf(&b.ranges, q, int64(len(b.own)), n, bit(own), probe)
	b.own = append(b.own, own)
}

// known is the write that makes or removes the row under a key.
func known(t *kv.Txn, key string) (w *kv.Write, is bool) {
	for i := range t.Then {
		o := &t.Then[i]
		if o.Key == key && !o.Numbered && !o.Renew && o.Lease == "" {
			w = o
			is = true
		} else if o.Key == key || o.Lease == key {
			return nil, false
		}
	}
	return w, is
}

// read reads the answer of editlock_commit.
func (b *batch) read(txns []kv.Txn, a *answer) []kv.Answer {
	a.number() // its columns
	now, first := moment(a.int()), uint64(a.int())
	unmet, replays, guarded := a.ints(), a.ints(), a.ints()
	found, own := make([]kv.Found, len(b.own)), b.own
	readFound(a, found)
	answers := make([]kv.Answer, len(txns))
	for n := range txns {
		t, o := &txns[n], &answers[n]
		o.Now = now
		o.Replayed = slices.Contains(replays, int64(n))
		failed := o.Replayed || slices.Contains(unmet, int64(n))
		o.Guarded = !failed && slices.Contains(guarded, int64(n))
		o.Done = !failed && !o.Guarded
		o.Found, found = found[:len(t.Read):len(t.Read)], found[len(t.Read):]
		if o.Done {
			o.First = first + uint64(b.offsets[n])
		}
		for i := range t.Read {
			if o.Done && own[i] {
				w, _ := known(t, t.Read[i].Key)
				o.Found[i] = written(w, o)
			}
			finish(&t.Read[i], &o.Found[i])
		}
		own = own[len(t.Read):]
	}
	return answers
}

// written is what a write leaves under its key.
func written(w *kv.Write, a *kv.Answer) (f kv.Found) {
	if w.Delete {
		return f
	}
	r := w.Row(nil, a.First-1, a.Now)
	r.Value, r.Tags = slices.Clone(r.Value), slices.Clone(r.Tags)
	f.Rows = []kv.Row{*r}
	return f
}
