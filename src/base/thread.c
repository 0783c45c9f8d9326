/* thread.c: what a new thread needs to know travels in a block that it frees. */
#include "base/thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

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
    int rc = pthread_create(thread, NULL, begin, birth);
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
