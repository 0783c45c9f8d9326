"""harness: start machines, talk to their consoles, count cases.

A test file lists its cases with @case and ends with main(). Each case gets a fresh temporary directory
and kills what it started, whatever happens. The last line printed is "N passed, N failed".
"""
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PENG = os.environ.get('PENG', os.path.join(TOP, 'build', 'peng'))
GUEST = os.path.join(TOP, 'guest')
KERNEL = os.path.join(GUEST, 'Image')
INITRD = os.path.join(GUEST, 'initrd.gz')
DISK = os.path.join(GUEST, 'debian.img')
# Interpreted or sanitized runs need more patience than the limits written in the tests.
PATIENCE = float(os.environ.get('PENG_TEST_PATIENCE', '1'))

cases = []
running = []


class Failed(Exception):
    """What a case found wrong, in a line."""


def check(condition, message):
    if not condition:
        raise Failed(message)


def case(function):
    cases.append(function)
    return function


class Machine:
    """A running `peng run`, or another emulator, whose console is read and typed on."""

    unfinished = ''

    def __init__(self, *args, env=None, program=(PENG, 'run')):
        self.output = ''
        self.stderr = tempfile.TemporaryFile(mode='w+')
        self.process = subprocess.Popen(
            [*program, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr,
            env={**os.environ, **(env or {})})
        running.append(self)

    def _read(self, deadline):
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.time()))
        if not ready:
            return False
        data = os.read(self.process.stdout.fileno(), 65536)
        text = self.unfinished + data.decode('utf-8', 'replace').replace('\r', '')
        # Colours and the like are of no interest; one may be cut in two by the read's end.
        text, self.unfinished = re.match(r'(.*?)(\x1b[^a-zA-Z]{0,20})?\Z', text, re.S).groups('')
        self.output += re.sub(r'\x1b\[[0-9;?]*[a-zA-Z]', '', text)
        return bool(data)

    def wait_for(self, pattern, timeout_s, start=0):
        """Reads until `pattern` is in the output from `start` on; returns the match."""
        deadline = time.time() + timeout_s * PATIENCE
        while True:
            match = re.compile(pattern).search(self.output, start)
            if match:
                return match
            if not self._read(deadline):
                raise Failed(f'no {pattern!r} within {timeout_s * PATIENCE:.0f} s; console ends with:\n'
                             + self.output[-1500:] + '\nstderr: ' + self.errors()[-500:])

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def command(self, line, timeout_s=60, ok=True):
        """Runs a shell command in the guest; returns its output. The prompt must be there."""
        start = len(self.output)
        self.type(f'echo "be""gin="; {line}; echo "st""atus=$?="\n')
        match = self.wait_for(r'(?s)begin=\n(.*)status=(\d+)=\n', timeout_s, start)
        self.wait_for(r'[#$] $', 20, match.end())
        text, code = match.groups()
        check(not ok or code == '0', f'{line}: exit code {code}:\n{text}')
        return text

    def wait(self, timeout_s):
        """Waits for the process' end; returns its exit code."""
        deadline = time.time() + timeout_s * PATIENCE
        while self._read(deadline):
            pass
        try:
            return self.process.wait(max(1, deadline - time.time()))
        except subprocess.TimeoutExpired:
            raise Failed('the machine did not end; console ends with:\n' +
                         self.output[-1500:]) from None

    def errors(self):
        self.stderr.seek(0)
        return self.stderr.read()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.stderr.close()


def boot_initrd(*args, append='', memory='512M'):
    """The stock kernel with the packed initramfs, up to its shell."""
    machine = Machine('--kernel', KERNEL, '--initrd', INITRD, '--memory', memory, '--append',
                      'console=ttyAMA0 quiet ' + append, *args)
    machine.wait_for(r"'exit' or 'poweroff -f' powers", 120)
    machine.wait_for(r'[#$] $', 20)
    return machine


def boot_debian(*args, append='', memory='1G', disk=DISK + ',snapshot'):
    """Debian with systemd, its own kernel and initrd, up to root's shell."""
    machine = Machine('--kernel', os.path.join(GUEST, 'debian-Image'), '--initrd',
                      os.path.join(GUEST, 'debian-initrd'), '--memory', memory, '--disk', disk,
                      '--append', 'console=ttyAMA0 quiet root=LABEL=peng-root ' + append, *args)
    wait_login(machine)
    return machine


def wait_login(machine, timeout_s=300):
    start = len(machine.output)
    machine.wait_for(r'peng login: root \(automatic login\)', timeout_s, start)
    machine.wait_for(r'# $', 60, start)


def programs_disk(directory):
    """The C programs of tests/e2e/guest, built for the guest, as an ext4 image labelled peng-test."""
    source = os.path.join(TOP, 'tests', 'e2e', 'guest')
    root = os.path.join(directory, 'programs')
    os.mkdir(root)
    for name in os.listdir(source):
        # Load and store exclusive stay what they are: no outlined atomics.
        subprocess.run(['aarch64-linux-gnu-gcc', '-std=gnu17', '-O2', '-mno-outline-atomics',
                        '-static', '-pthread', '-o', os.path.join(root, name.removesuffix('.c')),
                        os.path.join(source, name)], check=True)
    image = root + '.img'
    subprocess.run(['/sbin/mke2fs', '-q', '-t', 'ext4', '-L', 'peng-test', '-d', root, image, '16M'],
                   check=True, stdout=subprocess.DEVNULL)
    return image


def main():
    """Runs the cases named on the command line, or all."""
    wanted = sys.argv[1:]
    if not os.access(PENG, os.X_OK):
        sys.exit(f'{PENG}: not built')
    passed = failed = 0
    for function in cases:
        if wanted and function.__name__ not in wanted:
            continue
        directory = tempfile.mkdtemp(prefix='peng-e2e-')
        start = time.time()
        try:
            function(directory)
            passed += 1
            verdict = 'ok'
        except Failed as error:
            failed += 1
            verdict = f'FAILED: {error}'
        except Exception:  # a broken test is a failed one
            failed += 1
            verdict = 'FAILED: ' + traceback.format_exc()
        finally:
            while running:
                running.pop().kill()
            shutil.rmtree(directory, ignore_errors=True)
        print(f'{function.__name__} ({time.time() - start:.1f} s): {verdict}', flush=True)
    print(f'{passed} passed, {failed} failed', flush=True)
    sys.exit(1 if failed or not passed else 0)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
