/* Verdicts in words, in JSON and as JUnit's XML. */
#include "fair/verdict_files.h"

#include "base/file.h"
#include "base/format.h"
#include "base/shown.h"
#include "fair/interval_json.h"

#include <math.h>
#include <string.h>

/* --- Words --- */

static void append_part(GString *text, const AimfVerdictPart *part)
{
    if (isnan(part->interval.low))
        g_string_append_printf(text, "%s is unknown", part->what);
    else
        aimf_format_append(text, "%s is %.4g, 95 %%: %.4g to %.4g", part->what, part->value, part->interval.low,
                           part->interval.high);
}

static void append_needs(GString *text, const AimfVerdict *verdict)
{
    enum { SHOWN = 4 };
    if (!verdict->n_needs)
        return;
    g_string_append(text, "; with the rates as they are, ");
    for (guint i = 0; i < MIN(verdict->n_needs, (guint)SHOWN); i++)
        g_string_append_printf(text, "%sabout %" G_GUINT64_FORMAT " of %s (there are %" G_GUINT64_FORMAT ")",
                               i ? ", " : "", verdict->needs[i].needed, AIMF_SHOWN(verdict->needs[i].what),
                               verdict->needs[i].n);
    if (verdict->n_needs > SHOWN)
        g_string_append_printf(text, " and more of %u others", verdict->n_needs - SHOWN);
    g_string_append(text, " would settle it");
}

char *aimf_verdict_text(const AimfVerdict *verdict)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (verdict->decision == AIMF_MET)
        return g_strdup("");
    if (isnan(verdict->value))
        g_string_append_printf(text, "%s is unknown", aimf_gate_measure(&verdict->gate));
    else
        aimf_format_append(text, "%s is %.6g", aimf_gate_measure(&verdict->gate), verdict->value);
    if (verdict->n_parts && (verdict->n_parts > 1 || !isnan(verdict->value))) {
        g_string_append(text, "; ");
        append_part(text, &verdict->parts[0]);
    }
    append_needs(text, verdict);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* --- JSON --- */

static JsonArray *part_objects(const AimfVerdict *verdict)
{
    enum { MOST = 32 };
    JsonArray *parts = json_array_new();
    for (guint i = 0; i < MIN(verdict->n_parts, (guint)MOST); i++) {
        const AimfVerdictPart *part = &verdict->parts[i];
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "what", part->what);
        json_object_set_double_member(object, "value", part->value);
        aimf_json_set_interval(object, "interval", part->interval);
        json_object_set_boolean_member(object, "inside", part->inside);
        json_object_set_boolean_member(object, "outside", part->outside);
        json_object_set_double_member(object, "p", part->p);
        json_array_add_object_element(parts, object);
    }
    return parts;
}

static JsonArray *need_objects(const AimfVerdict *verdict)
{
    JsonArray *needs = json_array_new();
    for (guint i = 0; i < verdict->n_needs; i++) {
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "pictures", verdict->needs[i].what);
        json_object_set_int_member(object, "n", (gint64)verdict->needs[i].n);
        json_object_set_int_member(object, "needed", (gint64)verdict->needs[i].needed);
        json_array_add_object_element(needs, object);
    }
    return needs;
}

static JsonObject *verdict_object(const AimfVerdict *verdict)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "gate", verdict->gate.text);
    json_object_set_double_member(object, "value", verdict->value);
    if (!verdict->gate.evidence) {
        json_object_set_boolean_member(object, "met", verdict->decision == AIMF_MET);
        return object;
    }
    json_object_set_string_member(object, "decision", aimf_decision_name(verdict->decision));
    json_object_set_int_member(object, "n_components", verdict->n_parts);
    json_object_set_array_member(object, "components", part_objects(verdict));
    json_object_set_array_member(object, "needed", need_objects(verdict));
    return object;
}

void aimf_json_set_verdicts(JsonObject *object, const AimfVerdicts *verdicts)
{
    static const char *const members[] = { "require", "require_evidence" };
    for (gboolean evidence = FALSE; verdicts && evidence <= TRUE; evidence++) {
        JsonArray *array = json_array_new();
        for (guint i = 0; i < verdicts->n; i++)
            if (!verdicts->verdicts[i].gate.evidence == !evidence)
                json_array_add_object_element(array, verdict_object(&verdicts->verdicts[i]));
        if (json_array_get_length(array))
            json_object_set_array_member(object, members[evidence], g_steal_pointer(&array));
        g_clear_pointer(&array, json_array_unref);
    }
}

