"""lab.py: a host with KVM where no machine has a real one, for kvm_lab.py and ovmf.py.

qemu emulates a host: an AMD one with SVM or, with KVM_LAB=arm64 in the environment, an Arm one with VHE; Bochs
(bochs.py) an Intel one with VMX and EPT for KVM_LAB=intel, and an AMD one for KVM_LAB=ryzen. KVM_LAB=nehalem is
a host without KVM, for nehalem.py. In it Debian's kernel
and its KVM run as they would on metal. The host is one initramfs: busybox, the modules, peng with the libraries it
needs, the files that a test adds, and a script that prints what each part of it did between marks. A host is
started once, for all cases. KVM_LAB_LOG names a file for all that it said.
"""
import os
import re
import shutil
import subprocess
from types import SimpleNamespace

import bochs
from harness import GUEST, PATIENCE, PENG, Failed

LIMIT_S = 420
UNIT_TEST = os.path.join(os.path.dirname(PENG), 'tests', 'unit', 'test-kvm')
SVM = ['arch/x86/kvm/kvm.ko', 'arch/x86/kvm/kvm-amd.ko', 'virt/lib/irqbypass.ko', 'drivers/crypto/ccp/ccp.ko']
VMX = ['arch/x86/kvm/kvm.ko', 'arch/x86/kvm/kvm-intel.ko', 'virt/lib/irqbypass.ko']
X86_64 = SimpleNamespace(
    name='x86_64', folder=os.path.join(GUEST, 'amd64'), console='ttyS0', append='',
    host=['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max,+svm'],
    modules=SVM, libraries='/', readelf='readelf', strip='strip', guests=['one', 'two', 'reset'],
    unit_test=UNIT_TEST, unit_passes=15,
    # qemu's VMRUN does not arm the guest's hardware breakpoints (seen with 7.2).
    emulation_lacks={'breakpoints_and_steps', 'watchpoints'},
    cpus='x86_64 CPU', engines=['x86_64 guests: kvm', 'arm64 guests: translator'])
# Where the guest's first instruction is not mapped yet, Bochs' VMX steps without running it.
INTEL = SimpleNamespace(**{**vars(X86_64), 'host': None, 'bochs': 'corei7_haswell_4770', 'modules': VMX,
                           'append': bochs.FASTER, 'guests': ['one'], 'unit_passes': 18, 'emulation_lacks': {'steps'}})
RYZEN = SimpleNamespace(**{**vars(INTEL), 'bochs': 'ryzen', 'modules': SVM})
ARM64 = SimpleNamespace(
    name='arm64', folder=GUEST, console='ttyAMA0', append='',
    host=['qemu-system-aarch64', '-accel', 'tcg', '-M', 'virt,gic-version=3,virtualization=on', '-smp', '2',
          '-cpu', 'max,pauth=off'], # pauth: qemu computes it in software
    modules=[], guests=X86_64.guests, # built into Debian's kernel
    libraries=os.path.join(GUEST, 'arm64-libs'), readelf='aarch64-linux-gnu-readelf',
    strip='aarch64-linux-gnu-strip', emulation_lacks=set(), unit_passes=2,
    unit_test=UNIT_TEST if os.path.exists(UNIT_TEST) else None, # `make cross` builds none
    cpus='Arm64 CPU', engines=['arm64 guests: kvm'])
NEHALEM = SimpleNamespace(**{**vars(X86_64), 'host': [*X86_64.host[:-1], 'Nehalem'], 'modules': [], 'unit_test': None})
LAB = {'nehalem': NEHALEM, 'x86_64': X86_64, 'arm64': ARM64, 'intel': INTEL, 'ryzen': RYZEN}[os.environ.get('KVM_LAB', 'x86_64')]

PROLOGUE = '''#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
modprobe kvm-intel 2>/dev/null || modprobe kvm-amd 2>/dev/null

part() { # NAME COMMAND...
    name=$1
    shift
    echo "<$name>"
    timeout 200 "$@" </dev/null 2>&1
    echo "exit=$?"
    echo "</$name>"
}
'''
EPILOGUE = '''
echo "lab: done"
poweroff -f
'''


def copy(root, path, to=None):
    target = os.path.join(root, (to or path).lstrip('/'))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy(path, target)


def find_library(name):
    for folder in ('lib', 'usr/lib', 'lib64'):
        for middle in ('', 'x86_64-linux-gnu', 'aarch64-linux-gnu'):
            path = os.path.join(LAB.libraries, folder, middle, name)
            if os.path.exists(path):
                return path
    raise Failed(f'{name}: not below {LAB.libraries}')


