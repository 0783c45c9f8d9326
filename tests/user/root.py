"""root: guest/user-root, the Debian arm64 root file system, and programs run in it.

Importing it moves the test into namespaces of its own: mounts, processes (all end with the test) and,
where the kernel keeps binfmt_misc a user namespace (6.7 and later), the handlers of programs too;
elsewhere peng-arm64 is registered on the host until the test ends. The root is the lower layer of an
overlay, so nothing that a test does stays in it.
"""
import atexit
import ctypes
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'e2e'))
from harness import GUEST, PATIENCE, PENG, TOP, Failed, check  # noqa: E402

PENG_ARM64 = os.environ.get('PENG_ARM64', os.path.join(os.path.dirname(PENG), 'peng-arm64'))
LOWER = os.environ.get('PENG_USER_ROOT', os.path.join(GUEST, 'user-root'))
PROGRAMS = os.path.join(TOP, 'tests', 'user', 'guest')
SOURCES = os.path.join(GUEST, 'user-sources')
QEMU = shutil.which('qemu-aarch64-static')
SKIP = 77  # the exit code that meson takes for "skipped"
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x10000000, 0x20000000
PR_SET_PDEATHSIG = 1
ENVIRONMENT = {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root',
               'LANG': 'C.UTF-8', 'TERM': 'dumb', 'DEBIAN_FRONTEND': 'noninteractive'}
libc = ctypes.CDLL(None, use_errno=True)


def own_handlers():
    """Whether a user namespace has a binfmt_misc of its own."""
    release = re.match(r'(\d+)\.(\d+)', os.uname().release)
    return tuple(map(int, release.groups())) >= (6, 7)


def fork_and_wait():
    """The child goes on, and dies with the parent; the parent leaves with the child's exit code."""
    child = os.fork()
    if child == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        return
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xff)


def wait_for_host():
    """The handlers of the host's kernel are one test's at a time; the lock ends with its last process."""
    lock = os.open(os.path.join(GUEST, 'user-test.lock'), os.O_RDWR | os.O_CREAT)  # not for what it starts
    fcntl.flock(lock, fcntl.LOCK_EX)


def enter_namespaces():
    if not own_handlers():
        wait_for_host()
    flags = CLONE_NEWNS | CLONE_NEWPID | (CLONE_NEWUSER if own_handlers() else 0)
    waiting, mapped = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if libc.unshare(flags):
            sys.exit('unshare: ' + os.strerror(ctypes.get_errno()))
        os.write(waiting[1], b'x')
        os.read(mapped[0], 1)
        os.setgid(0)
        os.setuid(0)
        fork_and_wait()  # only children are in the new process namespace
        return
    os.close(waiting[1])
    if os.read(waiting[0], 1) and flags & CLONE_NEWUSER:
        for name in ('uid_map', 'gid_map'):
            with open(f'/proc/{child}/{name}', 'w', encoding='ascii') as out:
                out.write('0 0 65536\n')
    os.write(mapped[1], b'x')
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xff
    shutil.rmtree(WORK, ignore_errors=True)
    os._exit(code)


def mount(*args):
    subprocess.run(['mount', *args], check=True)


def register(binary):
    """Has the kernel give arm64 programs to `binary` from now on."""
    subprocess.run([PENG, 'binfmt', 'install', '--temporary', '--replace', '--binary', binary], check=True)


def mount_root(lower, where):
    """`lower` with a layer of its own on top, and the kernel's file systems in it."""
    for name in (where + '.upper', where + '.work', where):
        os.mkdir(name)
    mount('-t', 'overlay', 'overlay', '-o', f'lowerdir={lower},upperdir={where}.upper,workdir={where}.work' +
          (',userxattr' if own_handlers() else ''), where)
    for name in ('proc', 'sys', 'dev'):
        mount('--rbind', '/' + name, os.path.join(where, name))
    # The nodes are the host's own: no test may change their modes.
    mount('-o', 'remount,bind,ro', os.path.join(where, 'dev'))


def prepare():
    mount('--make-rprivate', '/')
    mount('-t', 'proc', 'proc', '/proc')
    if own_handlers():
        mount('-t', 'binfmt_misc', 'binfmt_misc', '/proc/sys/fs/binfmt_misc')
        mount('-t', 'tmpfs', 'tmpfs', '/run')
    else:
        atexit.register(subprocess.run, [PENG, 'binfmt', 'remove'], check=False)
    register(PENG_ARM64)
    mount_root(LOWER, ROOT)
    shutil.copytree(PROGRAMS, os.path.join(ROOT, 'tests'))
    shutil.copy(QEMU, os.path.join(ROOT, 'tests', 'qemu-aarch64'))


def execute(command, timeout_s=60, ok=True, text_in=None, env=None, cwd=None):
    """Runs a command; its output, standard error mixed in. `ok`: it must succeed."""
    start = time.time()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors='replace', cwd=cwd,
                               env={**ENVIRONMENT, **(env or {})}, start_new_session=True)
    shown = ' '.join(command)[-300:]
    try:
        output, _ = process.communicate(text_in, timeout_s * PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        raise Failed(f'{shown}: still running after {timeout_s * PATIENCE:.0f} s; output ends with:\n'
                     + output[-1500:]) from None
    check(not ok or process.returncode == 0,
          f'{shown}: exit code {process.returncode} after {time.time() - start:.1f} s:\n'
          + output[-3000:])
    return output


def guest(*command, user=None, **how):
    """In the root, started by the kernel through binfmt_misc. `user`: a numeric id instead of root."""
    chroot = ['chroot'] + ([f'--userspec={user}:{user}'] if user else []) + [ROOT]
    return execute([*chroot, *command], **how)


def shell(script, **how):
    return guest('bash', '-ec', script, **how)


def direct(*command, **how):
    """peng-arm64 by name, with the root as -L; the program is found in the root."""
    return execute([PENG_ARM64, '-L', ROOT, ROOT + command[0], *command[1:]], **how)


def qemu(*command, **how):
    """The same first program in qemu's hands (what it executes in turn is in peng-arm64's)."""
    return guest('/tests/qemu-aarch64', *command, **how)


def interpreted(*command, **how):
    return guest(*command, env={**how.pop('env', {}), 'PENG_ENGINE': 'interpreter'}, **how)


def expect(text, *needles):
    """Every needle, a regular expression, occurs in the text, in this order."""
    at = 0
    for needle in needles:
        match = re.compile(needle, re.M).search(text, at)
        check(match, f'no {needle!r} in the output from here on:\n' + text[at:][-3000:])
        at = match.end()
    return text


def same(first, second, what):
    check(first == second, f'{what} differ:\n{first[-1500:]}\n--- and ---\n{second[-1500:]}')


if os.geteuid() != 0:
    print('needs root: a root file system is mounted')
    sys.exit(SKIP)
if not os.path.exists(LOWER + '/usr/bin/bash'):
    sys.exit(f'{LOWER}: not there (make user-root)')
WORK = tempfile.mkdtemp(prefix='user-test.', dir=GUEST if os.path.isdir(GUEST) else None)
ROOT = os.path.join(WORK, 'root')
enter_namespaces()
prepare()
