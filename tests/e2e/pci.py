#!/usr/bin/env python3
"""pci: virtio over PCI as Debian's kernel and lspci see it, beside qemu's."""
import os
import re
import subprocess

from harness import INITRD, KERNEL, Machine, boot_debian, boot_initrd, case, check, main

PCI = ('--virtio-transport', 'pci')


def lspci(machine, directory, name):
    """`lspci -vv` of the guest's configuration spaces, by address: {'00:01.0': [line, ...]}."""
    text = machine.command("for d in /sys/bus/pci/devices/*; do echo ${d##*/}; hexdump -v -n 256 "
                           "-e '\"%02_ax:\" 16/1 \" %02x\" \"\\n\"' $d/config; done")
    path = os.path.join(directory, name)
    with open(path, 'w', encoding='ascii') as f:
        f.write(re.sub(r'(?m)^(0000:\S+)', r'\n\1 x', text))
    done = subprocess.run(['lspci', '-F', path, '-vv'], capture_output=True, text=True, check=True,
                          env={**os.environ, 'PATH': '/usr/bin:/bin:/usr/sbin:/sbin'})
    return {part.split()[0]: part.splitlines() for part in done.stdout.split('\n\n') if part}


def essence(lines):
    """What a driver goes by, without what each implementation may choose: places, sizes, order."""
    kept = [lines[0]]
    for line in lines[1:]:
        line = line.strip()
        if line.startswith(('Control:', 'Status:', 'Latency:')):
            kept.append(line)
        elif line.startswith('Interrupt: pin'):
            kept.append(line.split(' routed')[0])
        elif 'RNG' in lines[0] and 'DeviceCfg' in line:
            pass  # an entropy device has no configuration; qemu shows an empty one
        elif line.startswith('Capabilities:'):
            kept.append(re.sub(r'\[\w+\] ', '', line))
        elif 'multiplier' in line:
            kept.append(line.split()[-1])
    return sorted(kept)


@case
def lspci_as_qemu(directory):
    """The same four devices in the same slots, in use by the same kernel."""
    disk = os.path.join(directory, 'disk')
    with open(disk, 'wb') as f:
        f.truncate(1 << 20)
    machine = boot_initrd(*PCI, '--disk', disk)
    ours = lspci(machine, directory, 'ours')
    machine.kill()
    qemu = Machine(
        '-M', 'virt,gic-version=3', '-cpu', 'cortex-a72', '-m', '512', '-nographic', '-kernel',
        KERNEL, '-initrd', INITRD, '-append', 'console=ttyAMA0 quiet',
        '-drive', f'file={disk},format=raw,if=none,id=d', '-netdev', 'user,id=n',
        '-device', 'virtio-blk-pci,disable-legacy=on,drive=d,packed=off',
        '-device', 'virtio-net-pci,disable-legacy=on,netdev=n,romfile=,vectors=3',
        '-device', 'virtio-rng-pci,disable-legacy=on', program=('qemu-system-aarch64',))
    qemu.wait_for(r"'exit' or 'poweroff -f' powers", 200)
    qemu.wait_for(r'[#$] $', 20)
    theirs = lspci(qemu, directory, 'theirs')
    check(set(theirs) == {'00:00.0', '00:01.0', '00:02.0', '00:03.0'}, f'{sorted(theirs)}')
    for slot, lines in theirs.items():
        check(essence(ours[slot]) == essence(lines), '\n'.join(
            [slot, *essence(ours[slot]), 'and in qemu:', *essence(lines)]))


@case
def share_and_console(directory):
    with open(os.path.join(directory, 'file'), 'wb') as f:
        f.write(os.urandom(100000))
    digest = subprocess.run(['md5sum', f.name], capture_output=True, text=True, check=True).stdout
    machine = Machine('--kernel', KERNEL, '--initrd', INITRD, '--memory', '512M', '--cpus', '2', *PCI,
                      '--console', 'stdio,device=virtio', '--share', directory + ',tag=host',
                      '--append', 'console=hvc0 quiet')
    machine.wait_for(r"'exit' or 'poweroff -f' powers", 120)
    machine.wait_for(r'# $', 20)
    machine.command('modprobe virtiofs; mount -t virtiofs host /mnt')
    check(digest.split()[0] in machine.command('md5sum /mnt/file'), 'another digest')
    machine.type('poweroff -f\n')
    check(machine.wait(60) == 0, 'exit code')


@case
def debian(directory):
    """A server on two CPUs: its disk under load by fsync, its network, and its reset."""
    machine = boot_debian(*PCI, '--cpus', '2')
    for _ in range(2):
        machine.command('dd if=/dev/urandom of=/root/a bs=1M count=64 conv=fsync; '
                        'for i in 1 2 3 4; do cp /root/a /root/$i & done; wait; sync; '
                        'echo 3 > /proc/sys/vm/drop_caches; for i in 1 2 3 4; do '
                        'cmp /root/a /root/$i || exit 1; done', 300)
        machine.command('ping -c 3 10.0.2.2')
        check('ITS-MSI' in machine.command('grep virtio0-req /proc/interrupts'), 'no MSI-X')
        start = len(machine.output)
        machine.type('reboot\n')
        machine.wait_for(r'peng login: root \(automatic login\)', 300, start)
        machine.wait_for(r'# $', 60, start)
    machine.type('poweroff\n')
    check(machine.wait(120) == 0, 'exit code')


main()
