package redis

import (
	"context"
	"strconv"

	"github.com/redis/rueidis"

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

// looks bounds how many names one script looks at, so that it keeps Redis from
// others for some milliseconds at most.
const looks = 1000

// List implements store.Store. The first script finds the whole page, unless
// names on the way are not in force any more, or another user's.
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
	var page store.Page
	for n := min(limit, looks); ; n = looks {
		answer, err := s.read(ctx, s.scripts.list, index, from, to, strconv.Itoa(limit-len(page.Records)), q.Session, q.User, strconv.Itoa(n))
		if err != nil {
			return page, err
		}
		if page.Now, err = moment(answer); err != nil {
			return page, err
		}
		if len(answer) < 2 {
			return page, errNoAnswer
		}
		if from, err = answer[1].ToString(); err != nil {
			return page, err
		}
		for _, m := range answer[2:] {
			rec, err := listed(m)
			if err != nil {
				return page, err
			}
			page.Records = append(page.Records, *rec)
		}
		if from == "" || len(page.Records) == limit {
			return page, nil
		}
	}
}

// listed reads a record of a list, with its name.
func listed(m rueidis.RedisMessage) (*store.Record, error) {
	parts, err := m.ToArray()
	if err != nil || len(parts) != 2 {
		return nil, errNoAnswer
	}
	name, err := parts[0].ToString()
	if err != nil {
		return nil, err
	}
	return recordOf(name, parts[1])
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
