package abuse

import (
	"bytes"
	"strconv"
	"sync/atomic"
)

// counter counts the answers in what a server sends, by status.
type counter struct {
	answers *[600]atomic.Uint64
	rest    []byte // the end of what came before: a status line may come in two
}

var statusLine = []byte("HTTP/1.1 ")

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	text := append(c.rest, p...)
	whole := len(statusLine) + len("200")
	for {
		at := bytes.Index(text, statusLine)
		if at < 0 || at+whole > len(text) {
			text = text[max(at, len(text)-whole+1, 0):]
			break
		}
		if status, err := strconv.Atoi(string(text[at+len(statusLine) : at+whole])); err == nil && status > 0 && status < len(c.answers) {
			c.answers[status].Add(1)
		}
		text = text[at+whole:]
	}
	c.rest = append([]byte(nil), text...)
	return len(p), nil
}
