package presence_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/presence"
)

var contract, invoice = editlock.ID{Group: "crm", Mode: "contract", ID: "1"}, editlock.ID{Group: "crm", Mode: "invoice", ID: "2"}

func person(name string) editlock.Owner {
	return editlock.Owner{Session: name + "-1", UserID: name, Name: name}
}

// looks makes a page of somebody's look at records.
func looks(t *testing.T, b *presence.Board, o editlock.Owner, page string, looks ...presence.Look) {
	t.Helper()
	for _, err := range b.Beat(presence.Visitor{Owner: o}, page, looks) {
		if err != nil {
			t.Fatalf("%s on %s: %v", o.Name, page, err)
		}
	}
}

func at(id editlock.ID, s presence.State) presence.Look { return presence.Look{ID: id, State: s} }

// sees is whom a reader is told of, with states, and the count.
func sees(b *presence.Board, reader editlock.Owner, id editlock.ID) []string {
	c := b.See(reader, id)
	out := []string{fmt.Sprint(c.Count)}
	for _, p := range c.People {
		out = append(out, p.Owner.Name+" "+string(p.State))
	}
	return out
}

func check(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSee_TellsOfOthersTheStrongestFirst(t *testing.T) {
	b := presence.New(presence.Bounds{}, nil)
	looks(t, b, person("anna"), "a", at(contract, presence.Looking))
	looks(t, b, person("boris"), "b", at(contract, presence.Idle))
	looks(t, b, person("clara"), "c", at(contract, presence.Unsaved))
	looks(t, b, person("david"), "d", at(contract, presence.Editing), at(invoice, presence.Looking))

	check(t, sees(b, person("anna"), contract), []string{"3", "clara unsaved", "david editing", "boris idle"})
	check(t, sees(b, editlock.Owner{}, contract), []string{"4", "clara unsaved", "david editing", "anna looking", "boris idle"})
	check(t, sees(b, person("anna"), invoice), []string{"1", "david looking"})
	check(t, sees(b, person("david"), invoice), []string{"0"})
}

func TestSee_TakesAllPagesOfAPersonForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presence.New(presence.Bounds{}, nil)
		phone := person("anna")
		phone.Session = "phone"
		begin := time.Now()
		looks(t, b, person("anna"), "a", at(contract, presence.Idle))
		time.Sleep(time.Second)
		looks(t, b, phone, "b", at(contract, presence.Unsaved))
		check(t, sees(b, person("boris"), contract), []string{"1", "anna unsaved"})
		if since := b.See(editlock.Owner{}, contract).People[0].Since; !since.Equal(begin) {
			t.Errorf("since is %v, want that of the first page, %v", since, begin)
		}
		check(t, sees(b, phone, contract), []string{"0"})

		// Without a user, a session is a person.
		stranger := editlock.Owner{Session: "s", Name: "stranger"}
		looks(t, b, stranger, "c", at(contract, presence.Looking))
		check(t, sees(b, editlock.Owner{Session: "other"}, contract), []string{"2", "anna unsaved", "stranger looking"})
		check(t, sees(b, stranger, contract), []string{"1", "anna unsaved"})
	})
}

func TestLook_LivesSoLongAfterItsLastBeat(t *testing.T) {
	for _, c := range []struct {
		name string
		look presence.Look
		for_ time.Duration
	}{
		{"looking", presence.Look{ID: contract, State: presence.Looking}, presence.TTL},
		{"unsaved", presence.Look{ID: contract, State: presence.Unsaved}, presence.TTL},
		{"hidden", presence.Look{ID: contract, State: presence.Looking, Hidden: true}, presence.TTL},
		{"unsaved and hidden", presence.Look{ID: contract, State: presence.Unsaved, Hidden: true}, presence.HiddenTTL},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := presence.New(presence.Bounds{}, nil)
				looks(t, b, person("anna"), "a", c.look)
				time.Sleep(20 * time.Second)
				looks(t, b, person("anna"), "a", c.look)
				time.Sleep(c.for_ - time.Millisecond)
				check(t, b.See(editlock.Owner{}, contract).Count, 1)
				time.Sleep(time.Millisecond)
				check(t, b.See(editlock.Owner{}, contract).Count, 0)
				// Another page's beat lets go of it.
				looks(t, b, person("boris"), "b", at(invoice, presence.Looking))
				check(t, b.Usage().Looks, 1)
			})
		})
	}
}

func TestBeat_EndsWhatThePageNoLongerShows(t *testing.T) {
	b := presence.New(presence.Bounds{}, nil)
	looks(t, b, person("anna"), "a", at(contract, presence.Looking), at(invoice, presence.Looking))
	looks(t, b, person("anna"), "a", at(invoice, presence.Looking))
	check(t, sees(b, editlock.Owner{}, contract), []string{"0"})
	check(t, sees(b, editlock.Owner{}, invoice), []string{"1", "anna looking"})

	looks(t, b, person("anna"), "a")
	check(t, sees(b, editlock.Owner{}, invoice), []string{"0"})
	looks(t, b, person("anna"), "a")
	check(t, b.Usage(), presence.Usage{})
}

