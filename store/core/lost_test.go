package core_test

import (
	"testing"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// A database that lost what a tree said, as by FLUSHALL, is told again by who knew it.
func TestATreeSaysAgainWhatItsDatabaseLost(t *testing.T) {
	for _, name := range []string{"g/", "g/m/", "g/m/1#a"} {
		for _, left := range []string{"", "r", "n", "p"} {
			t.Run(name+" "+left, func(t *testing.T) {
				w := newWorld(t)
				for _, n := range []string{"g/", "g/m/", "g/m/1#a"} {
					if res := w.commit(w.st, acquire(n, "ann"), store.Op{Name: n + "?", Do: store.Release}); res.Done {
						t.Fatal("nobody holds that")
					}
				}
				lost := kv.Write{Key: "tg/", Delete: left == "", Value: []byte{1}, Data: &left}
				if _, err := w.engine.Engine.Commit(t.Context(), []kv.Txn{{Then: []kv.Write{lost}}}); err != nil {
					t.Fatal(err)
				}
				if res := w.commit(w.st, acquire(name, "ann")); !res.Done {
					t.Fatalf("%s is not to be had: %+v", name, res)
				}
				if res := w.commit(w.other, acquire("g/m/1", "bob")); res.Done {
					t.Errorf("bob holds g/m/1 beside ann, who holds %s", name)
				}
			})
		}
	}
}
