-- Answers the floor, the last number given out, and entries. ARGV: a list of
-- numbers to go by, or none for the whole log; the bounds of the numbers, both
-- included; how many; 1 for the newest first; a request whose entries alone
-- are wanted, or none.
local P, call = KEYS[1], redis.call
local index, lo, hi, count, newest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
local last = tonumber(call('GET', P .. 'seq') or 0)
if hi > last then hi = last end
local answer = { tonumber(call('GET', P .. 'floor') or 0), last }
if lo > hi then return answer end

local function range(from, to, n)
  local found
  if newest then
    found = call('XREVRANGE', P .. 'log', to, from, 'COUNT', n)
  else
    found = call('XRANGE', P .. 'log', from, to, 'COUNT', n)
  end
  for _, e in ipairs(found) do
    answer[#answer + 1] = { e[1], e[2][2] }
  end
end

if index == '' then
  range(lo, hi, count)
  return answer
end

-- search finds how many numbers of the list are below n.
local key = P .. index
local function search(n)
  local from, to = 0, call('LLEN', key)
  while from < to do
    local middle = math.floor((from + to) / 2)
    if tonumber(call('LINDEX', key, middle)) < n then from = middle + 1 else to = middle end
  end
  return from
end

local from, to = search(lo), search(hi + 1) - 1
if to - from >= count then
  if newest then from = to - count + 1 else to = from + count - 1 end
end
if from > to then return answer end
local seqs = call('LRANGE', key, from, to)
if newest then
  for i = #seqs, 1, -1 do range(seqs[i], seqs[i], 1) end
else
  for i = 1, #seqs do range(seqs[i], seqs[i], 1) end
end
return answer
