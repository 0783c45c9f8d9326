#!/usr/bin/env python3
"""programs: what people run every day in an arm64 root, in small. Quick; the long ones are in
languages.py, packages.py, build.py, servers.py and stress.py."""
import os
import re
import shutil
import subprocess

from root import (LOWER, PENG, PENG_ARM64, ROOT, direct, execute, expect, guest, interpreted, qemu,
                  same, shell)
from harness import case, check, main


def like_qemu(*command, engines=(guest, direct, interpreted)):
    expected = qemu(*command)
    for engine in engines:
        same(expected, engine(*command), f'qemu and {engine.__name__}: {" ".join(command)}')
    return expected


@case
def handler(directory):
    """What the kernel is told, and that peng binfmt tells it back."""
    expect(execute([PENG, 'binfmt', 'status']), '^binfmt_misc: enabled$',
           f'^now: peng-arm64: {PENG_ARM64}, flags POCF ')
    again = subprocess.run([PENG, 'binfmt', 'install', '--temporary', '--binary', PENG_ARM64],
                           capture_output=True, text=True, check=False)
    check(again.returncode == 0, again.stderr)
    for arguments, text in (
            (['install', '--binary', '/none'], '/none'),
            (['install', '--binary', '/bin/sh'], 'not static'),
            (['install', '--binary', ROOT + '/bin/true'], 'not an x86-64 program'),
            (['frobnicate'], 'frobnicate'), ([], 'install, remove or status')):
        done = subprocess.run([PENG, 'binfmt', *arguments], capture_output=True, text=True, check=False)
        check(done.returncode == 1 and done.stdout == '' and done.stderr.count('\n') == 1 and
              text in done.stderr, f'{arguments}: {done.returncode} {done.stdout}{done.stderr}')


@case
def coreutils(directory):
    expect(guest('uname', '-m'), '^aarch64$')
    expect(guest('ls', '-1', '/usr/lib'), '^aarch64-linux-gnu$')
    same(execute(['sha256sum', LOWER + '/usr/bin/bash']).split()[0],
         guest('sha256sum', '/usr/bin/bash').split()[0], 'checksums')
    same(direct('/bin/echo', 'a  b', '*'), 'a  b *\n', 'arguments')
    expect(guest('env', env={'PENG_TEST': 'yes'}), '^PENG_TEST=yes$')
    expect(guest('cat', '/proc/self/comm'), '^cat$')
    same(shell('exec -a renamed cat /proc/self/cmdline'), 'renamed\0/proc/self/cmdline\0', 'argv[0]')


@case
def bash(directory):
    text = like_qemu('/usr/bin/bash', '/tests/work.sh', engines=(guest,))
    expect(text, '^recurse 21$', '^trapped$', '^fifo through$', '^limit 256 256$', '^aarch64$')


@case
def python(directory):
    expect(like_qemu('/usr/bin/python3', '/tests/work.py', engines=(guest, interpreted)),
           '^threads 15992000$', r'^signals \[10, 10, 10, 10, 10, 14\]$', '^machine aarch64 8$')


@case
def perl(directory):
    expect(like_qemu('/usr/bin/perl', '/tests/work.pl', engines=(guest, interpreted)), '^die 5$')


@case
def ruby(directory):
    expect(like_qemu('/usr/bin/ruby', '/tests/work.rb', engines=(guest,)), '^threads 400 29700$', '^set 101$')


@case
def lua(directory):
    expect(like_qemu('/usr/bin/lua5.4', '/tests/work.lua', engines=(guest, interpreted)),
           '^loop\t185191760$')


@case
def sqlite(directory):
    expect(like_qemu('/usr/bin/sqlite3', ':memory:', '-init', '/tests/work.sql', '.quit'), '^ok$')


