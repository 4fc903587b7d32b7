package core

import (
	"strings"

	"github.com/editlock/editlock/store/kv"
)

// Keys and tags, by their first letter. Names and IDs follow as they are.
//
//	h NAME                  the hold of a name
//	q NAME \0 NUMBER        a waiter, in the order of numbers
//	a NAME \0 NUMBER        the alarm of a waiter who may claim the name: due then
//	p SESSION               the session of a waiting process
//
// Tags of holds are s SESSION and u USER of the holder, of a waiter w ID; tags
// of log entries are n NAME, u USER of each party, and r REQUEST.
const (
	holdPrefix    = "h"
	waiterPrefix  = "q"
	alarmPrefix   = "a"
	processPrefix = "p"
)

func holdKey(name string) string          { return holdPrefix + name }
func waiterKeys(name string) string       { return waiterPrefix + name + kv.Separator }
func alarmKeys(name string) string        { return alarmPrefix + name + kv.Separator }
func processKey(process string) string    { return processPrefix + process }
func sessionTag(session string) string    { return "s" + session }
func userTag(user string) string          { return "u" + user }
func waiterTag(id string) string          { return "w" + id }
func nameTag(name string) string          { return "n" + name }
func requestTag(request string) string    { return "r" + request }
func waiterKey(n string, s uint64) string { return kv.Numbered(waiterKeys(n), s) }
func alarmKey(n string, s uint64) string  { return kv.Numbered(alarmKeys(n), s) }

// dueName is the name that must be settled where a key is due; empty: none.
func dueName(key string) string {
	switch key[:1] {
	case holdPrefix:
		return key[1:]
	case alarmPrefix:
		name, _, _ := strings.Cut(key[1:], kv.Separator)
		return name
	}
	return ""
}
