package redis

import (
	"context"
	"slices"
	"strconv"

	"github.com/editlock/editlock/store/kv"
)

// Read implements kv.Engine. A range that is read alone and must pass over many
// rows that are due is read in pieces, each of its own moment.
func (e *engine) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	asked := append([]kv.Range(nil), ranges...)
	a := kv.Answer{Found: make([]kv.Found, len(ranges))}
	for {
		var m msgpack
		m.ranges(asked)
		parts, err := e.read(ctx, e.scripts.read, string(m))
		if err != nil {
			return kv.Answer{}, err
		}
		r := &reply{parts: parts}
		a.Now = moment(float64(r.number()))
		again := false
		for i := range asked {
			f, more, nothing := r.found()
			if r.err != nil {
				return kv.Answer{}, r.err
			}
			again = again || nothing || more != ""
			all := &a.Found[i]
			if asked[i].After == ranges[i].After { // else it goes on
				*all = f
			} else {
				all.Rows, all.Beside, all.Count = append(all.Rows, f.Rows...), append(all.Beside, f.Beside...), all.Count+f.Count
			}
			if more != "" {
				asked[i].After = more
				if asked[i].Limit > 0 {
					if asked[i].Limit = ranges[i].Limit - len(all.Rows); asked[i].Limit == 0 {
						asked[i].Limit = -1 // the rest is only counted
					}
				}
			}
		}
		if !again {
			return a, nil
		}
	}
}

// logQueries is how many queries of the log a script answers: others wait for it.
const logQueries = 100

// Log implements kv.Engine.
func (e *engine) Log(ctx context.Context, queries ...kv.LogQuery) (pages []kv.LogPage, err error) {
	for some := range slices.Chunk(queries, logQueries) {
		more, err := e.log(ctx, some)
		if err != nil {
			return nil, err
		}
		pages = append(pages, more...)
	}
	return pages, nil
}

func (e *engine) log(ctx context.Context, queries []kv.LogQuery) ([]kv.LogPage, error) {
	var m msgpack
	m.array(len(queries))
	for _, q := range queries {
		m.array(5)
		m.text(q.Tag)
		m.number(float64(min(q.After, maxNumber)), float64(min(q.Before, maxNumber)))
		m.bool(q.Newest)
		m.number(float64(q.Limit))
	}
	parts, err := e.read(ctx, e.scripts.log, string(m))
	if err != nil {
		return nil, err
	}
	r := &reply{parts: parts}
	now, floor, last := moment(float64(r.number())), uint64(r.number()), uint64(r.number())
	pages := make([]kv.LogPage, len(queries))
	for i := range pages {
		pages[i] = kv.LogPage{Floor: floor, Last: last, Now: now}
		page := r.array()
		if r.err == nil && page == nil {
			r.err = errForm
		}
		for r.err == nil && len(page.parts) > 0 {
			in := kv.Logged{Number: uint64(page.number()), At: moment(float64(page.number())), Value: []byte(page.text())}
			pages[i].Entries, r.err = append(pages[i].Entries, in), page.err
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	return pages, nil
}

const maxNumber = 1<<53 - 1

// Trim implements kv.Engine.
func (e *engine) Trim(ctx context.Context, keep kv.Keep) error {
	before := int64(0)
	if !keep.Before.IsZero() {
		before = max(keep.Before.UnixMicro(), 0)
	}
	for {
		parts, err := e.read(ctx, e.scripts.trim, strconv.FormatInt(before, 10), strconv.FormatInt(max(0, keep.MaxEntries), 10))
		if err != nil {
			return err
		}
		r := &reply{parts: parts}
		if r.number() == 0 || r.err != nil {
			return r.err
		}
	}
}
