-- Says how the store is laid out, unless somebody has. ARGV: the layout's version.
-- Answers it and the last number given out.
if call('EXISTS', P .. 'layout') == 0 then call('SET', P .. 'layout', ARGV[1]) end
return { call('GET', P .. 'layout'), call('GET', P .. 'seq') or '0' }
