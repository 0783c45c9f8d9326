#!/usr/bin/env python3
"""boot: the stock kernel and initramfs: one and several CPUs, self-check, reset, exit codes, signals,
the terminal."""
import os
import pty
import signal
import subprocess
import termios
import time

from harness import INITRD, KERNEL, PATIENCE, PENG, Failed, Machine, boot_initrd, case, check, main


def make_disk(directory, mib=64):
    disk = os.path.join(directory, 'disk.img')
    with open(disk, 'wb') as f:
        f.truncate(mib << 20)
    subprocess.run(['/sbin/mkfs.ext4', '-q', '-F', disk], check=True)
    return disk


@case
def batch(directory):
    """What `make run` without a terminal does: exit code 0, the guest's word alone on stdout."""
    machine = Machine('--kernel', KERNEL, '--initrd', INITRD, '--memory', '512M', '--disk',
                      make_disk(directory), '--append', 'console=ttyAMA0 peng.batch panic=-1')
    check(machine.wait(120) == 0, 'exit code')
    for text in ('aarch64 GNU/Linux', 'check: network', 'check: disk wrote', 'check: ok',
                 'reboot: Power down'):
        check(text in machine.output, f'no {text!r} on the console:\n{machine.output[-1500:]}')
    check(machine.errors() == '', 'stderr: ' + machine.errors())


@case
def cpus(directory):
    for count in (2, 4):
        machine = boot_initrd('--cpus', str(count))
        check(machine.command('nproc').strip() == str(count), f'nproc is not {count}')
        machine.type('poweroff -f\n')
        check(machine.wait(60) == 0, 'exit code')


@case
def hypervisor_host(directory):
    """A kernel that is started at EL2 stays there, with KVM (tests/e2e/kvm_lab.py runs guests on it)."""
    machine = Machine('--kernel', KERNEL, '--initrd', INITRD, '--virtualization', 'on', '--cpus', '2', '--append',
                      'console=ttyAMA0 peng.batch panic=-1')
    check(machine.wait(120) == 0, 'exit code')
    for text in ('CPU: All CPU(s) started at EL2', 'VHE mode initialized successfully', 'vgic interrupt', 'check: ok'):
        check(text in machine.output, f'no {text!r} on the console:\n{machine.output[-1500:]}')
    check(machine.errors() == '', 'stderr: ' + machine.errors())


@case
def reboot(directory):
    """A reset starts the same machine again, with the disk as the guest left it."""
    machine = boot_initrd('--disk', make_disk(directory))
    machine.command('echo kept > /mnt/note; sync; umount /mnt')
    start = len(machine.output)
    machine.type('reboot -f\n')
    machine.wait_for(r"'exit' or 'poweroff -f' powers", 120, start)
    machine.wait_for(r'# $', 20, start)
    check('kept' in machine.command('cat /mnt/note'), 'the note is gone')
    machine.type('poweroff -f\n')
    check(machine.wait(60) == 0, 'exit code')


@case
def panic_resets(directory):
    machine = boot_initrd(append='panic=-1')
    start = len(machine.output)
    machine.type('echo c > /proc/sysrq-trigger\n')
    machine.wait_for(r'Kernel panic', 30, start)
    machine.wait_for(r"'exit' or 'poweroff -f' powers", 120, start)
    machine.type('poweroff -f\n')
    check(machine.wait(60) == 0, 'exit code')


@case
def console_file(directory):
    path = os.path.join(directory, 'console')
    machine = Machine('--kernel', KERNEL, '--initrd', INITRD, '--console', path, '--append',
                      'console=ttyAMA0 quiet peng.batch')
    check(machine.wait(120) == 0, 'exit code')
    check(machine.output == '', 'something on stdout')
    with open(path, encoding='utf-8', errors='replace') as f:
        check('check: ok' in f.read(), 'the console file')


@case
def virtio_console(directory):
    """A shell on hvc0, both ways; the UART is there and says nothing."""
    machine = Machine('--kernel', KERNEL, '--initrd', INITRD, '--memory', '512M', '--console',
                      'stdio,device=virtio', '--append', 'console=hvc0 quiet')
    machine.wait_for(r"'exit' or 'poweroff -f' powers", 120)
    machine.wait_for(r'# $', 20)
    check('hvc0' in machine.command('tty; cat /sys/class/tty/console/active'), 'not on hvc0')
    machine.command('[ -c /dev/ttyAMA0 ] && echo unseen-by-anybody > /dev/ttyAMA0')
    machine.type('poweroff -f\n')
    check(machine.wait(60) == 0, 'exit code')
    check(machine.output.count('unseen-by-anybody') <= 1, 'the UART has a back end')


