-- Answers the time, the floor, the last number given out, and a page for each query in
-- ARGV[1]: numbers, times and values of entries by turns.
fold()
local floor = tonumber(call('GET', P .. 'floor') or 0)

-- ranged finds entries with numbers between two, both included, in the whole log.
local function ranged(from, till, newest, limit)
  local out, more = {}, true
  local command, id, stop = 'XREVRANGE', text(till), '-'
  if not newest then
    local at = call('XREVRANGE', P .. 'log', text(from), '-', 'COUNT', 1)[1] -- the batch that has it
    command, id, stop = 'XRANGE', at and at[1] or '-', text(till)
  end
  while more and limit > 0 do
    local found = call(command, P .. 'log', id, stop, 'COUNT', math.min(limit, 20))
    more = #found == math.min(limit, 20)
    for _, f in ipairs(found) do
      local b, inside = batch(f), {}
      entries(b, function(number, start, stop_at)
        if number >= from and number <= till then inside[#inside + 1] = { number, start, stop_at } end
      end)
      for i = 1, #inside do
        local e = inside[newest and #inside + 1 - i or i]
        if limit > 0 then
          out[#out + 1], out[#out + 2], out[#out + 3] = text(e[1]), b.at, sub(b.entries, e[2], e[3])
          limit = limit - 1
        end
      end
      if newest and b.first <= from then more = false end
    end
    if #found > 0 then id = '(' .. found[#found][1] end
  end
  return out
end

-- Where entries of batches are that were read: the queries of a call often lead to the
-- same ones.
local where, queries = {}, cmsgpack.unpack(ARGV[1])

-- locate calls f with the batch of an entry, and where its value is.
local function locate(number, f)
  local n = tonumber(number)
  if not where[n] then
    local b = batch(call('XREVRANGE', P .. 'log', number, '-', 'COUNT', 1)[1])
    entries(b, function(is, start, stop)
      if is == n or #queries > 1 then where[is] = { b, start, stop } end
      return is == n and #queries == 1
    end)
  end
  if where[n] then f(spread(where[n])) end
end

-- tagged is the same among the entries that bear a tag.
local function tagged(key, from, till, newest, limit)
  local length, out = call('LLEN', key), {}
  local function search(n) -- how many numbers are below n
    local low, high = 0, length
    while low < high do
      local middle = math.floor((low + high) / 2)
      if tonumber(call('LINDEX', key, middle)) < n then low = middle + 1 else high = middle end
    end
    return low
  end
  local first, last = search(from), search(till + 1) - 1
  if first > last or limit == 0 then return out end
  if newest then first = math.max(first, last - limit + 1) else last = math.min(last, first + limit - 1) end
  local numbers = call('LRANGE', key, first, last)
  for i = 1, #numbers do
    local number = numbers[newest and #numbers + 1 - i or i]
    locate(number, function(b, start, stop)
      out[#out + 1], out[#out + 2], out[#out + 3] = number, b.at, sub(b.entries, start, stop)
    end)
  end
  return out
end

local answer = { now, floor, tonumber(call('GET', P .. 'seq') or 0) }
for i, q in ipairs(queries) do
  local tag, after, before, newest, limit = spread(q)
  local from, till = math.max(after, floor) + 1, before > 0 and before - 1 or answer[3]
  if from > till then
    answer[i + 3] = {}
  elseif tag == '' then
    answer[i + 3] = ranged(from, till, newest, limit)
  else
    answer[i + 3] = tagged(P .. 'n' .. tag, from, till, newest, limit)
  end
end
return answer
