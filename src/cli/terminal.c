/* What a person sees while work goes on: one line of progress, messages, and a stop that keeps what was won. */
#include "cli.h"
#include "live_line.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ERASE_REST "\033[K" /* of the line */
#define STOPPING "stopping at the next safe point; once more stops at once\n"

/* One process has one terminal and one set of signals, so these are the program's only globals. */
static volatile sig_atomic_t stop_requested;
static const volatile int *const stop_flag = &stop_requested;
static gboolean on_terminal;
static gboolean line_shown;
static GMutex lock; /* messages may come from worker threads */

static void on_signal(int number)
{
    static const char below[] = "\n" STOPPING;               /* the terminal's ^C */
    static const char in_place[] = "\r" ERASE_REST STOPPING; /* of the line of progress, and the ^C behind it */
    if (stop_requested) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    stop_requested = 1;
    (void)!(line_shown ? write(STDERR_FILENO, in_place, sizeof in_place - 1)
                       : write(STDERR_FILENO, below, sizeof below - 1));
}

static void erase_line(void)
{
    if (line_shown)
        fputs("\r" ERASE_REST, stderr);
    line_shown = FALSE;
}

gboolean aimf_cli_progress_shown(void)
{
    return line_shown;
}

void aimf_cli_end_progress(void)
{
    g_mutex_lock(&lock);
    erase_line();
    g_mutex_unlock(&lock);
}

static void show_message(AimfLogLevel level, const char *text, gpointer user_data)
{
    const AimfCli *cli = user_data;
    if ((level == AIMF_LOG_DEBUG && !cli->verbose) || (level == AIMF_LOG_INFO && cli->quiet))
        return;
    g_autofree char *shown = aimf_cli_printable(text);
    g_mutex_lock(&lock);
    erase_line();
    if (level == AIMF_LOG_WARNING)
        fprintf(stderr, "%swarning:%s %s\n", aimf_cli_colour(STDERR_FILENO, AIMF_CLI_YELLOW),
                aimf_cli_colour(STDERR_FILENO, AIMF_CLI_PLAIN), shown);
    else
        fprintf(stderr, "%s\n", shown);
    g_mutex_unlock(&lock);
}

void aimf_cli_message(AimfCli *cli, AimfLogLevel level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    show_message(level, text, cli);
}

/*
 * Of a line that can be erased: one that wraps cannot, and one that ends in the last cell wraps in some terminals.
 * Asked each time, for a terminal may become narrower. Some then wrap the line that is there, and others cut it off,
 * so that going up to erase it could take what was said before.
 */
static glong line_cells(void)
{
    struct winsize size = { 0 };
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

/* Written over the one before, whose rest is then erased, in one write: erased first, it would flicker. */
static void rewrite_line(const char *line)
{
    g_autofree char *text = g_strconcat("\r", line, ERASE_REST, NULL);
    fputs(text, stderr);
    fflush(stderr);
    line_shown = TRUE;
}

static void show_progress(const AimfProgress *progress, gpointer user_data)
{
    enum { PLAIN_INTERVAL_US = 10 * G_USEC_PER_SEC };
    static gint64 plain_shown_us;
    const AimfCli *cli = user_data;
    if (cli->quiet)
        return;
    g_autofree char *line = aimf_live_line(progress, on_terminal ? line_cells() : 0);
    g_mutex_lock(&lock);
    gint64 now = g_get_monotonic_time();
    if (!plain_shown_us)
        plain_shown_us = now;
    if (on_terminal)
        rewrite_line(line);
    else if (progress->done && (progress->done == progress->total || now - plain_shown_us >= PLAIN_INTERVAL_US)) {
        fprintf(stderr, "%s\n", line);
        plain_shown_us = now;
    }
    g_mutex_unlock(&lock);
}

void aimf_cli_start_monitor(AimfCli *cli)
{
    static AimfMonitor monitor;
    on_terminal = isatty(STDERR_FILENO) && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction hang_up;
    if (sigaction(SIGHUP, NULL, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN) /* nohup asks to go on */
        sigaction(SIGHUP, &action, NULL);
    /* A reader that goes away must not end hours of work: the failed write is reported instead. */
    signal(SIGPIPE, SIG_IGN);
    /* Likewise: a file size limit is a full disk, not a death that leaves a half file behind. */
    signal(SIGXFSZ, SIG_IGN);
    monitor = (AimfMonitor){ show_progress, show_message, stop_flag, cli };
    cli->monitor = &monitor;
}
