/* Linked in by `make coverage` alone: worker processes leave through _exit, which would take their counts with them; and
 * what writes counts is no program of ours, so that none of its calls is to fail. */
#include <dlfcn.h>
#include <gcov.h>
#include <stdlib.h>

void __real__exit(int status);
void __wrap__exit(int status);

/* Of tests/torture/shim.c, where that is preloaded. */
static void end_torture(void)
{
    void *over = dlsym(RTLD_DEFAULT, "torture_over");
    if (over)
        ((void (*)(void))over)();
}

__attribute__((constructor)) static void set_up(void)
{
    atexit(end_torture);
}

void __wrap__exit(int status)
{
    end_torture();
    __gcov_dump();
    __real__exit(status);
}
