package etcd

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
)

// A server whose own clock is ten minutes off goes by the store's all the same.
func TestStore_GoesByTheStoresClockAlone(t *testing.T) {
	st, err := open(t.Context(), "etcd://"+enginetest.StartEtcd(t).Host+"/clock-alone", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	const off = 10 * time.Minute
	st.clock.mu.Lock()
	st.clock.zero += off.Microseconds() // as if the time of day were behind
	st.clock.mu.Unlock()
	res, err := core.New(st).Commit(t.Context(), store.Txn{Ops: []store.Op{{
		Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &store.Party{Session: "ann"}, Terms: &store.Terms{},
	}}})
	if err != nil || !res.Done {
		t.Fatal(res.Done, err)
	}
	if ahead := time.Until(res.Records[0].Acquired); ahead < off/2 {
		t.Errorf("taken %v ahead of the time of day; the store's clock is %v ahead", ahead, off)
	}
}

// A machine that slept set its clock a while ago, by a clock that stood still.
func TestStore_SetsItsClockAfterASleep(t *testing.T) {
	st, err := open(t.Context(), "etcd://"+enginetest.StartEtcd(t).Host+"/slept", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	const sleep = 30 * time.Second
	c := st.clock
	c.mu.Lock()
	right := c.zero
	c.zero -= sleep.Microseconds() // its time is behind,
	c.then.wall -= sleep.Microseconds()
	c.mu.Unlock() // and the wall clock went on
	if _, err := core.New(st).Get(t.Context(), "a", ""); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if off := time.Duration(c.zero-right) * time.Microsecond; off.Abs() > time.Second {
		t.Errorf("after a call the clock is %v off still", off)
	}
}

// lateLease answers as etcd does of a lease, and now and then late.
type lateLease struct {
	clientv3.Lease
	born  time.Time
	grant time.Duration // between the grant and its answer
	late  func(n int64, age time.Duration) time.Duration
	asked atomic.Int64
}

func (l *lateLease) make(context.Context, int64, int64) error {
	l.born = time.Now()
	time.Sleep(l.grant)
	return nil
}

func (l *lateLease) TimeToLive(context.Context, clientv3.LeaseID, ...clientv3.LeaseOption) (*clientv3.LeaseTimeToLiveResponse, error) {
	if l.late != nil {
		time.Sleep(l.late(l.asked.Add(1), time.Since(l.born)))
	}
	return &clientv3.LeaseTimeToLiveResponse{
		ResponseHeader: &pb.ResponseHeader{RaftTerm: 2}, ID: 7, GrantedTTL: clockTTL,
		TTL: clockTTL - 1 - int64(time.Since(l.born)/time.Second), // etcd rounds down what is left
	}, nil
}

func TestClock_IsNotDeceivedByOneLateQuestion(t *testing.T) {
	l := &lateLease{born: time.Now().Add(-5200 * time.Millisecond)}
	var once atomic.Bool
	l.late = func(n int64, age time.Duration) time.Duration {
		if n > 1 && age%time.Second > 400*time.Millisecond && once.CompareAndSwap(false, true) {
			return time.Second - age%time.Second + 5*time.Millisecond // it arrives behind the second's end
		}
		return 0
	}
	c := newClock(l)
	a, err := c.measure(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	within := time.Duration(a.within) * time.Microsecond
	if off := time.Duration(a.origin)*time.Microsecond - l.born.Sub(c.begun); off.Abs() > within/2+time.Millisecond {
		t.Errorf("the reading is %v off, and says that it is within %v", off, within)
	}
}

func TestStore_MeasuresTheClockItMakes(t *testing.T) {
	l := &lateLease{grant: 800 * time.Millisecond}
	s := &engine{grant: l.make, clock: newClock(l)}
	_, first, err := s.newLease(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	within := time.Duration(first.within) * time.Microsecond
	if off := time.Duration(first.origin)*time.Microsecond - l.born.Sub(s.clock.begun); off.Abs() > within/2+time.Millisecond {
		t.Errorf("the creator's clock is %v off, and says that it is within %v", off, within)
	}
}

// clocks are the leases of an etcd that tell stores the time.
func clocks(t *testing.T, c *clientv3.Client) (found []clientv3.LeaseID) {
	t.Helper()
	all, err := c.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all.Leases {
		if about, err := c.TimeToLive(t.Context(), l.ID); err == nil && about.GrantedTTL == clockTTL {
			found = append(found, l.ID)
		}
	}
	return found
}

func TestStore_LeavesNoClockBehind(t *testing.T) {
	url := "etcd://" + enginetest.StartOwnEtcd(t).Host + "/clocks"
	opened := make([]*engine, 5)
	var all sync.WaitGroup
	for i := range opened {
		all.Go(func() { // they race to make the first clock,
			var err error
			if opened[i], err = open(t.Context(), url, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, st := range opened {
		if st == nil {
			t.FailNow()
		}
		defer func() { _ = st.Close() }()
	}
	admin := opened[0].client
	only := func(when string) clientv3.LeaseID {
		t.Helper()
		found := clocks(t, admin)
		if len(found) != 1 {
			t.Fatalf("%s there are the clocks %x; want one", when, found)
		}
		return found[0]
	}
	if _, err := admin.Revoke(t.Context(), only("after opening")); err != nil {
		t.Fatal(err)
	}
	_, h, err := opened[0].readHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := opened[0].newLease(t.Context(), h.Lease); err != nil { // as one that dies before it tells
		t.Fatal(err)
	}
	for _, st := range opened {
		all.Go(func() { // and to replace it
			if err := st.setClock(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	now := only("after it was replaced")
	if _, h, err := opened[0].readHead(t.Context()); err != nil || h.Lease != int64(now) {
		t.Errorf("the head names the clock %x, %v; there is %x", h.Lease, err, now)
	}
}
