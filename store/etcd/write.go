package etcd

import (
	"maps"
	"slices"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
)

// write is a batch as operations on etcd, and the view that they lead to.
type write struct {
	ops     []clientv3.Op
	head    head
	raw     string           // the head as it is written
	names   map[string]known // nil values: as the view has them
	tickets []change
}

// change is a ticket that came to a peer, or left it.
type change struct {
	peer, id, name string
	gone           bool
}

// write makes the operations of a batch, without the head and what else every
// step has; none: it changed nothing.
func (b *batch) write(k keys, lease clientv3.LeaseID) *write {
	w := &write{head: b.view.head, names: make(map[string]known, len(b.states))}
	w.head.Seq = b.seq
	for _, name := range slices.Sorted(maps.Keys(b.states)) {
		w.name(b, k, name)
	}
	for _, peer := range slices.Sorted(maps.Keys(b.peers)) {
		if until := b.peers[peer]; until != 0 {
			w.ops = append(w.ops, clientv3.OpPut(k.peer(peer), strconv.FormatInt(until, 10)))
		} else if b.view.peers[peer] != 0 {
			w.ops = append(w.ops, clientv3.OpDelete(k.peer(peer)))
		}
	}
	w.log(b.entries, k)
	for _, id := range slices.Sorted(maps.Keys(b.done)) {
		w.ops = append(w.ops, clientv3.OpPut(k.request(id), "", clientv3.WithLease(lease)))
	}
	w.head.News = nil
	for _, n := range b.news {
		w.head.News = append(w.head.News, [2]string{n.Peer, n.Ticket})
	}
	return w
}

// maxPart is how many log entries share a key: one of them is found without
// decoding all that a step wrote.
const maxPart = 16

// log writes the entries of a step, and by which names to find them.
func (w *write) log(entries []store.Entry, k keys) {
	if len(entries) == 0 {
		return
	}
	if w.head.Named == 0 {
		w.head.Named = entries[0].Seq
	}
	w.head.Entries += int64(len(entries))
	for some := range slices.Chunk(entries, maxPart) {
		w.head.Logged = some[len(some)-1].Seq
		w.ops = append(w.ops, clientv3.OpPut(k.log(w.head.Logged), encodeLog(some)))
		kinds := make(map[string]string, len(some))
		for _, e := range some {
			kinds[e.Name] += part(e.Kind)
		}
		for _, name := range slices.Sorted(maps.Keys(kinds)) {
			w.ops = append(w.ops, clientv3.OpPut(k.named(name)+number(w.head.Logged), kinds[name]))
		}
	}
}

// name writes what changed under a name.
func (w *write) name(b *batch, k keys, name string) {
	old, st := b.view.names[name], known{State: b.states[name]}
	st.due = b.file(name, st.State)
	w.names[name] = st
	if st.Record != old.Record || st.due != old.due {
		if st.Record != nil {
			w.ops = append(w.ops, clientv3.OpPut(k.record(name), encodeRecord(st.Record, st.due)))
		} else if old.Record != nil {
			w.ops = append(w.ops, clientv3.OpDelete(k.record(name)))
		}
	}
	var was, is store.Party
	if old.Record != nil {
		was = old.Record.Holder
	}
	if st.Record != nil {
		is = st.Record.Holder
	}
	w.index(was.Session, is.Session, func(s string) string { return k.session(s) + name })
	w.index(was.User, is.User, func(u string) string { return k.user(u) + name })
	if st.due != old.due {
		if old.due != 0 {
			w.ops = append(w.ops, clientv3.OpDelete(k.due(old.due, name)))
		}
		if st.due != 0 {
			w.ops = append(w.ops, clientv3.OpPut(k.due(st.due, name), ""))
		}
	}
	w.queue(k, name, old.Queue, st.Queue)
}

// index moves a key of an index; empty texts have none.
func (w *write) index(old, now string, key func(string) string) {
	if old == now {
		return
	}
	if old != "" {
		w.ops = append(w.ops, clientv3.OpDelete(key(old)))
	}
	if now != "" {
		w.ops = append(w.ops, clientv3.OpPut(key(now), ""))
	}
}

// queue writes the tickets that came, left, or moved to another peer.
func (w *write) queue(k keys, name string, old, now []store.Ticket) {
	same := func(a, b store.Ticket) bool { return a.Seq == b.Seq && a.Peer == b.Peer && a.ID == b.ID }
	if slices.EqualFunc(old, now, same) {
		return
	}
	// A place is known by its number. Both queues are in their order.
	bySeq := make(map[uint64]*store.Ticket, len(now))
	for i := range now {
		bySeq[now[i].Seq] = &now[i]
	}
	for i := range old {
		was := &old[i]
		is := bySeq[was.Seq]
		if is == nil {
			w.ops = append(w.ops, clientv3.OpDelete(k.ticket(was)))
			w.head.Tickets--
		}
		if is == nil || is.Peer != was.Peer {
			w.tickets = append(w.tickets, change{was.Peer, was.ID, name, true})
		}
	}
	held := make(map[uint64]string, len(old))
	for i := range old {
		held[old[i].Seq] = old[i].Peer
	}
	for i := range now {
		is := &now[i]
		peer, stood := held[is.Seq]
		if !stood {
			w.head.Tickets++
		}
		if !stood || peer != is.Peer {
			w.ops = append(w.ops, clientv3.OpPut(k.ticket(is), encodeTicket(is)))
			w.tickets = append(w.tickets, change{is.Peer, is.ID, name, false})
		}
	}
}

// index the tickets by their peers. One that leaves and comes back in the same
// batch is written once.
func (w *write) waits(k keys) {
	last := make(map[string]change, len(w.tickets))
	for _, c := range w.tickets {
		key := k.waits(c.peer) + c.id
		if before, ok := last[key]; !ok || before.gone {
			last[key] = c
		}
	}
	for _, key := range slices.Sorted(maps.Keys(last)) {
		if c := last[key]; c.gone {
			w.ops = append(w.ops, clientv3.OpDelete(key))
		} else {
			w.ops = append(w.ops, clientv3.OpPut(key, c.name))
		}
	}
}
