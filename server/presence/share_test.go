package presence_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/presence"
)

// wire is a Link of any number of servers, which loses what lose says.
type wire struct {
	mu    sync.Mutex
	all   []func(string)
	texts []string
	lose  func(text string) bool
}

func (w *wire) Broadcast(_ context.Context, text string) error {
	w.mu.Lock()
	all := slices.Clone(w.all)
	w.texts = append(w.texts, text)
	lost := w.lose != nil && w.lose(text)
	w.mu.Unlock()
	for _, f := range all {
		if !lost {
			f(text)
		}
	}
	return nil
}

func (w *wire) Receive(f func(string)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := len(w.all)
	w.all = append(w.all, f)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all[i] = func(string) {}
	}
}

// sent is how many texts were sent so far.
func (w *wire) sent() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.texts)
}

func (w *wire) loses(lose func(string) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = lose
}

// server is a Board that shares, until the test or stop ends it.
func (w *wire) server(t *testing.T) (b *presence.Board, stop func()) {
	t.Helper()
	b = presence.New(presence.Bounds{}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Share(ctx, w)
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return b, stop
}

func TestShare_ShowsWhoLooksAtOtherServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		one, _ := w.server(t)
		two, _ := w.server(t)
		looks(t, one, person("anna"), "a", at(contract, presence.Unsaved))
		looks(t, two, person("boris"), "b", at(contract, presence.Looking))
		begin := time.Now()
		time.Sleep(2 * time.Second)
		check(t, sees(one, person("anna"), contract), []string{"1", "boris looking"})
		check(t, sees(two, person("boris"), contract), []string{"1", "anna unsaved"})
		if since := two.See(person("boris"), contract).People[0].Since; since.Sub(begin).Abs() > time.Millisecond {
			t.Errorf("since %v, want %v", since, begin)
		}
		looks(t, one, person("anna"), "a", at(contract, presence.Editing), at(invoice, presence.Looking))
		time.Sleep(2 * time.Second)
		check(t, sees(two, person("boris"), contract), []string{"1", "anna editing"})
		check(t, sees(two, person("boris"), invoice), []string{"1", "anna looking"})
		looks(t, one, person("anna"), "a")
		time.Sleep(2 * time.Second)
		check(t, sees(two, person("boris"), contract), []string{"0"})
		check(t, two.Usage().Looks, 1)
	})
}

func TestShare_TellsOfAStateThatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		one, _ := w.server(t)
		two, _ := w.server(t)
		for _, state := range []presence.State{presence.Editing, presence.Unsaved, presence.Idle} {
			looks(t, one, person("anna"), "a", at(contract, state))
			time.Sleep(2 * time.Second)
			check(t, sees(two, person("boris"), contract), []string{"1", "anna " + string(state)})
		}
	})
}

// What a page told one server does not outlive for long what it tells another.
func TestShare_LetsTheOlderWordOfAPageEndSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		one, _ := w.server(t)
		two, _ := w.server(t)
		time.Sleep(10 * time.Second)
		looks(t, one, person("anna"), "a", presence.Look{ID: contract, State: presence.Unsaved, Hidden: true})
		time.Sleep(2 * time.Second)
		for range 5 {
			looks(t, two, person("anna"), "a", at(contract, presence.Looking))
			time.Sleep(8 * time.Second)
		}
		for _, b := range []*presence.Board{one, two} {
			check(t, sees(b, person("boris"), contract), []string{"1", "anna looking"})
		}
	})
}

// Beats that say nothing new cost the others nothing.
func TestShare_SendsAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		one, _ := w.server(t)
		two, _ := w.server(t)
		beat := func() {
			for i := range 5000 {
				looks(t, one, person(fmt.Sprint("p", i)), "a", at(contract, presence.Looking))
			}
		}
		time.Sleep(10*time.Second + time.Second/2) // between two times at which a server sends
		before := w.sent()
		beat()
		time.Sleep(time.Second)
		if n := w.sent() - before; n > 20 {
			t.Errorf("%d texts in a second", n)
		}
		for range 3 {
			time.Sleep(10 * time.Second)
			beat()
		}
		check(t, two.See(editlock.Owner{}, contract).Count, 5000)
		before = w.sent()
		time.Sleep(10 * time.Second)
		beat()
		if n := w.sent() - before; n > 6 {
			t.Errorf("%d texts in ten seconds in which nothing changed", n)
		}
		for _, text := range w.texts {
			if len(text) > 7900 {
				t.Fatalf("a text of %d bytes", len(text))
			}
		}
	})
}

func TestShare_ForgetsTheLooksOfAServerThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		one, stop := w.server(t)
		two, _ := w.server(t)
		looks(t, one, person("anna"), "a", at(contract, presence.Looking))
		time.Sleep(20 * time.Second)
		check(t, sees(two, person("boris"), contract), []string{"1", "anna looking"})
		stop()
		time.Sleep(20 * time.Second)
		check(t, sees(two, person("boris"), contract), []string{"0"})
		three, _ := w.server(t) // has something to tell
		time.Sleep(20 * time.Second)
		check(t, two.Usage(), presence.Usage{})
		check(t, len(two.Servers()), 1)
		looks(t, three, person("anna"), "a", at(contract, presence.Looking))
		time.Sleep(2 * time.Second)
		check(t, sees(two, person("boris"), contract), []string{"1", "anna looking"})
	})
}

func TestShare_TellsALateServerAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		one, _ := w.server(t)
		for i := range 1000 {
			looks(t, one, person(fmt.Sprint("p", i)), "a", at(contract, presence.Looking))
		}
		time.Sleep(time.Minute)
		for i := range 1000 {
			looks(t, one, person(fmt.Sprint("p", i)), "a", at(contract, presence.Looking))
		}
		two, _ := w.server(t)
		time.Sleep(10 * time.Second)
		check(t, two.See(editlock.Owner{}, contract).Count, 1000)
	})
}

func TestShare_MakesUpForTextsThatWereLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		one, _ := w.server(t)
		two, _ := w.server(t)
		looks(t, one, person("anna"), "a", at(contract, presence.Looking))
		looks(t, one, person("clara"), "c", at(contract, presence.Looking))
		time.Sleep(10 * time.Second)
		w.loses(func(string) bool { return true })
		looks(t, one, person("anna"), "a")
		looks(t, one, person("clara"), "c", at(contract, presence.Unsaved))
		looks(t, one, person("david"), "d", at(contract, presence.Looking))
		time.Sleep(2 * time.Second)
		w.loses(nil)
		check(t, sees(two, person("boris"), contract), []string{"2", "anna looking", "clara looking"})
		time.Sleep(12 * time.Second)
		check(t, sees(two, person("boris"), contract), []string{"2", "clara unsaved", "david looking"})
	})
}

// A page's beats may reach now one server, now another.
func TestShare_TakesAPageOfTwoServersForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		one, _ := w.server(t)
		two, _ := w.server(t)
		begin := time.Now()
		time.Sleep(10 * time.Second)
		looks(t, one, person("anna"), "a", at(contract, presence.Looking))
		time.Sleep(10 * time.Second)
		looks(t, two, person("anna"), "a", at(contract, presence.Looking))
		time.Sleep(2 * time.Second)
		for _, b := range []*presence.Board{one, two} {
			check(t, sees(b, person("boris"), contract), []string{"1", "anna looking"})
			if since := b.See(person("boris"), contract).People[0].Since; since.Sub(begin) > 11*time.Second {
				t.Errorf("since %v after the beginning, want 10s", since.Sub(begin))
			}
		}
		before := w.sent()
		for range 10 {
			for _, b := range []*presence.Board{one, two} {
				time.Sleep(5 * time.Second)
				looks(t, b, person("anna"), "a", at(contract, presence.Looking))
			}
		}
		if n := w.sent() - before; n > 45 {
			t.Errorf("%d texts in 100 seconds in which nothing changed", n)
		}
		looks(t, two, person("anna"), "a") // it says so to one of them
		time.Sleep(2 * time.Second)
		check(t, sees(one, person("boris"), contract), []string{"0"})
		check(t, sees(two, person("boris"), contract), []string{"0"})
	})
}

func TestShare_LeavesAloneWhatMakesNoSense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		one, _ := w.server(t)
		looks(t, one, person("anna"), "a", at(contract, presence.Looking))
		time.Sleep(time.Second)
		for _, text := range []string{"", "{", "[]", `{"n":1}`, `{"s":"x","v":[{"k":[{"i":"1","s":9}]}]}`, `{"s":"x","n":-1}`} {
			_ = w.Broadcast(t.Context(), text)
		}
		check(t, sees(one, person("boris"), contract), []string{"1", "anna looking"})
	})
}
