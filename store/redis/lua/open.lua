-- Says how the store is laid out, unless somebody has, and asks the server
-- about itself. ARGV: the layout's version.
if redis.call('EXISTS', KEYS[1] .. 'layout') == 0 then redis.call('SET', KEYS[1] .. 'layout', ARGV[1]) end
return { redis.call('GET', KEYS[1] .. 'layout'), redis.call('GET', KEYS[1] .. 'seq') or '0' }
