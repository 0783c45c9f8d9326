"""bochs: a PC that Bochs emulates, with Intel's VMX and EPT or AMD's SVM, for lab.py.

No boot loader: a ROM of our own (guest_x86/bochs.S) reads boot parameters, kernel and initramfs from the one disk,
which is made here. What the kernel says goes by its serial port to a file. Bochs ends when the kernel switches off.

The emulated clock counts instructions: IPS of them are a second, whatever the host's clock says meanwhile. So
nothing times out on a busy machine. A character takes the serial port IPS / 11520 instructions, so that a guest
had better be quiet.
"""
import os
import struct
import subprocess

from harness import TOP, Failed

BOCHS = '/usr/bin/bochs-bin'
IPS = 110_000_000
MEMORY_MIB = 512
PARAMETERS, KERNEL, TABLES = 0xf00000, 0x1000000, 0x10000  # bochs.S has the first two; Bochs' ACPI tables end RAM
ROM_PARTS, ROM_CHECKSUM = 480, 504  # in the last part, where an address is of no meaning
SECTORS_OF_CYLINDER = 16 * 63

# Of what Linux does before init, half is for things that no test here looks at: type information, the tracer's list
# of events, self-tests of ciphers, certificates.
FASTER = ('quiet nokaslr no_timer_check mitigations=off audit=0 init_on_alloc=0 cryptomgr.notests '
          'initcall_blacklist=btf_vmlinux_init,cubictcp_register,init_kprobe_trace,load_system_certificate_list')

# `c` is for the debugger that Debian's Bochs has, which else waits for commands.
CONFIGURATION = '''cpu: model={cpu}, count={cpus}, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs=1
megs: {memory}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
optromimage1: file={folder}/rom, address=0xd0000
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, mode=flat, path={folder}/disk
ata1: enabled=0
boot: disk
floppya: type=none
clock: sync=none, time0=utc
com1: enabled=1, mode=file, dev={folder}/serial
display_library: term
speaker: enabled=0, mode=none
sound: driver=dummy
log: {folder}/log
panic: action=fatal
error: action=ignore
'''


def boot_parameters(kernel, append, initrd_at, initrd_bytes):
    """Linux's struct boot_params with the command line behind it (Documentation/x86/boot.rst, zero-page.rst)."""
    page = bytearray(8192)
    header_end = 0x202 + kernel[0x201]
    page[0x1f1:header_end] = kernel[0x1f1:header_end]
    page[0x210] = 0xff  # a boot loader without a number
    struct.pack_into('<II', page, 0x218, initrd_at, initrd_bytes)
    struct.pack_into('<I', page, 0x228, PARAMETERS + 4096)
    end = MEMORY_MIB << 20
    ram, reserved, acpi = 1, 2, 3
    e820 = [(0, 0x9f000, ram), (0x9f000, 0x100000, reserved), (0x100000, end - TABLES, ram), (end - TABLES, end, acpi),
            (0xfec00000, 1 << 32, reserved)]
    page[0x1e8] = len(e820)
    for i, (start, stop, kind) in enumerate(e820):
        struct.pack_into('<QQI', page, 0x2d0 + 20 * i, start, stop - start, kind)
    page[4096:4096 + len(append)] = append.encode()
    return bytes(page)


def make_disk(folder, kernel, initrd, append):
    """The ROM and the disk that it reads."""
    kernel_at = (kernel[0x1f1] + 1) * 512
    initrd_at = ((MEMORY_MIB << 20) - TABLES - len(initrd)) & ~4095
    parts = [(PARAMETERS, boot_parameters(kernel, append, initrd_at, len(initrd))), (KERNEL, kernel[kernel_at:]),
             (initrd_at, initrd)]
    path = os.path.join(folder, 'rom')
    subprocess.run(['gcc', '-static', '-nostdlib', '-Wl,-Ttext=0,-e,0,--oformat=binary,--build-id=none', '-o', path,
                    os.path.join(TOP, 'tests/e2e/guest_x86/bochs.S')], check=True)
    with open(path, 'rb') as f:
        rom = bytearray(f.read())
    with open(os.path.join(folder, 'disk'), 'wb') as disk:
        for i, (address, data) in enumerate(parts):
            disk.write(data + bytes(-len(data) % 512))
            struct.pack_into('<II', rom, ROM_PARTS + 8 * i, address, (len(data) + 511) // 512)
        disk.write(bytes(-disk.tell() % (SECTORS_OF_CYLINDER * 512)))
    rom[ROM_CHECKSUM] = -sum(rom) & 0xff
    with open(path, 'wb') as f:
        f.write(rom)


def run(directory, cpu, cpus, kernel, initrd, append, limit_s):
    """Boots until the machine is switched off. Returns what it wrote to its serial port."""
    folder = os.path.join(directory, 'bochs')
    os.mkdir(folder)
    files = []
    for path in kernel, initrd:
        with open(path, 'rb') as f:
            files.append(f.read())
    make_disk(folder, *files, f'{FASTER} tsc=reliable lpj={IPS // 250} {append}')
    configuration = os.path.join(folder, 'bochsrc')
    with open(configuration, 'w', encoding='utf-8') as f:
        f.write(CONFIGURATION.format(cpu=cpu, cpus=cpus, ips=IPS, memory=MEMORY_MIB, folder=folder))
    commands = os.path.join(folder, 'commands')
    with open(commands, 'w', encoding='utf-8') as f:
        f.write('c\n')
    with open(os.path.join(folder, 'screen'), 'wb') as screen:
        try:
            subprocess.run([BOCHS, '-q', '-f', configuration, '-rc', commands], stdin=subprocess.DEVNULL, stdout=screen,
                           stderr=screen, check=False, timeout=limit_s, env={**os.environ, 'TERM': 'xterm'})
        except subprocess.TimeoutExpired:
            pass
    with open(os.path.join(folder, 'log'), encoding='utf-8', errors='replace') as f:
        panics = [line for line in f if '>>PANIC<<' in line and 'soft power off' not in line]
    if panics:
        raise Failed('Bochs: ' + ''.join(panics))
    with open(os.path.join(folder, 'serial'), 'rb') as f:
        return f.read()
