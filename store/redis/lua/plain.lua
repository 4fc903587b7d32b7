-- Performs transactions, each whole or not at all. KEYS: armed, then for each
-- transaction that is plain its row, the group of the range that it reads, if there is
-- one, the group that must have no row due, or the ID that it is known by, and for one that
-- creates a row, others on which it depends. ARGV: the plan, a
-- record for each transaction; the entries and the tags of the first piece of the log; how
-- many numbers are drawn; how many more pieces there are, and these, each behind the place of
-- its first number; and then what the transactions need. Answers the time, the first number,
-- 0, and for each transaction whether it is done, with the row unless that is known.
--
-- A plain transaction creates, deletes or renews one row without a lease, and reads a
-- range without rows. One that creates a row has no use for a revision, a version and a
-- TTL: they are how many other rows must not be there, whether one more must be live and
-- have certain data, and how many groups must have no rows. What stands here makes no functions and few tables, as that is
-- what costs. If any transaction proves not to be plain, all are left to what
-- follows, and nothing was written.
local plan, arg, n, pos, plain, k = ARGV[1], 6 + 3 * ARGV[5], 0, 1, true, 2
local found = call('MGET', spread(KEYS))
local first, base = 0, nil
local set, sets, changed, changes, ids, skip, logged = {}, 0, {}, 0, nil, '', false
local answer = { now, 0, 0 }
while pos <= #plan do
  local kind, bits, rev, ver, ttl, max, within
  kind, bits, rev, ver, ttl, max, within, pos = unpack('<BBxddddd', plan, pos)
  n = n + 1
  local v, third = found[k], bits >= 32
  if v == '' then v = false end
  if kind == 0 or found[k + 1] or third and found[k + 2] then
    plain = false
    break
  end
  local at, seen, began, life, off, version, old_ttl, old_max, n1, n2, nl, nd
  if v then
    at, seen, began, life, off, version, old_ttl, old_max, n1, n2, nl, nd = unpack('<ddddHI4ddHHHI4', v)
    if nl > 0 then
      plain = false
      break
    end
  end
  local done
  local others = third and k + 3 or k + 2
  if kind == 1 then
    done = not v
    for i = others, others + rev + ver - 1 do
      local o = found[i]
      if o == '' then o = false end
      if o then
        local _, o_seen, _, o_life, _, _, _, _, o1, o2, ol, od = unpack('<ddddHI4ddHHHI4', o)
        if ol > 0 and ol < 65535 then plain = false end
        if i == others + rev then
          o = now < o_seen + o_life and sub(o, 65 + o1 + o2, 64 + o1 + o2 + od) == ARGV[arg]
        end
      end
      done = done and (o and true or false) == (i == others + rev)
    end
    arg, others = arg + ver, others + rev + ver + ttl
    for i = others - ttl, others - 1 do
      if found[i] then plain = false end -- there are some, but their leases may have ended
    end
    if not plain then break end
  else
    done = v and now < seen + life and (rev == 0 or off > 0 and began + off - 1 == rev) and (ver == 0 or version == ver)
    if bits % 2 == 1 then
      local tag = ARGV[arg]
      arg = arg + 1
      done = done and (sub(v, 65, 64 + n1) == tag or n2 > 0 and sub(v, 65 + n1, 64 + n1 + n2) == tag)
    end
    if bits % 4 >= 2 then
      done = done and sub(v, 65 + n1 + n2, 64 + n1 + n2 + nd) == ARGV[arg]
      arg = arg + 1
    end
  end
  if done then
    if not base then
      if ARGV[4] ~= '0' then first = call('INCRBY', P .. 'seq', ARGV[4]) - ARGV[4] + 1 end
      base = pack('<ddd', now, now, first)
    end
    local write, late = '', false
    answer[n + 3] = 1
    if kind == 1 then
      write = base .. ARGV[arg]
    elseif kind == 3 then
      local due = seen + life
      if ttl == 0 then ttl = old_ttl end
      if max == 0 then max = old_max end
      life = 1 / 0
      if ttl > 0 then life = ttl - ttl % 1 end
      if max > 0 and at + (max - max % 1) - now < life then life = at + (max - max % 1) - now end
      if within > 0 and within - within % 1 < life then life = within - within % 1 end
      write = pack('<ddddHI4ddHHHI4', at, now, began, life, off, version, ttl, max, n1, n2, nl, nd) .. sub(v, 65)
      late = now + life >= due -- a place in due that is too early is put right when it is met
      answer[n + 3] = { 1, write }
    end
    set[sets + 1], set[sets + 2] = KEYS[k], write
    sets = sets + 2
    if not late then
      changed[changes + 1], changed[changes + 2] = KEYS[k], v and sub(v, 1, 64 + n1 + n2) or ''
      changes = changes + 2
    end
    if bits % 8 >= 4 then logged = true end
    if bits % 16 >= 8 then
      ids = ids or {}
      ids[#ids + 1] = KEYS[k + 2]
    end
  else
    if bits % 8 >= 4 then skip = skip .. n .. ',' end
    answer[n + 3] = { 0, v }
  end
  if kind == 1 then arg = arg + 1 end
  k = others
end
if plain then
  if sets > 0 then call('MSET', spread(set)) end
  if logged then
    for c = 0, ARGV[5] do
      local place, e, g = 1, ARGV[2], ARGV[3]
      if c > 0 then place, e, g = ARGV[3 + 3 * c], ARGV[4 + 3 * c], ARGV[5 + 3 * c] end
      local id = string.format('%.0f', first + place - 1)
      changed[changes + 1], changed[changes + 2] = skip == '' and id or id .. ',' .. skip, g
      changes = changes + 2
      call('XADD', P .. 'log', id, time[1], time[2], 'e', e, 'g', g, 'x', skip)
    end
  end
  if changes > 0 then call('RPUSH', P .. 'pending', spread(changed)) end
  if logged then
    if found[1] then
      call('DEL', KEYS[1])
      call('PUBLISH', P .. 'news', 'L' .. string.format('%.0f', first + ARGV[4] - 1))
    end
  end
  if ids then
    for _, id in ipairs(ids) do call('SET', id, string.format('%.0f', now), 'PX', WINDOW) end
  end
  answer[2] = first
  return answer
end
