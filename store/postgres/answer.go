package postgres

import (
	"fmt"
	"time"

	"github.com/editlock/editlock/store"
)

// answerJSON is one row of editlock_swap, or the record that a notification of
// editlock_tell has.
type answerJSON struct {
	Req   int   `json:"req"` // -1: the last row, which tells of the step itself
	State int   `json:"state"`
	Now   int64 `json:"o_now"`

	Name    string       `json:"o_name"` // of a notification
	Token   *uint64      `json:"o_token"`
	Session string       `json:"o_session"`
	User    string       `json:"o_user"`
	Value   string       `json:"o_value"`
	Data    string       `json:"o_data"`
	Idle    int64        `json:"o_idle"`
	MaxHold int64        `json:"o_max"`
	Taken   int64        `json:"o_taken"`   // last row: the last number given out before
	Touched int64        `json:"o_touched"` // last row: and after
	Expires *int64       `json:"o_expires"`
	Request string       `json:"o_request"`
	Waiting int          `json:"waiting"`
	Waiters []ticketJSON `json:"waiters"`

	News   []string `json:"news"`
	Plain  []int    `json:"plain"`
	Tokens []uint64 `json:"tokens"`
}

// record is the record under a name; nil if there is none.
func (a *answerJSON) record(name string) *store.Record {
	if a.Token == nil {
		return nil
	}
	rec := &store.Record{
		Name: name, Token: *a.Token, Data: a.Data, Request: a.Request,
		Holder: store.Party{Session: a.Session, User: a.User, Value: a.Value},
		Terms:  store.Terms{Idle: time.Duration(a.Idle), MaxHold: time.Duration(a.MaxHold)},
		Taken:  fromMicros(a.Taken), Touched: fromMicros(a.Touched), Waiting: a.Waiting,
	}
	if a.Expires != nil {
		rec.Expires = fromMicros(*a.Expires)
	}
	rec.Waiters = waitersOf(a.Waiters, rec)
	return rec
}

// read gives the answer to the job that it is for.
func (a *answerJSON) read(jobs []*job) error {
	if a.Req < 0 {
		for i, place := range a.Plain {
			jobs[place].did(a.Tokens[i], fromMicros(a.Now))
		}
		return nil
	}
	if a.Req >= len(jobs) || len(jobs[a.Req].res.Records) == len(jobs[a.Req].req.Swaps) {
		return fmt.Errorf("the server answers to %d requests with row %d", len(jobs), a.Req)
	}
	j := jobs[a.Req]
	j.state = a.State
	j.res.Done = a.State == done || a.State == replayed
	j.res.Replayed = a.State == replayed
	j.res.Now = fromMicros(a.Now)
	j.res.Records = append(j.res.Records, a.record(j.req.Swaps[len(j.res.Records)].Name))
	return nil
}

// summary is what the last row tells of the step that did the jobs.
func (a *answerJSON) summary(jobs []*job) summary {
	end := summary{first: uint64(a.Taken), last: uint64(a.Touched), grew: a.State == 1, news: signals(a.News)}
	for i, n := range end.news {
		for _, j := range jobs {
			for _, rec := range j.res.Records {
				if rec != nil && rec.Request == n.Ticket {
					end.news[i].Granted = store.View{Record: rec, Now: j.res.Now}
				}
			}
		}
	}
	return end
}

// signals are the news of a step: peer, ticket and name in turn.
func signals(texts []string) []store.Signal {
	var news []store.Signal
	for i := 0; i+2 < len(texts); i += 3 {
		news = append(news, store.Signal{Peer: texts[i], Ticket: texts[i+1]})
	}
	return news
}
