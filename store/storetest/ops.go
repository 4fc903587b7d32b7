package storetest

import "github.com/editlock/editlock/store"

// The kinds of notes in the suite's operations.
const (
	captured  = "captured"
	released  = "released"
	takenOver = "taken_over"
	waiting   = "waiting"
	declined  = "declined"
	refreshed = "refreshed"
)

// party is somebody with this session.
func party(session string) store.Party {
	return store.Party{Session: session, User: "user of " + session, Value: `{"name":"` + session + `"}`}
}

func note(kind, session string) *store.Event {
	return &store.Event{Kind: kind, Actor: party(session), Reason: "because of " + session}
}

func ptr[T any](v T) *T { return &v }

// acquire captures a free name.
func acquire(name, session string, terms store.Terms) store.Op {
	return store.Op{
		Name: name, Do: store.Acquire, Expect: store.Expect{Free: true},
		Holder: ptr(party(session)), Terms: &terms, Data: ptr("data of " + session), Event: note(captured, session),
	}
}

// takeOver takes a name from the holder with this token.
func takeOver(name, session string, token uint64, terms store.Terms) store.Op {
	sw := acquire(name, session, terms)
	sw.Expect, sw.Event = store.Expect{Token: token}, note(takenOver, session)
	return sw
}

// renew extends the hold with this token; a renewal that says nothing more is
// not logged.
func renew(name string, token uint64) store.Op {
	return store.Op{Name: name, Do: store.Renew, Expect: store.Expect{Token: token}}
}

// release releases the hold of a session.
func release(name, session string) store.Op {
	return store.Op{
		Name: name, Do: store.Release, Expect: store.Expect{Session: &session}, Event: note(released, session),
	}
}

// join queues a session up, under a waiter of its own name.
func join(name, session, process string, terms store.Terms) store.Op {
	return store.Op{
		Name: name, Do: store.Join, Event: note(waiting, session),
		Waiter: &store.Waiter{
			ID: "ticket of " + session, Process: process, Holder: party(session), Terms: terms,
			Data: "data of " + session, Value: "please, " + session, Event: note(captured, session),
		},
	}
}

// revoke lets nothing of its request's ID be done from now on.
func revoke(name string) store.Op { return store.Op{Name: name, Do: store.Revoke} }

// leave takes the waiter of a session out of the queue.
func leave(name, session string) store.Op {
	return store.Op{Name: name, Do: store.Leave, Waiter: &store.Waiter{ID: "ticket of " + session}}
}
