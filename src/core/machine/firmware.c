/* firmware.c: firmware's file, variables and configuration, for any board.
 *
 * Distributions ship firmware in two files, code and a template of fresh variables, named alike but
 * for one word. Variables live in a bank of flash: in the operator's file (vars=), which starts as
 * a copy of the template, or in memory for as long as the machine.
 */
#include "core/machine/firmware.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int firmware_open(const struct machine *machine, uint64_t max_bytes, struct firmware *ret_firmware,
                  struct err *e)
{
    const char *path = machine->config.firmware;
    int rc = image_open("--firmware", path, &ret_firmware->image, e);
    if (rc < 0)
        return rc;
    if (ret_firmware->image.size_bytes > max_bytes)
        return err_set(e, EFBIG, "--firmware %s: larger than the flash (%llu MiB)", path,
                       (unsigned long long)max_bytes >> 20);
    return 0;
}

/* The file of fresh variables beside the firmware: AAVMF_VARS.fd beside AAVMF_CODE.fd. False if the
 * name tells of none. */
static bool vars_template(const char *firmware, char *out, size_t size)
{
    static const char code[] = "CODE", vars[] = "VARS";
    const char *name = strrchr(firmware, '/');
    const char *at = strstr(name ? name : firmware, code);
    int n = at ? snprintf(out, size, "%.*s%s%s", (int)(at - firmware), firmware, vars,
                          at + strlen(code))
               : -1;
    return n >= 0 && (size_t)n < size;
}

/* Where the host has no memory for it the bank is read slower, or firmware takes the status that it
 * does not see for an error. */
static void show_bank(void *ctx, uint8_t *content, bool on)
{
    const struct firmware *f = ctx;
    const struct engine_ops *ops = f->machine->config.engine;
    if (ops->show_memory)
        ops->show_memory(f->machine->engine, f->bank_base, f->bank_bytes, content, on, NULL);
}

int firmware_add_variables(struct machine *machine, struct firmware *firmware,
                           const struct firmware_bank *bank, struct err *e)
{
    const struct machine_config *config = &machine->config;
    char path[PATH_MAX];
    bool has_template = vars_template(config->firmware, path, sizeof(path));
    struct cfi_flash_config flash = {
        .kind = bank->kind,
        .size_bytes = bank->size_bytes,
        .path = config->firmware_vars,
        .write_back = config->firmware_vars != NULL,
        .template_path = has_template ? path : NULL,
        .show = show_bank,
        .show_ctx = firmware,
    };
    firmware->machine = machine;
    firmware->bank_base = bank->base;
    firmware->bank_bytes = bank->size_bytes;
    if (!flash.path && bank->template_always && has_template && access(path, R_OK) == 0)
        flash.path = path;
    int rc = cfi_flash_new(&flash, &firmware->variables, e);
    if (rc < 0)
        return err_prefix(e, "--firmware vars");
    return bus_add(&machine->bus, "flash-vars", bank->base, bank->size_bytes, &cfi_flash_ops,
                   firmware->variables, e);
}

int firmware_make_config(struct machine *machine, struct firmware *firmware, struct err *e)
{
    uint16_t cpus = (uint16_t)machine->config.cpus;
    int rc = fw_cfg_new(&machine->mem, &firmware->fw_cfg, e);
    if (rc == 0)
        rc = fw_cfg_add_u16(firmware->fw_cfg, FW_CFG_NB_CPUS, cpus, e);
    if (rc == 0)
        rc = fw_cfg_add_u16(firmware->fw_cfg, FW_CFG_MAX_CPUS, cpus, e);
    return rc;
}

void firmware_reset(struct firmware *firmware)
{
    if (firmware->fw_cfg)
        fw_cfg_reset(firmware->fw_cfg);
    if (firmware->variables)
        cfi_flash_reset(firmware->variables);
}

void firmware_done(struct firmware *firmware)
{
    fw_cfg_free(firmware->fw_cfg);
    cfi_flash_free(firmware->variables);
    image_close(&firmware->image);
}
