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
	//go:embed lua/common.lua
	commonLua string
	//go:embed lua/entry.lua
	entryLua string
	//go:embed lua/plain.lua
	plainLua string
	//go:embed lua/write.lua
	writeLua string
	//go:embed lua/swap.lua
	swapLua string
	//go:embed lua/get.lua
	getLua string
	//go:embed lua/list.lua
	listLua string
	//go:embed lua/log.lua
	logLua string
	//go:embed lua/ends.lua
	endsLua string
	//go:embed lua/beat.lua
	beatLua string
	//go:embed lua/sweep.lua
	sweepLua string
	//go:embed lua/open.lua
	openLua string
	//go:embed lua/arm.lua
	armLua string
)

// script is a Lua script and what Redis calls it.
type script struct {
	text, sha string
	writes    bool
}

func newScript(writes bool, parts ...string) *script {
	s := &script{text: strings.Join(parts, "\n"), writes: writes}
	sum := sha1.Sum([]byte(s.text)) //nolint:gosec // see above
	s.sha = hex.EncodeToString(sum[:])
	return s
}

type scripts struct {
	open, arm, swap, get, list, log, ends, beat, sweep *script
}

// covered makes a swap that changes nothing write all the same, so that a WAIT
// behind it covers whatever it has seen.
const covered = "call('SET', P .. 'sync', 1)"

// newScripts builds the scripts; clock, if given, replaces how they read the
// time, for tests.
func newScripts(replicas int, clock string) *scripts {
	begin := beginLua
	if clock != "" {
		from := strings.Index(begin, "local function clock()")
		to := strings.Index(begin, "local now = clock()")
		begin = begin[:from] + clock + "\n" + begin[to:]
	}
	cover := ""
	if replicas > 0 {
		cover = covered
	}
	return &scripts{
		open:  newScript(false, openLua),
		arm:   newScript(false, armLua),
		swap:  newScript(true, begin, cover, entryLua, plainLua, commonLua, writeLua, swapLua),
		get:   newScript(replicas > 0, begin, cover, commonLua, getLua),
		list:  newScript(false, begin, commonLua, listLua),
		log:   newScript(false, logLua),
		ends:  newScript(false, endsLua),
		beat:  newScript(true, begin, commonLua, beatLua),
		sweep: newScript(true, begin, entryLua, commonLua, writeLua, sweepLua),
	}
}
