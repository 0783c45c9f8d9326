/* profile.c: a direct-mapped table of counters; who comes later takes the slot of who was there.
 */
#include "core/translator/profile.h"

#include "base/hash.h"

enum {
    HOT_SAMPLES = 3,
    VAIN_SAMPLES = 64,    /* until the budget is doubled */
    RETRY_SAMPLES = 1000, /* more until a loop is asked for again: what was made of it is gone */
};

bool profile_sample(struct profile *profile, uint64_t pa, uint32_t context)
{
    struct profile_slot *slot = &profile->slots[hash_mix(pa ^ context) % PROFILE_SLOTS];
    if (slot->pa != pa || slot->context != context)
        *slot = (struct profile_slot){.pa = pa, .context = context};
    profile->vain++;
    if (++slot->samples < HOT_SAMPLES)
        return false;
    slot->samples = -RETRY_SAMPLES;
    return true;
}

void profile_found(struct profile *profile)
{
    profile->vain -= profile->vain < VAIN_SAMPLES ? profile->vain : VAIN_SAMPLES;
}

void profile_settle(struct profile *profile)
{
    profile->vain = VAIN_SAMPLES * PROFILE_DOUBLINGS;
}

int32_t profile_budget(const struct profile *profile)
{
    unsigned doublings = profile->vain / VAIN_SAMPLES;
    return PROFILE_BUDGET << (doublings < PROFILE_DOUBLINGS ? doublings : PROFILE_DOUBLINGS);
}
