#include "cli/support_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { PATIENCE_MS = 120000 };

struct Terminal {
    int fd; /* the test's end */
    GSubprocess *process;
    GString *text;
};

/* In the child: the terminal is its own, so that Ctrl-C is for it. */
static void take_terminal(gpointer unused)
{
    (void)unused;
    setsid();
    ioctl(STDIN_FILENO, TIOCSCTTY, 0);
}

static int open_other_end(int fd)
{
    g_assert_cmpint(grantpt(fd), ==, 0);
    g_assert_cmpint(unlockpt(fd), ==, 0);
    int other = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    g_assert_cmpint(other, >=, 0);
    struct termios modes;
    g_assert_cmpint(tcgetattr(other, &modes), ==, 0);
    modes.c_oflag &= ~(tcflag_t)OPOST; /* "\n" stays as it was written */
    g_assert_cmpint(tcsetattr(other, TCSANOW, &modes), ==, 0);
    return other;
}

static GSubprocessLauncher *new_launcher(int other, const char *settings)
{
    GSubprocessLauncher *launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    g_subprocess_launcher_unsetenv(launcher, "TERM");
    g_subprocess_launcher_unsetenv(launcher, "NO_COLOR");
    g_subprocess_launcher_setenv(launcher, "AIMFAIR", AIMFAIR_PROGRAM, TRUE);
    g_subprocess_launcher_setenv(launcher, "OMP_WAIT_POLICY", "passive", TRUE);
    g_auto(GStrv) words = g_strsplit(settings, " ", -1);
    for (char **word = words; *word; word++) {
        g_auto(GStrv) pair = g_strsplit(*word, "=", 2);
        if (g_strv_length(pair) == 2)
            g_subprocess_launcher_setenv(launcher, pair[0], pair[1], TRUE);
    }
    g_subprocess_launcher_take_stdin_fd(launcher, dup(other));
    g_subprocess_launcher_take_stdout_fd(launcher, dup(other));
    g_subprocess_launcher_take_stderr_fd(launcher, other);
    g_subprocess_launcher_set_child_setup(launcher, take_terminal, NULL, NULL);
    return launcher;
}

Terminal *terminal_open(guint columns, const char *settings, const char *command)
{
    g_autoptr(GError) error = NULL;
    Terminal *terminal = g_new0(Terminal, 1);
    terminal->text = g_string_new(NULL);
    terminal->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    g_assert_cmpint(terminal->fd, >=, 0);
    int other = open_other_end(terminal->fd);
    terminal_resize(terminal, columns);
    g_autoptr(GSubprocessLauncher) launcher = new_launcher(other, settings);
    terminal->process = g_subprocess_launcher_spawn(launcher, &error, "/bin/sh", "-c", command, NULL);
    g_assert_no_error(error);
    return terminal;
}

/* FALSE at the end. */
static gboolean read_some(Terminal *terminal)
{
    char bytes[4096];
    struct pollfd ready = { .fd = terminal->fd, .events = POLLIN };
    if (poll(&ready, 1, PATIENCE_MS) == 0)
        g_error("nothing came any more behind:\n%s", terminal->text->str);
    ssize_t n = read(terminal->fd, bytes, sizeof bytes);
    if (n > 0)
        g_string_append_len(terminal->text, bytes, n);
    return n > 0 || (n < 0 && errno == EINTR); /* EIO: nobody has the other end any more */
}

gsize terminal_wait(Terminal *terminal, gsize from, const char *text)
{
    while (terminal->text->len < from || !strstr(terminal->text->str + from, text))
        if (!read_some(terminal))
            g_error("it ended without '%s':\n%s", text, terminal->text->str);
    return terminal->text->len;
}

void terminal_type(Terminal *terminal, const char *text)
{
    g_assert_cmpint(write(terminal->fd, text, strlen(text)), ==, (gssize)strlen(text));
}

void terminal_resize(Terminal *terminal, guint columns)
{
    const struct winsize size = { .ws_row = 24, .ws_col = (unsigned short)columns };
    g_assert_cmpint(ioctl(terminal->fd, TIOCSWINSZ, &size), ==, 0);
}

char *terminal_close(Terminal *terminal, int status)
{
    g_autoptr(GError) error = NULL;
    while (read_some(terminal))
        ;
    g_subprocess_wait(terminal->process, NULL, &error);
    g_assert_no_error(error);
    if (!g_subprocess_get_if_exited(terminal->process) || g_subprocess_get_exit_status(terminal->process) != status)
        g_error("status %d in place of %d:\n%s", g_subprocess_get_status(terminal->process), status,
                terminal->text->str);
    g_object_unref(terminal->process);
    close(terminal->fd);
    char *text = g_string_free(terminal->text, FALSE);
    g_free(terminal);
    return text;
}

char *terminal_output(const char *settings, int status, const char *command)
{
    return terminal_close(terminal_open(80, settings, command), status);
}
