package postgres

import (
	"encoding/binary"
	"errors"
)

// Arguments and answers are arrays of composite values, in PostgreSQL's binary
// form: they cost less than as many arrays, and less than JSON.

// OIDs of PostgreSQL's own types.
const (
	oidBool  = 16
	oidBytes = 17
	oidInt   = 20
)

// array is an argument: an array of a composite type.
type array struct {
	b    []byte
	oid  uint32
	n    uint32
	elem int // where the element begins that is being written
}

// again is an empty array in the memory of a.
func (a *array) again(oid uint32) array { return array{b: a.b[:0], oid: oid} }

// add begins an element of so many columns.
func (a *array) add(columns uint32) {
	if a.n == 0 {
		a.b = append(a.b, make([]byte, 20)...)
	}
	a.end()
	a.n++
	a.elem = len(a.b)
	a.b = binary.BigEndian.AppendUint32(a.b, 0)
	a.b = binary.BigEndian.AppendUint32(a.b, columns)
}

func (a *array) end() {
	if a.elem > 0 {
		binary.BigEndian.PutUint32(a.b[a.elem:], uint32(len(a.b)-a.elem-4))
	}
}

func (a *array) int(numbers ...int64) {
	for _, n := range numbers {
		a.b = binary.BigEndian.AppendUint32(a.b, oidInt)
		a.b = binary.BigEndian.AppendUint32(a.b, 8)
		a.b = binary.BigEndian.AppendUint64(a.b, uint64(n))
	}
}

const null = 1<<32 - 1 // the length of what is NULL

// intIf is a number, NULL unless it is given.
func (a *array) intIf(given bool, n int64) {
	if given {
		a.int(n)
		return
	}
	a.b = binary.BigEndian.AppendUint32(a.b, oidInt)
	a.b = binary.BigEndian.AppendUint32(a.b, null)
}

func bytesIf[T string | []byte](a *array, given bool, v T) {
	a.b = binary.BigEndian.AppendUint32(a.b, oidBytes)
	if !given {
		a.b = binary.BigEndian.AppendUint32(a.b, null)
		return
	}
	a.b = binary.BigEndian.AppendUint32(a.b, uint32(len(v)))
	a.b = append(a.b, v...)
}

// bytes is as it is, text NULL where it is empty.
func bytes[T string | []byte](a *array, v T) { bytesIf(a, true, v) }
func (a *array) text(s string)               { bytesIf(a, s != "", s) }

// done returns the array as it is sent; NULL: it is empty.
func (a *array) done() []byte {
	if a.n == 0 {
		return nil
	}
	a.end()
	for i, v := range []uint32{1, 0, a.oid, a.n, 1} { // dimensions, no NULLs, type, length, first index
		binary.BigEndian.PutUint32(a.b[4*i:], v)
	}
	return a.b
}

func int8Arg(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func boolArg(v bool) []byte {
	if v {
		return []byte{1}
	}
	return []byte{0}
}

var errForm = errors.New("the answer has another form than expected")

// answer reads a value in binary form. After a fault it returns zero values,
// and err tells. What it returns is a part of the value.
type answer struct {
	b   []byte
	err error
}

func (a *answer) take(n int) []byte {
	if n < 0 || n > len(a.b) {
		a.b, a.err = nil, errForm
		return nil
	}
	part := a.b[:n]
	a.b = a.b[n:]
	return part
}

func (a *answer) number() uint32 {
	b := a.take(4)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// sized is a value behind its length; nil: NULL.
func (a *answer) sized() []byte {
	n := a.number()
	if n == null || a.err != nil {
		return nil
	}
	return a.take(int(n))
}

// field is the next column of a composite value; nil: NULL.
func (a *answer) field() []byte {
	a.number() // its type
	return a.sized()
}

func (a *answer) int() int64 {
	b := a.field()
	if b == nil {
		return 0
	}
	if len(b) != 8 {
		a.err = errForm
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// each calls f for each element of an array.
func (a *answer) each(f func(*answer)) {
	in := answer{b: a.field()}
	if in.b == nil || a.err != nil {
		return
	}
	dims := in.number()
	in.take(8)
	if dims == 0 {
		return
	}
	n := in.number()
	in.take(4)
	for ; n > 0 && in.err == nil; n-- {
		elem := answer{b: in.sized()}
		if in.err == nil {
			f(&elem)
			in.err = elem.err
		}
	}
	a.err = errors.Join(a.err, in.err)
}

// elements calls f for each element of an array of composite values.
func (a *answer) elements(f func(*answer)) {
	a.each(func(elem *answer) {
		elem.number() // its columns
		f(elem)
	})
}

func (a *answer) ints() (numbers []int64) {
	a.each(func(elem *answer) {
		if b := elem.take(8); b != nil {
			numbers = append(numbers, int64(binary.BigEndian.Uint64(b)))
		}
	})
	return numbers
}

// scalar is the whole value, a number.
func (a *answer) scalar() int64 {
	b := a.take(8)
	if b == nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}
