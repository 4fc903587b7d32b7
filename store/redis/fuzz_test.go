package redis

import (
	"encoding/binary"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store/kv"
)

// FuzzParse is of what is in the database: whatever it is, reading ends, and what
// is truncated is an error.
func FuzzParse(f *testing.F) {
	f.Add([]byte("head"), []byte(body(&kv.Write{Key: "a", Tags: []string{"t", "u"}, Value: []byte("v")}, 3)))
	f.Add([]byte{}, []byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, head, rest []byte) {
		raw := string(head) + string(rest)
		if _, err := parseRow("a", raw); err == nil && len(raw) < headLen {
			t.Fatalf("%d bytes are taken for a row", len(raw))
		}
		_, _ = parseNote(raw)
		r := reply{parts: []rueidis.RedisMessage{array(t, [][]byte{whole(1), blob(string(head)), blob(string(rest))})}}
		if _, _, _ = r.found(); r.err == nil {
			t.Fatal("texts are taken for rows")
		}
	})
}

// FuzzRow packs rows, lets them be created, and reads them again.
func FuzzRow(f *testing.F) {
	f.Add("key", "s", "u", "lease", "data", "value", int64(time.Minute), int64(0), int64(0), 1, int64(1_700_000_000_000_000), uint16(3))
	f.Add("", "", "", "", "\x00\xff", "", int64(1), int64(time.Hour), int64(999), 0, int64(1), uint16(70))
	f.Fuzz(func(t *testing.T, key, tag1, tag2, lease, data, value string, ttl, limit, within int64, number int, now int64, cut uint16) {
		const longest = int64(100 * 24 * time.Hour)
		if ttl < 0 || ttl > longest || limit < 0 || limit > longest || number < 0 || number > maxDrawn || now < 1 || now > 1<<51 ||
			len(tag1)+len(tag2)+len(lease) >= lends || tag1 == "" && tag2 != "" {
			return
		}
		w := kv.Write{Key: key, Number: number, Data: &data, Lease: lease, TTL: time.Duration(ttl), Max: time.Duration(limit), Within: time.Duration(within)}
		for _, tag := range []string{tag1, tag2} {
			if tag != "" {
				w.Tags = append(w.Tags, tag)
			}
		}
		if value != "" {
			w.Value = []byte(value)
		}
		const first = 1 << 40
		var head packer
		for _, n := range []int64{now, now, first} {
			head.float(float64(n))
		}
		raw := string(head) + body(&w, number)
		got, err := parseRow(key, raw)
		if want := w.Row(nil, first-1, moment(float64(now))); err != nil || !reflect.DeepEqual(&got, want) {
			t.Fatalf("%+v, %v; want %+v", got, err, *want)
		}
		if n := int(cut) % (len(raw) - len(value)); n < len(raw)-len(value) {
			if _, err := parseRow(key, raw[:n]); err == nil {
				t.Fatalf("%d of %d bytes are taken for a row", n, len(raw))
			}
		}
	})
}

// FuzzDuration is of durations as scripts reckon with them.
func FuzzDuration(f *testing.F) {
	f.Add(int64(1))
	f.Add(int64(30 * 24 * time.Hour))
	f.Fuzz(func(t *testing.T, n int64) {
		if n < 0 || n > int64(100*24*time.Hour) {
			return
		}
		d := time.Duration(n)
		if got := duration(micros(d)); got != d || math.Floor(micros(d)) != float64(d.Microseconds()) {
			t.Fatalf("%v is kept as %v", d, got)
		}
	})
}

// array is an answer as the client library keeps it.
func array(t *testing.T, parts [][]byte) (m rueidis.RedisMessage) {
	t.Helper()
	data := append(make([]byte, 7), '*')
	data = binary.BigEndian.AppendUint64(data, uint64(len(parts)))
	for _, part := range parts {
		data = append(data, part...)
	}
	if err := m.CacheUnmarshalView(data); err != nil {
		t.Fatal(err)
	}
	return m
}

func blob(text string) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{'$'}, uint64(len(text))), text...)
}

func whole(n int64) []byte { return binary.BigEndian.AppendUint64([]byte{':'}, uint64(n)) }
