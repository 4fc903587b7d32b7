package editlock

import (
	"context"
)

// EditLock stops two people, or one person in two tabs, from editing one
// object. It is the ObjEditMutex of m3-mutex's manual, with each step made
// atomic: mutexes named by mode (the type of object) and object, with the
// request (one open form) as status data. Programs that follow that manual
// to the letter, in any language, and an EditLock see each other's locks.
type EditLock struct {
	Locker Locker
	// Group of the mutexes. Empty, as in m3-mutex, unless set.
	Group string
	// ObjectID replaces the IDs of objects, where a program has its own way
	// to name them. Nil keeps them.
	ObjectID func(objectID string) string
	// AutoRelease of the locks. Zero is the default: 300 s without refresh.
	AutoRelease AutoRelease
}

// ID is the name of the mutex of an object.
func (l EditLock) ID(objectID, mode string) ID {
	if l.ObjectID != nil {
		objectID = l.ObjectID(objectID)
	}
	return ID{Group: l.Group, Mode: mode, ID: objectID}
}

// Check reports whether the caller might edit: the object is free, or locked
// by their own session. It promises nothing; Block does.
func (l EditLock) Check(ctx context.Context, objectID, mode, _ string) (bool, error) {
	state, _, err := l.Locker.Request(ctx, l.ID(objectID, mode))
	return err == nil && state != CapturedByOther, err
}

// Block locks the object for one request. If it is locked, even by another
// request of the caller, *BusyError says by whom; Self is true if the caller
// holds it.
func (l EditLock) Block(ctx context.Context, objectID, mode, requestID string) error {
	_, err := l.Locker.Capture(ctx, l.ID(objectID, mode), &CaptureOptions{
		StatusData: requestID, AutoRelease: l.AutoRelease, If: IfFree(),
	})
	return err
}

// Refresh keeps the lock of a request from timing out. *LostError if that
// request does not hold it any more.
func (l EditLock) Refresh(ctx context.Context, objectID, mode, requestID string) error {
	_, err := l.Locker.Capture(ctx, l.ID(objectID, mode), &CaptureOptions{
		StatusData: requestID, If: IfStatusData(requestID),
	})
	return err
}

// Release frees the object if that request holds it; otherwise nothing
// happens.
func (l EditLock) Release(ctx context.Context, objectID, mode, requestID string) error {
	_, err := l.Locker.Release(ctx, l.ID(objectID, mode), IfStatusData(requestID))
	return err
}
