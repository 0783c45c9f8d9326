"""What a Python program does, in small: prints the same on every machine."""
import collections
import decimal
import hashlib
import json
import math
import os
import re
import signal
import struct
import subprocess
import tempfile
import threading
import zlib

print('float', math.sin(1e10), 2 ** 0.5, 1e308 * 10, math.gamma(5.5), round(2.675, 2), -7 // 2, 7.5 % -2)
print('int', 3 ** 200 % (10 ** 9 + 7), math.factorial(60), hash(2 ** 61), (-5) >> 1, 0xffffffff * 0xffffffff)
print('decimal', decimal.Decimal(1) / decimal.Decimal(7))
print('hash', hashlib.sha256(b'peng' * 1000).hexdigest(), hashlib.sha3_256(b'x').hexdigest(),
      zlib.crc32(b'peng' * 999), zlib.adler32(b'peng' * 999))
print('struct', struct.pack('>hIqd', -2, 7, -9, 0.1).hex())
text = ' '.join(f'word{i * 7919 % 101}' for i in range(3000))
print('count', collections.Counter(re.findall(r'w\w+\d', text)).most_common(3))
print('json', json.dumps(json.loads('{"a": [1, 2.5, null, true, "\\u9e4f"], "b": {"c": -1e-7}}'), sort_keys=True))
print('compress', len(zlib.compress(text.encode())), zlib.decompress(zlib.compress(text.encode())) == text.encode())

total, lock = 0, threading.Lock()


def add():
    global total
    for i in range(2000):
        with lock:
            total += i


threads = [threading.Thread(target=add) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print('threads', total)

seen = []
signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
for _ in range(5):
    os.kill(os.getpid(), signal.SIGUSR1)
signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()
print('signals', [int(number) for number in seen])

done = subprocess.run(['/bin/sh', '-c', 'read x; echo got $x; exit 3'], input='line\n', capture_output=True,
                      text=True, check=False)
print('child', done.returncode, done.stdout.strip())
child = os.fork()
if child == 0:
    os._exit(41)
print('fork', os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
with tempfile.TemporaryDirectory() as name:
    for i in range(50):
        with open(f'{name}/{i}', 'w', encoding='ascii') as out:
            out.write('x' * i)
    print('files', sum(entry.stat().st_size for entry in os.scandir(name)))
try:
    [][1]
except IndexError as error:
    print('error', error)
print('machine', os.uname().machine, struct.calcsize('P'))
