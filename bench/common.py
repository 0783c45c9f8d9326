"""common: what both benches share: the programs, alternating rounds, and the table.

ROUNDS=3 and ROWS=integer,gzip,... in the environment change what is run.
"""
import math
import os
import re
import shutil
import statistics
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE = os.path.join(TOP, 'bench', 'guest')
ROUNDS = int(os.environ.get('ROUNDS', '3'))

# 300 MB: the program's start counts for nothing beside it.
TEXTS = "$(printf '/bench/text %.0s' {1..100})"

# row: a shell command, timed; /bench is what make_folder() made
WORK = {
    'integer': '/bench/integer',
    'floating point': '/bench/float',
    'vector integer': '/bench/vectors integer',
    'vector float': '/bench/vectors float',
    'NEON integer': '/bench/neon integer',
    'NEON float': '/bench/neon float',
    'AES-GCM': '/bench/crypto aes',
    'CRC32 and PMULL': '/bench/crypto crc',
    'SHA-256': 'openssl dgst -sha256 ' + TEXTS,
    'SHA-1': 'openssl dgst -sha1 ' + TEXTS,
    'gzip': 'gzip -6 -c /bench/text | wc -c',
    'python': 'python3 /bench/work.py',
    'perl': 'perl /bench/work.pl',
    'sqlite': 'sqlite3 :memory: < /bench/work.sql',
    'gcc': 'gcc -O2 -c -o /tmp/x.o /bench/compile.c',
    '500 fork+exec': '/bench/forkexec 500',
    'one thread': '/bench/threads 1',
    'two threads': '/bench/threads 2',
    'one translating': '/bench/jit 1',
    'two translating': '/bench/jit 2',
}
# The same work by one thread and by two: how much faster are two?
SPEED_UPS = {'two threads': 'one thread', 'two translating': 'one translating'}

# Programs that are not built by -O2 alone, or use Arm's intrinsics, which only its compiler has.
FLAGS = {
    'vectors': ['-O3'],
    'neon': ['-march=armv8-a+crypto+crc'],
    'crypto': ['-march=armv8-a+crypto+crc'],
}
ARM_ALONE = ('neon', 'crypto', 'jit')


def newest_source():
    return max(os.stat(os.path.join(SOURCE, name)).st_mtime for name in os.listdir(SOURCE))


def selected(rows):
    """The rows to run: those of ROWS, or all."""
    wanted = os.environ.get('ROWS')
    return [row for row in (wanted.split(',') if wanted else rows) if row in rows]


def make_folder(folder, compiler, without=()):
    """The programs, built by `compiler`, and their inputs; not the programs named in `without`."""
    for name in os.listdir(SOURCE):
        if not name.endswith('.c'):
            shutil.copy(os.path.join(SOURCE, name), folder)
        elif name[:-2] not in without:
            subprocess.run([compiler, '-O2', '-static', '-pthread', *FLAGS.get(name[:-2], []), '-o',
                            os.path.join(folder, name[:-2]), os.path.join(SOURCE, name), '-lm'], check=True)
    # A C file of some size: several programs as one translation unit each has its own main.
    with open(os.path.join(folder, 'compile.c'), 'w', encoding='utf-8') as out:
        for part, name in enumerate(['integer.c', 'float.c'] * 3):
            with open(os.path.join(SOURCE, name), encoding='utf-8') as f:
                text = f.read()
            for word in ('main', 'sieve', 'hash', 'sort', 'compare', 'planets', 'mandelbrot',
                         'product', 'SIEVE', 'TABLE', 'SORT', 'BODIES', 'MATRIX'):
                text = re.sub(rf'\b{word}\b', f'{word}_{part}', text)
            out.write(text)
    with open(os.path.join(folder, 'text'), 'w', encoding='utf-8') as out:
        state = 1
        for _ in range(300000):
            state = state * 1103515245 + 12345 & 0x7fffffff
            out.write(('server machine guest host engine memory network disk kernel '
                       'process').split()[state >> 16 & 7] + str(state >> 20) + ' ')


class Results:
    """Seconds by row and kind; the answers of a row must be the same for every kind and round."""

    def __init__(self):
        self.times = {}
        self.answers = {}

    def add(self, kind, row, seconds, answer=None):
        self.times.setdefault(row, {}).setdefault(kind, []).append(seconds)
        if answer is not None and self.answers.setdefault(row, answer) != answer:
            sys.exit(f'bench: {row}: {kind} computed something else')

    def print_speed_ups(self, kinds):
        for two, one in SPEED_UPS.items():
            speed_ups = [f'{kind} {statistics.median(self.times[one][kind]) / statistics.median(self.times[two][kind]):.2f}'
                         for kind in kinds
                         if kind in self.times.get(one, {}) and kind in self.times.get(two, {})]
            if speed_ups:
                print(f'{two} over {one}: ' + ', '.join(speed_ups))

    def print(self, kinds, ratios):
        """Medians of `kinds`, then for each (title, kind, kind) of `ratios` the first over the second."""
        print(f'{"":16}' + ''.join(f'{kind + " s":>10}' for kind in kinds) +
              ''.join(f'{title:>14}' for title, _, _ in ratios))
        all_ratios = [[] for _ in ratios]
        for row, times in self.times.items():
            medians = {kind: statistics.median(times[kind]) for kind in kinds if kind in times}
            line = f'{row:16}' + ''.join(f'{medians[kind]:10.3f}' if kind in medians else f'{"-":>10}'
                                         for kind in kinds)
            for values, (_, over, under) in zip(all_ratios, ratios):
                if over in medians and under in medians:
                    values.append(medians[over] / medians[under])
                    line += f'{values[-1]:14.2f}'
                else:
                    line += f'{"-":>14}'
            print(line)
        means = [math.exp(statistics.fmean(map(math.log, values))) if values else math.nan
                 for values in all_ratios]
        self.print_speed_ups(kinds)
        print(f'{"geometric mean":{16 + 10 * len(kinds)}}' + ''.join(f'{mean:14.2f}' for mean in means),
              flush=True)
