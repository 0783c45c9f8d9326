#!/usr/bin/env python3
"""server: Debian arm64 with systemd on its own disk: DHCP, a fetch from this host, 256 MiB written,
checked after a reboot; 1, 2, 4 and 8 CPUs; shares; the power key."""
import functools
import hashlib
import http.server
import os
import threading

from harness import DISK, Machine, boot_debian, case, check, main, wait_login


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def serve(directory):
    """An HTTP server on a free port of localhost, for as long as the test lives."""
    handler = functools.partial(Quiet, directory=directory)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


@case
def systemd_and_cpus(directory):
    for count in (1, 2, 4, 8):
        machine = boot_debian('--cpus', str(count))
        check(machine.command('nproc').strip() == str(count), f'nproc is not {count}')
        state = machine.command('systemctl is-system-running --wait', 120, ok=False)
        check('running' in state, f'with {count} CPUs systemd says {state}: ' +
              machine.command('systemctl --failed --no-legend', ok=False))
        machine.type('poweroff\n')
        check(machine.wait(120) == 0, 'exit code')


@case
def network(directory):
    data = os.urandom(4 << 20)
    with open(os.path.join(directory, 'file'), 'wb') as f:
        f.write(data)
    port = serve(directory)
    machine = boot_debian('--cpus', '2', '--net', 'user')
    address = machine.command('for i in $(seq 50); do ip -4 -o addr show | grep 10.0.2. && break; '
                              'sleep 0.2; done')
    check('10.0.2.15/24' in address, 'no address by DHCP: ' + address)
    text = machine.command(f'curl -sS http://10.0.2.2:{port}/file | sha256sum', 120)
    check(hashlib.sha256(data).hexdigest() in text, 'the file came differently: ' + text)
    machine.type('poweroff\n')
    check(machine.wait(120) == 0, 'exit code')


@case
def disk_survives_reboot(directory):
    machine = boot_debian('--cpus', '2')
    machine.command('dd if=/dev/urandom of=/root/big bs=1M count=256 status=none', 300)
    before = machine.command('sha256sum /root/big', 120).split()[0]
    machine.command('sync', 120)
    start = len(machine.output)
    machine.type('reboot\n')
    machine.wait_for(r'reboot: Restarting system', 120, start)
    wait_login(machine)
    after = machine.command('sha256sum /root/big', 120).split()[0]
    check(before == after, 'the file is not what was written')
    machine.type('poweroff\n')
    check(machine.wait(120) == 0, 'exit code')


@case
def disk_outlives_the_machine(directory):
    """What was flushed is on the disk after SIGKILL of the whole process."""
    disk = os.path.join(directory, 'disk')
    with open(disk, 'wb') as f:
        f.truncate(64 << 20)
    machine = boot_debian('--disk', disk)
    machine.command('mkfs.ext4 -q /dev/vdb && mount /dev/vdb /mnt && head -c 8M /dev/urandom > '
                    '/mnt/data && sync', 120)
    before = machine.command('sha256sum < /mnt/data').split()[0]
    machine.process.kill()
    machine.wait(30)
    machine = boot_debian('--disk', disk + ',readonly')
    machine.command('mount -o ro,noload /dev/vdb /mnt')
    check(before == machine.command('sha256sum < /mnt/data').split()[0], 'flushed data is lost')
    machine.command('! dd if=/dev/zero of=/dev/vdb count=1 oflag=direct 2>/dev/null')
    machine.type('poweroff\n')
    check(machine.wait(120) == 0, 'exit code')


@case
def shares(directory):
    with open(os.path.join(directory, 'from-host'), 'w', encoding='utf-8') as f:
        f.write('hello from the host\n')
    machine = boot_debian('--share', directory + ',tag=host')
    machine.command('mount -t virtiofs host /mnt')
    check('hello from the host' in machine.command('cat /mnt/from-host'), 'reading')
    machine.command('echo hello from the guest > /mnt/from-guest; mkdir /mnt/d; umount /mnt')
    with open(os.path.join(directory, 'from-guest'), encoding='utf-8') as f:
        check(f.read() == 'hello from the guest\n', 'writing')
    check(os.path.isdir(os.path.join(directory, 'd')), 'making a directory')


@case
def snapshot_leaves_the_image_alone(directory):
    before = os.stat(DISK).st_mtime_ns
    machine = boot_debian()
    machine.command('head -c 16M /dev/urandom > /root/x; sync', 120)
    machine.type('poweroff\n')
    check(machine.wait(120) == 0, 'exit code')
    check(os.stat(DISK).st_mtime_ns == before, 'the image was written')


main()
