-- Asks to hear when the log grows next. ARGV: for how many milliseconds.
-- Answers the last number given out.
redis.call('SET', KEYS[1] .. 'armed', 1, 'PX', ARGV[1])
return { tonumber(redis.call('GET', KEYS[1] .. 'seq') or 0) }
