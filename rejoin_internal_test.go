package editlock

import (
	"context"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// beforeJoins is a store in which something happens right before the first join.
type beforeJoins struct {
	store.Store
	do func()
}

func (s *beforeJoins) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	if do := s.do; do != nil && req.Ops[0].Do == store.Join {
		s.do = nil
		do()
	}
	return s.Store.Commit(ctx, req)
}

func TestManager_AReaderRejoinsNoQueueOfAMutexThatIsSharedByThen(t *testing.T) {
	st := &beforeJoins{Store: memory.New(nil)}
	m := NewManager(st, nil)
	defer m.Close()
	writer := WithOwner(t.Context(), someone)
	if _, err := m.Capture(writer, ID{ID: "1"}, nil); err != nil {
		t.Fatal(err)
	}
	st.do = func() {
		if _, err := m.Capture(writer, ID{ID: "1"}, &CaptureOptions{Sharing: Shared}); err != nil {
			t.Error(err)
		}
	}
	got, err := m.rejoin(t.Context(), &capture{
		name: ID{ID: "1"}.String(), owner: me, opts: CaptureOptions{Sharing: Shared, RequestID: "r", Wait: time.Minute},
	})
	if rec := got.granted.Record; err != nil || rec == nil || rec.Request != "r" {
		t.Errorf("the reader gets %+v, %v", got, err)
	}
}
