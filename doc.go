// Package editlock provides named mutexes with human owners: "Olga Petrova has
// been editing invoice 17 since 12:04".
//
// # Opening a Locker
//
// A [Locker] is the whole service. Package connect opens one by URL:
//
//	locks, err := connect.Open(ctx, "sqlite:locks.db", nil)
//
// The URL names an embedded database, a database server or an editlock server,
// and the program stays the same. [NewManager] returns a Locker on a store of
// the program's own.
//
// A mutex is named by an [ID]: a group, a mode (the type of object) and the
// object. An [Owner] is a person, an agent or a job. The identity of an owner is
// the session, such as one browser or one process. The context carries it:
//
//	invoice := editlock.ID{Mode: "invoice", ID: "17"}
//	ctx = editlock.WithOwner(ctx, editlock.Owner{Session: "desk-1", Name: "Olga Petrova"})
//
// # The four verbs
//
// Capture makes the caller the holder. If the caller holds the mutex already,
// it renews the lease. Otherwise it fails with a [BusyError], which names the
// holder:
//
//	m, err := locks.Capture(ctx, invoice, nil)
//
// The lease expires 300 s after the last renewal, or as [AutoRelease] says. An
// expired mutex is free. The store's clock decides. Refresh renews leases, many
// in one call, and never captures:
//
//	results, err := locks.Refresh(ctx, []editlock.RefreshItem{{ID: invoice, Token: m.Token}})
//
// Request reports the holder and changes nothing. Release frees the mutex:
//
//	state, m, err := locks.Request(ctx, invoice)
//	released, err := locks.Release(ctx, invoice, editlock.IfToken(m.Token))
//
// A [Condition] makes Capture and Release compare and act in one atomic step.
// [Locker] has the table of results.
//
// # Fencing
//
// Each change of holder gives the mutex a larger [Token]. Store the token with
// the data, or check it in the transaction that saves (package guard), so that a
// late write of a former holder is rejected.
//
// # The queue
//
// With CaptureOptions.Wait a capture joins a queue. Waiters are served first
// come, first served, across all processes on one store. The release passes the
// mutex to the first waiter in the same atomic step. The holder sees the waiters
// and their messages in Mutex.Waiters, and answers by HandOver or Decline:
//
//	m, err := locks.Capture(ctx, invoice, &editlock.CaptureOptions{
//		Wait: time.Minute, Message: "I only need to fix the date",
//	})
//
// Takeover and ForceRelease end the hold of another owner. Both require a reason
// and the token seen. History and Watch report every change, with the time, the
// actor and the reason.
//
// # Hold
//
// [Hold] is for work that takes a while. It captures a mutex and renews it in the
// background. The context of [Held] ends before the store could give the mutex
// to another owner:
//
//	held, err := editlock.Hold(ctx, locks, invoice, &editlock.CaptureOptions{Wait: time.Minute})
//	if err != nil {
//		return err
//	}
//	defer held.Release(ctx)
//	return work(held.Context())
//
// [EditLock] is the edit lock of m3-mutex: one hold per open form.
//
// # Errors
//
// Test errors with errors.Is, and read details with errors.As:
//
//   - [ErrBusy], [*BusyError]: another owner holds the mutex, or waits for it.
//   - [ErrLost], [*LostError]: the caller no longer holds it. The error says who
//     ended the hold, when and why.
//   - [ErrNotHeld], [ErrConflict]: nobody holds it, or it is shared differently.
//   - [ErrInvalid], [*InvalidError]: an argument is wrong. The field is named.
//   - [ErrForbidden], [ErrUnauthenticated], [ErrLimited]: the server rejected the
//     caller.
//   - [ErrUnavailable]: the store or the server is unreachable. The outcome is
//     unknown; retry with the same key (see [WithAttempt]).
package editlock
