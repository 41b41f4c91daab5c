/* Demands on measures: "worst_group_accuracy>=0.7". */
#include "base/shown.h"
#include "fair/components.h"

#include <aimfair/names.h>

#include <math.h>
#include <string.h>

enum { NONE = AIMF_NO_GROUP_WORSE_THAN + 1 };

static const char *name_of(guint scalar)
{
    return scalar == AIMF_NO_GROUP_WORSE_THAN ? "no_group_worse_than" : aimf_scalar_name(scalar);
}

/* Index of the measure called @name, or NONE. "equalized_odds" alone is the paper's. */
static guint find_scalar(const char *name)
{
    g_autofree char *paper = g_str_has_suffix(name, "equalized_odds") ? g_strconcat(name, ".mean", NULL) : NULL;
    guint i = 0;
    while (i < NONE && strcmp(name_of(i), paper ? paper : name) != 0)
        i++;
    return i;
}

/* Those over classes have the names of the others behind "macro." and "worst.". */
static char *scalar_list(void)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < AIMF_N_SCALARS && !aimf_scalar_of_classes(i); i++)
        g_string_append_printf(list, "%s%s", i ? ", " : "", aimf_scalar_name(i));
    g_string_append_printf(list, " and, of comparisons, %s", name_of(AIMF_NO_GROUP_WORSE_THAN));
    return g_string_free(g_steal_pointer(&list), FALSE);
}

static char *scalar_hint(const char *name)
{
    const char *names[NONE + 1] = { NULL };
    for (guint i = 0; i < NONE; i++)
        names[i] = name_of(i);
    return aimf_name_hint(name, names);
}

static gboolean check_evidence(const AimfGate *gate, GError **error)
{
    const char *objection = aimf_components_objection(gate);
    if (objection)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s': %s", AIMF_SHOWN(gate->text), objection);
    return !objection;
}

gboolean aimf_gate_parse(const char *text, gboolean evidence, AimfGate *gate, GError **error)
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
    if (!compares || end == number || end[strspn(end, " \t")] || !isfinite(bound) || scalar == NONE) {
        g_autofree char *list = scalar_list();
        g_autofree char *hint = scalar == NONE ? scalar_hint(name) : g_strdup("");
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' is not a demand like 'worst_group_accuracy>=0.7'%s; the measures are %s, with more than two "
                    "classes those from equalized_odds.mean on also as macro.equalized_odds.mean and "
                    "worst.equalized_odds.mean, compared by >=, >, <= or <",
                    AIMF_SHOWN(text), hint, list);
        return FALSE;
    }
    if (scalar == AIMF_NO_GROUP_WORSE_THAN && *sign == '>') {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s': a loss is to be at most so large: <= or <",
                    AIMF_SHOWN(text));
        return FALSE;
    }
    *gate = (AimfGate){ g_strdup(text), scalar, *sign == '>', strict, evidence, bound };
    if (!evidence || check_evidence(gate, error))
        return TRUE;
    aimf_gate_clear(gate);
    return FALSE;
}

void aimf_gate_clear(AimfGate *gate)
{
    g_clear_pointer(&gate->text, g_free);
}

gboolean aimf_gate_met(const AimfGate *gate, double value)
{
    if (isnan(value))
        return FALSE;
    if (value == gate->bound)
        return !gate->strict;
    return gate->at_least ? value > gate->bound : value < gate->bound;
}

const char *aimf_gate_measure(const AimfGate *gate)
{
    return name_of(gate->scalar);
}
