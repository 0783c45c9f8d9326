# What a Perl program does, in small: prints the same on every machine.
use strict;
use warnings;
use Digest::SHA qw(sha1_hex);
use List::Util qw(sum reduce);
use POSIX qw(floor fmod);

print "float ", sin(1), " ", 2**0.5, " ", fmod(7.5, 2), " ", 1e15 + 0.3, " ", floor(-2.5), "\n";
print "int ", 2**53 + 1, " ", -7 % 3, " ", 0xffffffff << 8, " ", ~0, "\n";
my %count;
$count{$_ * 7919 % 101}++ for 1 .. 5000;
print "hash ", join(",", map { "$_=$count{$_}" } (sort { $count{$b} <=> $count{$a} || $a <=> $b } keys %count)[0 .. 4]), "\n";
my $text = join " ", map { "word" . $_ % 17 } 1 .. 2000;
(my $changed = $text) =~ s/word(\d+)/sprintf("%02x", $1)/ge;
print "regex ", sha1_hex($changed), " ", scalar(() = $text =~ /d1\b/g), "\n";
print "sort ", join(",", (sort { $a <=> $b } map { $_ * 7919 % 1009 } 1 .. 500)[0 .. 5]), "\n";
print "reduce ", (reduce { $a * $b % 1000003 } 1 .. 300), " ", sum(map { 1 / $_ } 1 .. 100), "\n";
print "pack ", unpack("H*", pack("nNVdw", 1, 2, 3, 0.5, 300)), "\n";
local $SIG{USR1} = sub { print "signal @_\n" };
kill USR1 => $$;
my $pid = fork();
exit 7 unless $pid;
waitpid $pid, 0;
print "fork ", $? >> 8, "\n";
print "pipe ", scalar(`echo out; echo err >&2 2>/dev/null`);
eval { die { code => 5 } };
print "die $@->{code}\n";
