package redis

import (
	"context"
	"strconv"

	"github.com/editlock/editlock/store"
)

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, name string) (store.View, error) {
	answer, err := s.read(ctx, s.scripts.get, name)
	if err != nil {
		return store.View{}, err
	}
	now, err := moment(answer)
	if err != nil {
		return store.View{}, err
	}
	view := store.View{Now: now}
	if len(answer) > 1 {
		view.Record, err = recordOf(name, answer[1])
	}
	return view, err
}

// List implements store.Store. It is one script: all records of a page are in
// force at one moment.
func (s *Store) List(ctx context.Context, q store.Query) (store.Page, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	index := "names"
	switch {
	case q.Session != "":
		index = "s:" + q.Session
	case q.User != "":
		index = "u:" + q.User
	}
	from, to := bounds(q.Prefix, q.After)
	answer, err := s.read(ctx, s.scripts.list, index, from, to, strconv.Itoa(limit), q.Session, q.User)
	if err != nil {
		return store.Page{}, err
	}
	var page store.Page
	if page.Now, err = moment(answer); err != nil {
		return page, err
	}
	for _, m := range answer[1:] {
		parts, err := m.ToArray()
		if err != nil || len(parts) != 2 {
			return page, errNoAnswer
		}
		name, err := parts[0].ToString()
		if err != nil {
			return page, err
		}
		rec, err := recordOf(name, parts[1])
		if err != nil {
			return page, err
		}
		page.Records = append(page.Records, *rec)
	}
	return page, nil
}

// bounds are those of the names with a prefix that come after one, as
// ZRANGEBYLEX wants them.
func bounds(prefix, after string) (from, to string) {
	from, to = "-", "+"
	switch {
	case after != "" && after >= prefix:
		from = "(" + after
	case prefix != "":
		from = "[" + prefix
	}
	for end := []byte(prefix); len(end) > 0; end = end[:len(end)-1] {
		if last := &end[len(end)-1]; *last < 0xff {
			*last++
			return from, "(" + string(end)
		}
	}
	return from, to
}
