/* Colours, where somebody looks at them and wants them. */
#include "cli.h"

#include <string.h>
#include <unistd.h>

/*
 * NO_COLOR, as no-color.org has it: any text but the empty one. A terminal that does not say what it is, or says that
 * it is "dumb", acts upon nothing.
 */
static gboolean wanted(int fd)
{
    const char *no_colour = g_getenv("NO_COLOR"), *terminal = g_getenv("TERM");
    return !(no_colour && *no_colour) && terminal && *terminal && strcmp(terminal, "dumb") != 0 && isatty(fd);
}

/* ECMA-48, 8.3.117. The eight basic colours are the user's own, and so can be read on their ground. */
const char *aimf_cli_colour(int fd, AimfCliColour colour)
{
    static const char *const sequences[] = {
        [AIMF_CLI_PLAIN] = "\033[0m", [AIMF_CLI_BOLD] = "\033[1m",   [AIMF_CLI_DIM] = "\033[2m",
        [AIMF_CLI_RED] = "\033[31m",  [AIMF_CLI_GREEN] = "\033[32m", [AIMF_CLI_YELLOW] = "\033[33m",
    };
    return wanted(fd) ? sequences[colour] : "";
}
