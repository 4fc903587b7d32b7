-- Answers the time, where to go on from unless that is the end, and the
-- records in force of an index, in the order of their names. ARGV: the index, the
-- bounds of the names, how many records, the holder's session and user unless
-- empty, and how many names to look at.
local index, from, to, limit, session, user, looks = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6], tonumber(ARGV[7])
local answer, stale = { now, '' }, {}
local names = call('ZRANGEBYLEX', P .. index, from, to, 'LIMIT', 0, looks)
if #names == looks then answer[2] = '(' .. names[looks] end
for _, name in ipairs(names) do
  if #answer == limit + 2 then break end
  local rec = load(name)
  if not rec and not vacant[name] then
    stale[#stale + 1] = name
  elseif rec and (session == '' or rec.session == session) and (user == '' or rec.user == user) then
    local given = inforce(name, rec)
    if given then answer[#answer + 1] = { name, given } end
  end
end
-- Redis has freed these, as no sweep came in time.
for _, name in ipairs(stale) do call('ZREM', P .. index, name) end
return answer
