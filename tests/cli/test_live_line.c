/* The line of progress: what it says, and how many cells of a terminal it takes. */
#include "cli/live_line.h"

/* The program is no library: what of it is looked at alone becomes a part of the test. */
#include "cli/live_line.c"
#include "cli/printable.c"

static void check(const AimfProgress *progress, glong cells, const char *expected)
{
    g_autofree char *line = aimf_live_line(progress, cells);
    g_assert_cmpstr(line, ==, expected);
}

static void test_text(void)
{
    AimfProgress p = { .stage = "epoch 3/15", .unit = "images", .seconds_left = -1, .whole_seconds_left = -1 };
    check(&p, 0, "epoch 3/15: 0 images");
    p.total = 500;
    check(&p, 0, "epoch 3/15: 0/500 images");
    p.done = 120;
    p.rate = 9.876;
    p.seconds_left = 38.4;
    check(&p, 0, "epoch 3/15: 120/500 images, 9.88/s, 38 s left");
    p.rate = 231.4;
    p.note = "loss 0.412";
    p.seconds_left = 125;
    check(&p, 0, "epoch 3/15: 120/500 images, 231/s, 2 min 05 s left, loss 0.412");
    p.seconds_left = 7325;
    check(&p, 0, "epoch 3/15: 120/500 images, 231/s, 2 h 02 min left, loss 0.412");
}

/* Where the whole is known it is the whole that is told, at the end of a stage too. */
static void test_whole(void)
{
    AimfProgress p = { .stage = "s", .unit = "u", .done = 1, .total = 2, .seconds_left = 5, .whole_seconds_left = 90 };
    check(&p, 0, "s: 1/2 u, 1 min 30 s left");
    p.done = 2;
    p.seconds_left = 0;
    check(&p, 0, "s: 2/2 u, 1 min 30 s left");
    p.whole_seconds_left = -1;
    check(&p, 0, "s: 2/2 u");
}

static void test_cells(void)
{
    AimfProgress p = { .unit = "u", .seconds_left = -1, .whole_seconds_left = -1 };
    p.stage = "größe";
    check(&p, 5, "größe");
    check(&p, 7, "größe: ");
    check(&p, 10, "größe: 0 u");
    check(&p, 4, "größ");
    p.stage = "写真";
    check(&p, 9, "写真: 0 u");
    check(&p, 8, "写真: 0 ");
    check(&p, 4, "写真");
    check(&p, 3, "写");
    check(&p, 1, "");
    p.stage = "e\xCC\x81t\xCC\x81"; /* with accents of their own */
    check(&p, 2, "e\xCC\x81t\xCC\x81");
    check(&p, 1, "e\xCC\x81");
    p.stage = "a\r\033[2Jb";
    check(&p, 0, "a\\u000d\\u001b[2Jb: 0 u");
    check(&p, 4, "a\\u0");
    p.stage = "a\xFF"
              "b";
    check(&p, 3,
          "a\xEF\xBF\xBD"
          "b");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/live-line/text", test_text);
    g_test_add_func("/live-line/whole", test_whole);
    g_test_add_func("/live-line/cells", test_cells);
    return g_test_run();
}
