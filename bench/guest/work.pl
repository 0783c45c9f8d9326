# Interpreter work: hashes, regular expressions, sorting. Prints a checksum.
use strict;
use warnings;

my (%count, @words);
for my $i (1 .. 60000) {
    my $word = "k" . ($i * 7919 % 2003);
    $count{$word} += $i;
    push @words, $word if $i % 3 == 0;
}
my $text = join ' ', @words;
my $hits = 0;
$hits++ while $text =~ /k(\d)\d*\1\b/g;
my @sorted = sort { $count{$a} <=> $count{$b} || $a cmp $b } keys %count;
my $sum = 0;
$sum = ($sum * 31 + length($_) + ord(substr $_, -1)) % 1000003 for @sorted, @words;
print "$hits $sorted[7] $sum\n";
