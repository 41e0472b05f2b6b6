/*
 * What the daemon says to the people who run it: log lines on stderr, states on stdout, and systemd.
 */
#ifndef LIAISON_HOST_LOG_H
#define LIAISON_HOST_LOG_H

/* One sentence on stderr. Text of others in it is made harmless. A reader that does not read costs lines, never
 * time: where stderr takes nothing, the line is dropped. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One line on stdout, flushed: "ready ...". */
void log_state(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* sd_notify(3) by hand: `state` is such as "READY=1". Nothing happens where there is no NOTIFY_SOCKET. */
void log_notify(const char *state);

#endif
