/* script.c: "#!/path argument", as the kernel reads it: blanks around both are dropped, and a line
 * that does not end within the first 256 bytes still counts if the interpreter's name does.
 */
#include "core/linux/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int script_parse(const char *head, size_t head_bytes, struct script *ret_script)
{
    static const char blank[] = " \t";
    char line[SCRIPT_LINE_MAX + 1];
    if (!script_is(head, head_bytes))
        return -ENOEXEC;
    size_t n = head_bytes < SCRIPT_LINE_MAX ? head_bytes : SCRIPT_LINE_MAX;
    memcpy(line, head, n);
    line[n] = 0;
    char *newline = memchr(line, '\n', n);
    bool cut = !newline && n == SCRIPT_LINE_MAX;
    if (newline)
        *newline = 0;
    char *name = line + 2 + strspn(line + 2, blank);
    size_t name_bytes = strcspn(name, blank);
    if (name_bytes == 0 || (cut && name[name_bytes] == 0))
        return -ENOEXEC;
    char *argument = name + name_bytes + strspn(name + name_bytes, blank);
    size_t argument_bytes = strlen(argument);
    while (argument_bytes && strchr(blank, argument[argument_bytes - 1]))
        argument_bytes--;
    *ret_script = (struct script){{0}, {0}};
    memcpy(ret_script->interpreter, name, name_bytes);
    memcpy(ret_script->argument, argument, argument_bytes);
    return 0;
}

char **script_argv(const struct script *script, const char *path, char *const *argv)
{
    size_t count = 0, n = 0;
    while (argv[count])
        count++;
    char **list = malloc((count + 4) * sizeof(*list));
    if (!list)
        return NULL;
    list[n++] = (char *)script->interpreter;
    if (script->argument[0])
        list[n++] = (char *)script->argument;
    list[n++] = (char *)path;
    for (size_t i = 1; i < count; i++)
        list[n++] = argv[i];
    list[n] = NULL;
    return list;
}
