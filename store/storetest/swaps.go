package storetest

import "github.com/editlock/editlock/store"

// The kinds of notes in the suite's swaps.
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

func note(kind, session string) *store.Note {
	return &store.Note{Kind: kind, Actor: party(session), Reason: "because of " + session}
}

func ptr[T any](v T) *T { return &v }

// take captures a free name.
func take(name, session string, terms store.Terms) store.Swap {
	return store.Swap{
		Name: name, Do: store.Take, Expect: store.Expect{Free: true},
		Holder: ptr(party(session)), Terms: &terms, Data: ptr("data of " + session), Note: note(captured, session),
	}
}

// takeOver takes a name from the holder with this token.
func takeOver(name, session string, token uint64, terms store.Terms) store.Swap {
	sw := take(name, session, terms)
	sw.Expect, sw.Note = store.Expect{Token: token}, note(takenOver, session)
	return sw
}

// touch extends the hold with this token; a touch that says nothing more is
// not logged.
func touch(name string, token uint64) store.Swap {
	return store.Swap{Name: name, Do: store.Touch, Expect: store.Expect{Token: token}}
}

// drop releases the hold of a session.
func drop(name, session string) store.Swap {
	return store.Swap{
		Name: name, Do: store.Drop, Expect: store.Expect{Session: &session}, Note: note(released, session),
	}
}

// join queues a session up, under a ticket of its own name.
func join(name, session, peer string, terms store.Terms) store.Swap {
	return store.Swap{
		Name: name, Do: store.Join, Note: note(waiting, session),
		Ticket: &store.Ticket{
			ID: "ticket of " + session, Peer: peer, Holder: party(session), Terms: terms,
			Data: "data of " + session, Value: "please, " + session, Note: note(captured, session),
		},
	}
}

// revoke lets nothing of its request's ID be done from now on.
func revoke(name string) store.Swap { return store.Swap{Name: name, Do: store.Revoke} }

// leave takes the ticket of a session out of the queue.
func leave(name, session string) store.Swap {
	return store.Swap{Name: name, Do: store.Leave, Ticket: &store.Ticket{ID: "ticket of " + session}}
}
