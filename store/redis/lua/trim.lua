-- Removes the oldest entries, up to the first that must stay. ARGV: entries from before
-- this time may go, and those beyond so many (0: all may stay). Answers 1 if there may
-- be more to remove.
fold()
local before, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local floor, count = tonumber(call('GET', P .. 'floor') or 0), tonumber(call('GET', P .. 'entries') or 0)
local was, lists, till, kept = floor, {}, nil, false
local found = call('XRANGE', P .. 'log', '-', '+', 'COUNT', 20)
for _, f in ipairs(found) do
  local b = batch(f)
  local old = tonumber(b.at) < now - WINDOW * 1000
  entries(b, function(number)
    if number > floor and not kept then
      if old and (tonumber(b.at) < before or most > 0 and count > most) then floor, count = number, count - 1 else kept = true end
    end
  end)
  if not kept and not old then kept = true end -- it has no entry
  local removed = {}
  tagged(text(b.first) .. b.skip, b.tags, removed)
  for tag, numbers in pairs(removed) do
    for _, number in ipairs(numbers) do
      number = tonumber(number)
      if number > was and number <= floor then lists[tag] = (lists[tag] or 0) + 1 end
    end
  end
  if kept then break end
  till = b.first
end
if till then call('XTRIM', P .. 'log', 'MINID', text(till + 1)) end
if floor > was then
  for tag, n in pairs(lists) do call('LTRIM', P .. 'n' .. tag, n, -1) end
  call('SET', P .. 'floor', text(floor))
  call('SET', P .. 'entries', text(count))
end
return { not kept and #found == 20 and 1 or 0 }
