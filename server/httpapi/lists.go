package httpapi

import (
	"bytes"

	"github.com/editlock/editlock"
)

// checkLists refuses a body with a list of more items than any call takes, before
// it is decoded: short items need many times their size in memory.
func checkLists(body []byte) error {
	if len(body) <= 2*editlock.MaxBatch { // an item and a comma have two bytes at least
		return nil
	}
	if field, n := longestList(body); n > editlock.MaxBatch {
		return invalid(field, "item_count", "has %d items; between 1 and %d are allowed", n, editlock.MaxBatch)
	}
	return nil
}

// longestList is the longest of the lists that the fields of an object have, and
// which field has it. Of what is no JSON it may say anything.
func longestList(body []byte) (field string, items int) {
	var (
		name  []byte // the latest text among the fields
		depth int
		n     int  // items of the list that is open
		some  bool // it has any
	)
	for i := 0; i < len(body); i++ {
		switch c := body[i]; c {
		case ' ', '\t', '\r', '\n':
			continue
		case '"':
			end := endOfText(body[i+1:])
			if depth == 1 {
				name = body[i+1 : i+1+end]
			}
			i += 1 + end
		case '{', '[':
			depth++
			if depth == 2 {
				n, some = 0, false
				continue
			}
		case '}', ']':
			if depth--; depth == 1 && c == ']' && some && n+1 > items {
				field, items = string(name), n+1
			}
		case ',':
			if depth == 2 {
				n++
			}
		}
		some = some || depth >= 2
	}
	return field, items
}

// endOfText is where the quote is that ends a text, or the length.
func endOfText(text []byte) int {
	for i := 0; ; i++ {
		next := bytes.IndexAny(text[i:], `"\`)
		if next < 0 {
			return len(text)
		}
		if i += next; text[i] == '"' {
			return i
		}
		i++ // what is escaped
		if i >= len(text) {
			return len(text)
		}
	}
}
