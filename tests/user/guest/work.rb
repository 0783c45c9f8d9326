# What a Ruby program does, in small: prints the same on every machine.
require 'digest'
require 'json'
require 'set'

puts "float #{Math.sin(1e10)} #{2**0.5} #{1e22} #{7.5.divmod(-2)} #{0.1 + 0.2}"
puts "int #{3**200 % (10**9 + 7)} #{-7 / 2} #{(1..40).inject(:*)} #{2**64 - 1 & 0xf0f0}"
words = (1..3000).map { |i| "word#{i * 7919 % 101}" }
puts "count #{words.tally.sort_by { |word, n| [-n, word] }.first(3)}"
puts "hash #{Digest::SHA256.hexdigest(words.join)}"
puts "json #{JSON.generate(JSON.parse('{"a":[1,2.5,null],"b":"\u9e4f"}'))}"
puts "regex #{words.join(' ').gsub(/word(\d)\b/) { $1 * 2 }.length}"
fiber = Fiber.new { 3.times { |i| Fiber.yield i }; :done }
puts "fiber #{4.times.map { fiber.resume }}"
queue = Queue.new
threads = 4.times.map { |t| Thread.new { 100.times { |i| queue << t * i } } }
threads.each(&:join)
puts "threads #{queue.size} #{Array.new(queue.size) { queue.pop }.sum}"
trap('USR1') { puts 'signal' }
Process.kill('USR1', Process.pid)
sleep 0.05
pid = fork { exit! 9 }
Process.wait(pid)
puts "fork #{$?.exitstatus}"
puts "child #{`echo hello`.strip}"
begin
  raise ArgumentError, 'wrong'
rescue ArgumentError => error
  puts "error #{error.message}"
end
GC.stress = true
puts "gc #{(1..20).map { |i| 'x' * i }.join.length}"
GC.stress = false
GC.start
puts "set #{Set.new(words).size}"
