# What a shell script does, in small: prints the same on every machine.
set -u
echo "expand ${BASH_VERSINFO[0]} $((2 ** 40 + 7 % 3)) ${HOME##*/} {a,b}{1,2}"
declare -A count=()
for word in one two three two one one; do count[$word]=$((${count[$word]:-0} + 1)); done
echo "array ${count[one]} ${count[two]} ${#count[@]}"
fib() { (($1 < 2)) && echo "$1" || echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); }
echo "recurse $(fib 8)"
printf 'b\na\nc\n' | sort -r | tr a-z A-Z | paste -sd, | sed 's/^/pipe /'
echo "status $(false; echo $?) $(exit 7; echo no) $(sh -c 'exit 9'; echo $?) $(kill -TERM $BASHPID; echo no)"
wait_for() { sleep 0.05 & local pid=$!; wait "$pid"; echo "wait $?"; }
wait_for
trap 'echo trapped' USR1
kill -USR1 $$
mkfifo /tmp/fifo.$$ && { (echo through >/tmp/fifo.$$ &); read -r line </tmp/fifo.$$; echo "fifo $line"; rm /tmp/fifo.$$; }
exec 3<<<'here string'; read -r -u 3 a b; echo "here $b $a"
diff <(seq 5) <(seq 2 6) | wc -l | sed 's/^ */substitution /'
[[ "peng-arm64" =~ ^([a-z]+)-(arm)([0-9]+)$ ]] && echo "match ${BASH_REMATCH[*]:1}"
awk 'BEGIN { for (i = 1; i <= 10; i++) s += 1 / i; printf "awk %.12f\n", s }'
echo 'scale=40; 4*a(1)' | bc -l | sed 's/^/bc /'
for i in $(seq 30); do /bin/true || echo failed; done
ulimit -n 256; echo "limit $(ulimit -n) $(sh -c 'ulimit -n')"
(cd /usr/bin && ls | head -400 | xargs -n 40 echo | wc -l | sed 's/^/xargs /')
tar -C /usr/lib -c os-release | tar -t | sed 's/^/tar /'
seq 100000 | gzip | gunzip | md5sum | sed 's/^/gzip /'
seq 100000 | xz -1 | xz -d | sha256sum | sed 's/^/xz /'
seq 100000 | zstd -q | zstd -dq | cksum | sed 's/^/zstd /'
uname -m
