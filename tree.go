package editlock

import (
	"context"
	"time"

	"github.com/editlock/editlock/store"
)

// inTheWay is what stands above and below a mutex that keeps an operation from it; nil:
// nothing.
func inTheWay(res store.Result, i int) *store.Path {
	if len(res.Paths) <= i {
		return nil
	}
	return res.Paths[i]
}

// namesNobody reports whether a path tells of nobody who is in the way.
func namesNobody(path *store.Path) bool {
	return path == nil || path.More+len(path.Above)+len(path.Below)+len(path.Dead)+len(path.Waits) == 0
}

// busy tells who is in the way of a mutex: those who hold it, or what is above or
// below it, or who waits for that.
func (m *Manager) busy(ctx context.Context, rec *store.Record, path *store.Path, now time.Time, caller Owner, own bool) error {
	if rec != nil && (namesNobody(path) || rec.Holder.Session != caller.key()) {
		e := busy(rec, now, caller, own)
		e.Draining = drains(path)
		return e
	}
	holder, all, err := m.blocker(ctx, path, now)
	if err != nil {
		return err
	}
	e := &BusyError{Holder: holder, Self: holder.Owner.SamePerson(caller), Draining: drains(path)}
	if total := len(all) + path.More; total > 1 {
		e.Holders, e.Total = all, total
	}
	return e
}

// blocker is who holds what is above or below a mutex, and all who do as far as
// they are known. Where others only wait for something above, it is a holder they
// wait for.
func (m *Manager) blocker(ctx context.Context, path *store.Path, now time.Time) (first Mutex, all []Mutex, err error) {
	for _, holds := range [][]*store.Record{path.Above, path.Below, path.Dead} {
		for _, rec := range holds {
			if len(all) < store.MaxHolders {
				all = append(all, mutex(rec, now))
			}
		}
	}
	if len(all) > 0 {
		return all[0], all, nil
	}
	for _, t := range path.Waits {
		page, err := m.store.List(ctx, store.RecordQuery{Prefix: store.Below(t.Name), Limit: 1})
		if err != nil {
			return Mutex{}, nil, m.storeError(ctx, err)
		}
		if len(page.Records) > 0 {
			return mutex(&page.Records[0], page.Now), nil, nil
		}
		if t.Holder.Session != "" && first.ID == (ID{}) { // it is about to be granted
			who, _ := owner(t.Holder)
			first = Mutex{ID: parseName(t.Name), Owner: who, CapturedAt: t.Since, RefreshedAt: t.Since, AsOf: now}
		}
	}
	return first, nil, nil
}

// notHeld tells that a mutex is free, unless others hold what is above or below it:
// then it is not the caller's for the taking, as Request says too.
func (m *Manager) notHeld(ctx context.Context, name string, caller Owner) error {
	view, err := m.store.Get(ctx, name, caller.key())
	switch {
	case err != nil:
		return m.storeError(ctx, err)
	case view.Record == nil && view.Path != nil:
		return m.busy(ctx, nil, view.Path, view.Now, caller, false)
	}
	return &NotHeldError{ID: parseName(name)}
}

// drains is who waits for what is above a mutex; nil: nobody.
func drains(path *store.Path) *Draining {
	if path == nil {
		return nil
	}
	for _, t := range path.Waits {
		if t.Holder.Session != "" {
			return draining(t)
		}
	}
	return nil
}

func draining(t store.Waiter) *Draining {
	by, _ := owner(t.Holder)
	return &Draining{ID: parseName(t.Name), By: by, Since: t.Since, Message: t.Value}
}
