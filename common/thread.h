/* A second thread of a stage. */
#ifndef COMMON_THREAD_H
#define COMMON_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts run(arg) in a thread, to be joined by the caller. False when none is to be had: the caller does the work itself.
 * Signals are for the main thread; but who looks at a page that cannot be read is told so (bus_error.h). */
bool thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg);

#endif
