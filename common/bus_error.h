/* Files are mapped, not read: what would be a failing read(2) is a signal. */
#ifndef COMMON_BUS_ERROR_H
#define COMMON_BUS_ERROR_H

/* From here on, a page of a mapped file that the disk does not give, or that somebody cut off the file, ends the process
 * with ERR_IO (74) and a message naming the file; without a final line of JSON, for nothing else can be trusted to go on. */
void bus_error_watch(void);

#endif
