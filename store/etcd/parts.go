package etcd

import (
	"context"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/editlock/editlock/store/kv"
)

// partOps is how many operations, and partCompares how many comparisons, a
// part of a batch has at most, and maxParts how many parts there are.
const partOps, partCompares, maxParts = 96, 64, 24

// piece is a part of a batch, which is done if all that its steps use is as it
// is known.
type piece struct {
	steps []*step
	uses  []fact
	ifs   []*pb.Compare
	ops   []*pb.RequestOp
	log   []logged
	notes []kv.Sent
}

// parts makes parts of the steps, as many as fit into one request; nil: one of
// them is too large for comparisons.
func (b *batch) parts() (parts []*piece) {
	var p *piece
	for _, s := range b.open {
		var ifs []*pb.Compare
		if !b.turn.mine {
			ifs = b.view.compares(nil, s.uses)
		}
		entries, ops := s.log(), len(s.ops)+2*len(s.txn.Log)
		alone := ops > partOps || len(ifs) > partCompares || len(s.uses) > partOps || s.ends
		if alone && len(parts) > 0 {
			return parts // it comes next
		}
		if len(ifs) > maxCompares {
			return nil
		}
		if p == nil || b.apart || len(p.steps) == maxPart || len(p.log)+len(entries) > maxPart ||
			len(p.ifs)+len(ifs) > partCompares || len(p.ops)+2*len(p.log)+ops > partOps || len(p.uses)+len(s.uses) > partOps {
			if len(parts) == maxParts {
				return parts
			}
			p = &piece{}
			parts = append(parts, p)
		}
		if p.steps, p.ifs = append(p.steps, s), append(p.ifs, ifs...); !b.turn.mine {
			p.uses = append(p.uses, s.uses...)
		}
		if s.writes() {
			p.ops, p.log, p.notes = append(p.ops, s.ops...), append(p.log, entries...), append(p.notes, s.notes()...)
		}
		if alone {
			return parts
		}
	}
	return parts
}

// notes are what the step has to tell, with what goes along unless that is read
// after the commit.
func (s *step) notes() []kv.Sent {
	if s.late {
		s.answer.Found = make([]kv.Found, len(s.txn.Read))
	}
	notes := kv.NewsOf(s.txn, s.answer).Messages
	for i := range notes {
		if s.late {
			notes[i].Found = nil
		}
	}
	return notes
}

// request is what is sent for parts. last is 0 if they draw no number.
func (b *batch) request(parts []*piece, writes bool, head string, first, last uint64, at int64) *pb.TxnRequest {
	k := b.e.keys
	for _, p := range parts {
		p.ops = append(p.ops, putLog(k, p.log)...)
	}
	// Times never fall, from one batch to the next.
	req := &pb.TxnRequest{Compare: []*pb.Compare{below(k.time(), number(uint64(at)+1))}}
	reads := []*pb.RequestOp{get(k.time())}
	n := news{process: b.e.process}
	if writes {
		turn := absent(k.turn())
		if b.turn.mine {
			turn = is(k.turn(), b.turn.id)
		}
		req.Compare = append(req.Compare, is(k.head(), head), turn)
		if last > 0 {
			req.Compare = append(req.Compare, below(k.step(), number(first)))
		}
		reads = append(reads, get(k.head()), get(k.step()), get(k.turn()))
	}
	if len(parts) == 1 {
		p := parts[0]
		req.Compare = append(req.Compare, p.ifs...)
		req.Success, n.notes, n.logged = p.ops, p.notes, len(p.log) > 0
		reads = append(reads, k.reads(p.uses)...)
	} else {
		for i, p := range parts {
			if len(p.log)+len(p.notes) > 0 {
				p.ops = append(p.ops, put(k.news(i), news{b.e.process, p.notes, len(p.log) > 0}.encode()))
			}
			req.Success = append(req.Success, within(p.ifs, p.ops, nil))
		}
	}
	if writes {
		req.Success = append(req.Success, put(k.time(), number(uint64(at))))
		if last > 0 {
			req.Success = append(req.Success, put(k.step(), number(last)+n.encode()))
		} else if len(n.notes) > 0 {
			req.Success = append(req.Success, put(k.news(0), n.encode()))
		}
		if b.turn.mine && len(parts) == 1 && len(parts[0].steps) == len(b.open) {
			req.Success = append(req.Success, remove(k.turn()))
		}
	}
	if len(parts) == 1 {
		req.Success = pack(req.Success, len(req.Compare))
	}
	req.Failure = pack(reads, len(req.Compare))
	return req
}

// take takes in the answer to a request that took so long. Steps of a part that
// was not done stay open.
func (b *batch) take(ctx context.Context, parts []*piece, writes bool, at int64, resp *pb.TxnResponse, trip time.Duration) error {
	rev, failed, keys, entries := resp.Header.Revision, false, 0, 0
	if !resp.Succeeded {
		answers := ranges(resp.Responses)
		b.view.passed(rev, answers[0])
		if answers = answers[1:]; writes {
			holder, err := b.e.learn(answers[:3], trip)
			if err != nil {
				return err
			}
			answers = answers[3:]
			b.turn.mine = b.turn.mine && holder == b.turn.id
			if holder != "" && !b.turn.mine {
				b.lost = 0
				if err := b.e.turnOver(ctx); err != nil {
					return err
				}
			}
		}
		if len(parts) == 1 {
			b.apart = true
			if err := b.view.learn(parts[0].uses, answers, rev); err != nil {
				return err
			}
		}
		b.defeated()
		return nil
	}
	// What a part would read if it is not done is in the raft log all the same, so
	// parts don't ask for it.
	var stale []fact
	for i, p := range parts {
		if len(parts) > 1 {
			if !resp.Responses[i].GetResponseTxn().GetSucceeded() {
				failed, b.apart, stale = true, true, append(stale, p.uses...)
				continue
			}
		}
		for _, s := range p.steps {
			if err := b.done(ctx, s, rev); err != nil {
				return err
			}
		}
		keys, entries = keys+(len(p.log)+maxPart-1)/maxPart, entries+len(p.log)
	}
	if writes {
		b.e.saw(at)
	}
	b.e.indexSoon(keys, entries)
	if b.close(); !failed {
		b.lost = 0
		return nil
	}
	b.defeated()
	return b.view.read(ctx, stale)
}

// defeated counts a try that another process was quicker than.
func (b *batch) defeated() {
	now := b.e.clock.elapsed()
	if b.lost++; b.lost == 1 {
		b.since = now
	}
	b.turn.wanted = b.turn.wanted || b.lost >= defeats || b.lost > 2 && now-b.since > patience.Microseconds()
}
