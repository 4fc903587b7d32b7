package httpapi

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/editlock/editlock"
)

func TestLongestList(t *testing.T) {
	for body, want := range map[string]struct {
		field string
		items int
	}{
		`{}`:                            {"", 0},
		`{"items":[]}`:                  {"", 0},
		`{"items":[ ]}`:                 {"", 0},
		`{"items":[{}]}`:                {"items", 1},
		`{"items":[{},{},{"a":[1,2]}]}`: {"items", 3},
		`{"items" : [1 , 2 ], "mutexes":[{"id":"],[,\\\"],"},"a,b"]}`:       {"items", 2},
		`{"a":[1],"mutexes":[[1,2],[3,4],[5,6]],"owner":{"x":[1,2,3,4,5]}}`: {"mutexes", 3},
		`{"a":"\\","b":[1,2]}`:   {"b", 2},
		`{"a":"x\`:               {"", 0},
		`{"a":"x`:                {"", 0},
		`]]]]}}}}[[[[,,,,`:       {"", 0},
		`{"a\"b":["\"",",",""]}`: {`a\"b`, 3},
	} {
		if field, items := longestList([]byte(body)); field != want.field || items != want.items {
			t.Errorf("%s: %d in %q, want %d in %q", body, items, field, want.items, want.field)
		}
	}
}

// What is longer than a call takes is refused for the price of looking at it.
func TestCheckLists_ComesBeforeDecoding(t *testing.T) {
	body := []byte(`{"items":[` + strings.Repeat("{},", 100_000) + `{}]}`)
	if n := testing.AllocsPerRun(10, func() { _ = checkLists(body) }); n > 20 {
		t.Errorf("%v allocations", n)
	}
	if err := checkLists(body); err == nil || !strings.Contains(err.Error(), "items has 100001 items; between 1 and 1000 are allowed") {
		t.Errorf("got %v", err)
	}
	if err := checkLists([]byte(`{"items":[` + strings.Repeat(`{"a":[1,2,3]},`, editlock.MaxBatch-1) + `{}]}`)); err != nil {
		t.Error(err)
	}
}

// FuzzLongestList is of JSON objects: it counts what a decoder finds.
func FuzzLongestList(f *testing.F) {
	f.Add(`{"items":[{},{"a":"]"}],"b":[1],"c":"[1,2,3"}`)
	f.Add(`{"a":[[1,2],[3]],"\u0061b":["\\\"",2,3]}`)
	f.Fuzz(func(t *testing.T, body string) {
		_, got := longestList([]byte(body))
		var fields map[string]any
		if !json.Valid([]byte(body)) || json.Unmarshal([]byte(body), &fields) != nil {
			return
		}
		want := 0
		for _, value := range fields {
			if list, ok := value.([]any); ok {
				want = max(want, len(list))
			}
		}
		if got < want { // a name that is given twice may hide a longer one
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	})
}
