package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
)

// Capture, be refused, release: the whole of it.
func Example() {
	ctx := context.Background()
	locks, err := connect.Open(ctx, "memory:", nil) // or sqlite:PATH, or http://HOST:PORT
	if err != nil {
		log.Fatal(err)
	}
	defer locks.Close()

	invoice := editlock.ID{Mode: "invoice", ID: "17"}
	ivan := editlock.WithOwner(ctx, editlock.Owner{Session: "desk-1", Name: "Ivan Ivanov"})
	olga := editlock.WithOwner(ctx, editlock.Owner{Session: "desk-2", Name: "Olga Petrova"})

	m, err := locks.Capture(ivan, invoice, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Owner.Name, "holds", m.ID)

	var busy *editlock.BusyError
	if _, err := locks.Capture(olga, invoice, nil); errors.As(err, &busy) {
		fmt.Println("refused: it is held by", busy.Holder.Owner.Name)
	}

	released, err := locks.Release(ivan, invoice, editlock.Condition{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("released:", released)
	// Output:
	// Ivan Ivanov holds /invoice/17
	// refused: it is held by Ivan Ivanov
	// released: true
}

// The end of m3-mutex's page "Simple usage", line by line.
func ExampleEditLock() {
	ctx := context.Background()
	locks, err := connect.Open(ctx, "memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer locks.Close()
	obj := struct{ ID, Type, UUID string }{"42", "contract", "form-1"}

	mutex := editlock.EditLock{Locker: locks}          // mutex = ObjEditMutex()
	err = mutex.Block(ctx, obj.ID, obj.Type, obj.UUID) // blocker = mutex.block(some_obj.id, some_obj.type, some_obj.uuid)
	if err == nil {                                    // if blocker is None:
		fmt.Println("working on", obj.Type, obj.ID)        //     do_something(some_obj)
		_ = mutex.Release(ctx, obj.ID, obj.Type, obj.UUID) //     mutex.release(some_obj.id, some_obj.type, some_obj.uuid)
		fmt.Println("done")                                //     print 'Операция с объектом завершена'
	} else { // else:
		fmt.Println("the object is busy:", err) //     print u'Объект занят'
	}
	// Output:
	// working on contract 42
	// done
}

// One person, two tabs: the second tab is told that the same person holds it.
func ExampleEditLock_secondTab() {
	ctx := context.Background()
	locks, err := connect.Open(ctx, "memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer locks.Close()
	ivan := editlock.WithOwner(ctx, editlock.Owner{Session: "browser-1", Name: "Ivan Ivanov"})
	mutex := editlock.EditLock{Locker: locks}

	if err := mutex.Block(ivan, "42", "contract", "tab-1"); err != nil {
		log.Fatal(err)
	}
	var busy *editlock.BusyError
	if err := mutex.Block(ivan, "42", "contract", "tab-2"); errors.As(err, &busy) && busy.Self {
		fmt.Println("you are editing it in another tab")
	}
	// The delayed release of the second tab can't free the lock of the first.
	if err := mutex.Release(ivan, "42", "contract", "tab-2"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("the first tab goes on:", mutex.Refresh(ivan, "42", "contract", "tab-1") == nil)
	// Output:
	// you are editing it in another tab
	// the first tab goes on: true
}

// Hold keeps a mutex while work goes on, and ends the work if it is lost.
func ExampleHold() {
	ctx := context.Background()
	locks, err := connect.Open(ctx, "memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer locks.Close()

	held, err := editlock.Hold(ctx, locks, editlock.ID{ID: "nightly-report"}, &editlock.CaptureOptions{Wait: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	work := func(ctx context.Context) error { // stops when ctx ends
		return ctx.Err()
	}
	if err := work(held.Context()); err != nil {
		log.Fatal(context.Cause(held.Context())) // who took it over, when and why
	}
	fmt.Println("done, and nobody else was at it")
	if err := held.Release(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: done, and nobody else was at it
}

// Who waits gets the mutex in the same step in which the holder releases it.
func ExampleLocker_wait() {
	ctx := context.Background()
	locks, err := connect.Open(ctx, "memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer locks.Close()
	printer := editlock.ID{ID: "printer"}
	ivan := editlock.WithOwner(ctx, editlock.Owner{Session: "desk-1", Name: "Ivan"})
	olga := editlock.WithOwner(ctx, editlock.Owner{Session: "desk-2", Name: "Olga"})
	if _, err := locks.Capture(ivan, printer, nil); err != nil {
		log.Fatal(err)
	}

	granted := make(chan editlock.Mutex)
	go func() {
		m, err := locks.Capture(olga, printer, &editlock.CaptureOptions{Wait: time.Minute, Message: "two pages only"})
		if err != nil {
			log.Fatal(err)
		}
		granted <- m
	}()
	for e, err := range locks.Watch(ivan, editlock.WatchQuery{ID: &printer, After: new(uint64)}) {
		if err != nil {
			log.Fatal(err)
		}
		if e.Kind == editlock.KindWaiting {
			fmt.Printf("%s waits: %s\n", e.Actor.Name, e.Reason)
			break
		}
	}
	if _, err := locks.HandOver(ivan, printer); err != nil {
		log.Fatal(err)
	}
	m := <-granted
	fmt.Println("now it is", m.Owner.Name+"'s")
	// Output:
	// Olga waits: two pages only
	// now it is Olga's
}

// A takeover names the holder seen; who lost is told by whom, when and why.
func ExampleLocker_takeover() {
	ctx := context.Background()
	locks, err := connect.Open(ctx, "memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer locks.Close()
	contract := editlock.ID{Mode: "contract", ID: "42"}
	ivan := editlock.WithOwner(ctx, editlock.Owner{Session: "desk-1", UserID: "17", Name: "Ivan"})
	olga := editlock.WithOwner(ctx, editlock.Owner{Session: "desk-2", UserID: "18", Name: "Olga"})
	theirs, err := locks.Capture(ivan, contract, nil)
	if err != nil {
		log.Fatal(err)
	}

	_, seen, err := locks.Request(olga, contract)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := locks.Takeover(olga, contract, seen.Token, "Ivan is on leave", nil); err != nil {
		log.Fatal(err)
	}

	results, err := locks.Refresh(ivan, []editlock.RefreshItem{{ID: contract, Token: theirs.Token}})
	if err != nil {
		log.Fatal(err)
	}
	var lost *editlock.LostError
	if errors.As(results[0].Err, &lost) {
		fmt.Printf("lost to %s: %s\n", lost.By.Name, lost.Reason)
	}
	// Output: lost to Olga: Ivan is on leave
}

// Several mutexes are captured all or none, whatever the order.
func ExampleLocker_captureAll() {
	ctx := context.Background()
	locks, err := connect.Open(ctx, "memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer locks.Close()
	ivan := editlock.WithOwner(ctx, editlock.Owner{Session: "desk-1", Name: "Ivan"})
	olga := editlock.WithOwner(ctx, editlock.Owner{Session: "desk-2", Name: "Olga"})
	debit, credit := editlock.ID{Mode: "account", ID: "1001"}, editlock.ID{Mode: "account", ID: "2002"}

	if _, err := locks.CaptureAll(ivan, []editlock.ID{debit, credit}, nil); err != nil {
		log.Fatal(err)
	}
	var busy *editlock.BusyError
	if _, err := locks.CaptureAll(olga, []editlock.ID{credit, debit}, nil); errors.As(err, &busy) {
		fmt.Println(len(busy.Holders), "in the way, the first is held by", busy.Holder.Owner.Name)
	}
	// Output: 2 in the way, the first is held by Ivan
}
