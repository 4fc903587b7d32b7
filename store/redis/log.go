package redis

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store"
)

const (
	firstChunk = 100
	maxChunk   = 1000
	maxNumber  = 1<<53 - 1
)

// Log implements store.Store. It reads by chunks, up to the last number given
// out when it began: entries appear in order, so none is missed.
func (s *Store) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	index := ""
	switch {
	case q.Name != "":
		index = "n:" + q.Name
	case q.User != "":
		index = "w:" + q.User
	}
	lo, hi := min(q.After, maxNumber-1)+1, uint64(maxNumber)
	if q.Before > 0 {
		hi = min(hi, q.Before-1)
	}
	var page store.LogPage
	count := min(max(q.Limit, firstChunk), maxChunk)
	for first := true; ; first = false {
		newest := "0"
		if q.Newest {
			newest = "1"
		}
		answer, err := s.read(ctx, s.scripts.log, index, number(lo), number(hi), strconv.Itoa(count), newest)
		if err != nil {
			return store.LogPage{}, err
		}
		if len(answer) < 2 {
			return store.LogPage{}, errNoAnswer
		}
		floor, err := answer[0].AsUint64()
		if err != nil {
			return store.LogPage{}, err
		}
		last, err := answer[1].AsUint64()
		if err != nil {
			return store.LogPage{}, err
		}
		page.Floor = floor
		if first {
			page.Last = last
			hi = min(hi, last)
		}
		seq := uint64(0)
		for _, m := range answer[2:] {
			e, err := entryOf(m)
			if err != nil {
				return store.LogPage{}, err
			}
			seq = e.Seq
			page.Examined++
			if q.Matches(e) {
				page.Entries = append(page.Entries, e)
			}
			if len(page.Entries) == q.Limit || page.Examined == q.Limit+store.LogPiece {
				page.Next = seq
				return page, nil
			}
		}
		if len(answer)-2 < count {
			return page, nil
		}
		if q.Newest {
			hi = seq - 1
		} else {
			lo = seq + 1
		}
		count = maxChunk
	}
}

// endsAtATime is how many ends one script looks up, so that it keeps Redis from
// others for a millisecond or two at most.
const endsAtATime = 100

// Ends implements store.Store.
func (s *Store) Ends(ctx context.Context, holds []store.Hold, kinds []string) (store.Ends, error) {
	ends := store.Ends{Entries: make([]*store.Entry, 0, len(holds))}
	within := strconv.Itoa(store.EndsWithin(len(holds)))
	for some := range slices.Chunk(holds, endsAtATime) {
		args := append([]string{within, strconv.Itoa(len(some)), strconv.Itoa(len(kinds))}, kinds...)
		for _, h := range some {
			args = append(args, h.Name, number(h.Token))
		}
		answer, err := s.read(ctx, s.scripts.ends, args...)
		if err != nil {
			return store.Ends{}, err
		}
		if len(answer) != len(some)+1 {
			return store.Ends{}, errNoAnswer
		}
		if ends.Floor, err = answer[0].AsUint64(); err != nil {
			return store.Ends{}, err
		}
		for _, m := range answer[1:] {
			if m.IsNil() {
				ends.Entries = append(ends.Entries, nil)
				continue
			}
			e, err := entryOf(m)
			if err != nil {
				return store.Ends{}, err
			}
			ends.Entries = append(ends.Entries, &e)
		}
	}
	return ends, nil
}

func number(n uint64) string { return strconv.FormatUint(min(n, math.MaxInt64), 10) }

// entryOf reads an entry: its number, as the ID of a stream, and its body.
func entryOf(m rueidis.RedisMessage) (store.Entry, error) {
	parts, err := m.ToArray()
	if err != nil || len(parts) != 2 {
		return store.Entry{}, errNoAnswer
	}
	id, err := parts[0].ToString()
	if err != nil {
		return store.Entry{}, err
	}
	body, err := parts[1].ToString()
	if err != nil {
		return store.Entry{}, err
	}
	digits, _, _ := strings.Cut(id, "-")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return store.Entry{}, fmt.Errorf("redis: the entry %q of the log is no work of editlock's", id)
	}
	u := unpacker{rest: body}
	return u.entry(seq), u.err
}
