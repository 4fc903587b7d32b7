package etcd

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
)

// view is a part of the store at one revision of its head: what a process has
// read or written itself. As every step replaces the head, all of it is true
// as long as the head is the same, in its revision and in its text: after a
// snapshot was restored, another head may have the same revision.
type view struct {
	rev      int64 // of the head's last change; 0: nothing is known
	raw      string
	head     head
	names    map[string]known
	peers    map[string]int64             // until when they live; nil: not known
	waits    map[string]map[string]string // by peer: names by ticket
	requests map[string]bool              // whether they took effect
}

// known is what stands under a name, and the time of its key among the dues.
type known struct {
	store.State
	due int64 // 0: it has none
}

// maxKnown bounds how many names and requests a process knows by heart.
const maxKnown = 1 << 15

func newView(rev int64, raw string, h head) view {
	return view{
		rev: rev, raw: raw, head: h, names: make(map[string]known),
		waits: make(map[string]map[string]string), requests: make(map[string]bool),
	}
}

// needs is what must be known before steps can be taken.
type needs struct {
	names    []string
	requests []string
	waits    []string // peers
	peers    bool
}

func (n needs) none() bool {
	return len(n.names) == 0 && len(n.requests) == 0 && len(n.waits) == 0 && !n.peers
}

// reads are the operations that read what is needed, the head first.
func (n needs) reads(k keys) []clientv3.Op {
	ops := make([]clientv3.Op, 0, 2+len(n.names)+len(n.requests)+len(n.waits))
	ops = append(ops, clientv3.OpGet(k.head()))
	if n.peers {
		ops = append(ops, clientv3.OpGet(k.peers(), clientv3.WithPrefix()))
	}
	for _, name := range n.names {
		ops = append(ops, clientv3.OpGet(k.name(name), clientv3.WithPrefix()))
	}
	for _, id := range n.requests {
		ops = append(ops, clientv3.OpGet(k.request(id), clientv3.WithCountOnly()))
	}
	for _, peer := range n.waits {
		ops = append(ops, clientv3.OpGet(k.waits(peer), clientv3.WithPrefix()))
	}
	return ops
}

// learn takes in the answers to the reads of n. What was known of an older
// head is forgotten.
func (v *view) learn(k keys, n needs, answers []*etcdserverpb.RangeResponse) error {
	rev, h, err := decodeHead(answers[0].Kvs)
	if err != nil {
		return err
	}
	raw := string(answers[0].Kvs[0].Value)
	if rev != v.rev || raw != v.raw || len(v.names)+len(v.requests) > maxKnown {
		*v = newView(rev, raw, h)
	}
	answers = answers[1:]
	if n.peers {
		if v.peers, err = decodePeers(k, answers[0].Kvs); err != nil {
			return err
		}
		answers = answers[1:]
	}
	for i, name := range n.names {
		if v.names[name], err = decodeName(k, name, answers[i].Kvs); err != nil {
			return err
		}
	}
	answers = answers[len(n.names):]
	for i, id := range n.requests {
		v.requests[id] = answers[i].Count > 0
	}
	answers = answers[len(n.requests):]
	for i, peer := range n.waits {
		v.waits[peer] = make(map[string]string)
		for _, kv := range answers[i].Kvs {
			v.waits[peer][strings.TrimPrefix(string(kv.Key), k.waits(peer))] = string(kv.Value)
		}
	}
	return nil
}

// decodeHead reads the head; without one there is no store.
func decodeHead(kvs []*mvccpb.KeyValue) (rev int64, h head, err error) {
	if len(kvs) == 0 {
		return 0, h, errNoStore
	}
	if err := json.Unmarshal(kvs[0].Value, &h); err != nil {
		return 0, h, fmt.Errorf("%s is no head of an editlock store: %w", kvs[0].Key, err)
	}
	if h.Version != version {
		return 0, h, fmt.Errorf("the store has version %d, this editlock knows version %d: use a newer editlock; nothing was changed",
			h.Version, version)
	}
	return kvs[0].ModRevision, h, nil
}

func decodePeers(k keys, kvs []*mvccpb.KeyValue) (map[string]int64, error) {
	peers := make(map[string]int64, len(kvs))
	for _, kv := range kvs {
		var until int64
		if err := json.Unmarshal(kv.Value, &until); err != nil {
			return nil, fmt.Errorf("the peer %q is corrupt: %w", kv.Key, err)
		}
		peers[strings.TrimPrefix(string(kv.Key), k.peers())] = until
	}
	return peers, nil
}

// decodeName reads what stands under a name: its record, then its tickets in
// their order.
func decodeName(k keys, name string, kvs []*mvccpb.KeyValue) (st known, err error) {
	prefix := k.name(name)
	for _, kv := range kvs {
		if string(kv.Key) == prefix+"r" {
			if st.Record, st.due, err = decodeRecord(name, kv.Value); err != nil {
				return st, err
			}
			continue
		}
		t, err := decodeTicket(name, kv.Value)
		if err != nil {
			return st, err
		}
		st.Queue = append(st.Queue, t)
	}
	return st, nil
}

// alive tells who of the peers lives at a time.
func alive(peers map[string]int64, now int64) func(peer string) bool {
	return func(peer string) bool { return now < peers[peer] }
}
