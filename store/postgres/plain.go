package postgres

import (
	"math"

	"github.com/editlock/editlock/store"
)

// plainRequest is one that the functions in plain.sql may do: of one swap, and of
// one of the two commonest kinds. What is nil is NULL there.
type plainRequest struct {
	do                         store.Action // 0: it is not plain
	id, name                   string
	session, user, value       *string // holder of a take; session that a drop expects
	data                       *string // likewise
	idle, maxHold              int64
	token                      *int64 // that a drop expects
	kind, reason               *string
	asSession, asUser, asValue *string // who did it
}

func plainOf(req *store.Request) plainRequest {
	if len(req.Swaps) != 1 {
		return plainRequest{}
	}
	sw := &req.Swaps[0]
	p := plainRequest{id: req.ID, name: sw.Name}
	switch x := sw.Expect; {
	case sw.Do == store.Take && x == store.Expect{Free: true}:
		p.session, p.user, p.value = &sw.Holder.Session, &sw.Holder.User, &sw.Holder.Value
		p.idle, p.maxHold = int64(sw.Terms.Idle), int64(sw.Terms.MaxHold)
		if p.data = sw.Data; p.data == nil {
			p.data = new(string)
		}
	case sw.Do == store.Drop && x != store.Expect{} && !x.Free && !x.Waiting && x.Token <= math.MaxInt64:
		p.session, p.data = x.Session, x.Data
		if x.Token != 0 {
			token := int64(x.Token)
			p.token = &token
		}
	default:
		return plainRequest{}
	}
	p.do = sw.Do
	if n := sw.Note; n != nil {
		p.kind, p.reason = &n.Kind, &n.Reason
		p.asSession, p.asUser, p.asValue = &n.Actor.Session, &n.Actor.User, &n.Actor.Value
	}
	return p
}

// plainArgs are the plain requests of a batch that share no name or ID with
// another, as the arrays that editlock_plain takes.
func plainArgs(jobs []*job) []any {
	seen := make(map[string]int, 2*len(jobs))
	for _, j := range jobs {
		seen["i"+j.req.ID]++
		for _, sw := range j.req.Swaps {
			seen["n"+sw.Name]++
		}
	}
	var (
		at, do                                                               = []int32{}, []int32{}
		id, name                                                             = []string{}, []string{}
		idle, maxHold                                                        = []int64{}, []int64{}
		token                                                                = []*int64{}
		session, user, value, data, kind, reason, asSession, asUser, asValue = []*string{}, []*string{}, []*string{}, []*string{}, []*string{}, []*string{}, []*string{}, []*string{}, []*string{}
	)
	for i, j := range jobs {
		p := plainOf(j.req)
		if p.do == 0 || seen["n"+p.name] > 1 || p.id != "" && seen["i"+p.id] > 1 {
			continue
		}
		at, do = append(at, int32(i)), append(do, int32(p.do)) //nolint:gosec // at most maxBatch
		id, name = append(id, p.id), append(name, p.name)
		session, user, value = append(session, p.session), append(user, p.user), append(value, p.value)
		data, idle, maxHold = append(data, p.data), append(idle, p.idle), append(maxHold, p.maxHold)
		token, kind, reason = append(token, p.token), append(kind, p.kind), append(reason, p.reason)
		asSession, asUser, asValue = append(asSession, p.asSession), append(asUser, p.asUser), append(asValue, p.asValue)
	}
	return []any{at, do, id, name, session, user, value, data, idle, maxHold, token, kind, reason, asSession, asUser, asValue}
}
