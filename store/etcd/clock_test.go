package etcd

import (
	"testing"
	"time"

	"editlock/internal/enginetest"
	"editlock/store"
)

// A server whose own clock is ten minutes off goes by the store's all the same.
func TestStore_GoesByTheStoresClockAlone(t *testing.T) {
	st, err := Open(t.Context(), "etcd://"+enginetest.StartEtcd(t).Host+"/clock-alone", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	const off = 10 * time.Minute
	st.clock.mu.Lock()
	st.clock.zero += off.Microseconds() // as if the time of day were behind
	st.clock.mu.Unlock()
	res, err := st.Swap(t.Context(), store.Request{Swaps: []store.Swap{{
		Name: "a", Do: store.Take, Expect: store.Expect{Free: true}, Holder: &store.Party{Session: "ann"}, Terms: &store.Terms{},
	}}})
	if err != nil || !res.Done {
		t.Fatal(res.Done, err)
	}
	if ahead := time.Until(res.Records[0].Taken); ahead < off/2 {
		t.Errorf("taken %v ahead of the time of day; the store's clock is %v ahead", ahead, off)
	}
}
