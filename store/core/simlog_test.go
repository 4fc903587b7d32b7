package core_test

import (
	"context"
	"fmt"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock/store"
)

// checkLog compares the history with the model's, and follows it from holder to
// holder.
func (m *simModel) checkLog(st store.Store) error {
	var got []store.LogEntry
	for q := (store.LogQuery{Limit: 1000}); ; {
		page, err := st.Log(context.Background(), q)
		if err != nil {
			return err
		}
		got = append(got, page.Entries...)
		if len(page.Entries) < q.Limit {
			break
		}
		q.After = page.Entries[len(page.Entries)-1].Seq
	}
	if diff := cmp.Diff(m.log, got, cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("the history (-want +got):\n%s", diff)
	}
	return m.replays(got)
}

// told is a hold as the history tells of it.
type told struct {
	name, session, user string
	share               store.Share
}

// replays follows the history alone. It must lead to the holds that are there, and
// past none that nobody may have.
func (m *simModel) replays(log []store.LogEntry) error {
	if m.names == nil || store.Tree(m.names[0]) == "" {
		return nil // where not all that holds become is noted
	}
	holds, last := map[uint64]told{}, map[string]uint64{}
	for _, e := range log {
		was, known := holds[e.Token]
		is := told{e.Name, e.Owner.Session, e.Owner.User, e.Share}
		switch e.Kind {
		case "captured", "taken_over":
			if known || e.Token <= last[e.Name] {
				return fmt.Errorf("token %d of %s begins after %d: %+v", e.Token, e.Name, last[e.Name], e)
			}
			last[e.Name] = e.Token
			for token, h := range holds {
				switch replaced := h.name == e.Name && e.Kind == "taken_over" && e.Ended(token); {
				case replaced && (e.Replaced == token || e.Share == store.Alone):
					delete(holds, token)
				case h.name == e.Name && (e.Share == store.Alone || h.share == store.Alone),
					(upper(h.name, e.Name) || upper(e.Name, h.name)) && h.session != is.session && h.user != is.user:
					return fmt.Errorf("%+v begins, and %+v holds", e, h)
				}
			}
			holds[e.Token] = is
		case "refreshed", "released", "forced", store.KindExpired, store.KindHandedOver:
			if !known || was.name != e.Name {
				return fmt.Errorf("nobody holds: %+v", e)
			}
			if holds[e.Token] = is; e.Kind != "refreshed" {
				delete(holds, e.Token)
			}
		}
	}
	for _, name := range m.names {
		st := m.states[name]
		for _, rec := range holdsOf(&st) {
			is := told{name, rec.Holder.Session, rec.Holder.User, rec.Share}
			if holds[rec.Token] != is {
				return fmt.Errorf("%+v is held by token %d; the history tells of %+v", is, rec.Token, holds[rec.Token])
			}
			delete(holds, rec.Token)
		}
	}
	if len(holds) > 0 {
		return fmt.Errorf("nobody holds what the history tells of: %+v", holds)
	}
	return nil
}
