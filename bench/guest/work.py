"""Interpreter work: objects, dictionaries, strings, a little arithmetic. Prints a checksum."""


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def step(self, other):
        return Point(self.x + other.y, self.y ^ other.x)


def objects(n):
    p, q = Point(1, 2), Point(3, 5)
    for _ in range(n):
        p, q = p.step(q), p
        if p.x > 1 << 40:
            p.x &= 0xffff
    return p.x + q.y


def words(n):
    counts = {}
    for i in range(n):
        word = f'w{i * 7919 % 1013}'
        counts[word] = counts.get(word, 0) + i
    return sum(v for k, v in sorted(counts.items()) if k.endswith('7'))


def primes(n):
    sieve = bytearray([1]) * n
    for i in range(2, int(n ** 0.5) + 1):
        if sieve[i]:
            sieve[i * i::i] = bytes(len(range(i * i, n, i)))
    return sum(sieve)


print(objects(60000), words(60000), primes(300000), sum(i * i % 7 for i in range(150000)))
