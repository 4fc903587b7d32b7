package core

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// If a query selects only some of the entries that are read, sieved of them are read
// first, and twice as many each time after that, up to sievedMost.
const sieved, sievedMost = 256, 4096

// Log implements store.Store.
func (s *Store) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	read, exact := index(q)
	bound := q.Limit + store.LogPiece
	var page store.LogPage
	some := max(q.Limit, sieved)
	for first := true; ; first, some = false, min(2*some, sievedMost) {
		limit := q.Limit
		if !exact {
			limit = min(some, bound-page.Examined)
		}
		for i := range read {
			read[i].Limit = limit
		}
		pages, err := s.engine.Log(ctx, read...)
		if err != nil {
			return store.LogPage{}, fail(err)
		}
		got := merged(pages, read[0])
		page.Floor = got.Floor
		if first || !q.Newest { // what is newer than a page of the newest is not in it
			page.Last = got.Last
		}
		for _, row := range got.Entries {
			e, err := entryOf(row)
			if err != nil {
				return store.LogPage{}, err
			}
			if page.Examined++; q.Matches(e) {
				page.Entries = append(page.Entries, e)
			}
			if len(page.Entries) == q.Limit || page.Examined == bound {
				page.Next = row.Number
				return page, nil
			}
		}
		n := len(got.Entries)
		if n < limit {
			return page, nil
		}
		for i := range read {
			if q.Newest {
				read[i].Before = got.Entries[n-1].Number
			} else {
				read[i].After = got.Entries[n-1].Number
			}
		}
	}
}

// merged returns one page of the entries of several queries. These select different
// entries, and are otherwise as q. Entries that were logged after the first page was read
// are left to the next page, as there may be more of them.
func merged(pages []kv.LogPage, q kv.LogQuery) kv.LogPage {
	all := pages[0]
	if len(pages) == 1 {
		return all
	}
	for _, p := range pages[1:] {
		all.Floor = p.Floor
		for _, row := range p.Entries {
			if row.Number <= all.Last {
				all.Entries = append(all.Entries, row)
			}
		}
	}
	slices.SortFunc(all.Entries, func(a, b kv.Logged) int {
		if q.Newest {
			a, b = b, a
		}
		return cmp.Compare(a.Number, b.Number)
	})
	all.Entries = all.Entries[:min(len(all.Entries), q.Limit)]
	return all
}

func entryOf(row kv.Logged) (store.LogEntry, error) {
	e, err := decodeEntry(row.Value, row.Number, row.At)
	if err != nil {
		return e, fmt.Errorf("log entry %d: %w", row.Number, err)
	}
	return e, nil
}

const (
	// endsAtOnce is how many ends of holds are looked up in one call.
	endsAtOnce = 1000
	// nearEnd is how many entries of a name are read first. Most holds end with the
	// next entry, or the one after that of a waiter.
	nearEnd = 4
)

// search is the search for the end of a hold.
type search struct {
	hold  int
	token uint64
	next  kv.LogQuery
}

// Ends implements store.Store.
func (s *Store) Ends(ctx context.Context, holds []store.Hold, kinds []string) (store.Ends, error) {
	ends := store.Ends{Entries: make([]*store.LogEntry, len(holds))}
	searches := make([]search, len(holds))
	for i, h := range holds {
		searches[i] = search{i, h.Token, kv.LogQuery{Tag: nameTag(h.Name), After: h.Token}}
	}
	for _, limit := range []int{nearEnd, store.EndsWithin(len(holds)) - nearEnd} {
		var left []search
		for some := range slices.Chunk(searches, endsAtOnce) {
			more, err := s.searchOn(ctx, &ends, some, limit, kinds)
			if err != nil {
				return store.Ends{}, err
			}
			left = append(left, more...)
		}
		searches = left
	}
	return ends, nil
}

// searchOn reads so many entries for each search, and returns those that found
// no end and can go on.
func (s *Store) searchOn(ctx context.Context, ends *store.Ends, searches []search, limit int, kinds []string) (left []search, err error) {
	queries := make([]kv.LogQuery, len(searches))
	for i := range searches {
		searches[i].next.Limit = limit
		queries[i] = searches[i].next
	}
	pages, err := s.engine.Log(ctx, queries...)
	if err != nil {
		return nil, fail(err)
	}
	for i, page := range pages {
		ends.Floor = page.Floor
		for _, row := range page.Entries {
			e, err := entryOf(row)
			if err != nil {
				return nil, err
			}
			if slices.Contains(kinds, e.Kind) && e.Ended(searches[i].token) {
				ends.Entries[searches[i].hold] = &e
				break
			}
		}
		if n := len(page.Entries); n == limit && ends.Entries[searches[i].hold] == nil {
			searches[i].next.After = page.Entries[n-1].Number
			left = append(left, searches[i])
		}
	}
	return left, nil
}

// index returns the narrowest index for a query, or several that cover it together, and
// whether the query selects all entries in them. An object with its parts has an index;
// names below a node are read like any names with a common prefix.
func index(q store.LogQuery) (read []kv.LogQuery, exact bool) {
	var tags []string
	switch {
	case q.Request != "":
		tags = []string{requestTag(q.Request)}
	case q.Name != "":
		tags = []string{nameTag(q.Name)}
	case q.Tree != "" && !store.IsNode(q.Tree):
		tags = []string{nameTag(q.Tree), partsTag(q.Tree)}
	case q.User != "":
		tags = []string{userTag(q.User)}
	default:
		tags = []string{""}
	}
	for _, tag := range tags {
		read = append(read, kv.LogQuery{Tag: tag, After: q.After, Before: q.Before, Newest: q.Newest})
	}
	filters := 0
	for _, given := range []bool{
		q.Name != "", q.Tree != "", q.Prefix != "", q.Infix != "", q.User != "", q.Request != "", len(q.Kinds) > 0, !q.From.IsZero(), !q.To.IsZero(),
	} {
		if given {
			filters++
		}
	}
	return read, filters == 0 || filters == 1 && tags[0] != ""
}