@case
def gcc_and_make(directory):
    shell('''mkdir /tmp/c && cd /tmp/c && cp /tests/threads.c /tests/crash.c .
             printf 'CFLAGS = -O2 -g -pthread\\nall: threads crash\\n' >Makefile''')
    expect(guest('make', '-C', '/tmp/c', '-j2'), '^cc -O2 -g -pthread +threads.c')
    for engine in (guest, interpreted):
        same(engine('/tmp/c/threads'), '120000 240000 120000 120\n', 'threads')
    same(guest('/tmp/c/crash', ok=False), 'result 0\n', 'crash')
    expect(shell('/tmp/c/crash fault || echo $?'), 'Segmentation fault', '^139$')


@case
def strace(directory):
    text = shell('cd /tmp && strace -f -o out /bin/sh -c "/bin/echo traced; exit 4" || echo $?; cat out')
    expect(text, '^traced$', '^4$', r'execve\("/bin/sh"', r'execve\("/bin/echo"',
           r'write\(1, "traced\\n", 7\) += 7', r'\+\+\+ exited with 4 \+\+\+')
    expect(shell('strace -c /bin/true; strace -e trace=openat /bin/true'), 'execve', 'openat')


@case
def gdb(directory):
    shell('cd /tmp && gcc -g -O0 -o crash /tests/crash.c')
    text = guest('gdb', '-nx', '-batch', '-ex', 'break inner if depth == 1', '-ex', 'run', '-ex', 'backtrace',
                 '-ex', 'print answer * depth', '-ex', 'watch *where', '-ex', 'continue', '-ex', 'delete', '-ex',
                 'stepi', '-ex', 'info registers pc sp', '-ex', 'continue', '/tmp/crash', timeout_s=90)
    expect(text, r'^Breakpoint 1, inner \(depth=1', r'^#2 .* inner \(depth=3', r'^\$1 = 42$', '^pc +0x',
           '^result 0$', 'exited with code 05')
    text = guest('gdb', '-nx', '-batch', '-ex', 'run fault', '-ex', 'backtrace', '/tmp/crash', timeout_s=90)
    expect(text, 'received signal SIGSEGV', r'^#0 .* inner \(depth=3, where=0x10\)', r'^#1 .* main ')


@case
def set_id(directory):
    """Who calls a set-id program has no say in how it is run: neither by options in the environment nor by
    what peng-arm64 hands over to itself at exec (handover.c)."""
    shell('cp /usr/bin/id /tmp/as-root; chmod 4755 /tmp/as-root')
    asks = {'PENG_STRACE': '1', 'PENG_CACHE': '/root/made', 'PENG_LD_PREFIX': '/tmp'}
    same(guest('/tmp/as-root', '-u', user=1000, env=asks), '0\n', 'set-id with options')
    check(not os.path.exists(ROOT + '/root/made'), 'a directory was made with rights of the program')
    forged = """import os
fd = os.open('/usr/bin/uname', os.O_RDONLY)
os.set_inheritable(fd, True)
handed = f'{os.getpid()} {fd} -1 -1 -1 0 0 ' + 4 * chr(0x1f) + '/usr/bin/uname'
os.execve('/tmp/as-root', ['id', '-u'], {'PENG_HANDOVER': handed})"""
    same(guest('python3', '-c', forged, user=1000), '0\n', 'set-id with a forged handover')


