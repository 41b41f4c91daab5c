/* What a person sees while work goes on: one line of progress, messages, and a stop that keeps what was won. */
#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* One process has one terminal and one set of signals, so these are the program's only globals. */
static volatile sig_atomic_t stop_requested;
static const volatile int *const stop_flag = &stop_requested;
static gboolean on_terminal;
static gboolean line_shown;
static GMutex lock; /* messages may come from worker threads */

static void on_signal(int number)
{
    static const char text[] = "\nstopping at the next safe point; once more stops at once\n";
    if (stop_requested) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    stop_requested = 1;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
}

static void erase_line(void)
{
    if (line_shown)
        fputs("\r\033[K", stderr);
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
    fprintf(stderr, "%s%s\n", level == AIMF_LOG_WARNING ? "warning: " : "", shown);
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

static void append_duration(GString *line, double seconds)
{
    gint64 s = (gint64)MIN(seconds + 0.5, 1e9);
    if (s >= 3600)
        g_string_append_printf(line, "%d h %02d min", (int)(s / 3600), (int)(s / 60 % 60));
    else if (s >= 60)
        g_string_append_printf(line, "%d min %02d s", (int)(s / 60), (int)(s % 60));
    else
        g_string_append_printf(line, "%d s", (int)s);
}

static GString *progress_line(const AimfProgress *p)
{
    GString *line = g_string_new(p->stage);
    g_string_append_printf(line, ": %" G_GUINT64_FORMAT, p->done);
    if (p->total)
        g_string_append_printf(line, "/%" G_GUINT64_FORMAT, p->total);
    g_string_append_printf(line, " %s", p->unit ? p->unit : "");
    if (p->rate > 0)
        g_string_append_printf(line, p->rate < 10 ? ", %.2f/s" : ", %.0f/s", p->rate);
    double left = p->whole_seconds_left >= 0 ? p->whole_seconds_left : p->done != p->total ? p->seconds_left : -1;
    if (left >= 0) {
        g_string_append(line, ", ");
        append_duration(line, left);
        g_string_append(line, " left");
    }
    if (p->note)
        g_string_append_printf(line, ", %s", p->note);
    return line;
}

/* A line that wraps cannot be erased. */
static void fit_terminal(GString *line)
{
    struct winsize size = { 0 };
    glong width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
    if (g_utf8_validate(line->str, (gssize)line->len, NULL) && g_utf8_strlen(line->str, -1) > width)
        g_string_truncate(line, (gsize)(g_utf8_offset_to_pointer(line->str, width) - line->str));
}

static void show_progress(const AimfProgress *progress, gpointer user_data)
{
    enum { PLAIN_INTERVAL_US = 10 * G_USEC_PER_SEC };
    static gint64 plain_shown_us;
    const AimfCli *cli = user_data;
    if (cli->quiet)
        return;
    g_autoptr(GString) line = progress_line(progress);
    g_mutex_lock(&lock);
    gint64 now = g_get_monotonic_time();
    if (!plain_shown_us)
        plain_shown_us = now;
    if (on_terminal) {
        fit_terminal(line);
        fprintf(stderr, "\r\033[K%s", line->str);
        fflush(stderr);
        line_shown = TRUE;
    } else if (progress->done && (progress->done == progress->total || now - plain_shown_us >= PLAIN_INTERVAL_US)) {
        fprintf(stderr, "%s\n", line->str);
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
