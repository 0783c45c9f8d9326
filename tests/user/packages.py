#!/usr/bin/env python3
"""packages: a root file system made from nothing, by mmdebstrap with foreign maintainer scripts."""
import os
import shutil

from root import GUEST, ROOT, execute, expect
from harness import case, check, main


@case
def mmdebstrap(directory):
    made = os.path.join(ROOT, 'tmp', 'made')
    with open('/etc/os-release', encoding='utf-8') as lines:
        suite = dict(line.strip().split('=', 1) for line in lines if '=' in line)['VERSION_CODENAME']
    execute(['mmdebstrap', '--mode=root', '--arch=arm64', '--variant=minbase', '--include=perl,python3-minimal',
             '--skip=check/empty', '--aptopt=Acquire::Retries "3"', suite, made,
             os.path.join(GUEST, 'apt', 'etc', 'sources.list')],
            timeout_s=600, env={'TMPDIR': directory})
    expect(execute(['chroot', made, 'dpkg', '--audit']), r'\A\Z')
    expect(execute(['chroot', made, 'dpkg', '-l']), '^ii  apt ', '^ii  perl ', '^ii  python3-minimal ')
    expect(execute(['chroot', made, 'python3', '-c', 'import sys; print(sys.version)']), '^3.11')
    check(not os.path.exists(os.path.join(made, 'debootstrap')), 'unfinished')
    shutil.rmtree(made, ignore_errors=True)


main()
