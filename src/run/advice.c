#include "run/advice.h"

#include <aimfair/error.h>
#include <string.h>

/* What is longer comes first, where one begins like another. */
static const char *const WORDS[][2] = {
    { "--missing ", "data.missing: " },
    { "--merge-labels ", "data.merge_labels: true " },
    { "--skip-bad ", "data.skip_bad: " },
    { "--allow ", "data.allow: " },
    { "--root", "data.root" },
    { "--file", "data.file" },
    { "--path-column", "data.path_column" },
    { "--split-column", "data.split_column" },
    { "--target-column", "data.target" },
    { "--target-map", "data.target_map" },
    { "--target", "data.target" },
    { "--protected-column", "data.protected" },
    { "--protected-map", "data.protected_maps" },
    { "--protected", "data.protected" },
    { "--val-per-group", "data.val_per_group" },
    { "--test-per-group", "data.test_per_group" },
    { "--prediction ", "generate.prediction: " },
    { "--tokenizer", "generate.tokenizer" },
};

/* Whether a command is quoted there, 'aimfair data csv --target-map', whose options are its own. */
static gboolean is_command(const char *text, const char *at)
{
    const char *quote = at;
    while (quote > text && *quote != '\'')
        quote--;
    return g_str_has_prefix(quote, "'aimfair ") || g_str_has_prefix(quote, "'data ");
}

/* The place in WORDS of the option that begins there, or none. */
static gsize find_words(const char *text, const char *at)
{
    gsize i = 0;
    if (at > text && at[-1] != ' ' && at[-1] != '(')
        return G_N_ELEMENTS(WORDS);
    while (i < G_N_ELEMENTS(WORDS) && !g_str_has_prefix(at, WORDS[i][0]))
        i++;
    char next = i < G_N_ELEMENTS(WORDS) ? at[strlen(WORDS[i][0])] : 0;
    gboolean longer = next == '-' || (g_ascii_isalnum(next) && !g_str_has_suffix(WORDS[i][0], " "));
    return longer || is_command(text, at) ? G_N_ELEMENTS(WORDS) : i;
}

char *aimf_run_advice(const char *text)
{
    GString *advice = g_string_new(NULL);
    for (const char *c = text; *c;) {
        gsize i = c[0] == '-' && c[1] == '-' ? find_words(text, c) : G_N_ELEMENTS(WORDS);
        if (i == G_N_ELEMENTS(WORDS)) {
            g_string_append_c(advice, *c++);
            continue;
        }
        g_string_append(advice, WORDS[i][1]);
        c += strlen(WORDS[i][0]);
    }
    return g_string_free(advice, FALSE);
}

void aimf_run_advise(GError *failure, GError **error)
{
    if (!failure)
        return;
    g_autofree char *text = aimf_run_advice(failure->message);
    g_set_error_literal(error, failure->domain, failure->code, text);
    g_error_free(failure);
}

/* (owned) @text without @quoted, "'my/run/", before names of files. */
static char *name_within(const char *text, const char *quoted)
{
    g_auto(GStrv) parts = g_strsplit(text, quoted, -1);
    return g_strjoinv("'", parts);
}

AimfFindings *aimf_run_advise_findings(const AimfFindings *findings, const char *folder)
{
    AimfFindings *copies = aimf_findings_new();
    g_autofree char *file = g_build_filename(folder, "-", NULL), *quoted = g_strconcat("'", file, NULL);
    quoted[strlen(quoted) - 1] = 0;
    for (guint i = 0; i < aimf_findings_count(findings); i++) {
        AimfFinding finding = *aimf_findings_at(findings, i);
        g_autofree char *within = name_within(finding.text, quoted), *text = aimf_run_advice(within);
        finding.text = text;
        aimf_findings_copy(copies, &finding);
    }
    return copies;
}
