// Package codec writes values as sequences of numbers and texts: a number is a
// varint, a text follows its length. What a value is made of is its user's
// business, and so is the version it may begin with.
package codec

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// ErrMalformed is the fault of a value that does not decode.
var ErrMalformed = errors.New("truncated or not written by editlock")

// Encoder appends to a value.
type Encoder []byte

// Number appends a number.
func (e *Encoder) Number(n uint64) { *e = binary.AppendUvarint(*e, n) }

// Duration appends a duration, which may be negative.
func (e *Encoder) Duration(d time.Duration) { *e = binary.AppendVarint(*e, int64(d)) }

// Text appends a text.
func (e *Encoder) Text(s string) {
	e.Number(uint64(len(s)))
	*e = append(*e, s...)
}

// Bytes appends bytes, in the form of a text.
func (e *Encoder) Bytes(b []byte) {
	e.Number(uint64(len(b)))
	*e = append(*e, b...)
}

// Texts appends a list of texts.
func (e *Encoder) Texts(list []string) {
	e.Number(uint64(len(list)))
	for _, s := range list {
		e.Text(s)
	}
}

// Decoder reads what an Encoder wrote, in the same order. After a fault it
// returns zero values.
type Decoder struct {
	rest []byte // yet to be read
	all  string // a copy of the value, if texts are parts of it
	err  error
}

// NewDecoder returns a decoder of a value whose texts are copied one by one.
func NewDecoder(value []byte) Decoder { return Decoder{rest: value} }

// NewShared returns a decoder of a value whose texts are parts of one copy of
// it. They cost less, and each of them keeps the whole copy in memory.
func NewShared(value []byte) Decoder { return Decoder{rest: value, all: string(value)} }

// Number reads a number.
func (d *Decoder) Number() uint64 {
	n, size := binary.Uvarint(d.rest)
	return taken(d, n, size)
}

// Duration reads a duration.
func (d *Decoder) Duration() time.Duration {
	n, size := binary.Varint(d.rest)
	return time.Duration(taken(d, n, size))
}

func taken[T any](d *Decoder, value T, size int) (zero T) {
	if size <= 0 {
		d.Fail()
		return zero
	}
	d.rest = d.rest[size:]
	return value
}

// Len reads the number of bytes, texts or the like that follow. It is never
// larger than the number of bytes left.
func (d *Decoder) Len() int {
	n := d.Number()
	if n > uint64(len(d.rest)) {
		d.Fail()
		return 0
	}
	return int(n)
}

// Bytes reads bytes. They are a part of the value.
func (d *Decoder) Bytes() []byte {
	n := d.Len()
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

// Text reads a text.
func (d *Decoder) Text() string {
	b := d.Bytes()
	if d.all == "" {
		return string(b)
	}
	end := len(d.all) - len(d.rest)
	return d.all[end-len(b) : end]
}

// Texts reads a list of texts; nil if it is empty.
func (d *Decoder) Texts() []string { return d.AppendTexts(nil) }

// AppendTexts appends a list of texts to another.
func (d *Decoder) AppendTexts(to []string) []string {
	n := d.Len()
	to = slices.Grow(to, n)
	for range n {
		to = append(to, d.Text())
	}
	return to
}

// More reports whether something is left to read.
func (d *Decoder) More() bool { return len(d.rest) > 0 }

// Fail makes the value malformed, for a reason that the decoder can't see.
func (d *Decoder) Fail() { d.err, d.rest = ErrMalformed, nil }

// Err is the fault met so far.
func (d *Decoder) Err() error { return d.err }

// End is the fault met, one of them being that something is left to read.
func (d *Decoder) End() error {
	if d.More() {
		d.Fail()
	}
	return d.err
}
