-- Answers the time and what is in force under the name ARGV[1].
return { now, inforce(ARGV[1], load(ARGV[1])) }
