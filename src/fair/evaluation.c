/* Measures as JSON. */
#include <aimfair/fair.h>
#include <json-glib/json-glib.h>

#include <math.h>
#include <string.h>

void aimf_evaluation_free(AimfEvaluation *evaluation)
{
    if (!evaluation)
        return;
    g_free(evaluation->model);
    g_free(evaluation->data);
    g_strfreev(evaluation->labels);
    aimf_measures_free(evaluation->measures);
    for (guint i = 0; i < evaluation->n_gates; i++)
        aimf_gate_clear(&evaluation->gates[i]);
    g_free(evaluation->gates);
    aimf_findings_free(evaluation->findings);
    g_free(evaluation);
}

static void add_double(JsonBuilder *builder, const char *name, double value)
{
    json_builder_set_member_name(builder, name);
    if (isfinite(value))
        json_builder_add_double_value(builder, value);
    else
        json_builder_add_null_value(builder);
}

static void add_int(JsonBuilder *builder, const char *name, gint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

static void add_text(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    if (value)
        json_builder_add_string_value(builder, value);
    else
        json_builder_add_null_value(builder);
}

static void add_interval(JsonBuilder *builder, const char *name, AimfInterval interval)
{
    json_builder_set_member_name(builder, name);
    if (isnan(interval.low)) {
        json_builder_add_null_value(builder);
        return;
    }
    json_builder_begin_array(builder);
    json_builder_add_double_value(builder, interval.low);
    json_builder_add_double_value(builder, interval.high);
    json_builder_end_array(builder);
}

/* A member per measure, or per interval; "equalized_odds.mean" and its like become members of one object. */
static void add_scalars(JsonBuilder *builder, const AimfMeasures *measures, gboolean intervals)
{
    gsize open = 0; /* length of the object's name that is open */
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        const char *name = aimf_scalar_name(i), *dot = strchr(name, '.');
        gsize length = dot ? (gsize)(dot - name) : 0;
        if (open && !length)
            json_builder_end_object(builder);
        if (length && !open) {
            g_autofree char *object = g_strndup(name, length);
            json_builder_set_member_name(builder, object);
            json_builder_begin_object(builder);
        }
        open = length;
        const char *member = dot ? dot + 1 : name;
        if (intervals)
            add_interval(builder, member, measures->intervals[i]);
        else
            add_double(builder, member, aimf_scalar_at(&measures->scalars, i));
    }
    g_assert(!open);
}

static void add_groups(JsonBuilder *builder, const AimfEvaluation *evaluation)
{
    const AimfMeasures *measures = evaluation->measures;
    json_builder_set_member_name(builder, "groups");
    json_builder_begin_array(builder);
    for (int i = 0; i < measures->n_targets * measures->n_protected; i++) {
        const AimfGroupMeasure *group = &measures->groups[i];
        json_builder_begin_object(builder);
        add_int(builder, "target", group->target);
        add_text(builder, "protected", evaluation->labels[group->group]);
        add_int(builder, "n", group->n);
        add_double(builder, "accuracy", group->accuracy);
        add_double(builder, "tpr", measures->protected_groups[group->group].tpr);
        add_double(builder, "fpr", measures->protected_groups[group->group].fpr);
        add_double(builder, "selection_rate", group->selection_rate);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void add_gates(JsonBuilder *builder, const AimfEvaluation *evaluation)
{
    const AimfScalars *scalars = &evaluation->measures->scalars;
    json_builder_set_member_name(builder, "require");
    json_builder_begin_array(builder);
    for (guint i = 0; i < evaluation->n_gates; i++) {
        const AimfGate *gate = &evaluation->gates[i];
        json_builder_begin_object(builder);
        add_text(builder, "gate", gate->text);
        add_double(builder, "value", aimf_scalar_at(scalars, gate->scalar));
        json_builder_set_member_name(builder, "met");
        json_builder_add_boolean_value(builder, aimf_gate_met(gate, scalars));
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

/* What was found about the data; that a model was measured on what it has seen is also a member of its own. */
static void add_findings(JsonBuilder *builder, const AimfFindings *findings)
{
    static const struct {
        const char *finding, *member;
    } marks[] = { { "trained-on", "on_training_set" }, { "chosen-on", "on_validation_set" } };
    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
        if (!aimf_findings_has(findings, marks[i].finding))
            continue;
        json_builder_set_member_name(builder, marks[i].member);
        json_builder_add_boolean_value(builder, TRUE);
    }
    g_autofree char *warnings = aimf_findings_json(findings);
    json_builder_set_member_name(builder, "warnings");
    json_builder_add_value(builder, json_from_string(warnings, NULL));
}

char *aimf_evaluation_json(const AimfEvaluation *evaluation)
{
    const AimfMeasures *measures = evaluation->measures;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    add_scalars(builder, measures, FALSE);
    json_builder_set_member_name(builder, evaluation->runs > 1 ? "ranges" : "intervals");
    json_builder_begin_object(builder);
    add_scalars(builder, measures, TRUE);
    json_builder_end_object(builder);
    add_groups(builder, evaluation);
    add_text(builder, "model", evaluation->model);
    add_text(builder, "data", evaluation->data);
    add_int(builder, "n", measures->n);
    if (evaluation->runs > 1)
        add_int(builder, "runs", evaluation->runs);
    if (evaluation->n_gates)
        add_gates(builder, evaluation);
    add_findings(builder, evaluation->findings);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, TRUE);
    return g_strconcat(text, "\n", NULL);
}
