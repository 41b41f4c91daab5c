/* Demands on measures: "worst_group_accuracy>=0.7". */
#include "base/shown.h"

#include <aimfair/fair.h>
#include <aimfair/names.h>

#include <math.h>
#include <string.h>

/* Index of the measure called @name, AIMF_N_SCALARS if there is none. "equalized_odds" alone is the paper's. */
static guint find_scalar(const char *name)
{
    g_autofree char *paper = g_str_has_suffix(name, "equalized_odds") ? g_strconcat(name, ".mean", NULL) : NULL;
    guint i = 0;
    while (i < AIMF_N_SCALARS && strcmp(aimf_scalar_name(i), paper ? paper : name) != 0)
        i++;
    return i;
}

/* Those over classes have the names of the others behind "macro." and "worst.". */
static char *scalar_list(void)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < AIMF_N_SCALARS && !aimf_scalar_of_classes(i); i++)
        g_string_append_printf(list, "%s%s", i ? ", " : "", aimf_scalar_name(i));
    return g_string_free(g_steal_pointer(&list), FALSE);
}

static char *scalar_hint(const char *name)
{
    const char *names[AIMF_N_SCALARS + 1] = { NULL };
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        names[i] = aimf_scalar_name(i);
    return aimf_name_hint(name, names);
}

gboolean aimf_gate_parse(const char *text, AimfGate *gate, GError **error)
{
    gsize name_length = strcspn(text, "<>=");
    g_autofree char *name = g_strndup(text, name_length);
    const char *sign = text + name_length;
    gboolean compares = *sign == '<' || *sign == '>';
    gboolean strict = compares && sign[1] != '=';
    const char *number = compares ? sign + (strict ? 1 : 2) : sign;
    char *end = NULL;
    double bound = g_ascii_strtod(number, &end);
    guint scalar = find_scalar(g_strstrip(name));
    if (!compares || end == number || end[strspn(end, " \t")] || !isfinite(bound) || scalar == AIMF_N_SCALARS) {
        g_autofree char *list = scalar_list();
        g_autofree char *hint = scalar == AIMF_N_SCALARS ? scalar_hint(name) : g_strdup("");
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' is not a demand like 'worst_group_accuracy>=0.7'%s; the measures are %s, with more than two "
                    "classes those from equalized_odds.mean on also as macro.equalized_odds.mean and "
                    "worst.equalized_odds.mean, compared by >=, >, <= or <",
                    AIMF_SHOWN(text), hint, list);
        return FALSE;
    }
    *gate = (AimfGate){ g_strdup(text), scalar, *sign == '>', strict, bound };
    return TRUE;
}

void aimf_gate_clear(AimfGate *gate)
{
    g_clear_pointer(&gate->text, g_free);
}

gboolean aimf_gate_met(const AimfGate *gate, const AimfScalars *scalars)
{
    double value = aimf_scalar_at(scalars, gate->scalar);
    if (isnan(value))
        return FALSE;
    if (value == gate->bound)
        return !gate->strict;
    return gate->at_least ? value > gate->bound : value < gate->bound;
}
