#!/usr/bin/env python3
"""translation_speed.py VALGRIND TRANSLATION-SPEED PROGRAM TIER: how many host instructions it takes to
translate a guest instruction, counted by callgrind: no timing, so that a loaded machine gives the
same answer. Fails where it is more than the pinned number."""
import os
import re
import subprocess
import sys

# As counted with gcc 12 and -O2, and a tenth more for other compilers and their libraries.
HOST_INSTRUCTIONS_MAX = {'1': 1330, '2': 5300}

valgrind, *command = sys.argv[1:]
most = HOST_INSTRUCTIONS_MAX[command[-1]]
done = subprocess.run([valgrind, '--tool=callgrind', '--callgrind-out-file=' + os.environ.get('PENG_CALLGRIND_OUT', '/dev/null'),
                       '--toggle-collect=translate*', *command],
                      capture_output=True, text=True, timeout=250, check=False)
collected = re.search(r'Collected *: *(\d+)', done.stderr)
if done.returncode != 0 or not collected:
    sys.exit(done.stderr)
guest = int(done.stdout)
each = int(collected.group(1)) / guest
print(f'{each:.0f} host instructions to translate one, of {guest}; at most {most}')
sys.exit(each > most)
