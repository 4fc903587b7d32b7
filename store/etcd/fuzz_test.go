package etcd

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/editlock/editlock/store/kv"
)

// FuzzDecode is of what is in the database.
func FuzzDecode(f *testing.F) {
	f.Add([]byte((&row{Row: kv.Row{Rev: 1, Ver: 1, At: time.UnixMicro(1), Tags: []string{"s", "u"}, Value: []byte("v")}}).encode()))
	f.Add([]byte(encodeLog([]logged{{id: "i", tags: []string{"n"}}}, false)))
	f.Add([]byte(encodeLog(make([]logged, 100), true)))
	f.Add([]byte(encodeMark([]uint64{1, 5, 9})))
	f.Add([]byte(`{"version":2,"lease":5}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := decodeRow("x", data); err == nil && r.Key != "x" {
			t.Fatalf("a row under %q", r.Key)
		}
		if entries, err := decodeLog(data); err == nil {
			again, err := decodeLog([]byte(encodeLog(entries, true)))
			if err != nil || len(again) != len(entries) {
				t.Fatalf("%d entries, written and read again: %d, %v", len(entries), len(again), err)
			}
		}
		if parts, err := decodeMark(data); err == nil && len(parts) == 0 {
			t.Fatal("an empty mark")
		}
		value := &mvccpb.KeyValue{Key: []byte("head"), Value: data}
		if raw, h, err := decodeHead([]*mvccpb.KeyValue{value}); (err == nil) != (raw != "") || err == nil && h.Version != version {
			t.Fatalf("the head is %+v, %q, %v", h, raw, err)
		}
		_, _ = decodeIndex(value)
		_, _ = (&engine{}).decodeNews(data)
	})
}

// FuzzURL is of addresses.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{"etcd://a:1,b:2/x?timeout=1s", "etcd://u:p@h", "etcds://h/?ca=x", "etcd:", "%"} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, text string) { _, _, _ = parse(text) })
}

// FuzzValues writes rows and log entries and reads them again.
func FuzzValues(f *testing.F) {
	f.Add("a/b/1", "s", "data", uint64(7), int64(time.Minute), int64(1))
	f.Add("", "", strings.Repeat("x", 3000), uint64(0), int64(0), int64(1)<<50)
	f.Fuzz(func(t *testing.T, key, tag, data string, number uint64, span, at int64) {
		if at < 0 || at > 1<<52 || span < 0 {
			return // there are no such times
		}
		want := &row{Row: kv.Row{
			Key: key, Value: []byte(data), Data: tag, Tags: []string{tag, data}, Lease: data, Rev: number, Ver: number + 1,
			At: fromMicros(at), Seen: fromMicros(at), Due: fromMicros(at), TTL: time.Duration(span), Max: time.Duration(span),
		}}
		got, err := decodeRow(key, []byte(want.encode()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		entries := []logged{{Logged: kv.Logged{Number: number, At: fromMicros(at), Value: []byte(data)}, id: key, tags: []string{tag}}, {}}
		for _, packed := range []bool{false, true} {
			again, err := decodeLog([]byte(encodeLog(entries, packed)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(entries, again, cmp.AllowUnexported(logged{}), cmpopts.EquateEmpty()); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// The values of stores that exist are as this table has them.
func TestValuesKeepTheirForm(t *testing.T) {
	whole := &row{Row: kv.Row{
		Value: []byte("v\xff"), Data: "d", Tags: []string{"s", ""}, Lease: "p", Rev: 300, Ver: 2,
		At: time.UnixMicro(1_000_000), Seen: time.UnixMicro(1_000_001), Due: time.UnixMicro(-1), TTL: time.Minute, Max: -1,
	}}
	entries := []logged{
		{Logged: kv.Logged{Number: 299, At: time.UnixMicro(1), Value: []byte("v")}, id: "i", tags: []string{"a", "b"}},
		{Logged: kv.Logged{Number: 300}},
	}
	for _, tt := range []struct{ name, value, want string }{
		{"row", whole.encode(), "\x01\xac\x02\x02\xc0\x84=\xc1\x84=\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x80\xb0\x9d\xc2\xdf\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01p\x02\x01s\x00\x01d\x02v\xff"},
		{"empty row", (&row{}).encode(), "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"log", encodeLog(entries, false), "\x01\x02\xab\x02\x01\x01i\x02\x01a\x01b\x01v\xac\x02\x00\x00\x00\x00"},
		{"mark", encodeMark([]uint64{1, 300, 301}), "\x01\xab\x02\x01"},
	} {
		if tt.value != tt.want {
			t.Errorf("%s is written as\n%+q, want\n%+q", tt.name, tt.value, tt.want)
		}
	}
}

// FuzzKeyParts is of texts as parts of keys: what is under one text is never
// taken for another's.
func FuzzKeyParts(f *testing.F) {
	for _, seed := range []string{"", "a", "\x00", "\x00\x01", "\x00\xff", "\xff\x00", "a\x00\x00\x01"} {
		f.Add(seed, "a")
		f.Add(seed, seed+"\x00\x01")
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		if one != other && strings.HasPrefix(part(other), part(one)) {
			t.Fatalf("what is under %q is read under %q too", other, one)
		}
	})
}
