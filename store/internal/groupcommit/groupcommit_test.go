package groupcommit_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/internal/groupcommit"
)

type job struct {
	groupcommit.Job
	name        string
	swaps, size int
}

func (j *job) Size() (swaps, bytes int) { return max(1, j.swaps), j.size }

// batches runs a committer that waits for a go before each batch, and returns
// what it was given.
type batches struct {
	*groupcommit.Queue[*job]
	start chan struct{}
	seen  [][]string
}

func run(t *testing.T, finish func(q *groupcommit.Queue[*job], j *job)) *batches {
	b := &batches{Queue: groupcommit.New[*job](4, 100), start: make(chan struct{})}
	go b.Run(func(batch []*job) {
		var names []string
		for _, j := range batch {
			names = append(names, j.name)
		}
		b.seen = append(b.seen, names)
		<-b.start
		for _, j := range batch {
			finish(b.Queue, j)
		}
	})
	t.Cleanup(func() {
		b.Close()
		<-b.Ended()
	})
	return b
}

func done(_ *groupcommit.Queue[*job], j *job) { j.Finish(nil) }

// do hands jobs over, in their order, and returns their errors when all are
// answered.
func (b *batches) do(ctx context.Context, jobs ...*job) func() []error {
	errs := make([]error, len(jobs))
	var all sync.WaitGroup
	for i, j := range jobs {
		all.Go(func() { errs[i] = b.Do(ctx, j) })
		synctest.Wait()
	}
	return func() []error { all.Wait(); return errs }
}

func TestQueue(t *testing.T) {
	named := func(names string) (jobs []*job) {
		for _, n := range strings.Fields(names) {
			jobs = append(jobs, &job{name: n})
		}
		return jobs
	}
	tests := []struct {
		name string
		jobs []*job
		want [][]string
	}{
		{"a job that comes alone goes at once", named("a"), [][]string{{"a"}}},
		{"what arrives meanwhile shares the next batch, in its order", named("a b c d"), [][]string{{"a"}, {"b", "c", "d"}}},
		{"a batch has an end", named("a b c d e f"), [][]string{{"a"}, {"b", "c", "d", "e"}, {"f"}}},
		{
			"jobs count by what they are worth",
			[]*job{{name: "a"}, {name: "b", swaps: 3}, {name: "c", swaps: 2}, {name: "d"}},
			[][]string{{"a"}, {"b"}, {"c", "d"}},
		},
		{
			"and by their bytes",
			[]*job{{name: "a"}, {name: "b", size: 60}, {name: "c", size: 60}, {name: "d", size: 40}},
			[][]string{{"a"}, {"b"}, {"c", "d"}},
		},
		{
			"what is too large goes alone",
			[]*job{{name: "a"}, {name: "b", size: 500}, {name: "c"}},
			[][]string{{"a"}, {"b"}, {"c"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := run(t, done)
				answers := b.do(t.Context(), test.jobs...)
				close(b.start)
				if err := errors.Join(answers()...); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(test.want, b.seen); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestQueue_GivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := run(t, done)
		ctx, cancel := context.WithCancel(t.Context())
		first := b.do(t.Context(), &job{name: "first"})
		given := b.do(ctx, &job{name: "given up"})
		last := b.do(t.Context(), &job{name: "last"})
		cancel()
		if errs := given(); !errors.Is(errs[0], context.Canceled) {
			t.Errorf("who gave up got %v", errs[0])
		}
		close(b.start)
		if err := errors.Join(append(first(), last()...)...); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([][]string{{"first"}, {"last"}}, b.seen); diff != "" {
			t.Error(diff)
		}
		if err := b.Do(ctx, &job{name: "never"}); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
	})
}

func TestQueue_Again(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		b := run(t, func(q *groupcommit.Queue[*job], j *job) {
			if tries++; tries < 3 {
				go q.Again(j)
				return
			}
			j.Finish(nil)
		})
		close(b.start)
		if err := b.Do(t.Context(), &job{name: "a"}); err != nil || tries != 3 {
			t.Errorf("%d tries: %v", tries, err)
		}
	})
}

func TestQueue_Closed(t *testing.T) {
	t.Run("what is under way is finished, what waits is refused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := run(t, done)
			under := b.do(t.Context(), &job{name: "under way"})
			b.Close()
			b.Close()
			if err := b.Do(t.Context(), &job{name: "late"}); !errors.Is(err, store.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
			close(b.start)
			if errs := under(); errs[0] != nil {
				t.Errorf("under way: %v", errs[0])
			}
			<-b.Ended()
		})
	})
	t.Run("nobody waits forever, and nobody is told a lie", func(t *testing.T) {
		for range 50 {
			var finished atomic.Int64
			q := groupcommit.New[*job](8, 100)
			go q.Run(func(batch []*job) {
				for _, j := range batch {
					finished.Add(1)
					j.Finish(nil)
				}
			})
			errs := make([]error, 64)
			var all sync.WaitGroup
			for i := range errs {
				all.Go(func() { errs[i] = q.Do(t.Context(), &job{}) })
			}
			q.Close()
			all.Wait()
			<-q.Ended()
			refused := slices.DeleteFunc(errs, func(err error) bool { return err == nil })
			for _, err := range refused {
				if !errors.Is(err, store.ErrClosed) {
					t.Fatal(err)
				}
			}
			if n := 64 - len(refused); int64(n) != finished.Load() {
				t.Fatalf("%d jobs were done, %d callers heard so", finished.Load(), n)
			}
		}
	})
}

func TestQueue_Alone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := run(t, done)
		synctest.Wait()
		release := make(chan struct{})
		first := make(chan bool)
		go func() { first <- b.Alone(func() { <-release }) }()
		synctest.Wait()
		if b.Alone(func() { t.Error("two callers at a time") }) {
			t.Error("two callers were alone")
		}
		wait := b.do(t.Context(), &job{name: "a"}, &job{name: "b"})
		if len(b.seen) > 0 {
			t.Errorf("%q were taken beside a caller that is alone", b.seen)
		}
		close(release)
		if !<-first {
			t.Error("a caller without others was sent away")
		}
		synctest.Wait()
		if diff := cmp.Diff([][]string{{"a", "b"}}, b.seen); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		if b.Alone(func() {}) {
			t.Error("alone beside a batch")
		}
		b.start <- struct{}{}
		for _, err := range wait() {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

func TestQueue_CloseWaitsForTheCallerThatIsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := run(t, done)
		synctest.Wait()
		release := make(chan struct{})
		go b.Alone(func() { <-release })
		synctest.Wait()
		b.Close()
		synctest.Wait()
		select {
		case <-b.Ended():
			t.Error("ended before its caller")
		default:
		}
		close(release)
		<-b.Ended()
		if b.Alone(func() {}) {
			t.Error("alone after the end")
		}
	})
}
