package editlock

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/editlock/editlock/store"
)

// cursors seals the positions at which pages end. A position may be the name of
// a mutex that the reader may not see, and a position that a reader makes up may
// find one. So a cursor is encrypted and authenticated, and is good for the query
// that it was given for, whatever its limit. The key is in the store, so that all
// servers on it accept each other's cursors, and their own after a restart.
type cursors struct {
	store  store.Store
	failed func(context.Context, error) error // what an error of the store is to callers
	shared atomic.Pointer[sealer]             // by the store's key; nil: not known yet
	own    *sealer                            // by a key of this process, where the store can't keep one
}

// cursorKey is the name under which the store keeps the key, as its holder's
// opaque value. Names of mutexes have slashes. Lists, histories and watches leave
// it out.
const cursorKey = "editlock:cursors"

func (c *cursors) init(st store.Store, failed func(context.Context, error) error) {
	c.store, c.failed, c.own = st, failed, newSealer(rand.Text()+rand.Text())
}

// seal makes a cursor of a position.
func (c *cursors) seal(ctx context.Context, query any, position string) string {
	with := c.shared.Load()
	if with == nil {
		if with, _ = c.load(ctx, true); with == nil {
			with = c.own
		} else {
			c.shared.Store(with)
		}
	}
	return with.seal(position, binding(query))
}

// open returns the position in a cursor, empty for an empty one. The error is
// ErrInvalid for a cursor that was not made for the query.
func (c *cursors) open(ctx context.Context, query any, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	data, err := oneForm.DecodeString(cursor)
	if err != nil || oneForm.EncodeToString(data) != cursor { // line ends are passed over
		return "", errCursor
	}
	goodFor := binding(query)
	known := c.shared.Load()
	for _, with := range []*sealer{known, c.own} {
		if position, ok := with.open(data, goodFor); ok {
			return position, nil
		}
	}
	// The store may have lost its key, and another server made a new one since.
	now, err := c.load(ctx, false)
	if err != nil {
		return "", c.failed(ctx, err)
	}
	if now != nil && (known == nil || now.key != known.key) {
		c.shared.Store(now)
		if position, ok := now.open(data, goodFor); ok {
			return position, nil
		}
	}
	return "", errCursor
}

var errCursor = invalid("cursor", "not_a_cursor", "is not one that a page of this query gave as next")

// binding is what a cursor is good for: a query without its cursor and limit.
func binding(query any) []byte {
	data, _ := json.Marshal(query) // texts, numbers and times: can't fail
	return fmt.Appendf(nil, "%T %s", query, data)
}

// load reads the store's key, and makes one where there is none, if it may. It
// returns nil if there is none.
func (c *cursors) load(ctx context.Context, create bool) (*sealer, error) {
	view, err := c.store.Get(ctx, cursorKey, "")
	if err != nil {
		return nil, err
	}
	rec := view.Record
	if rec == nil && create {
		res, err := c.store.Commit(ctx, store.Txn{Ops: []store.Op{{
			Name: cursorKey, Expect: store.Expect{Free: true}, Do: store.Acquire,
			Holder: &store.Party{Value: rand.Text() + rand.Text()}, Terms: &store.Terms{},
			Event: &store.Event{Kind: string(KindCaptured)}, // what is held stands in the log
		}}})
		if err != nil {
			return nil, err
		}
		rec = res.Records[0]
	}
	if rec == nil {
		return nil, nil
	}
	return newSealer(rec.Holder.Value), nil
}

// sealer encrypts and authenticates with one key.
type sealer struct {
	key  string
	aead cipher.AEAD
}

func newSealer(key string) *sealer {
	sum := sha256.Sum256([]byte(key))
	block, _ := aes.NewCipher(sum[:])
	aead, _ := cipher.NewGCMWithRandomNonce(block) // neither fails with such a key
	return &sealer{key, aead}
}

// oneForm lets no two texts stand for the same bytes.
var oneForm = base64.RawURLEncoding.Strict()

// Positions are filled up with zeros behind an end mark, so that the length of a
// cursor says little of a name's.
const (
	sealedSize = 64
	endMark    = 0x80
)

func (s *sealer) seal(position string, query []byte) string {
	text := append([]byte(position), endMark)
	text = append(text, make([]byte, (sealedSize-len(text)%sealedSize)%sealedSize)...)
	return oneForm.EncodeToString(s.aead.Seal(nil, nil, text, query))
}

func (s *sealer) open(data, query []byte) (position string, ok bool) {
	if s == nil {
		return "", false
	}
	text, err := s.aead.Open(nil, nil, data, query)
	if err != nil {
		return "", false
	}
	return string(text[:max(0, bytes.LastIndexByte(text, endMark))]), true
}
