package storetest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/storetest"
)

// mutantEnv names the bug to plant in TestMutated.
const mutantEnv = "STORETEST_MUTANT"

// mutant is an engine with one bug, and the topics of the suite that must each
// find it alone.
type mutant struct {
	name   string
	topics []string
	plant  func(st *tampered)
}

// TestMutants runs the suite on engines with planted bugs, each in a process
// of its own, and fails where the suite does not.
func TestMutants(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants {
		if names[m.name] || len(m.topics) == 0 {
			t.Errorf("mutant %q is there twice, or expects nothing", m.name)
		}
		names[m.name] = true
		for _, topic := range m.topics {
			t.Run(m.name+"/"+topic, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				cmd := exec.CommandContext(ctx, os.Args[0], "-test.short", "-test.failfast", "-test.run", "^TestMutated$/^"+topic+"$",
					"-test.count=10") // some bugs show in most runs of the random histories, not in each
				cmd.Env = append(os.Environ(), mutantEnv+"="+m.name)
				out, err := cmd.CombinedOutput()
				var exit *exec.ExitError
				switch {
				case err == nil:
					t.Errorf("the suite did not find the bug")
				case !errors.As(err, &exit), strings.Contains(string(out), "panic:"),
					!strings.Contains(string(out), "--- FAIL: TestMutated/"+topic):
					t.Errorf("the suite did not fail as it should: %v\n%s", err, out)
				}
			})
		}
	}
}

// TestMutated runs the suite on the mutant that the environment names. On none
// it is the control: what the mutants are made from is right.
func TestMutated(t *testing.T) {
	plant := func(*tampered) {}
	if name := os.Getenv(mutantEnv); name != "" {
		i := slices.IndexFunc(mutants, func(m mutant) bool { return m.name == name })
		if i < 0 {
			t.Fatalf("no mutant is called %q", name)
		}
		plant = mutants[i].plant
	}
	storetest.Run(t, storetest.Harness{
		Open: func(_ testing.TB, clock *storetest.Clock) store.Store {
			st := newTampered(clock)
			plant(st)
			return st
		},
		Reopen: func(_ testing.TB, _ *storetest.Clock, st store.Store, _ bool) store.Store {
			return st.(*tampered).reopen()
		},
		Quick: true, // as for the mutants
	})
}
