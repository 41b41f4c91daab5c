#include <aimfair/expansion.h>

static gint expansion = 1; /* atomic */

void aimf_set_max_expansion(guint times)
{
    g_atomic_int_set(&expansion, (gint)CLAMP(times, 1, AIMF_MAX_EXPANSION));
}

guint aimf_max_expansion(void)
{
    return (guint)g_atomic_int_get(&expansion);
}
