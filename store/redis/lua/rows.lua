-- Rows, and what finds them.
--
-- A row is a head of 64 bytes: when it was created and last written, the first
-- number of the batch that created it, for how long it lives after it was written, which number of
-- the batch is its own (0: none), its version, its TTL and its end of age, and the
-- lengths of its two tags, its lease and its data, which follow, and then its value. A
-- length of LENDS instead of a lease's: other rows may live with this one.
local HEAD = '<ddddHI4ddHHHI4'
local inf, LENDS = 1 / 0, 65535

local function parse(key, v)
  if not v or v == '' then return false end
  local at, seen, began, life, off, ver, ttl, max, n1, n2, nl, nd = unpack(HEAD, v)
  local lends = nl == LENDS
  if lends then nl = 0 end
  local p1, p2 = 65 + n1, 65 + n1 + n2
  return {
    key = key, raw = v, at = at, began = began, off = off, rev = off > 0 and began + off - 1 or 0, ver = ver, due = seen + life,
    ttl = ttl, max = max, lends = lends, tag1 = sub(v, 65, p1 - 1), tag2 = sub(v, p1, p2 - 1), lease = sub(v, p2, p2 + nl - 1),
    data = sub(v, p2 + nl, p2 + nl + nd - 1), value = p2 + nl + nd,
  }
end

local rows = {} -- those that were looked at, as they are now

local function load(key)
  local row = rows[key]
  if row == nil then
    row = parse(key, call('GET', P .. 'r' .. key))
    rows[key] = row
  end
  return row
end

