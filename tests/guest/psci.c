/* psci.c: Power State Coordination Interface (Arm DEN 0022): versions, errors, CPUs on, off and on
 * again. */
#include "guest.h"

enum { SUCCESS = 0, NOT_SUPPORTED = -1, INVALID_PARAMETERS = -2, ALREADY_ON = -4 };

extern char secondary_entry[];

static volatile uint64_t counted;

static void count(void)
{
    __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST);
}

static void switch_off(void)
{
    this_cpu()->work = NULL;
    dsb();
    psci(PSCI_CPU_OFF, 0, 0, 0);
    print("FAIL CPU_OFF returned\n");
}

static int call(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    return (int)psci(function, a, b, c);
}

static bool wait_for_off(unsigned index)
{
    for (unsigned i = 0; i < 1000000; i++)
        if (call(PSCI_AFFINITY_INFO64, cpu_mpidr(index), 0, 0) == 1)
            return true;
    return false;
}

static void test_queries(void)
{
    check("version is 1.0 or later", psci(PSCI_VERSION, 0, 0, 0) >= 0x10000);
    check_eq("features: CPU_ON", (uint32_t)call(PSCI_FEATURES, PSCI_CPU_ON64, 0, 0), 0);
    check_eq("features: unknown", (uint32_t)call(PSCI_FEATURES, 0xc4001234, 0, 0),
             (uint32_t)NOT_SUPPORTED);
    check_eq("unknown function", (uint32_t)call(0x8400ff00, 0, 0, 0), (uint32_t)NOT_SUPPORTED);
    check_eq("trusted OS: none to migrate", (uint32_t)call(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
}

static void test_errors(void)
{
    check_eq("CPU_ON of the caller", (uint32_t)call(PSCI_CPU_ON64, 0, (uint64_t)secondary_entry, 0),
             (uint32_t)ALREADY_ON);
    check_eq("CPU_ON of no CPU",
             (uint32_t)call(PSCI_CPU_ON64, 0x7f00, (uint64_t)secondary_entry, 0),
             (uint32_t)INVALID_PARAMETERS);
    check_eq("AFFINITY_INFO of the caller", (uint32_t)call(PSCI_AFFINITY_INFO64, 0, 0, 0), 0);
    check_eq("AFFINITY_INFO of no CPU", (uint32_t)call(PSCI_AFFINITY_INFO64, 0x7f00, 0, 0),
             (uint32_t)INVALID_PARAMETERS);
    check_eq("AFFINITY_INFO of a CPU that is off",
             (uint32_t)call(PSCI_AFFINITY_INFO64, cpu_mpidr(1), 0, 0), 1);
}

static void test_on_and_off(void)
{
    cpus_start();
    check("four CPUs start", cpu_count >= 4);
    check_eq("AFFINITY_INFO of a CPU that is on",
             (uint32_t)call(PSCI_AFFINITY_INFO64, cpu_mpidr(1), 0, 0), 0);
    check_eq("CPU_ON of a CPU that is on",
             (uint32_t)call(PSCI_CPU_ON64, cpu_mpidr(1), (uint64_t)secondary_entry, 0),
             (uint32_t)ALREADY_ON);
    run_on_cpus(4, count);
    check_eq("they run", counted, 4);
    bool all = true;
    for (unsigned round = 0; round < 20; round++) {
        cpus[2].online = false;
        dsb();
        cpus[2].work = switch_off;
        all &= wait_for_off(2);
        all &= call(PSCI_CPU_ON64, cpu_mpidr(2), (uint64_t)secondary_entry, (uint64_t)&cpus[2]) ==
               SUCCESS;
        while (!cpus[2].online)
            ;
    }
    check("off and on again, twenty times", all);
    counted = 0;
    run_on_cpus(4, count);
    check_eq("they run after that", counted, 4);
}

/* What a CPU finds when it comes up (DDI 0487 D1.9, DEN 0022 6.4). */
static volatile uint64_t seen_el, seen_daif, seen_mpidr;

static void look(void)
{
    if (this_cpu()->index != 1)
        return;
    seen_el = read_sysreg(CurrentEL);
    seen_daif = read_sysreg(daif);
    seen_mpidr = read_sysreg(mpidr_el1);
}

void guest_tests(void)
{
    test_queries();
    test_errors();
    test_on_and_off();
    run_on_cpus(2, look);
    check_eq("a started CPU is at EL1", seen_el, 4);
    check_eq("with all interrupts masked", seen_daif, 0x3c0);
    check_eq("and has its own MPIDR", seen_mpidr & 0xff00ffffff, cpu_mpidr(1));
}
