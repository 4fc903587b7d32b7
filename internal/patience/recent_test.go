package patience_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock/internal/patience"
)

// remembered are those of the keys that r has.
func remembered(r *patience.Recent[string], keys ...string) []string {
	return slices.DeleteFunc(keys, func(key string) bool { return !r.Has(key) })
}

func TestRecent_RemembersForTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := patience.Recent[string]{Most: 10}
		if r.Has("a") || r.Take("a") {
			t.Error("a key is there that was never added")
		}
		r.Add("a")
		time.Sleep(patience.Grace - time.Millisecond)
		if r.Add("b"); !r.Has("a") {
			t.Error("a is forgotten too soon")
		}
		time.Sleep(time.Millisecond)
		if r.Has("a") || r.Take("a") || !r.Has("b") {
			t.Error("a is remembered too long, or b is not")
		}
	})
}

func TestRecent_AddingAgainRemembersForLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := patience.Recent[string]{Most: 3}
		r.Add("a")
		r.Add("b")
		time.Sleep(patience.Grace / 2)
		r.Add("a")
		r.Add("c")
		r.Add("d") // b is the oldest now
		if got := remembered(&r, "a", "b", "c", "d"); !slices.Equal(got, []string{"a", "c", "d"}) {
			t.Errorf("%v are remembered", got)
		}
		time.Sleep(patience.Grace / 2)
		if !r.Has("a") {
			t.Error("a ended with the time of its first addition")
		}
	})
}

func TestRecent_ForgetsTheOldestWhenFull(t *testing.T) {
	const most = 10_000
	r := patience.Recent[string]{Most: most}
	for n := range most + 1 {
		r.Add(fmt.Sprint(n))
	}
	for n := range most + 1 {
		if is := r.Has(fmt.Sprint(n)); is != (n > 0) {
			t.Fatalf("key %d of %d: %v", n, most, is)
		}
	}
}

func TestRecent_TakesAKeyOnce(t *testing.T) {
	r := patience.Recent[string]{Most: 2}
	r.Add("a")
	if !r.Take("a") || r.Take("a") || r.Has("a") {
		t.Error("a is not taken once")
	}
	r.Add("b")
	r.Add("c") // a takes no room any more
	if got := remembered(&r, "b", "c"); len(got) != 2 {
		t.Errorf("only %v are remembered", got)
	}
	var wg sync.WaitGroup
	taken := make(chan bool, 8)
	for range cap(taken) {
		wg.Go(func() { taken <- r.Take("b") })
	}
	wg.Wait()
	close(taken)
	n := 0
	for is := range taken {
		if is {
			n++
		}
	}
	if n != 1 {
		t.Errorf("b was taken %d times", n)
	}
}
