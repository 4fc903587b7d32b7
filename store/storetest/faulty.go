package storetest

import (
	"context"
	"errors"

	"github.com/editlock/editlock/store"
)

// ErrFault is the error of a call that Faulty let fail.
var ErrFault = errors.New("storetest: the connection was cut")

// Fault is how a call fails.
type Fault uint8

// The faults.
const (
	NoFault      Fault = iota
	BeforeCommit       // the call never reaches the store
	AfterCommit        // the call is performed and its answer lost
)

// Faulty returns st with Commits that fail as next says, which is
// asked once for each of them. A caller can't tell the faults apart.
func Faulty(st store.Store, next func() Fault) store.Store {
	return &faulty{Store: st, next: next}
}

type faulty struct {
	store.Store
	next func() Fault
}

func (f *faulty) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	fault := f.next()
	if fault == BeforeCommit {
		return store.Result{}, ErrFault
	}
	res, err := f.Store.Commit(ctx, req)
	if err == nil && fault == AfterCommit {
		return store.Result{}, ErrFault
	}
	return res, err
}
