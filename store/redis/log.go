package redis

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"editlock/store"
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
			if q.Matches(e) {
				if page.Entries = append(page.Entries, e); len(page.Entries) == q.Limit {
					return page, nil
				}
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
