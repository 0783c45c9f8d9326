#!/usr/bin/env python3
"""strace.py PROGRAM -- COMMAND...: runs COMMAND with --strace on PROGRAM (strace.c) and looks for the
lines that must be among those it prints, in this order, each begun with a thread's number."""
import os
import re
import subprocess
import sys
import tempfile

SECONDS = 120
WANTED = r'''
openat(AT_FDCWD, "a \"file\"\n", O_RDWR|O_CREAT, 0640) = {fd}
write({fd}, "01234567890123456789012345678901"..., 40) = 40
pread64({fd}, "23456", 5, 2) = 5
pread64({fd}, 0x8, 5, 2) = -1 EFAULT (Bad address)
openat(AT_FDCWD, "nothing", O_RDONLY|O_DIRECTORY|O_NOFOLLOW) = -1 ENOENT (No such file or directory)
openat(AT_FDCWD, 0x10, O_RDONLY) = -1 EFAULT (Bad address)
utimensat({fd}, NULL, [{tv_sec=1, tv_nsec=2}, {tv_sec=3, tv_nsec=4}], 0) = 0
fcntl({fd}, F_GETFL) = 0x{hex} (O_RDWR|O_LARGEFILE)
mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x{hex}
rt_sigaction(SIGUSR1, {sa_handler=0x{hex}, sa_mask=[], sa_flags=SA_RESTART}, NULL, 8) = 0
kill({pid}, SIGUSR1) = 0
--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid={pid}, si_uid={fd}} ---
rt_sigreturn() = ?
syscall_0x3e7(0x1, 0x2, 0x3, {any}) = -1 ENOSYS (Function not implemented)
close(2) = 0
sched_yield() = 0
exit(0) = ?
+++ exited with 0 +++
exit_group(3) = ?
+++ exited with 3 +++
wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = {pid}
execve("/nowhere", ["nowhere", "one"], 0x{hex} /* {fd} vars */) = -1 ENOENT (No such file or directory)
--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x4} ---
+++ killed by SIGSEGV{any} +++
execve("/proc/self/exe", ["strace", "again"], 0x{hex} /* {fd} vars */) = ?
exit_group(42) = ?
+++ exited with 42 +++
'''
PARTS = {'{fd}': r'\d+', '{pid}': r'\d+', '{hex}': '[0-9a-f]+', '{any}': '.*'}


def pattern(line):
    parts = re.split('(' + '|'.join(re.escape(part) for part in PARTS) + ')', line)
    return re.compile(r'\d+  ' + ''.join(PARTS.get(part) or re.escape(part) for part in parts))


def main():
    split = sys.argv.index('--')
    program, command = os.path.abspath(sys.argv[1]), sys.argv[split + 1:]
    command[0] = os.path.abspath(command[0])
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(command + ['--strace', program], cwd=directory, text=True,
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=SECONDS,
                              check=False)
    lines = done.stderr.splitlines()
    at = 0
    for wanted in WANTED.strip().splitlines():
        found = next((i for i in range(at, len(lines)) if pattern(wanted).fullmatch(lines[i])), None)
        if found is None:
            print('\n'.join(lines))
            print(f'not there: {wanted}')
            return 1
        at = found + 1
    bad = [line for line in lines if not re.match(r'\d+  [a-z_0-9]+\(.* = |\d+  (---|\+\+\+|<\.\.\.) ', line)]
    print('\n'.join(['not a line of strace:'] + bad) if bad else f'{len(lines)} lines')
    return 1 if bad or done.returncode != 42 else 0


if __name__ == '__main__':
    sys.exit(main())
