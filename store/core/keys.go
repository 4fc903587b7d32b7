package core

import (
	"strconv"
	"strings"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/internal/codec"
	"github.com/editlock/editlock/store/kv"
)

// Keys and tags, by their first letter. Names and IDs follow as they are.
//
//	h NAME                  the hold that is Alone, or the gate of several holds
//	h NAME \0 NUMBER        one of several holds, in the order of numbers
//	q NAME \0 NUMBER        a waiter, in the order of numbers
//	a NAME \0 NUMBER        the alarm of a waiter with a GrantAt: due then
//	b NAME \0 NUMBER        the bell of a waiter that may have room once those before
//	                        it are gone: due when they may be
//	p PROCESS               the lease of a waiting process
//	t TREE                  what of a tree is in use: see treeCondition
//
// A name has a gate while it has a hold that others may share, live or due. Its
// Data is the share in force. Whatever adds or removes such a hold writes the gate.
// A free name has a closed gate while its first waiter is blocked by names above or
// below. It is due after closedFor, so that the sweep looks at the name again.
//
// Tags of holds are s SESSION and u USER of the holder, of a waiter w ID; tags
// of log entries are n NAME, o NAME of what it is a part of, u USER of each party,
// and r REQUEST.
const (
	holdPrefix    = "h"
	waiterPrefix  = "q"
	alarmPrefix   = "a"
	bellPrefix    = "b"
	processPrefix = "p"
	treePrefix    = "t"
)

func holdKey(name string) string          { return holdPrefix + name }
func sharedKeys(name string) string       { return holdPrefix + name + kv.Separator }
func waiterKeys(name string) string       { return waiterPrefix + name + kv.Separator }
func alarmKeys(name string) string        { return alarmPrefix + name + kv.Separator }
func bellKeys(name string) string         { return bellPrefix + name + kv.Separator }
func processKey(process string) string    { return processPrefix + process }
func treeKey(root string) string          { return treePrefix + root }
func sessionTag(session string) string    { return "s" + session }
func userTag(user string) string          { return "u" + user }
func waiterTag(id string) string          { return "w" + id }
func nameTag(name string) string          { return "n" + name }
func partsTag(whole string) string        { return "o" + whole }
func requestTag(request string) string    { return "r" + request }
func sharedKey(n string, s uint64) string { return kv.Numbered(sharedKeys(n), s) }
func waiterKey(n string, s uint64) string { return kv.Numbered(waiterKeys(n), s) }
func alarmKey(n string, s uint64) string  { return kv.Numbered(alarmKeys(n), s) }
func bellKey(n string, s uint64) string   { return kv.Numbered(bellKeys(n), s) }

// heldName returns the name in a key.
func heldName(key string) string {
	name, _, _ := strings.Cut(key[len(holdPrefix):], kv.Separator)
	return name
}

// dueName returns the name to settle when the row under a key is due; empty: none.
func dueName(key string) string {
	switch key[:1] {
	case holdPrefix, alarmPrefix, bellPrefix:
		return heldName(key)
	}
	return ""
}

// gateValue is the value of a gate. That of a hold is longer.
var gateValue = []byte{valueVersion}

func isGate(row *kv.Row) bool { return len(row.Value) == len(gateValue) }

// closedData is the Data of a closed gate.
const closedData = "0"

// gateData returns the Data of a gate with a share, and shareOf decodes it.
func gateData(share store.Share) string { return strconv.FormatInt(int64(share), 10) }

func shareOf(gate *kv.Row) (store.Share, error) {
	if gate == nil || gate.Data == closedData {
		return store.Alone, nil
	}
	n, err := strconv.ParseInt(gate.Data, 10, 64)
	if err != nil || n < int64(store.Shared) || n == int64(store.Alone) {
		return 0, codec.ErrMalformed
	}
	return store.Share(n), nil
}
