package dbfile_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

// FuzzLog writes entries and reads them again.
func FuzzLog(f *testing.F) {
	f.Add(uint64(1), uint64(1), "id", []byte("value"), "ntag", "\xff")
	f.Add(uint64(1)<<52, uint64(3), "", []byte(nil), "", "")
	f.Fuzz(func(t *testing.T, number, step uint64, id string, value []byte, tag, other string) {
		if number >= 1<<53 || step == 0 || step >= 1<<53 {
			return
		}
		entries := []dbfile.Entry{
			{Number: number, ID: id, Value: value, Tags: []string{tag, other}},
			{Number: number + step, Value: []byte(tag)},
			{Number: number + 2*step, ID: other, Value: []byte{}, Tags: []string{id}},
		}
		got, err := dbfile.DecodeLog(number+2*step, dbfile.EncodeLog(entries))
		if err != nil || len(got) != len(entries) {
			t.Fatalf("%+v is read as %+v, %v", entries, got, err)
		}
		for i, e := range entries {
			if got[i].Number != e.Number || got[i].ID != e.ID || !bytes.Equal(got[i].Value, e.Value) || !reflect.DeepEqual(got[i].Tags, e.Tags) {
				t.Fatalf("%+v is read as %+v", e, got[i])
			}
		}
	})
}

// The rows of files that exist are as this one.
func TestLogKeepsItsForm(t *testing.T) {
	got := string(dbfile.EncodeLog([]dbfile.Entry{
		{Number: 6, ID: "i", Value: []byte("v\xff"), Tags: []string{"a", "", "b"}}, {Number: 306},
	}))
	if want := "\xac\x02\x01i\x02v\xff\x03\x01a\x00\x01b\x00\x00\x00\x00"; got != want {
		t.Errorf("the log is written as\n%+q, want\n%+q", got, want)
	}
}

// FuzzLogBody is of rows as they may stand in a file.
func FuzzLogBody(f *testing.F) {
	whole := dbfile.EncodeLog([]dbfile.Entry{{Number: 6, ID: "i", Value: []byte("v"), Tags: []string{"a", "b"}}, {Number: 7}})
	f.Add(uint64(7), whole)
	f.Add(uint64(7), whole[:len(whole)-1])
	f.Add(uint64(6), whole)
	f.Add(uint64(0), []byte{})
	f.Add(uint64(1), []byte{0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, seq uint64, body []byte) {
		entries, err := dbfile.DecodeLog(seq, body)
		if err != nil {
			if entries != nil {
				t.Fatalf("%d entries and %v", len(entries), err)
			}
			return
		}
		again, err := dbfile.DecodeLog(seq, dbfile.EncodeLog(entries))
		if err != nil || !reflect.DeepEqual(again, entries) {
			t.Fatalf("%+v is written and read as %+v, %v", entries, again, err)
		}
	})
}
