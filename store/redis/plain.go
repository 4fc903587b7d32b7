package redis

import (
	"strings"

	"github.com/editlock/editlock/store/kv"
)

// Kinds of transactions that are plain.
const (
	other = iota
	creates
	deletes
	renews
)

// What a plain transaction has besides, as bits.
const (
	hasTag = 1 << iota
	hasData
	hasLog // this one others have, too
	hasID
	hasGroup
	hasThird // key
)

// kindOf tells what a transaction does if it is plain: one write of one row, on a
// condition on this row, and perhaps that a group has no rows, or on other rows; and
// it reads the row and a group.
func kindOf(t *kv.Txn) int {
	if len(t.Then) != 1 || len(t.If) == 0 || len(t.If) > 2 && !t.If[0].Absent || len(t.Read) != 2 || len(t.Messages) > 0 || !t.Since.IsZero() {
		return other
	}
	w, c, row, group := &t.Then[0], &t.If[0], &t.Read[0], &t.Read[1]
	if w.Key == "" || strings.Contains(w.Key, kv.Separator) || !w.Renew && strings.Contains(w.Key, kv.PartMark) || w.Numbered || w.Lease != "" ||
		*row != (kv.Range{Key: w.Key}) || *group != (kv.Range{Prefix: group.Prefix, Limit: group.Limit, Count: true}) ||
		!isGroup(group.Prefix) || group.Limit > 255 || c.Key != w.Key || c.Dead || c.Lease != "" {
		return other
	}
	for i := range t.Log {
		if t.Log[i].ID != t.Once || t.Once != "" && i > 0 {
			return other
		}
	}
	if t.Once != "" && len(t.Log) == 0 {
		return other
	}
	switch {
	case c.Absent:
		if *c == (kv.Cond{Key: w.Key, Absent: true}) && !w.Renew && !w.Delete && othersOf(t) {
			return creates
		}
	case w.Delete:
		if len(t.If) == 1 || t.If[1] == (kv.Cond{Prefix: group.Prefix}) {
			return deletes
		}
	case w.Renew:
		if len(t.If) == 2 && t.If[1] == (kv.Cond{Prefix: t.If[1].Prefix, NoneDue: true}) && isGroup(t.If[1].Prefix) && t.Once == "" &&
			w.Value == nil && w.Data == nil && w.Tags == nil && w.TTL >= 0 && w.Max >= 0 {
			return renews
		}
	}
	return other
}

// maxOthers is on how many other rows a plain transaction depends that creates one.
const maxOthers = 8

// othersOf reports whether all conditions of a transaction beyond the first are that
// rows are not there, alone or in a group, and one perhaps that a row is live and has
// certain data.
func othersOf(t *kv.Txn) bool {
	withData := 0
	for i := range t.If[1:] {
		c := &t.If[1+i]
		if c.Data != nil {
			withData++
		}
		if c.Key == "" && isGroup(c.Prefix) && *c == (kv.Cond{Prefix: c.Prefix, Due: true}) {
			continue
		}
		if c.Key == "" || *c != (kv.Cond{Key: c.Key, Absent: c.Data == nil, Data: c.Data}) {
			return false
		}
	}
	return len(t.If)-1 <= maxOthers && withData <= 1
}

// isGroup reports whether a prefix is a group: all up to a separator, or to the mark of
// a part.
func isGroup(prefix string) bool {
	return kv.IsGroup(prefix) && !strings.Contains(prefix[:len(prefix)-1], prefix[len(prefix)-1:])
}

func (b *batch) planPlain(kind int, t *kv.Txn) {
	w, c, head := &t.Then[0], &t.If[0], b.e.head
	rev, ver, ttl, empty := float64(c.Rev), float64(c.Ver), micros(w.TTL), 0.0
	var bits byte
	third := ""
	if c.Tag != "" {
		bits |= hasTag
		b.args = append(b.args, c.Tag)
	}
	if c.Data != nil {
		bits |= hasData
		b.args = append(b.args, *c.Data)
	}
	if len(t.Log) > 0 {
		bits |= hasLog
	}
	if t.Once != "" {
		bits |= hasID
		third = head + "i" + t.Once
	}
	if len(t.If) == 2 && kind != creates {
		bits |= hasGroup
	}
	if kind == renews {
		third = head + "c" + t.If[1].Prefix
	}
	if kind == creates {
		for i := range t.If[1:] {
			switch o := &t.If[1+i]; {
			case o.Absent:
				rev++
			case o.Key == "":
				empty++
			default:
				ver++
				b.args = append(b.args, *o.Data)
			}
		}
		number := 0
		if w.Number > 0 {
			number = b.drawn + w.Number
		}
		b.args = append(b.args, body(w, number))
	}
	b.keys = append(b.keys, head+"r"+w.Key, head+"c"+t.Read[1].Prefix)
	if kind == creates {
		ttl = empty
	}
	if third != "" {
		bits |= hasThird
		b.keys = append(b.keys, third)
	}
	if kind == creates {
		var last []string
		for i := range t.If[1:] {
			switch o := &t.If[1+i]; {
			case o.Absent:
				b.keys = append(b.keys, head+"r"+o.Key)
			case o.Key == "":
				last = append(last, head+"c"+o.Prefix)
			default:
				last = append([]string{head + "r" + o.Key}, last...)
			}
		}
		b.keys = append(b.keys, last...)
	}
	b.plan = append(b.plan, byte(kind), bits, byte(t.Read[1].Limit))
	for _, f := range [...]float64{rev, ver, ttl, micros(w.Max), micros(w.Within)} {
		b.plan.float(f)
	}
}
