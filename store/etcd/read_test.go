package etcd_test

import (
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/storetest"
)

// TestStore_ReadsOutliveARestart has reads wait for etcd, as writes do.
func TestStore_ReadsOutliveARestart(t *testing.T) {
	s := &server{Etcd: enginetest.StartOwnEtcd(t)}
	st := s.open(t, storetest.NewClock())
	for name, read := range map[string]func() error{
		"Get":  func() error { _, err := st.Get(t.Context(), "a", ""); return err },
		"List": func() error { _, err := st.List(t.Context(), store.RecordQuery{}); return err },
		"Log":  func() error { _, err := st.Log(t.Context(), store.LogQuery{}); return err },
	} {
		s.Kill()
		done := make(chan error)
		go func() { done <- read() }()
		select {
		case err := <-done:
			t.Errorf("%s did not wait for etcd: %v", name, err)
			s.Start()
			continue
		case <-time.After(100 * time.Millisecond): // it waits
		}
		s.Start()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