/* --- JUnit --- */

/* @text (taken) as an attribute on one line. XML 1.0 has neither most control characters nor U+FFFE and U+FFFF. */
static void append_attribute(GString *xml, const char *name, char *text)
{
    g_autofree char *shown = aimf_message_text(text);
    g_autoptr(GString) line = g_string_new(NULL);
    for (const char *c = shown; *c; c = g_utf8_next_char(c)) {
        gunichar character = g_utf8_get_char(c);
        if (character == '\n' || character == '\r')
            character = ' ';
        g_string_append_unichar(line, character == 0xFFFE || character == 0xFFFF ? 0xFFFD : character);
    }
    g_autofree char *escaped = g_markup_escape_text(line->str, -1);
    g_string_append_printf(xml, " %s=\"%s\"", name, escaped);
}

static void append_case(GString *xml, const AimfVerdict *verdict)
{
    static const char *const types[] = { NULL, "not-met", "not-enough-evidence" };
    g_string_append_printf(xml, "    <testcase classname=\"aimfair.%s\"",
                           verdict->gate.evidence ? "require-evidence" : "require");
    append_attribute(xml, "name", g_strdup(verdict->gate.text));
    if (verdict->decision == AIMF_MET) {
        g_string_append(xml, " time=\"0\"/>\n");
        return;
    }
    g_string_append_printf(xml, " time=\"0\">\n      <failure type=\"%s\"", types[verdict->decision]);
    g_autofree char *why = aimf_verdict_text(verdict);
    append_attribute(xml, "message", g_strdup_printf("%s: %s", aimf_decision_name(verdict->decision), why));
    g_string_append(xml, "/>\n    </testcase>\n");
}

static void count_cases(const AimfVerdictSuite *suite, guint *tests, guint *failures, guint *skipped)
{
    guint n = suite->verdicts ? suite->verdicts->n : 0;
    *tests += n + (suite->skipped != NULL);
    *skipped += suite->skipped != NULL;
    for (guint i = 0; i < n; i++)
        *failures += suite->verdicts->verdicts[i].decision != AIMF_MET;
}

static void append_suite(GString *xml, const AimfVerdictSuite *suite)
{
    guint tests = 0, failures = 0, skipped = 0;
    count_cases(suite, &tests, &failures, &skipped);
    g_string_append(xml, "  <testsuite");
    append_attribute(xml, "name", g_strdup(suite->name));
    g_string_append_printf(xml, " tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\" time=\"0\">\n", tests,
                           failures, skipped);
    for (guint i = 0; suite->verdicts && i < suite->verdicts->n; i++)
        append_case(xml, &suite->verdicts->verdicts[i]);
    if (suite->skipped) {
        g_string_append(xml, "    <testcase classname=\"aimfair.run\" name=\"run\" time=\"0\">\n      <skipped");
        append_attribute(xml, "message", g_strdup(suite->skipped));
        g_string_append(xml, "/>\n    </testcase>\n");
    }
    g_string_append(xml, "  </testsuite>\n");
}

char *aimf_verdict_suites_junit(const AimfVerdictSuite *suites, guint n)
{
    GString *xml = g_string_new(NULL);
    guint tests = 0, failures = 0, skipped = 0;
    for (guint i = 0; i < n; i++)
        count_cases(&suites[i], &tests, &failures, &skipped);
    g_string_append_printf(xml,
                           "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                           "<testsuites tests=\"%u\" failures=\"%u\" errors=\"0\">\n",
                           tests, failures);
    for (guint i = 0; i < n; i++)
        append_suite(xml, &suites[i]);
    g_string_append(xml, "</testsuites>\n");
    return g_string_free(xml, FALSE);
}

gboolean aimf_verdicts_save_junit(const AimfVerdicts *verdicts, const char *suite, const char *path, GError **error)
{
    const AimfVerdictSuite only = { suite, verdicts, NULL };
    g_autofree char *xml = aimf_verdict_suites_junit(&only, 1);
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    aimf_writer_write(writer, xml, strlen(xml));
    return aimf_writer_commit(writer, error);
}
