package kv_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/store/kv"
)

func TestEachListenerIsToldUntilItStops(t *testing.T) {
	var (
		l        kv.Listeners
		one, two []kv.News
	)
	if l.Tell(kv.News{Logged: true}); l.Any() {
		t.Error("there is a listener before one is added")
	}
	stopOne := l.Add(func(n kv.News) { one = append(one, n) })
	stopTwo := l.Add(func(n kv.News) { two = append(two, n) })
	first, second := kv.News{Logged: true}, kv.News{Messages: []kv.Sent{{To: "ann", Text: "granted"}}}
	l.Tell(first)
	if stopOne(); !l.Any() {
		t.Error("the other listener is gone too")
	}
	stopOne() // a second time: nothing happens
	l.Tell(second)
	if stopTwo(); l.Any() {
		t.Error("there is a listener after all have stopped")
	}
	l.Tell(first)
	if diff := cmp.Diff([][]kv.News{{first}, {first, second}}, [][]kv.News{one, two}); diff != "" {
		t.Error(diff)
	}
}

func TestTheSameFunctionAddedTwiceIsTwoListeners(t *testing.T) {
	var l kv.Listeners
	calls := 0
	f := func(kv.News) { calls++ }
	stop := l.Add(f)
	l.Add(f)
	l.Tell(kv.News{Logged: true})
	stop()
	l.Tell(kv.News{Logged: true})
	if calls != 3 {
		t.Errorf("called %d times, want 3", calls)
	}
}

func TestNewsThatSayNothingAreNotTold(t *testing.T) {
	var l kv.Listeners
	l.Add(func(n kv.News) { t.Errorf("told of %+v", n) })
	l.Tell(kv.News{})
	l.Tell(kv.News{Messages: []kv.Sent{}})
}

func TestListenersAreCalledOneCallAtATime(t *testing.T) {
	var (
		l       kv.Listeners
		running atomic.Int32
		wg      sync.WaitGroup
		calls   int // which the race detector watches
	)
	for range 2 {
		l.Add(func(kv.News) {
			if running.Add(1) != 1 {
				t.Error("two calls at a time")
			}
			calls++
			running.Add(-1)
		})
	}
	for range 8 {
		wg.Go(func() {
			for range 50 {
				l.Tell(kv.News{Logged: true})
				l.Add(func(kv.News) {})()
			}
		})
	}
	if wg.Wait(); calls != 2*8*50 {
		t.Errorf("%d calls", calls)
	}
}

func TestNoCallGoesOnOnceStopReturns(t *testing.T) {
	var l kv.Listeners
	begun, end, ended := make(chan struct{}), make(chan struct{}), false
	stop := l.Add(func(kv.News) {
		close(begun)
		<-end
		ended = true
	})
	go l.Tell(kv.News{Logged: true})
	<-begun
	time.AfterFunc(10*time.Millisecond, func() { close(end) })
	if stop(); !ended {
		t.Error("a call goes on")
	}
}
