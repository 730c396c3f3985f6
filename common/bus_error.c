#include "common/bus_error.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"

enum { LINE_BYTES = 4096 + 100 };

/* The file of a line of /proc/self/maps ("from-to rights offset device inode path") when the address lies there. */
static const char *file_at(char *line, uintptr_t address)
{
    char *end, *path = strchr(line, '/');
    uintptr_t from = strtoul(line, &end, 16), to = *end == '-' ? strtoul(end + 1, NULL, 16) : 0;
    if (!path || address < from || address >= to)
        return NULL;
    path[strcspn(path, "\n")] = '\0';
    return path;
}

/* The fault came of a look at a mapped page, never from within malloc or stdio: both may be used. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    char line[LINE_BYTES];
    const char *file = NULL;
    FILE *maps = fopen("/proc/self/maps", "re");
    (void)number;
    (void)context;
    while (maps && !file && fgets(line, sizeof line, maps))
        file = file_at(line, (uintptr_t)info->si_addr);
    log_error("cannot read %s: the disk failed, or the file was cut while it was read", file ? file : "a mapped file");
    _exit(ERR_IO);
}

void bus_error_watch(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
}
