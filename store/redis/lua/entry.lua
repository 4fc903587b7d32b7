-- What scripts share that write entries.

local RETRY = '601000' -- milliseconds that a request ID is known: the retry window, and a second

-- log appends an entry. note is what the writer said: kind, actor, reason, the
-- name and the request, packed; id is that request.
local grew -- the last number logged
local function log(name, seq, token, at, owner, owner_user, other, other_user, note, id)
  grew = seq
  seq = string.format('%.0f', seq) -- once: Redis would do it each time
  call('XADD', P .. 'log', seq, 'e', pack('<dd', token, at) .. owner .. other .. note)
  call('RPUSH', P .. 'n:' .. name, seq)
  if owner_user ~= '' then call('RPUSH', P .. 'w:' .. owner_user, seq) end
  local _, _, actor_user = unpack('<I4c0I4c0I4c0', note)
  if actor_user ~= '' and actor_user ~= owner_user then call('RPUSH', P .. 'w:' .. actor_user, seq) end
  if other_user ~= '' and other_user ~= owner_user and other_user ~= actor_user then
    call('RPUSH', P .. 'w:' .. other_user, seq)
  end
  if id ~= '' then call('SET', P .. 'i:' .. id, seq, 'PX', RETRY) end
end

-- announce tells who asked to hear that the log grew.
local function announce()
  call('DEL', P .. 'armed')
  call('PUBLISH', P .. 'news', string.format('L%.0f', grew))
end
