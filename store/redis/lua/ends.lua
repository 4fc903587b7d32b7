-- Answers the floor and, for each hold, the number and the body of the first
-- entry of its name above its token that has one of the kinds, or nothing. ARGV:
-- how many entries of a name to examine, how many holds, how many kinds; the
-- kinds; the names, each with a token.
local P, call, unpack = KEYS[1], redis.call, struct.unpack
local within, holds, at = tonumber(ARGV[1]), tonumber(ARGV[2]), 3
local kinds = {}
for _ = 1, tonumber(ARGV[3]) do
  at = at + 1
  kinds[ARGV[at]] = true
end

-- kind is behind the token, the time and two parties.
local function kind(body)
  local pos = 17
  for _ = 1, 6 do pos = pos + 4 + unpack('<I4', body, pos) end
  return (unpack('<I4c0', body, pos))
end

local function find(key, token)
  local from, to = 0, call('LLEN', key)
  if to == 0 or tonumber(call('LINDEX', key, -1)) <= token then return false end
  if tonumber(call('LINDEX', key, 0)) > token then to = 0 end
  while from < to do
    local middle = math.floor((from + to) / 2)
    if tonumber(call('LINDEX', key, middle)) <= token then from = middle + 1 else to = middle end
  end
  for _, seq in ipairs(call('LRANGE', key, from, from + within - 1)) do
    local found = call('XRANGE', P .. 'log', seq, seq)[1]
    if found and kinds[kind(found[2][2])] then return { seq, found[2][2] } end
  end
  return false
end

local answer = { tonumber(call('GET', P .. 'floor') or 0) }
for i = 1, holds do
  answer[i + 1] = find(P .. 'n:' .. ARGV[at + 2 * i - 1], tonumber(ARGV[at + 2 * i]))
end
return answer