@case
def kept(directory):
    """In a root that peng-arm64 is not part of translations are kept in its /dev/shm, and nothing in the root.
    What somebody else put there is not used, and not changed."""
    memory = ROOT + '/dev/shm'
    ours = memory + '/peng-0'

    def counts(*command, **env):
        """Of each process, in the order in which they end. Nothing lies at random: what a program does at its start
        depends on where its stack ends (strings that lie over a page's end go another way)."""
        text = execute(['setarch', '--addr-no-randomize', 'chroot', ROOT, *command],
                       env={'PENG_STATS': '1', **env})
        return [int(n) for n in re.findall(r'^translated instructions: (\d+)', text, re.M)]

    def translated():  # by one tier: what is hot is another thing from run to run
        return counts('uname', '-m', PENG_TIER='1')[0]

    for options in ('mode=1777', 'mode=1777,size=64k', 'mode=777', 'mode=1777,size=16m'):
        execute(['mount', '-t', 'tmpfs', '-o', options, 'tmpfs', memory])
        usable = options in ('mode=1777', 'mode=1777,size=16m')
        first = translated()
        check(first > 100, f'{options}: {first} instructions translated at first')
        second = translated()
        check((second == 0) == usable, f'{options}: {second} instructions translated again')
        check(os.path.isdir(ours) == (options != 'mode=777'), f'{options}: {os.listdir(memory)}')
        execute(['umount', memory])
    execute(['mount', '-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', memory])
    many = ['bash', '-c', 'for i in 1 2 3 4 5 6 7 8 9; do (exit 0); done; :']
    first = max(counts(*many)[1:-1])  # the shell itself ends last
    for _ in range(20):  # chance says which process saves what little it has made
        later = counts(*many)
    check(len(later) == 10 and 2 * max(later[-4:]) < first,
          f'children of one shell: {first} instructions translated, later {later}')
    shutil.rmtree(ours)
    os.mkdir(ours, 0o700)
    os.chown(ours, 1000, 1000)
    check(translated() > 100 and translated() > 100, "somebody else's directory is used")
    same(str(os.listdir(ours)), '[]', 'what lies in it')
    os.rmdir(ours)
    os.symlink('/tmp', ours)
    check(translated() > 100 and translated() > 100, 'a link is followed')
    execute(['umount', memory])
    same(execute(['find', ROOT + '.upper', '-name', 'code-*', '-o', '-name', 'peng-*']), '', 'left in the root')


@case
def dpkg(directory):
    text = shell('dpkg -i /srv/debs/hello_*.deb && hello && dpkg -s hello && dpkg -L hello')
    expect(text, '^Setting up hello', '^Hello, world!$', '^Status: install ok installed$', '^/usr/bin/hello$')
    expect(shell('dpkg -r hello; hello', ok=False), '^Removing hello', 'hello: (command )?not found|No such file')


@case
def apt(directory):
    expect(shell('apt-get update', timeout_s=90), '^Reading package lists')
    expect(shell('apt-get install -y --no-install-recommends figlet && figlet -f banner hi', timeout_s=120),
           '^Setting up figlet', '#')
    expect(shell('apt-get purge -y figlet && dpkg -l figlet', timeout_s=90, ok=False), '^Removing figlet',
           '^Purging|no packages found')


@case
def openssl(directory):
    expect(guest('openssl', 'version'), '^OpenSSL 3')
    text = shell('''mkdir /tmp/ssl; cd /tmp/ssl; seq 100000 >in
        for d in md5 sha1 sha256 sha512 sha3-256 blake2b512 sm3; do openssl dgst -$d in; done
        openssl enc -aes-256-cbc -pbkdf2 -S 0102030405060708 -k x -in in | sha256sum
        openssl enc -chacha20 -K 00 -iv 00 -in in 2>/dev/null | sha256sum
        openssl genpkey -algorithm ed25519 -out key && openssl pkey -in key -pubout -out pub
        openssl pkeyutl -sign -rawin -inkey key -in in -out sig
        openssl pkeyutl -verify -rawin -pubin -inkey pub -in in -sigfile sig
        openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 2 -subj /CN=peng 2>/tmp/log || cat /tmp/log
        openssl verify -CAfile c c''', timeout_s=120)
    expect(text, 'SHA2-256.*= 2[0-9a-f]{63}|SHA2-256', 'Signature Verified Successfully', '^c: OK$')
    native = execute(['bash', '-c', 'seq 100000 | openssl dgst -sha512'])
    check(native.split()[-1] in text, 'SHA-512 differs from the native one')


main()
