-- Brings what finds rows and entries up to date.
fold()
return { 0 }