@case
def virtio_pci(directory):
    """The same machine on a PCI bus: MSI-X by the ITS with 1 and 2 CPUs, wires without it, over a reset."""
    for cpus, append, controller in (1, '', 'ITS-MSI'), (2, '', 'ITS-MSI'), (2, 'pci=nomsi', 'GICv3'):
        machine = boot_initrd('--virtio-transport', 'pci', '--cpus', str(cpus), '--disk',
                              make_disk(directory), append=append)
        for _ in range(2):
            devices = machine.command('cat /sys/bus/pci/devices/*/device').split()
            check(devices == ['0x0008', '0x1042', '0x1041', '0x1044', '0x1045'], f'devices: {devices}')
            machine.command('dd if=/dev/zero of=/mnt/file bs=1M count=8; sync; echo 3 > '
                            '/proc/sys/vm/drop_caches; cmp -n 8388608 /mnt/file /dev/zero')
            machine.command('ping -c 1 10.0.2.2')
            lines = [line for line in machine.command('cat /proc/interrupts').splitlines()
                     if 'virtio' in line]
            check(lines and all(controller in line for line in lines), '\n'.join(lines))
            start = len(machine.output)
            machine.type('reboot -f\n')
            machine.wait_for(r"'exit' or 'poweroff -f' powers", 120, start)
            machine.wait_for(r'# $', 20, start)
        # a device goes and comes back, with its BAR and vectors
        machine.command('echo 1 > /sys/bus/pci/devices/0000:00:02.0/remove; '
                        'echo 1 > /sys/bus/pci/rescan; sleep 1; [ -d /sys/class/net/eth0 ]')
        machine.type('poweroff -f\n')
        check(machine.wait(60) == 0, 'exit code')


@case
def signals(directory):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        machine = boot_initrd('--cpus', '2')
        machine.process.send_signal(number)
        check(machine.wait(30) == 128 + number, 'exit code')


def tty_machine(ready):
    """peng on a pseudo terminal, up to `ready` on it; returns master, slave, process and old mode."""
    master, slave = pty.openpty()
    mode = termios.tcgetattr(slave)
    process = subprocess.Popen([PENG, 'run', '--kernel', KERNEL, '--initrd', INITRD, '--append',
                                'console=ttyAMA0 quiet'], stdin=slave, stdout=slave,
                               stderr=subprocess.PIPE)
    text = b''
    deadline = time.time() + 120 * PATIENCE
    while ready not in text:
        os.set_blocking(master, False)
        try:
            text += os.read(master, 4096)
        except BlockingIOError:
            time.sleep(0.05)
        if time.time() > deadline:
            process.kill()
            raise Failed('no shell on the terminal: ' + text.decode(errors='replace')[-500:])
    return master, slave, process, mode


@case
def terminal_is_restored(directory):
    """By the escape key, by signals, by a crash of ours, and at power-off."""
    def escape(master, process):
        os.write(master, b'\x1dq')
    endings = {
        'escape': (escape, 0),
        'power-off': (lambda master, process: os.write(master, b'poweroff -f\n'), 0),
        'SIGTERM': (lambda master, process: process.send_signal(signal.SIGTERM), 128 + 15),
        'crash': (lambda master, process: process.send_signal(signal.SIGSEGV), -11),
    }
    for name, (end, code) in endings.items():
        master, slave, process, mode = tty_machine(b'# ')
        try:
            check(termios.tcgetattr(slave) != mode, f'{name}: not in raw mode')
            end(master, process)
            os.set_blocking(master, False)
            deadline = time.time() + 30 * PATIENCE
            while process.poll() is None and time.time() < deadline:
                try:
                    os.read(master, 4096)
                except BlockingIOError:
                    time.sleep(0.02)
            check(process.poll() == code, f'{name}: exit code {process.poll()}, not {code}')
            check(termios.tcgetattr(slave) == mode, f'{name}: the terminal is not as it was')
            check(b'Ctrl-]' in process.stderr.read(), f'{name}: the escape key was not told')
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
            os.close(master)
            os.close(slave)


main()
