package etcd

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store/kv"
)

// news is what a batch, or a part of it, has to tell other processes.
type news struct {
	process string
	notes   []kv.Sent
	logged  bool
}

// maxNotes bounds the notes of a part with what goes along: without, they are
// short.
const maxNotes = 16 << 10

func (n news) encode() string {
	text := n.process + "0"
	if n.logged {
		text = n.process + "1"
	}
	if len(n.notes) == 0 {
		return text
	}
	more, _ := json.Marshal(n.notes) // texts, numbers and times: can't fail
	if len(more) > maxNotes || !n.isText() {
		for i := range n.notes {
			n.notes[i].Found = nil
		}
		more, _ = json.Marshal(n.notes)
	}
	return text + string(more)
}

// isText reports whether JSON keeps what goes along as it is.
func (n news) isText() bool {
	for _, note := range n.notes {
		for _, found := range note.Found {
			for _, r := range found.Rows {
				if !utf8.ValidString(r.Key + r.Data + r.Lease + strings.Join(r.Tags, "")) {
					return false
				}
			}
		}
	}
	return true
}

const processLen = 16

// decodeNews reads news; ours: this process sent them.
func (e *engine) decodeNews(value []byte) (n kv.News, ours bool) {
	if len(value) < processLen+1 || string(value[:processLen]) == e.process {
		return n, true
	}
	n.Logged = value[processLen] == '1'
	if more := value[processLen+1:]; len(more) > 0 && json.Unmarshal(more, &n.Messages) != nil {
		n.Messages = nil // it is not of editlock, and tells nothing
	}
	return n, false
}

// Listen implements kv.Engine. From the first listener on, this process watches
// the news of others.
func (e *engine) Listen(f func(kv.News)) (stop func()) {
	stop = e.listeners.Add(f)
	e.watching.Do(func() { e.background(e.watch) })
	return stop
}

// watch watches the news until the engine is closed. A watch that breaks is
// begun again where it was; what etcd has compacted since is lost news.
func (e *engine) watch() {
	rev := int64(0)
	for e.quit.Err() == nil {
		if rev == 0 {
			rev = e.revision.Load() + 1
		}
		ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(e.quit))
		for got := range e.client.Watch(ctx, e.keys.step(), clientv3.WithPrefix(), clientv3.WithRev(rev)) {
			if got.CompactRevision > 0 {
				rev = 0
				e.listeners.Tell(kv.News{Logged: true}) // whatever it was
			}
			for _, event := range got.Events {
				rev = event.Kv.ModRevision + 1
				value := event.Kv.Value
				if string(event.Kv.Key) == e.keys.step() {
					value = value[min(len(value), numberLen):]
				}
				if n, ours := e.decodeNews(value); !ours {
					e.listeners.Tell(n)
				}
			}
			if got.Canceled {
				break
			}
		}
		cancel()
		_ = pause(e.quit, retryPause)
	}
}
