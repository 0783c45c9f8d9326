-- Interpreter work: tables, closures, strings, floats. Prints a checksum.
local function counter()
  local n = 0
  return function(by) n = (n + by) % 1000003 return n end
end
local count, add = {}, counter()
for i = 1, 120000 do
  local key = 'k' .. i * 7919 % 1013
  count[key] = (count[key] or 0) + i
  add(#key)
end
local keys = {}
for key in pairs(count) do keys[#keys + 1] = key end
table.sort(keys)
local sum = 0.0
for i = 1, 1000000 do sum = sum + 1 / i end
local text = table.concat(keys, ','):gsub('k(%d)', '%1')
print(#text, count[keys[7]], add(0), string.format('%.9f', sum))
