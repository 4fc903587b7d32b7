package main

// Whose tests must notice.
var (
	steps    = []string{"./store"}
	contract = []string{"./store/memory"}
	trees    = []string{"./store", "./store/core"}
	sqlite   = []string{"./store/sqlite", "./locktest"}
	rules    = []string{"."}
	redis    = []string{"./store/redis"}
	postgres = []string{"./store/postgres"}
	etcd     = []string{"./store/etcd"}
	guards   = []string{"./guard"}
)

// mutants are bugs that somebody might write.
var mutants = []mutant{
	// The contract.
	{
		"dead is alive for a microsecond more", "store/record.go",
		"now.Before(r.Expires))", "!now.After(r.Expires))", contract,
	},
	{
		"max hold forgotten at a refresh", "store/record.go",
		"end.Before(at)", "false", contract,
	},
	{
		"a token is matched by nobody", "store/state.go",
		"(x.Token == 0 || rec.Token == x.Token) && ", "", contract,
	},
	{
		"status data is not compared", "store/apply.go",
		"x.Data != nil && rec.Data != *x.Data,", "false,", contract,
	},
	{
		"a refresh moves the time of capture", "store/apply.go",
		"rec.Renewed = env.Now\n", "rec.Renewed = env.Now\n\t\trec.Acquired = env.Now\n", contract,
	},
	{
		"a waiter whose process died keeps the place", "store/apply.go",
		"if i >= 0 && env.Alive(s.Queue[i].Process) {", "if i >= 0 {", steps,
	},
	{
		"the last in the fifo is served first", "store/state.go",
		"s, eff = grant(name, s, i, env, eff)", "s, eff = grant(name, s, len(s.Queue)-1, env, eff)", contract,
	},
	{
		"a take is for its whole terms at once", "store/apply.go",
		"rec.expire(sw.ConfirmWithin)\n\tif old != nil {", "rec.expire(0)\n\tif old != nil {", contract,
	},
	{
		"a grant outlives its confirmation time", "store/record.go",
		"if confirm > 0 {", "if false {", contract,
	},

	{
		"identities are compared by their beginnings", "store/apply.go",
		"rec.Holder.Session != *x.Session,", "rec.Holder.Session[:min(len(rec.Holder.Session), len(*x.Session))] != *x.Session,", contract,
	},
	{
		"who is granted the mutex is not woken", "store/state.go",
		"eff.Left = append(eff.Left, t.ID)\n\t\teff.News = append(eff.News, Signal{Process: t.Process, Waiter: t.ID})\n\t}\n\tt := s.Queue[i]",
		"eff.Left = append(eff.Left, t.ID)\n\t}\n\tt := s.Queue[i]", contract,
	},

	// Trees.
	{
		"a part is not below its object", "store/path.go",
		"\tif part {\n\t\tabove = append(above, whole)\n\t}\n", "\t_ = part\n", trees,
	},
	{
		"a hold below is in nobody's way", "store/path.go",
		" && !slices.ContainsFunc(p.Below, is) &&", " &&", trees,
	},
	{
		"a waiter for a node closes nothing below", "store/path.go",
		"seq == 0 || t.Seq < seq })", "seq == 0 && t.Seq < seq })", trees,
	},
	{
		"the holder of a part may wait for the whole", "store/path.go",
		"return p.Owns(session) || p != nil && slices.ContainsFunc(p.Below, func(r *Record) bool { return r.Holder.Session == session })",
		"return p.Owns(session)", trees,
	},
	{
		"a part that was captured meanwhile is not noticed", "store/core/pathconds.go",
		"return append(conds, kv.Cond{Prefix: holdKey(p.below), AtMost: own + len(p.rows) + len(p.dead) + len(p.gates), Due: true})",
		"return conds", trees,
	},
	{
		"a free node that is waited for is not closed", "store/core/writes.go",
		"case is && !(was && at.gate.Live(p.now)):", "case false:", trees,
	},
	{
		"a right to a mode is a right to its whole group", "area.go",
		"return fits(a.Group, id.Group) && a.Mode == \"*\"", "return fits(a.Group, id.Group)", rules,
	},

	// Engines.
	{
		"Redis compares tags by their beginnings", "store/redis/lua/plain.lua",
		"sub(v, 65, 64 + n1) == tag", "sub(v, 65, 64 + #tag) == tag", redis,
	},
	{
		"Redis renews what is due", "store/redis/lua/plain.lua",
		"done = v and now < seen + life and", "done = v and", redis,
	},
	{
		"Redis drops a name that somebody waits for", "store/redis/lua/plain.lua",
		"if kind == 0 or found[k + 1] or", "if kind == 0 or", redis,
	},
	{
		"rows outlive their lease in Redis", "store/redis/lua/rows.lua",
		"if not lease or now >= lease.due then return false end", "", redis,
	},
	{
		"Redis lists what was there when its index was brought up to date", "store/redis/lua/rows.lua",
		"    if source == 'index' then\n      fold()", "    if source == 'index' then", redis,
	},
	{
		"Redis finds no tags at the end of the log", "store/redis/lua/log.lua",
		"fold()\nlocal floor", "local floor", redis,
	},
	{
		"Redis logs what was not done", "store/redis/lua/plain.lua",
		"if bits % 8 >= 4 then skip = skip .. n .. ',' end", "", redis,
	},
	{
		"Redis wakes nobody", "store/redis/lua/commit.lua",
		"call('PUBLISH', P .. 'news', sent(note, found))", "", redis,
	},
	{
		"a condition on PostgreSQL compares no data", "store/postgres/commit.sql",
		" AND (c.d IS NULL OR r.d = c.d)", "", postgres,
	},
	{
		"rows outlive their lease on PostgreSQL", "store/postgres/commit.sql",
		"AND (r.lease IS NULL OR (SELECT l.due > now FROM @schema@.editlock_row l WHERE l.k = r.lease))", "", postgres,
	},
	{
		"a guarded hold ends on PostgreSQL", "store/postgres/guard.sql",
		" FOR KEY SHARE;", ";", postgres,
	},
	{
		"a version may change before the commit", "guard/version.go",
		`forUpdate = " FOR UPDATE"`, `forUpdate = ""`, guards,
	},
	{
		"an old save that comes late undoes a newer one", "guard/version.go",
		" && now.save.Int64 < r.Save", "", guards,
	},
	{
		"the save of another holder is one's own", "guard/version.go",
		"editlock.Token(now.token.Int64) == token", "token > 0", guards,
	},
	{
		"PostgreSQL wakes nobody", "store/postgres/commit.sql",
		"      PERFORM pg_notify(channel, payload);", "      NULL;", postgres,
	},
	{
		"the log's end is not searched on PostgreSQL", "store/postgres/read.sql",
		"SELECT q.i, f.n FROM q JOIN fresh f ON f.h = q.tag", "SELECT q.i, f.n FROM q JOIN fresh f ON f.h = q.tag AND false", postgres,
	},
	{
		"the server's clock decides on etcd", "store/etcd/clock.go",
		"return max(c.zero+c.elapsed(), h.At)", "return wall()", etcd,
	},
	{
		"the log's end is not searched on etcd", "store/etcd/pages.go",
		"if n > r.index.Indexed {", "if false {", etcd,
	},
	{
		"what a row has become is not compared on etcd", "store/etcd/view.go",
		"ifs = append(ifs, is(k.row(f.key), val.raw))", "ifs = append(ifs, exists(k.row(f.key)))", etcd,
	},
	{
		"a retry after a lost answer is a second write on etcd", "store/etcd/step.go",
		"len(done.vals) > 0 {", "false {", etcd,
	},
	{
		"a retry is a second write in memory", "store/memory/log.go",
		"ok && now.Sub(at) < kv.Window", "ok && now.Sub(at) < 0", contract,
	},
	{
		"a retry is a second write in SQLite", "store/sqlite/commit.go",
		"if t.Once != \"\" {", "if false {", sqlite,
	},
	{
		"what another process wrote is not noticed in SQLite", "store/sqlite/commit.go",
		"if version == w.version && len(w.rows) <= maxKnown && w.bytes <= maxKnownBytes {", "if w.version != 0 {", sqlite,
	},
	{
		"a failed commit is acknowledged in SQLite", "store/sqlite/commit.go",
		"if err != nil {\n\t\treturn nil, err\n\t}\n\tif told := e.tell(txns, answers)", "_ = err\n\tif told := e.tell(txns, answers)", sqlite,
	},

	// Waits.
	{
		"what is taken for a waiter who is away is for its whole terms at once", "rejoin.go",
		"short.confirm, short.opts.If = confirmWithin, IfFree()", "short.opts.If = IfFree()", rules,
	},
	{
		"a rejoin moves the place of a waiter who asked another process", "rejoin.go",
		"\tjoin.Expect.Here = true\n", "", rules,
	},
	{
		"waiters rejoin in any order", "rejoin.go",
		"return w.places[a].order.compare(w.places[b].order)", "return cmp.Compare(a, b)", rules,
	},
	{
		"a join that failed is forgotten", "wait.go",
		"m.waits.doubt(c.opts.RequestID, seen)\n", "_ = seen\n", rules,
	},

	// The rules.
	{
		"IfFree captures one's own", "rules.go",
		"case ifFree:\n\t\t\treturn store.Op{}, ErrBusy", "case ifFree:\n\t\t\treturn c.renew(store.Expect{Token: rec.Token}), nil", rules,
	},
	{
		"a conditional release frees another tab's", "rules.go",
		"expect.Token, expect.Data = rec.Token, &cond.statusData // as above", "expect.Token = rec.Token", rules,
	},
	{
		"a stranger's release is ignored", "rules.go",
		"if cond.IsZero() {\n\t\t\treturn nil, ErrBusy\n\t\t}", "", rules,
	},
}
