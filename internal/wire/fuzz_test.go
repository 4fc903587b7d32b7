package wire_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/wire/strictjson"
)

// FuzzProblem is of problems as they come: an error finds its kind by the
// code, and the problem that tells of that error is that problem again.
func FuzzProblem(f *testing.F) {
	for _, seed := range []string{
		`{"code":"busy","status":409,"title":"x","detail":"y"}`, `{"code":"lost","mutex":{"id":"1"},"how":"expired","at":"2025-11-22T12:04:00Z"}`,
		`{"code":"busy","holder":{"mutex":{"group":"","mode":"","id":"1"},"owner":{"session":"s"},"token":1,"auto_release":{"idle":"5m"}},"self":true,"declined":{"by":null,"at":"2025-11-22T12:04:00Z","message":"no"}}`,
		`{"code":"busy","holder":{},"holders":[{}]}`, `{"code":"busy","holder":{"auto_release":{"idle":"1h","never":true}}}`, `{"code":"invalid","field":"mutex.id","detail":"mutex.id must not be empty"}`,
		`{"code":"invalid","field":"a","detail":"a a b"}`, `{"code":"too_large"}`, `{"code":"new_one","more":1}`, `{"code":""}`, `{"code":"lost","holder":{"auto_release":{"idle":"-1s"}}}`, `null`, `{"code":"limited","status":-1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := new(wire.Problem)
		if strictjson.UnmarshalKnown(data, p) != nil {
			return
		}
		err := p.Err()
		if err == nil {
			t.Fatalf("%s is no error", data)
		}
		_ = err.Error()
		if k, ok := wire.KindOf(p.Code); ok && !errors.Is(err, k.Err) {
			t.Fatalf("%s is %v, not %v", data, err, k.Err)
		}
		told := wire.FromError(err)
		again := wire.FromError(told.Err())
		if diff := cmp.Diff(told, again); diff != "" {
			t.Fatalf("%s is told as another problem the second time:\n%s", data, diff)
		}
		sent, failed := strictjson.Append(nil, told)
		if failed != nil {
			t.Fatalf("%s can't be sent on: %v", data, failed)
		}
		arrived := new(wire.Problem)
		if err := strictjson.UnmarshalKnown(sent, arrived); err != nil {
			t.Fatalf("%s does not arrive: %v", sent, err)
		}
		if k, ok := wire.KindOf(p.Code); ok && !errors.Is(arrived.Err(), k.Err) {
			t.Fatalf("%s arrives as %v", data, arrived.Err())
		}
	})
}

// FuzzDuration is of durations: what is read is written so that it is read
// again as the same.
func FuzzDuration(f *testing.F) {
	for _, seed := range []string{`"5m"`, `"1h0m0s"`, `"-1ns"`, `"9223372036854775807ns"`, `300`, `null`, `""`, `"1e3s"`, `"µs"`, `"1.5h"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var in struct {
			D *wire.Duration `json:"d"`
		}
		if strictjson.UnmarshalKnown(append(append([]byte(`{"d":`), data...), '}'), &in) != nil || in.D == nil {
			return
		}
		d := *in.D
		sent, err := strictjson.Append(nil, &in)
		if err != nil {
			t.Fatal(err)
		}
		in.D = nil
		if err := strictjson.UnmarshalKnown(sent, &in); err != nil || in.D == nil || *in.D != d {
			t.Fatalf("%s is written as %s and read as %v, %v", data, sent, in.D, err)
		}
	})
}
