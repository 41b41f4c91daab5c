/* The real program on a terminal: a pseudo terminal, whose other end the test has. */
#pragma once

#include <glib.h>

typedef struct Terminal Terminal;

/**
 * terminal_open: (owned) a terminal of so many @columns on which a shell command line begins, in which $AIMFAIR is the
 * program. @settings: its environment beside the test's, "TERM=xterm NO_COLOR=1", separated by blanks; neither is
 * there otherwise
 */
Terminal *terminal_open(guint columns, const char *settings, const char *command);
/**
 * terminal_wait: reads until what was written has @text behind the first @from bytes; the test fails if it ends
 * before. Returns: how many bytes there are so far
 */
gsize terminal_wait(Terminal *terminal, gsize from, const char *text);
/** terminal_type: as somebody who sits there; "\003" is Ctrl-C. */
void terminal_type(Terminal *terminal, const char *text);
void terminal_resize(Terminal *terminal, guint columns);
/**
 * terminal_close: (owned) everything that was written, when the command has ended with @status, and the terminal with
 * it. Ends of lines are "\n".
 */
char *terminal_close(Terminal *terminal, int status);

/** terminal_output: (owned) of terminal_open at 80 columns and terminal_close. */
char *terminal_output(const char *settings, int status, const char *command);
