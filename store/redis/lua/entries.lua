-- The log. A batch of entries has the time, the entries, each by the transaction that
-- wrote it and its place among the numbers of the batch, their tags, and the transactions
-- that were not done after all.
local function batch(found)
  local f = found[2]
  return { id = found[1], first = tonumber(string.match(found[1], '^%d+')), at = text(f[1] * 1000000 + f[2]), entries = f[4], tags = f[6], skip = ',' .. f[8] }
end

-- entries calls f with the number, and where the value is, of each entry of a batch,
-- until it says that this will do.
local function entries(b, f)
  local pos, skips = 1, b.skip ~= ','
  while pos <= #b.entries do
    local txn, place, size
    txn, place, size, pos = unpack('<HHI4', b.entries, pos)
    if not (skips and string.find(b.skip, ',' .. txn .. ',', 1, true)) and f(b.first + place - 1, pos, pos + size - 1) then return end
    pos = pos + size
  end
end