func TestBeat_OfAnotherUserInTheSessionEndsThatOfTheFirst(t *testing.T) {
	b := presence.New(presence.Bounds{}, nil)
	anna, boris := person("anna"), person("boris")
	boris.Session = anna.Session
	looks(t, b, anna, "a", at(contract, presence.Unsaved), at(invoice, presence.Looking))
	looks(t, b, boris, "a", at(contract, presence.Looking))
	check(t, sees(b, editlock.Owner{}, contract), []string{"1", "boris looking"})
	check(t, sees(b, editlock.Owner{}, invoice), []string{"0"})
}

func TestBeat_KeepsNothingOfARecordThatIsOff(t *testing.T) {
	off := false
	b := presence.New(presence.Bounds{}, func(id editlock.ID) bool { return off && id == contract })
	looks(t, b, person("anna"), "a", at(contract, presence.Looking))
	off = true
	check(t, sees(b, editlock.Owner{}, contract), []string{"0"})
	errs := b.Beat(presence.Visitor{Owner: person("anna")}, "a", []presence.Look{at(contract, presence.Looking), at(invoice, presence.Looking)})
	if !errors.Is(errs[0], presence.ErrOff) || errs[1] != nil {
		t.Errorf("got %v, want ErrOff and nil", errs)
	}
	check(t, b.Usage().Looks, 1)
}

func TestBeat_RefusesLooksBeyondItsBounds(t *testing.T) {
	ids := make([]presence.Look, 5)
	for i := range ids {
		ids[i] = at(editlock.ID{ID: fmt.Sprint(i)}, presence.Looking)
	}
	for _, c := range []struct {
		name   string
		bounds presence.Bounds
		who    presence.Visitor
		want   error
	}{
		{"of an account", presence.Bounds{PerAccount: 3}, presence.Visitor{Owner: person("anna")}, presence.ErrMany},
		{"of an account that may have others", presence.Bounds{}, presence.Visitor{Owner: person("anna"), Account: "key", Most: 3}, presence.ErrMany},
		{"in all", presence.Bounds{Looks: 3}, presence.Visitor{Owner: person("anna")}, presence.ErrFull},
		{"in bytes", presence.Bounds{Bytes: 2200}, presence.Visitor{Owner: person("anna")}, presence.ErrFull},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := presence.New(c.bounds, nil)
				errs := b.Beat(c.who, "a", ids)
				for i, err := range errs {
					if kept := i < 3; kept != (err == nil) || !kept && !errors.Is(err, c.want) {
						t.Errorf("look %d: %v", i, err)
					}
				}
				if !errors.Is(errs[3], editlock.ErrLimited) {
					t.Errorf("%v is not limited", errs[3])
				}
				// What is kept already goes on, and room that is left is taken.
				for _, err := range b.Beat(c.who, "a", ids[:3]) {
					check(t, err, error(nil))
				}
				for _, err := range b.Beat(c.who, "a", ids[2:]) {
					check(t, err, error(nil))
				}
				time.Sleep(presence.TTL)
				b.Beat(c.who, "b", nil)
				check(t, b.Usage(), presence.Usage{})
				check(t, b.Beat(c.who, "b", ids[:3]), []error{nil, nil, nil})
			})
		})
	}
}

func TestSee_OfACrowdShowsTwentyAndCountsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presence.New(presence.Bounds{}, nil)
		for i := range 500 {
			looks(t, b, person(fmt.Sprint("p", i)), "a", at(contract, presence.Looking))
			b.See(person(fmt.Sprint("p", i)), contract)
		}
		time.Sleep(time.Second)
		c := b.See(person("p0"), contract)
		check(t, c.Count, 499)
		check(t, len(c.People), presence.MaxShown)
		for _, p := range c.People {
			if p.Owner.Name == "p0" {
				t.Error("the reader is told of themselves")
			}
		}
		// A moment old at most.
		for i := range 499 {
			looks(t, b, person(fmt.Sprint("p", i)), "a")
		}
		time.Sleep(time.Second)
		check(t, sees(b, person("p0"), contract), []string{"1", "p499 looking"})
	})
}

// A crowd at one record costs each of them little.
func TestSee_OfACrowdIsNotWorkedOutForEachReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presence.New(presence.Bounds{}, nil)
		for i := range 2000 {
			looks(t, b, person(fmt.Sprint("p", i)), "a", at(contract, presence.Looking))
		}
		b.See(editlock.Owner{}, contract)
		if n := testing.AllocsPerRun(100, func() { b.See(editlock.Owner{}, contract) }); n > 20 {
			t.Errorf("a look at a crowd allocates %v times", n)
		}
	})
}

func TestUsage_CountsAboutWhatIsTaken(t *testing.T) {
	before := new(runtime.MemStats)
	runtime.GC()
	runtime.ReadMemStats(before)
	b := presence.New(presence.Bounds{}, nil)
	for i := range 10_000 {
		looks(t, b, person(fmt.Sprint("person number ", i)), "abcdefghijkl", at(editlock.ID{Group: "crm", Mode: "contract", ID: fmt.Sprint(i)}, presence.Looking))
	}
	after := new(runtime.MemStats)
	runtime.GC()
	runtime.ReadMemStats(after)
	taken, said := int(after.HeapAlloc-before.HeapAlloc), b.Usage().Bytes
	t.Logf("10,000 pages take %d bytes; the board says %d", taken, said)
	if said < taken*7/10 || said > taken*2 {
		t.Errorf("the board says that it takes %d bytes, and takes %d", said, taken)
	}
	runtime.KeepAlive(b)
}
