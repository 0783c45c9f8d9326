#!/usr/bin/env python3
"""stress: stress-ng's stressors that check their own results, and OpenSSL's speed runs."""
import concurrent.futures

from root import expect, guest, shell
from harness import case, check, main

CLASSES = {
    'cpu': 'cpu matrix vecmath vecfp vecwide funccall bsearch qsort hsearch hash crypt prime trig regex str '
           'wcs zlib fp bitops',
    'memory': 'malloc mmap mremap memcpy brk madvise mprotect shm shm-sysv memfd mincore vm bigheap stack '
              'remap userfaultfd msync mlock tree radixsort mergesort heapsort',
    'threads': 'pthread futex mutex atomic lockbus membarrier sem sem-sysv yield rseq peterson dekker',
    'processes': 'fork vfork clone exec spawn wait daemon kill exit-group nice schedpolicy procfs',
    'signals': 'signal sigrt sigq sigsegv sigfpe sigtrap sigsuspend sigpipe sigchld sigio sigabrt timer '
               'itimer timerfd alarm sigaltstack',
    'files': 'dentry dir rename link symlink open file-ioctl fstat getdent chmod chown utime xattr seek '
             'copy-file fallocate flock lockf inotify fanotify io aio readahead sendfile splice tee vm-splice',
    'net': 'sock sockpair socket udp pipe eventfd epoll poll msg mq dccp sockabuse',
}

NOT_ROOT = ('exec', 'spawn')
NOBODY = 65534


@case
def stressors(directory):
    """Each alone for a moment; one that this kernel or these rights do not allow skips itself."""
    known = guest('stress-ng', '--stressors').split()
    names = [name for names in CLASSES.values() for name in names.split() if name in known]

    def run(name):
        return guest('stress-ng', '--verify', '--' + name, '2', '--timeout', '1', '--oomable', '--temp-path', '/tmp',
                     timeout_s=90, ok=False, user=NOBODY if name in NOT_ROOT else None)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        texts = dict(zip(names, pool.map(run, names)))
    print('not run here:', *[name for name, text in texts.items() if 'skipp' in text])
    failed = [f'{name}: {text[-700:]}' for name, text in texts.items()
              if 'successful run completed' not in text and 'skipp' not in text]
    check(not failed, '\n'.join(failed))


@case
def openssl_speed(directory):
    for name in ('sha256', 'aes-128-gcm', 'chacha20-poly1305', 'rsa2048', 'ecdsap256', 'ed25519', 'ghash'):
        expect(shell(f'openssl speed -seconds 1 -evp {name} 2>&1 || openssl speed -seconds 1 {name}', ok=False,
                     timeout_s=90), 'Doing')


main()
