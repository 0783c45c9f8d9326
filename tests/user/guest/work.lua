-- What a Lua program does, in small: prints the same on every machine.
print('float', math.sin(1), 2 ^ 0.5, 7.5 % -2, 1e15, -7 // 2, 7 // 2.0, math.maxinteger + 1 == math.mininteger)
local count = {}
for i = 1, 5000 do
  local key = i * 7919 % 101
  count[key] = (count[key] or 0) + 1
end
local keys = {}
for key in pairs(count) do keys[#keys + 1] = key end
table.sort(keys)
print('table', #keys, keys[1], keys[#keys], count[50])
local text = string.rep('word7 ', 500)
print('string', #text:gsub('%d', function(d) return d + 1 end), text:find('7 w', 1, true), ('%5.2f|%x'):format(3.14159, 255))
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end return 'done' end)
print('coroutine', co(), co(), co(), co())
print('error', pcall(error, { code = 5 }) == false, select(2, pcall(error, 'text', 0)))
local weak = setmetatable({}, { __mode = 'v' })
for i = 1, 1000 do weak[i] = {} end
collectgarbage()
print('gc', next(weak) == nil)
print('pack', string.pack('>i2I4d', -2, 7, 0.1):byte(1, -1))
local h = 0
for i = 1, 100000 do h = (h * 31 + i) & 0xffffffff end
print('loop', h)
local pipe = io.popen('echo hello')
print('pipe', pipe:read('a'), pipe:close())
