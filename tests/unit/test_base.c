/* test_base.c: errors, the event loop and its timers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/evloop.h"
#include "base/hash.h"

static void test_err_prefix(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(err_set(&e, ENOENT, "no such file"), -ENOENT);
    assert_int_equal(err_prefix(&e, "--disk %s", "a.img"), -ENOENT);
    assert_string_equal(e.text, "--disk a.img: no such file");
}

static void stop(void *ctx)
{
    evloop_stop(ctx);
}

static void test_timer_stops_loop(void **state)
{
    struct evloop *loop;
    struct evtimer *timer;
    (void)state;
    assert_int_equal(evloop_new(&loop, NULL), 0);
    assert_int_equal(evtimer_new(loop, stop, loop, &timer, NULL), 0);
    uint64_t start = clock_now_ns();
    evtimer_set(timer, start + 2000000);
    evloop_run(loop);
    assert_true(clock_now_ns() - start >= 2000000);
    evtimer_free(timer);
    evloop_free(loop);
}

/* The polynomial as hash.h describes it, one number after the other. */
static uint64_t plain_hash_secret(const uint8_t *data, size_t bytes, const struct hash_key *key)
{
    uint64_t h = 0;
    for (unsigned lane = 0; lane < 4; lane++) {
        unsigned __int128 sum = 0;
        for (size_t at = lane * 8; at < bytes; at += 32) {
            sum = (sum * key->point + load_le(data + at, 4)) % HASH_PRIME;
            sum = (sum * key->point + load_le(data + at + 4, 4)) % HASH_PRIME;
        }
        h = (uint64_t)(((unsigned __int128)h * key->lane + sum) % HASH_PRIME);
    }
    return h;
}

static void test_hash_secret(void **state)
{
    enum { BYTES = 4096 };
    static uint8_t page[BYTES], other[BYTES];
    uint64_t random = 1;
    struct hash_key keys[3];
    for (unsigned k = 0; k < 3; k++) {
        uint64_t halves[2] = {hash_mix(2 * k + 1), k == 2 ? UINT64_MAX : hash_mix(2 * k + 2)};
        keys[k] = hash_key_from(halves);
        assert_true(keys[k].point < HASH_PRIME && keys[k].lane < HASH_PRIME);
    }
    for (unsigned round = 0; round < 50; round++) {
        for (size_t i = 0; i < BYTES; i += 8)
            store_le(page + i, 8, round == 0 ? UINT64_MAX : hash_mix(random++));
        for (unsigned k = 0; k < 3; k++)
            assert_int_equal(hash_secret(page, BYTES, &keys[k]),
                             plain_hash_secret(page, BYTES, &keys[k]));
        assert_int_not_equal(hash_secret(page, BYTES, &keys[0]),
                             hash_secret(page, BYTES, &keys[1]));
        /* Two bits that cancel each other in hash_bytes(), whatever its seed. */
        memcpy(other, page, BYTES);
        other[round * 32 + 7] ^= 0x80;
        other[round * 32 + 32 + 3] ^= 0x10;
        assert_int_equal(hash_bytes(page, BYTES, random), hash_bytes(other, BYTES, random));
        assert_int_not_equal(hash_secret(page, BYTES, &keys[0]),
                             hash_secret(other, BYTES, &keys[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_secret),
        cmocka_unit_test(test_err_prefix),
        cmocka_unit_test(test_timer_stops_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
