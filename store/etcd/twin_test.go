package etcd_test

import (
	"os"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/storetest"
)

func (s *server) twin(t testing.TB, clock *storetest.Clock) store.Store {
	url := s.url()
	return storetest.Twin(s.at(t, clock, url), s.at(t, clock, url))
}

func TestStore_SharedByTwo(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	storetest.Run(t, storetest.Harness{Steady: true, Parallel: true, Open: s.twin, Quick: os.Getenv("EDITLOCK_LONG") == ""})
}

// TestStore_RealTime has the store tell the time by etcd, as it does outside
// of tests (and in tests/endtoend). It is for the long mode: a machine that is
// busy with other tests may be late for a fifth of a second.
func TestStore_RealTime(t *testing.T) {
	if os.Getenv("EDITLOCK_LONG") == "" {
		return
	}
	s := &server{Etcd: enginetest.StartEtcd(t)}
	storetest.Run(t, storetest.Harness{
		Open:   func(t testing.TB, _ *storetest.Clock) store.Store { return s.open(t, nil) },
		Second: 200 * time.Millisecond,
		Quick:  true,
	})
}

// TestStore_RealTimeSharedByTwo is for the long mode: each of its stores takes
// up to a second to open.
func TestStore_RealTimeSharedByTwo(t *testing.T) {
	if os.Getenv("EDITLOCK_LONG") == "" {
		return
	}
	s := &server{Etcd: enginetest.StartEtcd(t)}
	storetest.Run(t, storetest.Harness{
		Open:   func(t testing.TB, _ *storetest.Clock) store.Store { return s.twin(t, nil) },
		Second: 200 * time.Millisecond,
		Quick:  true,
	})
}
