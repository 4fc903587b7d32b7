package storetest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// TestRun_InRealTime runs the suite as it runs on engines that can't be given
// a clock, but in a bubble, where waiting takes no time.
func TestRun_InRealTime(t *testing.T) {
	h := Harness{
		Open: func(t testing.TB, _ *Clock) store.Store {
			st := memory.New(nil)
			t.Cleanup(func() { _ = st.Close() })
			return st
		},
		Second: time.Second / 2,
	}
	for _, topic := range topics {
		for _, l := range topic.laws {
			if l.appliesTo(h) {
				t.Run(topic.name+"/"+l.name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { l.run(newTest(t, h)) })
				})
			}
		}
	}
}
