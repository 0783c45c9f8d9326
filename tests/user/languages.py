#!/usr/bin/env python3
"""languages: the large run-time systems: Go, Java, Node, PHP, Rust, and Python's own regression tests."""
from root import expect, guest, qemu, same, shell
from harness import case, main

JAVA = '/usr/lib/jvm/java-17-openjdk-arm64/bin/'
PYTHON_TESTS = ('test_array test_binascii test_bytes test_cmath test_collections test_complex test_contextlib '
               'test_ctypes test_datetime test_decimal test_dict test_errno test_exceptions test_fcntl test_float '
               'test_fork1 test_format test_fractions test_functools test_gc test_generators test_hash test_hashlib '
               'test_int test_io test_itertools test_json test_list test_long test_marshal test_math test_memoryview '
               'test_mmap test_operator test_os test_pathlib test_poll test_posix test_pty test_pwd test_queue '
               'test_re test_resource test_select test_selectors test_set test_shutil test_signal test_struct '
               'test_subprocess test_tempfile test_thread test_threading test_threadsignals test_time test_timeout '
               'test_tuple test_weakref test_zlib')


@case
def php(directory):
    same(qemu('/usr/bin/php8.2', '/tests/work.php'), guest('php8.2', '/tests/work.php'), 'qemu and peng')


@case
def node(directory):
    text = guest('node', '/tests/work.js', timeout_s=180, ok=False)
    expect(text, r'^float -0.4875060250875107 1.4142135623730951 0.30000000000000004 1.5 -Infinity 1e\+21 123.5$',
           '^bigint 136318165 -9223372036854775808$', '^loop 4097720525$', '^map 1009 ',
           '^hash 76f30c777d9d6fb2f7d9a4199ce750bcae54046cfe117d0afbcf82f61450130d$', '^cipher 77eda2ba$',
           '^child hello$', '^workers 4043334986 281212543 4203336720 359463658$', '^wasm 42$', '^gc 4999$',
           '^signal$')


@case
def java(directory):
    guest(JAVA + 'javac', '-d', '/tmp/java', '/tests/Work.java', timeout_s=240)
    expected = ('^float -0.4875060250875107 1.4142135623730951 1.5 0.1 2147483647$',
                '^int -2147483648 -4 15 64 2$', '^loop 365921551$', '^pool -735184358$',
                '^counted 120000 120000 120000$', '^gc done$', '^stream 101 494529.75$', '^null 10000$',
                '^overflow$', '^error / by zero$', '^child hello 0$', '^end true aarch64$')
    for options in ([], ['-XX:+UseParallelGC'], ['-Xint'], ['-XX:TieredStopAtLevel=1', '-XX:+UseZGC']):
        expect(guest(JAVA + 'java', *options, '-cp', '/tmp/java', 'Work', timeout_s=240), *expected)


@case
def go(directory):
    expected = ('^float -0.48750602508751073 1.4142135623730951 1.5 10$', '^trees 589152$',
                '^channels 41654167500$', '^map 1009 k0 50$', '^hash 76f30c777d9d6fb2',
                '^fault runtime error: invalid memory address', '^ticks 10$', '^end arm64$')
    guest('go', 'build', '-o', '/tmp/work-go', '/tests/work.go', timeout_s=400)
    for _ in range(5):
        expect(guest('/tmp/work-go', timeout_s=120), *expected)
    expect(guest('/tmp/work-go', timeout_s=120, env={'GOGC': '5'}), *expected)


@case
def go_packages(directory):
    """Some of Go's own tests, those that Debian ships with the compiler."""
    shell('cd /usr/share/go-1.19/src && go test -short sort strings container/heap sync/atomic',
          timeout_s=600)


@case
def rust(directory):
    guest('rustc', '-O', '-o', '/tmp/work-rs', '/tests/work.rs', timeout_s=300)
    expect(guest('/tmp/work-rs'), '^float ', '^int None 2 48611766702991209066196372490252601636$', '^threads ',
           r'^map 97 Some\(\(0, 312\)\)$', '^panic true$', '^child hello$')


@case
def python_tests(directory):
    text = guest('python3', '-m', 'test', '-j2', '--timeout', '240', *PYTHON_TESTS.split(), user=65534,
                 env={'HOME': '/tmp', 'TMPDIR': '/tmp'}, timeout_s=900, ok=False)
    expect(text, '^Tests result: SUCCESS$|^Result: SUCCESS$')


main()
