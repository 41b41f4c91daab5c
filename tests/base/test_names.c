#include <aimfair/names.h>

static void test_nearest(void)
{
    static const char *const names[] = { "train",  "finetune", "help",    "Blond_Hair", "dpm-solver++", "euler", "lr",
                                         "epochs", "exact",    "exactly", NULL };
    static const struct {
        const char *text;
        const char *nearest;
    } cases[] = {
        { "trian", "train" },
        { "hepl", "help" },
        { "finetun", "finetune" },
        { "fine-tune", "finetune" },
        { "blondhair", "Blond_Hair" },
        { "BLOND HAIR", "Blond_Hair" },
        { "blonde_hair", "Blond_Hair" },
        { "dpm", "dpm-solver++" },
        { "dpmsolver", "dpm-solver++" },
        { "euelr", "euler" },
        { "rl", "lr" },
        { "epoch", "epochs" },
        { "epcohs", "epochs" },
        { "exactly", "exactly" },
        { "exact", "exact" },
        { "zzzz", NULL },
        { "xy", NULL },
        { "", NULL },
        { "--", NULL },
        { "x", NULL },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].text);
        g_assert_cmpstr(aimf_nearest_name(cases[i].text, names), ==, cases[i].nearest);
    }
    g_autofree char *endless = g_strnfill(1 << 20, 'a');
    const char *const one[] = { endless, NULL };
    g_assert_null(aimf_nearest_name(endless, names));
    g_assert_null(aimf_nearest_name("aaaa", one));
}

static void test_hint(void)
{
    static const char *const names[] = { "male", NULL };
    g_autofree char *hint = aimf_name_hint("mael", names);
    g_assert_cmpstr(hint, ==, " (did you mean 'male'?)");
    g_autofree char *none = aimf_name_hint("race", names);
    g_assert_cmpstr(none, ==, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/names/nearest", test_nearest);
    g_test_add_func("/names/hint", test_hint);
    return g_test_run();
}
