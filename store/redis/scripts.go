package redis

import (
	"crypto/sha1" //nolint:gosec // names scripts, as Redis does; protects nothing
	_ "embed"
	"encoding/hex"
	"strings"
)

var (
	//go:embed lua/begin.lua
	beginLua string
	//go:embed lua/plain.lua
	plainLua string
	//go:embed lua/text.lua
	textLua string
	//go:embed lua/rows.lua
	rowsLua string
	//go:embed lua/commit.lua
	commitLua string
	//go:embed lua/read.lua
	readLua string
	//go:embed lua/entries.lua
	entriesLua string
	//go:embed lua/log.lua
	logLua string
	//go:embed lua/trim.lua
	trimLua string
	//go:embed lua/fold.lua
	foldLua string
	//go:embed lua/open.lua
	openLua string
	//go:embed lua/arm.lua
	armLua string
)

// script is a Lua script and what Redis calls it.
type script struct {
	text, sha string
	writes    bool // what it answers must be on replicas
}

func newScript(writes bool, parts ...string) *script {
	s := &script{text: strings.Join(parts, "\n"), writes: writes}
	sum := sha1.Sum([]byte(s.text)) //nolint:gosec // see above
	s.sha = hex.EncodeToString(sum[:])
	return s
}

type scripts struct{ open, arm, commit, read, log, trim, fold *script }

const (
	// covered makes a script that changes nothing write all the same, so that a
	// WAIT behind it covers whatever it has seen.
	covered = "call('SET', P .. 'sync', 1)"
	// clock is how scripts read the time.
	clock = "local time = call('TIME')"
)

// newScripts builds the scripts; given, unless it is empty, replaces how they
// read the time, for tests.
func newScripts(replicas int, given string) *scripts {
	begin := beginLua
	if given != "" {
		begin = strings.Replace(begin, clock, given, 1)
	}
	cover := ""
	if replicas > 0 {
		cover = covered
	}
	return &scripts{
		open:   newScript(false, begin, openLua),
		arm:    newScript(false, begin, armLua),
		commit: newScript(true, begin, cover, plainLua, textLua, rowsLua, commitLua),
		read:   newScript(replicas > 0, begin, cover, textLua, rowsLua, readLua),
		log:    newScript(false, begin, textLua, rowsLua, entriesLua, logLua),
		trim:   newScript(false, begin, textLua, rowsLua, entriesLua, trimLua),
		fold:   newScript(false, begin, textLua, rowsLua, foldLua),
	}
}
