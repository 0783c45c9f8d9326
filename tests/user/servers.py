#!/usr/bin/env python3
"""servers: Redis, PostgreSQL and nginx, each with a client that loads it."""
import os
import time

from root import ROOT, expect, guest, shell
from harness import Failed, case, main

POSTGRES = '/usr/lib/postgresql/15/bin/'
NOBODY = 65534


def wait_until(command, timeout_s=60):
    deadline = time.time() + timeout_s
    while True:
        try:
            return shell(command, timeout_s=20)
        except Failed:
            if time.time() > deadline:
                raise
            time.sleep(0.3)


def folder(path):
    os.makedirs(ROOT + path)
    os.chown(ROOT + path, NOBODY, NOBODY)
    return path


@case
def redis(directory):
    where = folder('/tmp/redis')
    shell(f'cd {where} && redis-server --port 16379 --daemonize yes --logfile log --save "" --io-threads 2 '
          '--appendonly yes', user=NOBODY)
    wait_until('redis-cli -p 16379 ping')
    text = guest('redis-benchmark', '-p', '16379', '-n', '5000', '-c', '20', '-P', '4', '-q', '-t',
                 'set,get,incr,lpush,lrange_100,zadd,mset', timeout_s=300)
    expect(text, r'SET: [\d.]+ requests per second', r'MSET.*: [\d.]+ requests per second')
    text = shell('''r="redis-cli -p 16379"
        $r eval "local s = 0 for i = 1, 1000 do s = s + i end return s" 0
        for i in $(seq 5); do $r set key$i value$i; done
        $r bgrewriteaof; $r bgsave; sleep 2; $r lastsave; $r info persistence; $r shutdown''', timeout_s=120)
    expect(text, '^500500$', 'aof_last_bgrewrite_status:ok')
    expect(shell(f'tail -3 {where}/log'), 'Redis is now ready to exit')


@case
def postgresql(directory):
    where = folder('/tmp/postgres')
    shell(f'{POSTGRES}initdb -D {where}/data -U peng --auth=trust --no-sync -E UTF8 --locale=C.UTF-8',
          user=NOBODY, timeout_s=300)
    shell(f'{POSTGRES}pg_ctl -D {where}/data -w -t 120 -l {where}/log -o "-p 15432 -k {where} -F" start',
          user=NOBODY, timeout_s=150)
    psql = f'{POSTGRES}psql -h {where} -p 15432 -U peng -v ON_ERROR_STOP=1 -At postgres'
    bench = f'{POSTGRES}pgbench -h {where} -p 15432 -U peng'
    shell(f'{bench} -i -s 1 postgres', timeout_s=300)
    expect(shell(f'{bench} -c 4 -j 2 -t 100 postgres', timeout_s=300),
           r'^number of transactions actually processed: 400/400$')
    text = shell(f'''{psql} <<'EOF'
select sum(abalance) = (select sum(tbalance) from pgbench_tellers) from pgbench_accounts;
select count(*), sum(i), avg(i * 1.5), stddev(i) from generate_series(1, 100000) i;
select md5(string_agg(i::text, ',')) from generate_series(1, 5000) i;
set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
select count(*) from pgbench_accounts where aid % 7 = 3;
do $$ begin perform 1 / 0; exception when division_by_zero then raise notice 'caught'; end $$;
EOF''', timeout_s=120)
    expect(text, '^t$', '^100000\\|5000050000\\|75000.7500', '^[0-9a-f]{32}$', '^1428[56]$', 'caught')
    shell(f'{POSTGRES}pg_ctl -D {where}/data -m fast -w stop', user=NOBODY, timeout_s=90)
    expect(shell(f'cat {where}/log'), 'database system is shut down')


@case
def nginx(directory):
    where = folder('/tmp/nginx')
    with open(f'{ROOT}{where}/conf', 'w', encoding='ascii') as out:
        out.write(f'worker_processes 2; pid {where}/pid; error_log {where}/error info; user nobody nogroup;\n'
                  'events { worker_connections 256; }\n'
                  f'http {{ access_log {where}/access; server {{ listen 127.0.0.1:18080; root {where}; '
                  'sendfile on; gzip on; gzip_types text/plain; }} }\n'.replace('}} }', '} }'))
    shell(f'cd {where}; seq 20000 >numbers.txt; chmod 755 .; nginx -c {where}/conf -e {where}/error')
    text = wait_until('curl -s http://127.0.0.1:18080/numbers.txt | cksum; seq 20000 | cksum')
    first, second = text.split('\n')[:2]
    if first != second:
        raise Failed(text)
    shell('for i in $(seq 40); do curl -s -o /dev/null --compressed http://127.0.0.1:18080/numbers.txt; done; '
          'curl -s -o /dev/null -w "%{http_code}\\n" http://127.0.0.1:18080/none | grep 404', timeout_s=120)
    shell(f'nginx -c {where}/conf -s reload; sleep 1; curl -sf -o /dev/null http://127.0.0.1:18080/numbers.txt; '
          f'nginx -c {where}/conf -s quit; sleep 1; cat {where}/error')


main()
