#ifndef COMMON_LOOPBACK_H
#define COMMON_LOOPBACK_H

#include <stdbool.h>

/* Whether a host, by name or address, is this machine over loopback: localhost, 127.0.0.0/8, ::1 (in brackets or not).
 * Names are not looked up. */
bool host_is_loopback(const char *host);

#endif
