#include "evaluate_demands.h"

#include <math.h>

void aimf_demands_clear(AimfDemands *demands)
{
    for (guint i = 0; i < demands->n; i++)
        aimf_gate_clear(&demands->gates[i]);
    g_free(demands->gates);
    g_strfreev(demands->require);
    g_strfreev(demands->require_evidence);
    g_free(demands->junit);
}

static guint count(char *const *texts)
{
    return texts ? g_strv_length((char **)texts) : 0;
}

static gboolean parse(AimfDemands *demands, char *const *texts, gboolean evidence, GError **error)
{
    for (char *const *text = texts; text && *text; text++) {
        if (!aimf_gate_parse(*text, evidence, &demands->gates[demands->n], error)) {
            g_prefix_error(error, evidence ? "--require-evidence " : "--require ");
            return FALSE;
        }
        demands->n++;
    }
    return TRUE;
}

static gboolean check_about(const AimfDemands *demands, AimfDemandsAbout about, GError **error)
{
    const char *problem = NULL;
    if (about == AIMF_ABOUT_AN_AVERAGE && demands->require_evidence)
        problem = "--require-evidence has no meaning with --average: evidence is found in answers picture by picture";
    for (guint i = 0; i < demands->n; i++)
        if (demands->gates[i].scalar == AIMF_NO_GROUP_WORSE_THAN && about != AIMF_ABOUT_A_COMPARISON)
            problem = "no_group_worse_than is about --compare";
    if (demands->junit && !demands->n)
        problem = "--junit is of --require and --require-evidence";
    if (problem)
        g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_INVALID, problem);
    return !problem;
}

gboolean aimf_demands_parse(AimfDemands *demands, AimfDemandsAbout about, GError **error)
{
    demands->gates = g_new0(AimfGate, count(demands->require) + count(demands->require_evidence) + 1);
    return parse(demands, demands->require, FALSE, error) && parse(demands, demands->require_evidence, TRUE, error) &&
           check_about(demands, about, error);
}

/* --- What became of them --- */

typedef struct {
    const AimfVerdicts *verdicts;
    const char *suite;
} Junit;

static gboolean save(const char *path, gconstpointer data, GError **error)
{
    const Junit *junit = data;
    return aimf_verdicts_save_junit(junit->verdicts, junit->suite, path, error);
}

gboolean aimf_demands_save(AimfCli *cli, const AimfDemands *demands, const AimfVerdicts *verdicts, const char *suite,
                           GError **error)
{
    const Junit junit = { verdicts, suite };
    return !demands->junit || aimf_cli_write_text(cli, demands->junit, save, &junit, error);
}

static AimfCliColour colour_of(AimfDecision decision)
{
    return decision == AIMF_MET ? AIMF_CLI_GREEN : decision == AIMF_NOT_MET ? AIMF_CLI_RED : AIMF_CLI_YELLOW;
}

static void print_verdict(AimfCli *cli, const AimfVerdict *verdict, glong width)
{
    g_autofree char *text = aimf_cli_printable(verdict->gate.text);
    aimf_cli_print_padded(cli, text, width);
    if (isnan(verdict->value))
        aimf_cli_print(cli, "%10s", "-");
    else
        aimf_cli_print(cli, "%10.4f", verdict->value);
    aimf_cli_print(cli, "   ");
    aimf_cli_print_coloured(cli, colour_of(verdict->decision), aimf_decision_name(verdict->decision));
    aimf_cli_print(cli, "\n");
}

void aimf_cli_print_verdicts(AimfCli *cli, const AimfVerdicts *verdicts)
{
    glong width = 0;
    for (guint i = 0; i < verdicts->n; i++)
        if (verdicts->verdicts[i].gate.evidence)
            width = MAX(width, g_utf8_strlen(verdicts->verdicts[i].gate.text, -1));
    if (!width)
        return;
    width = MAX(width, 36);
    aimf_cli_print(cli, "\n");
    aimf_cli_print_padded(cli, "demand for evidence", width);
    aimf_cli_print(cli, "%10s   %s\n", "value", "decision");
    for (guint i = 0; i < verdicts->n; i++)
        if (verdicts->verdicts[i].gate.evidence)
            print_verdict(cli, &verdicts->verdicts[i], width);
}

/* The two mistakes that make a measure unknown whatever the answers are. */
static const char *why_unknown(const AimfMeasures *measures, guint scalar)
{
    const guint first_of_class = G_STRUCT_OFFSET(AimfScalars, positive) / sizeof(double);
    if (scalar == AIMF_NO_GROUP_WORSE_THAN)
        return "";
    if (aimf_scalar_of_classes(scalar))
        return measures->n_targets == 2 ? ": there are two classes; leave macro and worst away" : "";
    return measures->positive < 0 && scalar >= first_of_class
               ? ": with more than two classes put macro or worst and a point before it, or name a class by --positive"
               : "";
}

void aimf_demands_end(AimfCli *cli, const AimfVerdicts *verdicts, const AimfMeasures *measures)
{
    for (guint i = 0; i < verdicts->n; i++) {
        const AimfVerdict *verdict = &verdicts->verdicts[i];
        if (verdict->decision == AIMF_MET)
            continue;
        g_autofree char *why = aimf_verdict_text(verdict);
        aimf_cli_message(cli, AIMF_LOG_WARNING, "%s: %s (%s%s)", aimf_decision_name(verdict->decision),
                         verdict->gate.text, why,
                         isnan(verdict->value) ? why_unknown(measures, verdict->gate.scalar) : "");
        if (verdict->decision == AIMF_NOT_MET)
            cli->exit_status = AIMF_EXIT_GATE;
        else if (cli->exit_status != AIMF_EXIT_GATE)
            cli->exit_status = AIMF_EXIT_EVIDENCE;
    }
}