local function load_all(keys)
  local names, from = {}, {}
  for _, key in ipairs(keys) do
    if rows[key] == nil then
      names[#names + 1], from[#from + 1] = P .. 'r' .. key, key
    end
  end
  for i = 1, #names, 1000 do
    for j, v in ipairs(call('MGET', spread(names, i, math.min(i + 999, #names)))) do rows[from[i + j - 1]] = parse(from[i + j - 1], v) end
  end
end

-- present is the row under a key unless its lease has ended.
local function present(key)
  local row = load(key)
  if row and row.lease ~= '' then
    local lease = load(row.lease)
    if not lease or now >= lease.due then return false end
  end
  return row
end

-- living counts the live rows under some keys, without more ado.
local function living(keys)
  local found, n = {}, 0
  for i, key in ipairs(keys) do found[i] = P .. 'r' .. key end
  if #keys > 0 then found = call('MGET', spread(found)) end
  for _, v in ipairs(found) do
    if v and v ~= '' then
      local _, seen, _, life, _, _, _, _, n1, n2, nl = unpack(HEAD, v)
      local lease = nl > 0 and nl < LENDS and load(sub(v, 65 + n1 + n2, 64 + n1 + n2 + nl))
      if now < seen + life and (nl == 0 or nl == LENDS or lease and now < lease.due) then n = n + 1 end
    end
  end
  return n
end

-- names are the members of index that stand for a row.
local function names(row, add)
  if not row then return end
  add('k' .. row.key)
  if row.tag1 ~= '' then add('t' .. pack('>H', #row.tag1) .. row.tag1 .. row.key) end
  if row.tag2 ~= '' then add('t' .. pack('>H', #row.tag2) .. row.tag2 .. row.key) end
end

-- each calls a command with up to a thousand of some arguments at a time.
local function each(command, key, args)
  for i = 1, #args, 1000 do call(command, P .. key, spread(args, i, math.min(i + 999, #args))) end
end

-- tagged puts the tags of a batch of entries into their lists, as numbers: name is its first
-- number, and after a comma the transactions that were not done.
local function tagged(name, tags, lists)
  local first, skip, pos, count = tonumber(string.match(name, '^%d+')) - 1, string.match(name, ',.*'), 1, 0
  while pos <= #tags do
    local txn, place, n, number
    txn, place, n, pos = unpack('<HHB', tags, pos)
    local done = not skip or not string.find(skip, ',' .. txn .. ',', 1, true)
    if done then number, count = text(first + place), count + 1 end
    for _ = 1, n do
      local tag
      tag, pos = unpack('<Hc0', tags, pos)
      local list = lists[tag]
      if done and list then list[#list + 1] = number elseif done then lists[tag] = { number } end
    end
  end
  return count
end

local unsaid = {} -- changes of this script that pending does not tell of yet

local function say()
  if #unsaid > 0 then each('RPUSH', 'pending', unsaid) end
  unsaid = {}
end

-- fold brings what finds rows and entries up to date with the changes since. Those of
-- rows have the row as it was at the first of them, and so as the index has it.
local function fold()
  say()
  local pending = call('LRANGE', P .. 'pending', 0, -1)
  if #pending == 0 then return end
  call('DEL', P .. 'pending')
  local keys, was, lists, count = {}, {}, {}, 0
  for i = 1, #pending, 2 do
    local name = pending[i]
    if string.byte(name) ~= 123 then -- {
      count = count + tagged(name, pending[i + 1], lists)
    elseif not was[name] then
      was[name] = pending[i + 1]
      keys[#keys + 1] = sub(name, #P + 2)
    end
  end
  for tag, numbers in pairs(lists) do each('RPUSH', 'n' .. tag, numbers) end
  if count > 0 then call('INCRBY', P .. 'entries', count) end
  load_all(keys)
  local add, remove, due, never, empty = {}, {}, {}, {}, {}
  for _, key in ipairs(keys) do
    local row, name = rows[key], P .. 'r' .. key
    local old = was[name]
    if row or old ~= '' then
      local gone = {}
      names(parse(key, old), function(member) gone[member] = true end)
      names(row, function(member)
        if not gone[member] then add[#add + 1], add[#add + 2] = 0, member end
        gone[member] = nil
      end)
      for member in pairs(gone) do remove[#remove + 1] = member end
      if row and row.due < inf then
        due[#due + 1], due[#due + 2] = text(row.due), key
      else
        never[#never + 1] = key
      end
    end
    if not row then empty[#empty + 1] = name end
  end
  each('ZREM', 'index', remove)
  each('ZADD', 'index', add)
  each('ZREM', 'due', never)
  each('ZADD', 'due', due)
  for i = 1, #empty, 1000 do call('DEL', spread(empty, i, math.min(i + 999, #empty))) end
end

-- group is a key up to a mark, if it has one.
local function group(key, mark)
  local till = string.find(key, mark, 1, true)
  return till and sub(key, 1, till)
end

-- successor is the first text behind all that begin with a prefix.
local function successor(prefix)
  local last = #prefix
  while string.byte(prefix, last) == 255 do last = last - 1 end
  return sub(prefix, 1, last - 1) .. string.char(string.byte(prefix, last) + 1)
end

-- LOOKS bounds how many rows that are not wanted a range looks at, so that Redis
-- serves others meanwhile.
local LOOKS = 1000
-- ENDED is up to how many rows that ended are taken from the count of a range.
local ENDED = 10000
-- FEW is up to how many rows of a group are looked through for those with a tag.
local FEW = 50

-- due_first are the rows that have a due time in the order of it; nil: places in due
-- had to be put right, and there may be more.
local function due_first(limit)
  local out, window, fixed = nil, limit, 0
  repeat
    local moved, lost, asked = 0, 0, window
    local found = call('ZRANGE', P .. 'due', 0, limit > 0 and asked - 1 or -1, 'WITHSCORES')
    out = {}
    for i = 1, #found, 2 do
      local row = load(found[i])
      if not row or row.due == inf then
        call('ZREM', P .. 'due', found[i])
        moved = moved + 1
      elseif row.due ~= tonumber(found[i + 1]) then
        call('ZADD', P .. 'due', text(row.due), found[i])
        moved = moved + 1
      elseif not present(row.key) then
        lost = lost + 1
      elseif limit == 0 or #out < limit then
        out[#out + 1] = row
      end
    end
    fixed, window = fixed + moved, limit + lost
    if fixed > LOOKS then return nil end
  until moved == 0 and (#out == limit or limit == 0 or #found < 2 * asked)
  return out
end

-- less compares texts by bytes, as sorted sets do; strings are compared by the locale.
local function less(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- ended are the rows that are due, and those whose lease has ended; nil: there are
-- more than so many, or too many places in due had to be put right.
local function ended(most)
  fold()
  local out, seen, found = {}, {}, nil
  local function add(key)
    if not seen[key] then out[#out + 1], seen[key] = load(key), true end
  end
  for _ = 1, 3 do
    found = call('ZRANGEBYSCORE', P .. 'due', '-inf', text(now), 'LIMIT', 0, most + 1)
    load_all(found)
    local moved = false
    for _, key in ipairs(found) do
      local row = load(key)
      if not row or row.due == inf then
        call('ZREM', P .. 'due', key)
        moved = true
      elseif row.due > now then
        call('ZADD', P .. 'due', text(row.due), key)
        moved = true
      end
    end
    if not moved then break end
    found = nil
  end
  if not found or #found > most then return nil end
  for _, key in ipairs(found) do add(key) end
  for _, key in ipairs(found) do
    if load(key).lends then
      local keys = call('SMEMBERS', P .. 'b' .. key)
      if #keys > most then return nil end
      load_all(keys)
      for _, k in ipairs(keys) do add(k) end
    end
  end
  return out
end

-- range answers {how many, rows, what is beside them, the key to go on behind}, or
-- false to ask again. The last is given only if going on was allowed. A limit below 0
-- only counts. Flags, as bits: count,
-- brief, overdue, all in the order of when they are due, and live and due alike.
local function range(key, prefix, tag, lease, after, limit, flags, beside, beside_limit, pieces)
  local count, brief, overdue = flags % 2 == 1, flags % 4 >= 2, flags % 8 >= 4
  local out, total, besides, resume, wanted_tag = {}, 0, beside ~= '' and {} or nil, '', ''
  local function visit(row)
    if not row or flags % 32 < 8 and key == '' and (now < row.due) == overdue then return true end
    if wanted_tag ~= '' and row.tag1 ~= wanted_tag and row.tag2 ~= wanted_tag then return true end
    total = total + 1
    if limit > 0 and #out == 2 * limit then return count end
    out[#out + 1], out[#out + 2] = row.key, brief and sub(row.raw, 1, row.value - 1) or row.raw
    if besides then
      besides[#besides + 1] = range('', beside .. sub(group(row.key, '\0') or row.key .. '\0', #beside + 1), '', '', '', beside_limit, 1, '', 0)
    end
    return count or limit == 0 or #out < 2 * limit
  end
  if key ~= '' then
    visit(present(key))
  elseif flags % 16 >= 8 then
    fold()
    local found = due_first(limit)
    if not found then return false end
    for _, row in ipairs(found) do visit(row) end
  elseif lease ~= '' then
    local keys = call('SMEMBERS', P .. 'b' .. lease)
    table.sort(keys)
    load_all(keys)
    for _, k in ipairs(keys) do
      if sub(k, 1, #prefix) == prefix and k > after and not visit(present(k)) then break end
    end
  else
    local source, head = 'index', 'k'
    if group(prefix, '\0') == prefix or group(prefix, '#') == prefix then -- its keys are known by themselves
      local many = tonumber(call('GET', P .. 'c' .. prefix) or 0)
      if many == 0 then return { 0, {}, {}, '' } end
      if tag == '' or many <= FEW then source, head, wanted_tag = 'g' .. prefix, '', tag end
    end
    if source == 'index' then
      fold()
      if tag ~= '' then head = 't' .. pack('>H', #tag) .. tag end
    end
    local from, till, looks = '[' .. head .. prefix, '(' .. successor(head .. prefix), 0
    if after ~= '' and after >= prefix then from = '(' .. head .. after end
    local more, all, gone = true, 0, nil
    if wanted_tag == '' and (overdue or count and limit ~= 0) then all = call('ZLEXCOUNT', P .. source, from, till) end
    if all > LOOKS then gone = ended(overdue and LOOKS or ENDED) end
    if gone then -- not many, so the others need not be looked at
      local inside = {}
      for _, row in ipairs(gone) do
        if sub(row.key, 1, #prefix) == prefix and less(after, row.key) and (tag == '' or row.tag1 == tag or row.tag2 == tag) then
          inside[#inside + 1] = row
        end
      end
      if overdue then
        table.sort(inside, function(a, b) return less(a.key, b.key) end)
        for _, row in ipairs(inside) do
          if row.due <= now and present(row.key) and not visit(row) then break end
        end
        return { total, out, besides or {}, '' }
      end
      all, count, more = all - #inside, false, limit > 0
    end
    while more do
      local full = limit < 0 or limit > 0 and #out == 2 * limit and wanted_tag == '' and not overdue -- and the rest is only counted
      local wanted = (full or limit == 0) and LOOKS or math.max(20, math.min(LOOKS, limit - #out / 2))
      local keys = call('ZRANGEBYLEX', P .. source, from, till, 'LIMIT', 0, wanted)
      more = #keys == wanted
      if #keys > 0 then from = '(' .. keys[#keys] end
      for i, k in ipairs(keys) do keys[i] = sub(k, #head + 1) end
      if full then
        total = total + living(keys)
      else
        load_all(keys)
        for _, k in ipairs(keys) do
          if not visit(present(k)) then
            more = false
            break
          end
        end
      end
      looks = looks + #keys
      if more and pieces and looks >= LOOKS then
        resume, more = keys[#keys], false
      end
    end
    if gone and resume == '' then total = all end
  end
  return { total, out, besides or {}, resume }
end
