-- Asks to hear when the log grows next. ARGV: for how many milliseconds. Answers
-- the last number given out.
call('SET', KEYS[1], 1, 'PX', ARGV[1])
return { tonumber(call('GET', P .. 'seq') or 0) }
