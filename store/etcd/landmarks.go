package etcd

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/editlock/editlock/store/kv"
)

// A limit bounds what etcd returns, not what it does: it goes through all keys of the
// range, to count them. So a range that may be long is read in windows that end at
// landmarks: about one in landmarkEvery of the keys of rows, and of the keys by which
// rows are found, is written a second time as a landmark. The hash of a key decides. So
// landmarks are spread evenly, a process needs to know nothing of what others write, and
// few transactions write a landmark.
//
// A landmark says only where a window may end. Keys of older versions have none, and
// are read in wider windows.
const landmarkEvery = 512

func isLandmark(key string) bool {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint32(sum[:])%landmarkEvery == 0
}

// windowed reports whether a range is read in windows: it may be long, and only some of
// its rows are wanted.
func windowed(q *kv.Range) bool {
	return q.Key == "" && q.Lease == "" && q.Limit > 0 && !q.Count && !kv.IsGroup(q.Prefix)
}

// marksAtOnce is how many landmarks are read at a time.
const marksAtOnce = 64

// landmarks reads the ends of the next windows of searches.
func (m *moment) landmarks(open []*search) error {
	k := m.e.keys
	var reads []*pb.RangeRequest
	var of []*search
	for _, s := range open {
		if !s.windowed || s.done {
			continue
		}
		passed, _ := slices.BinarySearch(s.ahead, s.from+"\x00")
		if s.ahead = s.ahead[passed:]; len(s.ahead) > 0 || s.charted {
			continue
		}
		r := scan(k.landmark(s.from)+"\x00", k.landmark(s.until))
		r.Limit, r.KeysOnly = marksAtOnce, true
		reads, of = append(reads, r), append(of, s)
	}
	got, err := m.get(reads)
	if err != nil {
		return err
	}
	for i, s := range of {
		s.charted = !got[i].More
		for _, kv := range got[i].Kvs {
			s.ahead = append(s.ahead, k.marks(string(kv.Key)))
		}
	}
	return nil
}

// window returns the end of the search's next window, which has about limit keys.
func (s *search) window(limit int) (end string) {
	n := 1 + limit/landmarkEvery
	if len(s.ahead) == 0 || len(s.ahead) < n && s.charted {
		return s.until
	}
	return s.ahead[min(n, len(s.ahead))-1]
}
