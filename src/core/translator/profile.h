/* profile.h: which loops one CPU's thread runs most.
 *
 * A sample is where a back edge led when the budget of back edges was spent: one in so many, so the
 * hot loops have the samples, and cold code costs nothing but the countdown.
 */
#ifndef PENG_CORE_TRANSLATOR_PROFILE_H
#define PENG_CORE_TRANSLATOR_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PROFILE_BUDGET = 1000, /* back edges a sample; not a power of two, as trip counts are */
    PROFILE_DOUBLINGS = 4, /* ... where samples find nothing hot, up to so many times */
    PROFILE_SLOTS = 256,
};

/* All zero is empty. */
struct profile {
    struct profile_slot {
        uint64_t pa;
        uint32_t context;
        int32_t samples; /* negative: after it was found hot, until it is again */
    } slots[PROFILE_SLOTS];
    unsigned vain; /* samples that led to no region, less some for each that did */
};

/* A region was made of a hot loop: there may be more of them. */
void profile_found(struct profile *profile);
/* One sample; true where it makes the loop hot. */
bool profile_sample(struct profile *profile, uint64_t pa, uint32_t context);
/* From now on as if many samples had found nothing hot: what is hot is known. */
void profile_settle(struct profile *profile);
/* Back edges until the next sample. */
int32_t profile_budget(const struct profile *profile);

#endif
