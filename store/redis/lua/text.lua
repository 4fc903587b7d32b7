-- text is a whole number as Redis takes it, with all its digits.
local function text(n) return string.format('%.0f', n) end
