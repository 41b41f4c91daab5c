/* Results, gates, model card and report: made again from all that is before them, they must be the same bytes. */
#include "run/verifier.h"

#include "base/file.h"
#include "base/monitor.h"
#include "run/results.h"

#include <string.h>

static const gsize MAX_BYTES = (gsize)256 << 20;

/* A picture is no file, or may not be read. What the machine hides, the report will meet. */
static gboolean lacks_some(const AimfManifest *manifest)
{
    for (guint i = 0; manifest && i < aimf_manifest_count(manifest); i++) {
        const char *path = aimf_manifest_at(manifest, i).path;
        const AimfPathKind kind = aimf_path_kind(path, NULL);
        if ((kind != AIMF_PATH_FILE && kind != AIMF_PATH_UNKNOWN) || aimf_path_forbidden(path))
            return TRUE;
    }
    return FALSE;
}

/* Of pictures that the report shows: always synthetic ones, and where they were asked for, the test's. */
static gboolean lacks_pictures(const AimfRunResults *results)
{
    return lacks_some(results->sets[AIMF_SET_BALANCED].manifest) ||
           (aimf_config_boolean(results->config, AIMF_KEY_REPORT_PICTURES) &&
            lacks_some(results->sets[AIMF_SET_TEST].manifest));
}

/* @made: (taken, nullable) what the run's file @path should be. */
static gboolean compare(AimfVerifier *verifier, const char *path, char *made, guint *held, GError **error)
{
    g_autofree char *expected = made, *full = aimf_verifier_path(verifier, path);
    GError *failure = NULL;
    g_autoptr(GBytes) bytes = aimf_file_read(full, MAX_BYTES, &failure);
    gsize size = 0;
    const char *found = bytes ? g_bytes_get_data(bytes, &size) : NULL;
    if (!bytes)
        return aimf_verifier_add_error(verifier, AIMF_REFUTED, path, failure, error);
    gsize length = expected ? strlen(expected) : 0, first = 0, line = 1;
    for (; first < length && first < size && expected[first] == found[first]; first++)
        line += found[first] == '\n';
    if (expected && length == size && first == size)
        (*held)++;
    else
        aimf_verifier_add(verifier, AIMF_REFUTED, path,
                          "from line %" G_GSIZE_FORMAT " on it is not what follows from the run's other files", line);
    return TRUE;
}

/* Of each interval that would have to be made again. */
static gint64 resamples_of(const AimfVerifier *verifier)
{
    g_autofree char *path = aimf_verifier_path(verifier, "config.resolved.yaml");
    g_autoptr(AimfConfig) config = aimf_config_read_back(path, NULL);
    return config ? aimf_config_integer(config, AIMF_KEY_EVALUATE_BOOTSTRAP) : 0;
}

gboolean aimf_verify_results(AimfVerifier *verifier, GError **error)
{
    GError *failure = NULL;
    guint held = 0;
    if (verifier->files->odd->len) {
        aimf_verifier_add(verifier, AIMF_UNCHECKED, "results",
                          "what they follow from is not read, as not all of the folder is files and folders");
        return TRUE;
    }
    if (resamples_of(verifier) > AIMF_VERIFY_MOST_RESAMPLES) {
        aimf_verifier_add(verifier, AIMF_UNCHECKED, "results",
                          "their intervals have %" G_GINT64_FORMAT " resamples; more than %d are not made again",
                          resamples_of(verifier), AIMF_VERIFY_MOST_RESAMPLES);
        return TRUE;
    }
    g_autoptr(AimfRunResults) results = aimf_run_results_open(verifier->options->folder, verifier->monitor, &failure);
    if (!results)
        return aimf_verifier_add_error(verifier, AIMF_REFUTED, "results", failure, error);
    const AimfRunResults *const one[] = { results };
    gboolean lacks = lacks_pictures(results);
    g_autofree char *report = lacks ? NULL : aimf_report_html(one, 1, &failure);
    if (failure && !aimf_verifier_add_error(verifier, AIMF_UNCHECKED, "report.html", failure, error))
        return FALSE;
    if (lacks)
        aimf_verifier_add(verifier, AIMF_UNCHECKED, "report.html", "it shows pictures, and some are not there");
    if (!compare(verifier, "results.json", aimf_results_json(results), &held, error) ||
        !compare(verifier, "results.csv", aimf_results_csv(results), &held, error) ||
        !compare(verifier, "model-card.md", aimf_results_card(results), &held, error) ||
        !compare(verifier, "junit.xml", aimf_results_junit(results), &held, error) ||
        (report && !compare(verifier, "report.html", g_steal_pointer(&report), &held, error)))
        return FALSE;
    if (held)
        aimf_verifier_add(verifier, AIMF_VERIFIED, "results",
                          "%u file%s of results, gates, card and report follow%s from the rest", held,
                          AIMF_PLURAL(held), held == 1 ? "s" : "");
    return aimf_check_stop(verifier->monitor, "verifying", error);
}
