package dbfile

import (
	"encoding/json"
	"time"

	"editlock/store"
)

// Chunk is a row of the log: the entries of one commit.
type Chunk struct {
	Seq  int64
	Body []byte
}

// logEntry is the form of an entry in a chunk.
type logEntry struct {
	Seq     uint64       `json:"seq"`
	Kind    string       `json:"kind"`
	Name    string       `json:"name"`
	Token   uint64       `json:"token"`
	At      int64        `json:"at"`
	Owner   store.Party  `json:"owner"`
	Actor   *store.Party `json:"actor,omitempty"` // absent: the owner
	Other   *store.Party `json:"other,omitempty"`
	Reason  string       `json:"reason,omitempty"`
	Request string       `json:"request,omitempty"`
}

// LogArgs are the values of the row for the entries of one commit: seq, entries,
// first, last and body.
func LogArgs(entries []store.Entry) ([]any, error) {
	forms := make([]logEntry, len(entries))
	first, last := entries[0].At, entries[0].At
	for i := range entries {
		e := &entries[i]
		f := logEntry{
			Seq: e.Seq, Kind: e.Kind, Name: e.Name, Token: e.Token, At: e.At.UnixMicro(),
			Owner: e.Owner, Reason: e.Reason, Request: e.Request,
		}
		if e.Actor != e.Owner {
			f.Actor = &e.Actor
		}
		if e.Other != (store.Party{}) {
			f.Other = &e.Other
		}
		forms[i] = f
		if e.At.Before(first) {
			first = e.At
		}
		if e.At.After(last) {
			last = e.At
		}
	}
	body, err := json.Marshal(forms)
	return []any{
		int64(entries[len(entries)-1].Seq), len(entries), first.UnixMicro(), last.UnixMicro(), string(body),
	}, err
}

// Entries reads the entries of a chunk.
func (c Chunk) Entries() ([]store.Entry, error) {
	var forms []logEntry
	if err := json.Unmarshal(c.Body, &forms); err != nil {
		return nil, err
	}
	entries := make([]store.Entry, len(forms))
	for i, f := range forms {
		e := store.Entry{
			Seq: f.Seq, Kind: f.Kind, Name: f.Name, Token: f.Token, At: time.UnixMicro(f.At).UTC(),
			Owner: f.Owner, Actor: f.Owner, Reason: f.Reason, Request: f.Request,
		}
		if f.Actor != nil {
			e.Actor = *f.Actor
		}
		if f.Other != nil {
			e.Other = *f.Other
		}
		entries[i] = e
	}
	return entries, nil
}
