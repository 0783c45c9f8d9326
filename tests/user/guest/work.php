<?php // What a PHP program does, in small: prints the same on every machine.
declare(strict_types=1);
echo 'float ', sin(1), ' ', 2 ** 0.5, ' ', fmod(7.5, -2), ' ', PHP_INT_MAX + 1, ' ', intdiv(-7, 2), "\n";
$count = [];
for ($i = 1; $i <= 5000; $i++) {
    $key = 'k' . $i * 7919 % 101;
    $count[$key] = ($count[$key] ?? 0) + 1;
}
arsort($count);
ksort($count);
echo 'array ', count($count), ' ', array_sum($count), ' ', implode(',', array_slice(array_keys($count), 0, 4)), "\n";
$text = str_repeat('word7 ', 500);
echo 'regex ', strlen(preg_replace_callback('/\d/', fn($m) => (string) ($m[0] * 3), $text)), ' ', preg_match('/^(w\w+)\s/', $text, $m), $m[1], "\n";
echo 'hash ', hash('sha256', $text), ' ', crc32($text), ' ', md5(serialize($count)), "\n";
echo 'json ', json_encode(json_decode('{"a":[1,2.5,null],"b":"\u9e4f"}', true)), "\n";
function walk(int $n): Generator { for ($i = 0; $i < $n; $i++) yield $i => $i * $i; }
echo 'generator ', array_sum(iterator_to_array(walk(100))), "\n";
class Node { public ?Node $next = null; public function __construct(public int $value) {} }
$head = null;
for ($i = 0; $i < 1000; $i++) { $node = new Node($i); $node->next = $head; $head = $node; }
for ($sum = 0, $node = $head; $node; $node = $node->next) $sum += $node->value;
echo 'objects ', $sum, ' ', gc_collect_cycles(), "\n";
try { intdiv(1, 0); } catch (DivisionByZeroError $e) { echo 'error ', $e->getMessage(), "\n"; }
for ($h = 0, $i = 0; $i < 200000; $i++) $h = ($h * 31 + $i) & 0xffffffff;
echo 'loop ', $h, "\n";
echo 'child ', trim(shell_exec('echo hello')), "\n";
