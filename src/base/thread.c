/* thread.c: what a new thread needs to know travels in a block that it frees.
 *
 * Stacks are smaller than a huge page, with which a host may otherwise back the first byte of each.
 */
#include "base/thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { STACK_BYTES = 1 << 20 };

struct birth {
    void *(*run)(void *);
    void *arg;
    char name[THREAD_NAME_BYTES];
};

static void *begin(void *arg)
{
    struct birth birth = *(struct birth *)arg;
    free(arg);
    pthread_setname_np(pthread_self(), birth.name);
    return birth.run(birth.arg);
}

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
    struct birth *birth = malloc(sizeof(*birth));
    if (!birth)
        abort();
    *birth = (struct birth){.run = run, .arg = arg};
    snprintf(birth->name, sizeof(birth->name), "%s", name);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int rc = pthread_create(thread, &attributes, begin, birth);
    pthread_attr_destroy(&attributes);
    if (rc)
        free(birth);
    return rc;
}

int thread_start_quiet(pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = thread_start(thread, name, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}