def copy_with_libraries(root, program):
    """And the dynamic linker; all to where the linker looks by itself."""
    text = subprocess.run([LAB.readelf, '-dlW', program], capture_output=True, text=True, check=True).stdout
    names = re.findall(r'\(NEEDED\).*\[(.*)\]', text)
    for linker in re.findall(r'program interpreter: (\S+)\]', text):
        copy(root, find_library(os.path.basename(linker)), linker)
    for name in names:
        if not os.path.exists(os.path.join(root, 'usr/lib', name)):
            path = find_library(name)
            copy(root, path, os.path.join('usr/lib', name))
            copy_with_libraries(root, path)


def copy_modules(root, release):
    """Those that KVM is made of, without symbols that only people read: the kernel looks through all of them for
    each function."""
    modules = f'lib/modules/{release}/kernel'
    for path in LAB.modules:
        source = os.path.join(LAB.folder, 'kernel', modules, path)
        if os.path.exists(source):
            target = os.path.join(root, modules, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            subprocess.run([LAB.strip, '--strip-unneeded', '-o', target, source], check=True)
    subprocess.run(['/sbin/depmod', '-b', root, release], check=True, stderr=subprocess.DEVNULL)


def pack_host(directory, script, files):
    """The host's initramfs; returns its path. `files`: by their paths in it."""
    root = os.path.join(directory, 'host')
    with open(os.path.join(LAB.folder, 'release'), encoding='utf-8') as f:
        release = f.read().strip()
    for name in ('dev', 'proc', 'sys', 'tmp', 'sbin', f'lib/modules/{release}'):
        os.makedirs(os.path.join(root, name))
    copy(root, os.path.join(LAB.folder, 'root/bin/busybox'), '/bin/busybox')
    os.symlink('busybox', os.path.join(root, 'bin/sh'))
    for name, program in (('peng', PENG), ('test-kvm', LAB.unit_test)):
        if program:
            copy_with_libraries(root, program)
            subprocess.run([LAB.strip, '-o', os.path.join(root, 'bin', name), program], check=True)
    copy_modules(root, release)
    for name, source in files.items():
        copy(root, source, name)
    init = os.path.join(root, 'init')
    with open(init, 'w', encoding='utf-8') as f:
        f.write(PROLOGUE + script.replace('CONSOLE', LAB.console).replace('FASTER', LAB.append) + EPILOGUE)
    os.chmod(init, 0o755)
    image = root + '.cpio'
    with open(image, 'wb') as out:
        names = subprocess.run(['find', '.'], cwd=root, capture_output=True, check=True).stdout
        subprocess.run(['cpio', '-o', '-H', 'newc', '-R', '0:0', '--quiet'], cwd=root, input=names,
                       stdout=out, check=True)
    return image


def kernel_file(name):
    return os.path.join(LAB.folder, name)


class Host:
    """A host that runs `script` at the first question about it."""

    def __init__(self, script, files):
        self.script, self.files, self.text = script, files, None

    def output(self, directory):
        """What it printed, without carriage returns."""
        if self.text is None:
            self.text = self.run(pack_host(directory, self.script, self.files(directory)))
        return self.text

    def run(self, image):
        if LAB.host:
            text = self.run_emulator(image)
        else:
            text = bochs.run(os.path.dirname(image), LAB.bochs, 1, kernel_file('Image'), image,
                             f'console={LAB.console} panic=-1', 2 * LIMIT_S * PATIENCE)
        text = text.decode('utf-8', 'replace').replace('\r', '')
        if 'KVM_LAB_LOG' in os.environ:
            with open(os.environ['KVM_LAB_LOG'], 'w', encoding='utf-8') as f:
                f.write(text)
        return text

    @staticmethod
    def run_emulator(image):
        # no_timer_check: a busy machine lets x86's emulated 8254 tick too late for the kernel's test.
        kernel, append = kernel_file('Image'), f'console={LAB.console} quiet panic=-1 no_timer_check'
        if 'KVM_LAB_HOST' in os.environ:
            command = [os.environ['KVM_LAB_HOST'], 'run', '--virtualization', 'on', '--cpus', '2', '--memory', '1536M',
                       '--net', 'none', '--kernel', kernel, '--initrd', image, '--append', append]
        else:
            command = [*LAB.host, '-m', '1536', '-nographic', '-nodefaults', '-serial', 'stdio',
                       '-no-reboot', '-kernel', kernel, '-initrd', image, '-append', append]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                                  timeout=LIMIT_S * PATIENCE)
            return done.stdout
        except subprocess.TimeoutExpired as late:
            return late.stdout or b''

    def part(self, directory, name):
        """What a part printed, and its exit code."""
        text = self.output(directory)
        match = re.search(f'(?s)<{name}>\n(.*?)exit=(\\d+)\n</{name}>', text)
        if not match:
            raise Failed(f'no part {name!r} in what the lab printed, which ends with:\n{text[-2500:]}')
        return match.group(1), int(match.group(2))
