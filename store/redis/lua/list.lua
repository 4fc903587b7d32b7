-- Answers the time and the records in force of an index, in the order of
-- their names. ARGV: the index, the bounds of the names, the limit, and the
-- holder's session and user unless empty.
local index, from, to, limit, session, user = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local answer, stale = { now }, {}
repeat
  local names = call('ZRANGEBYLEX', P .. index, from, to, 'LIMIT', 0, math.min(limit, 100))
  for _, name in ipairs(names) do
    if #answer > limit then break end
    local rec = load(name)
    if not rec and not vacant[name] then
      stale[#stale + 1] = name
    elseif rec and (session == '' or rec.session == session) and (user == '' or rec.user == user) then
      local given = inforce(name, rec)
      if given then answer[#answer + 1] = { name, given } end
    end
  end
  if #names > 0 then from = '(' .. names[#names] end
until #names == 0 or #answer > limit
-- Redis has freed these, as no sweep came in time.
for _, name in ipairs(stale) do call('ZREM', P .. index, name) end
return answer
