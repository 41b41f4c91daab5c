#include "live_line.h"

#include "cli.h"

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

/* (owned) */
static char *say(const AimfProgress *p)
{
    g_autoptr(GString) line = g_string_new(p->stage);
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
    return aimf_cli_printable(line->str);
}

/* Chinese letters and pictographs take two cells, what is put upon the letter before takes none. */
static glong cells_of(gunichar letter)
{
    return g_unichar_iszerowidth(letter) ? 0 : g_unichar_iswide(letter) ? 2 : 1;
}

char *aimf_live_line(const AimfProgress *progress, glong cells)
{
    char *line = say(progress);
    glong taken = 0;
    for (char *c = line; cells && *c; c = g_utf8_next_char(c))
        if ((taken += cells_of(g_utf8_get_char(c))) > cells) {
            *c = 0;
            break;
        }
    return line;
}
