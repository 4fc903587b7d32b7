-- Performs transactions of any kind, after rows.lua. Where one is plain, its record
-- of the plan is turned into what the others come as: the ID it is known by, since
-- when it may be done, its conditions, writes, IDs of entries, notes and ranges.

local function due_under(prefix)
  return #range('', prefix, '', '', '', 1, 4, '', 0)[2] > 0
end

local function holds(c)
  local key, state, rev, ver, tag, lease, data, most = spread(c)
  if state == 3 then return not due_under(key) end
  if state >= 4 then return range('', key, tag, '', '', most + 1, state == 5 and 18 or 2, '', 0)[1] <= most end
  local row = present(key)
  if state == 1 or not row then return state == 1 and not row end
  return (now < row.due) == (state == 0) and (rev == 0 or row.rev == rev) and (ver == 0 or row.ver == ver)
    and (tag == '' or row.tag1 == tag or row.tag2 == tag) and (lease == '' or row.lease == lease) and (data == false or row.data == data)
end

-- put writes what is under a key; an empty text: nothing.
local function put(key, v)
  local old, new = load(key), parse(key, v)
  unsaid[#unsaid + 1], unsaid[#unsaid + 2] = P .. 'r' .. key, old and old.raw or ''
  call('SET', P .. 'r' .. key, v)
  rows[key] = new
  for _, g in ipairs({ group(key, '\0') or group(key, '#'), group(key, '\0') and group(key, '#') }) do
    if not old and new then
      call('INCR', P .. 'c' .. g)
      call('ZADD', P .. 'g' .. g, 0, key)
    elseif old and not new then
      if call('DECR', P .. 'c' .. g) == 0 then call('DEL', P .. 'c' .. g) end
      call('ZREM', P .. 'g' .. g, key)
    end
  end
  local was, is = old and old.lease or '', new and new.lease or ''
  if was ~= is then
    if was ~= '' then call('SREM', P .. 'b' .. was, key) end
    if is ~= '' then
      call('SADD', P .. 'b' .. is, key)
      local lease = load(is)
      if not lease.lends then
        call('SETRANGE', P .. 'r' .. is, 58, pack('<H', LENDS))
        rows[is] = nil
      end
    end
  end
end

-- remove deletes a row, and with leased only what lives with it.
local function remove(key, leased)
  local row = load(key)
  if not row then return end
  if not leased then put(key, '') end
  if row.lends then
    for _, k in ipairs(call('SMEMBERS', P .. 'b' .. key)) do remove(k) end
  end
end

local function lives(key)
  local lease = present(key)
  return lease and now < lease.due
end

local function renewed(row, value, data, tags, lease, ttl, max, within)
  if ttl == 0 then ttl = row.ttl elseif ttl < 0 then ttl = 0 end
  if max == 0 then max = row.max elseif max < 0 then max = 0 end
  local life = inf
  if ttl > 0 then life = ttl - ttl % 1 end
  if max > 0 then life = math.min(life, row.at + (max - max % 1) - now) end
  if within > 0 then life = math.min(life, within - within % 1) end
  local tag1, tag2 = row.tag1, row.tag2
  if tags then tag1, tag2 = tags[1], tags[2] end
  if lease == '' then lease = row.lease end
  if data == false then data = row.data end
  return pack(HEAD, row.at, now, row.began, life, row.off, row.ver + (value and 1 or 0), ttl, max, #tag1, #tag2, row.lends and LENDS or #lease, #data)
    .. tag1 .. tag2 .. lease .. data .. (value or sub(row.raw, row.value))
end

local began -- the first number drawn; nil: none was

local function write(w)
  local kind, key, number, body, lease = spread(w)
  if number > 0 then -- the key continues with its number
    local n = began + number - 1
    key = key .. string.format('%08x%08x', math.floor(n / 4294967296), n % 4294967296)
  end
  if kind == 3 then
    local row = load(key)
    if row then
      local v = renewed(row, spread(body))
      if body[4] ~= '' and not lives(body[4]) then v = '' end
      put(key, v)
    end
    return
  end
  local puts = kind == 1 and (lease == '' or lives(lease))
  remove(key, puts)
  if puts then put(key, pack('<ddd', now, now, began or 0) .. body) end
end

-- plainly is a plain transaction, in the form of others.
local function plainly(kind, bits, limit, rev, ver, ttl, max, within, at)
  local key, under, third = sub(KEYS[k], #P + 2), sub(KEYS[k + 1], #P + 2), ''
  k = k + 2
  if bits >= 32 then
    third = sub(KEYS[k], #P + 2)
    k = k + 1
  end
  local cond, tag, data = { key, kind == 1 and 1 or 0, rev, ver, '', '', false, 0 }, '', false
  if bits % 2 == 1 then
    cond[5] = ARGV[at]
    at = at + 1
  end
  if bits % 4 >= 2 then
    cond[7] = ARGV[at]
    at = at + 1
  end
  local conds, writes = { cond }, nil
  if kind == 1 then
    for i = 1, rev do conds[i + 1] = { sub(KEYS[k + i - 1], #P + 2), 1, 0, 0, '', '', false, 0 } end
    if ver > 0 then
      conds[rev + 2] = { sub(KEYS[k + rev], #P + 2), 0, 0, 0, '', '', ARGV[at], 0 }
      at = at + 1
    end
    k = k + rev + ver
    for _ = 1, ttl do
      conds[#conds + 1] = { sub(KEYS[k], #P + 2), 5, 0, 0, '', '', false, 0 }
      k = k + 1
    end
    writes = { { 1, key, 0, ARGV[at], '' } }
    at = at + 1
  elseif kind == 2 then
    if bits % 32 >= 16 then conds[2] = { under, 4, 0, 0, '', '', false, 0 } end
    writes = { { 2, key, 0, '', '' } }
  else
    conds[2] = { third, 3, 0, 0, '', '', false, 0 }
    writes = { { 3, key, 0, { false, false, false, '', ttl, max, within }, '' } }
  end
  local id = bits % 16 >= 8 and third or ''
  return { id, 0, conds, writes, id ~= '' and { id } or {}, {}, {
    { key, '', '', '', '', 0, 0, '', 0 }, { '', under, '', '', '', limit, 1, '', 0 },
  } }, at
end

local function known(id)
  local at = id ~= '' and call('GET', P .. 'i' .. id)
  return at and now - at < WINDOW * 1000
end

local function sent(note, found)
  local to, what, from, n = spread(note)
  local out = {}
  local function say(s) out[#out + 1] = pack('<I4c0', #s, s) end
  say(to)
  say(what)
  say(text(now))
  for i = from + 1, from + n do
    say(text(found[i][1]))
    say(text(#found[i][2]))
    for _, s in ipairs(found[i][2]) do say(s) end
  end
  return 'T' .. table.concat(out)
end

n, k, pos, arg, skip, logged = 0, 2, 1, 6 + 3 * ARGV[5], '', false
answer = { now, 0, 1 }
while pos <= #plan do
  local kind, bits, limit, rev, ver, ttl, max, within
  kind, bits, limit, rev, ver, ttl, max, within, pos = unpack('<BBBddddd', plan, pos)
  n = n + 1
  local txn
  if kind == 0 then
    txn = cmsgpack.unpack(ARGV[arg])
    arg = arg + 1
  else
    txn, arg = plainly(kind, bits, limit, rev, ver, ttl, max, within, arg)
  end
  local status = known(txn[1]) and 2 or now >= txn[2] and 1 or 0
  for _, c in ipairs(txn[3]) do
    if status == 1 and not holds(c) then status = 0 end
  end
  if status == 1 then
    if not began and ARGV[4] ~= '0' then began = call('INCRBY', P .. 'seq', ARGV[4]) - ARGV[4] + 1 end
    for _, w in ipairs(txn[4]) do write(w) end
    for _, id in ipairs(txn[5]) do call('SET', P .. 'i' .. id, text(now), 'PX', WINDOW) end
    if bits % 8 >= 4 then logged = true end
  elseif bits % 8 >= 4 then
    skip = skip .. n .. ','
  end
  local one = { status }
  for i, q in ipairs(txn[7]) do one[i + 1] = range(spread(q)) end
  if status == 1 then
    for _, note in ipairs(txn[6]) do
      local found = {}
      for i = 2, #one do found[i - 1] = one[i] end
      call('PUBLISH', P .. 'news', sent(note, found))
    end
  end
  answer[n + 3] = one
end
if logged then
  for c = 0, ARGV[5] do
    local place, e, g = 1, ARGV[2], ARGV[3]
    if c > 0 then place, e, g = ARGV[3 + 3 * c], ARGV[4 + 3 * c], ARGV[5 + 3 * c] end
    local id = text(began + place - 1)
    unsaid[#unsaid + 1], unsaid[#unsaid + 2] = skip == '' and id or id .. ',' .. skip, g
    call('XADD', P .. 'log', id, time[1], time[2], 'e', e, 'g', g, 'x', skip)
  end
end
say()
if logged then
  if found[1] then
    call('DEL', KEYS[1])
    call('PUBLISH', P .. 'news', 'L' .. text(began + ARGV[4] - 1))
  end
end
answer[2] = began or 0
return answer
