package codec_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/store/internal/codec"
)

var decoders = map[string]func([]byte) codec.Decoder{"own": codec.NewDecoder, "shared": codec.NewShared}

func sample() []byte {
	var e codec.Encoder
	e.Number(300)
	e.Text("text")
	e.Duration(-time.Microsecond)
	e.Texts([]string{"a", "", "\xff"})
	e.Bytes([]byte{7})
	e.Texts(nil)
	e.Number(math.MaxUint64)
	return e
}

func TestValuesKeepTheirForm(t *testing.T) {
	want := "\xac\x02" + "\x04text" + "\xcf\x0f" + "\x03\x01a\x00\x01\xff" + "\x01\x07" + "\x00" + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	if got := string(sample()); got != want {
		t.Errorf("written as %+q, want %+q", got, want)
	}
}

func TestDecoderReadsWhatWasWritten(t *testing.T) {
	for name, decoder := range decoders {
		d := decoder(sample())
		got := []any{d.Number(), d.Text(), d.Duration(), d.AppendTexts([]string{"first"}), d.Bytes(), d.Texts(), d.More(), d.Number(), d.More()}
		want := []any{
			uint64(300), "text", -time.Microsecond, []string{"first", "a", "", "\xff"}, []byte{7}, []string(nil), true, uint64(math.MaxUint64), false,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if err := errors.Join(d.Err(), d.End()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBytesReadCanNotBeAppendedToInPlace(t *testing.T) {
	value := []byte{1, 'a', 1, 'b'}
	d := codec.NewDecoder(value)
	_ = append(d.Bytes(), 'x', 'y')
	if d.Text() != "b" {
		t.Errorf("the value is now %q", value)
	}
}

func TestTruncatedValuesAreMalformed(t *testing.T) {
	long := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 'x'}
	for name, decoder := range decoders {
		for _, tt := range []struct {
			what  string
			value []byte
			read  func(*codec.Decoder) any
			want  any
		}{
			{"a number that is not there", nil, func(d *codec.Decoder) any { return d.Number() }, uint64(0)},
			{"a number without its end", []byte{0x80}, func(d *codec.Decoder) any { return d.Number() }, uint64(0)},
			{"a duration without its end", []byte{0x80}, func(d *codec.Decoder) any { return d.Duration() }, time.Duration(0)},
			{"a length above what is left", []byte{2, 0}, func(d *codec.Decoder) any { return d.Len() }, 0},
			{"a huge text", long, func(d *codec.Decoder) any { return d.Text() }, ""},
			{"a short text", []byte{2, 'x'}, func(d *codec.Decoder) any { return d.Text() }, ""},
			{"a huge list", long, func(d *codec.Decoder) any { return len(d.Texts()) }, 0},
		} {
			d := decoder(tt.value)
			if got := tt.read(&d); !cmp.Equal(got, tt.want) || !errors.Is(d.Err(), codec.ErrMalformed) || d.End() == nil {
				t.Errorf("%s: %s is read as %v, %v", name, tt.what, got, d.Err())
			}
			if n, text := d.Number(), d.Text(); n != 0 || text != "" || d.More() {
				t.Errorf("%s: after %s, %d and %q are read", name, tt.what, n, text)
			}
		}
	}
}

func TestUnexpectedDataIsMalformed(t *testing.T) {
	d := codec.NewDecoder([]byte{1, 2})
	if d.Number(); d.Err() != nil || !errors.Is(d.End(), codec.ErrMalformed) {
		t.Error("data after the end are accepted")
	}
	d = codec.NewDecoder([]byte{1})
	if d.Fail(); d.Number() != 0 || !errors.Is(d.End(), codec.ErrMalformed) {
		t.Error("a value that was failed is accepted")
	}
}
