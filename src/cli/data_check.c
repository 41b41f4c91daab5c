#include "data_check.h"

#include "allow.h"

/* Without --verbose or --json, so many of each kind are shown. */
enum { SHOWN_PROBLEMS = 20 };

typedef struct {
    AimfCli *cli;
    char *const *paths; /* of the manifests */
    const AimfManifest *const *manifests;
    guint n;
    gboolean decoded;
    const AimfDataCheck *check;
    const AimfFindings *findings;
} Report;

/* One table or list for targets and labels, of those that the manifest has. */
void data_print_groups(AimfCli *cli, const AimfManifest *manifest)
{
    if (!aimf_manifest_has_targets(manifest))
        return;
    gboolean labelled = aimf_manifest_has_labels(manifest);
    guint n_labels;
    const char *const *labels = aimf_manifest_groups(manifest, &n_labels);
    g_autofree guint *counts = aimf_manifest_counts(manifest);
    g_auto(GStrv) classes = aimf_manifest_class_names(manifest);
    g_auto(GStrv) groups = aimf_manifest_group_names(manifest);
    aimf_cli_print(cli, "  %8s  %-12s  %8s\n", "target", labelled ? "protected" : "", "images");
    for (guint g = 0; g < (guint)aimf_manifest_classes(manifest) * n_labels; g++) {
        g_autofree char *label = labelled ? aimf_cli_label(labels[g % n_labels]) : g_strdup("");
        aimf_cli_print(cli, "  %8u  ", g / n_labels);
        aimf_cli_print_padded(cli, label, 12);
        aimf_cli_print(cli, "  %8u", counts[g]);
        if (classes && groups)
            aimf_cli_print(cli, "  %s, %s", classes[g / n_labels], groups[g % n_labels]);
        aimf_cli_print(cli, "\n");
    }
}

void data_json_groups(JsonBuilder *builder, const AimfManifest *manifest)
{
    guint n_labels;
    const char *const *labels = aimf_manifest_groups(manifest, &n_labels);
    g_autofree guint *counts = aimf_manifest_counts(manifest);
    g_auto(GStrv) classes = aimf_manifest_class_names(manifest);
    g_auto(GStrv) names = aimf_manifest_group_names(manifest);
    aimf_cli_json_int(builder, "images", aimf_manifest_count(manifest));
    if (aimf_manifest_n_dropped(manifest))
        aimf_cli_json_int(builder, "dropped", aimf_manifest_n_dropped(manifest));
    if (!aimf_manifest_has_targets(manifest))
        return;
    json_builder_set_member_name(builder, "groups");
    json_builder_begin_array(builder);
    for (guint g = 0; g < (guint)aimf_manifest_classes(manifest) * n_labels; g++) {
        json_builder_begin_object(builder);
        aimf_cli_json_int(builder, "target", g / n_labels);
        if (aimf_manifest_has_labels(manifest))
            aimf_cli_json_text(builder, "protected", labels[g % n_labels]);
        if (classes)
            aimf_cli_json_text(builder, "target_name", classes[g / n_labels]);
        if (names)
            aimf_cli_json_text(builder, "protected_name", names[g % n_labels]);
        aimf_cli_json_int(builder, "images", counts[g]);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

/* --- Text --- */

/* @other: (nullable) how the place of the first appearance is introduced. */
static void print_problems(const Report *r, const char *title, const GArray *problems, const char *other)
{
    aimf_cli_print(r->cli, "%s: %u\n", title, problems->len);
    guint shown = r->cli->verbose ? problems->len : MIN(problems->len, SHOWN_PROBLEMS);
    for (guint i = 0; i < shown; i++) {
        const AimfProblem *p = &g_array_index(problems, AimfProblem, i);
        g_autofree char *place = aimf_manifest_place(r->manifests[p->manifest], p->row);
        g_autofree char *manifest = aimf_cli_printable(r->paths[p->manifest]), *text = aimf_cli_printable(p->text);
        aimf_cli_print(r->cli, "  %s, %s", manifest, place);
        if (other) {
            g_autofree char *other_place = aimf_manifest_place(r->manifests[p->other_manifest], p->other_row);
            g_autofree char *other_manifest = aimf_cli_printable(r->paths[p->other_manifest]);
            aimf_cli_print(r->cli, " %s %s, %s", other, other_manifest, other_place);
        }
        aimf_cli_print(r->cli, ": %s\n", text);
    }
    if (shown < problems->len)
        aimf_cli_print(r->cli, "  … and %u more; --verbose shows all\n", problems->len - shown);
}

static void print_report(const Report *r)
{
    for (guint i = 0; i < r->n; i++) {
        g_autofree char *path = aimf_cli_printable(r->paths[i]);
        aimf_cli_print(r->cli, "%s: %u image%s\n", path, aimf_manifest_count(r->manifests[i]),
                       AIMF_PLURAL(aimf_manifest_count(r->manifests[i])));
        data_print_groups(r->cli, r->manifests[i]);
    }
    print_problems(r, "missing", r->check->missing, NULL);
    print_problems(r, r->decoded ? "unreadable" : "unreadable (not decoded)", r->check->unreadable, NULL);
    print_problems(r, "repeated within a manifest", r->check->repeated, "repeats");
    if (r->n > 1)
        print_problems(r, "in more than one manifest", r->check->across, "is also in");
}

/* --- JSON --- */

static void json_problems(const Report *r, JsonBuilder *builder, const char *name, const GArray *problems,
                          gboolean duplicates)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
    for (guint i = 0; i < problems->len; i++) {
        const AimfProblem *p = &g_array_index(problems, AimfProblem, i);
        g_autofree char *text = g_utf8_make_valid(p->text, -1);
        g_autofree char *path = g_utf8_make_valid(aimf_manifest_at(r->manifests[p->manifest], p->row).path, -1);
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "manifest", r->paths[p->manifest]);
        aimf_cli_json_int(builder, "line", (gint64)aimf_manifest_line(r->manifests[p->manifest], p->row));
        aimf_cli_json_text(builder, "path", path);
        if (duplicates) {
            aimf_cli_json_text(builder, "other_manifest", r->paths[p->other_manifest]);
            aimf_cli_json_int(builder, "other_line",
                              (gint64)aimf_manifest_line(r->manifests[p->other_manifest], p->other_row));
        } else {
            aimf_cli_json_text(builder, "error", text);
        }
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void print_json_report(const Report *r)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "manifests");
    json_builder_begin_array(builder);
    for (guint i = 0; i < r->n; i++) {
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "path", r->paths[i]);
        data_json_groups(builder, r->manifests[i]);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    aimf_cli_json_bool(builder, "decoded", r->decoded);
    json_problems(r, builder, "missing", r->check->missing, FALSE);
    json_problems(r, builder, "unreadable", r->check->unreadable, FALSE);
    json_problems(r, builder, "repeated", r->check->repeated, TRUE);
    json_problems(r, builder, "across", r->check->across, TRUE);
    aimf_allow_json(builder, r->findings);
    json_builder_end_object(builder);
    aimf_cli_print_json(r->cli, builder);
}

/* --- The command --- */

/* Pictures in several manifests are an error unless they are allowed: there are sets that may share some. */
static void find_leaks(const Report *r, AimfFindings *findings)
{
    const GArray *across = r->check->across, *repeated = r->check->repeated;
    if (repeated->len)
        aimf_findings_add(findings, "repeated", FALSE, "%u image%s there twice within a manifest", repeated->len,
                          repeated->len == 1 ? " is" : "s are");
    if (!across->len)
        return;
    const AimfProblem *p = &g_array_index(across, AimfProblem, 0);
    g_autofree char *place = aimf_manifest_place(r->manifests[p->manifest], p->row);
    g_autofree char *other_place = aimf_manifest_place(r->manifests[p->other_manifest], p->other_row);
    aimf_findings_add(findings, "overlap", TRUE,
                      "%u image%s in more than one manifest, a leak if one of them is for testing; the first is in "
                      "'%s', %s, and in '%s', %s",
                      across->len, across->len == 1 ? " is" : "s are", r->paths[p->other_manifest], other_place,
                      r->paths[p->manifest], place);
}

static void free_manifest(gpointer manifest)
{
    aimf_manifest_free(manifest);
}

/* Each manifest by itself, then what they call the same things. */
static void check_labels(const GPtrArray *manifests, char *const *paths, AimfFindings *findings)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree AimfNamed *sources = g_new0(AimfNamed, manifests->len);
    for (guint i = 0; i < manifests->len; i++) {
        g_ptr_array_add(texts, g_strdup_printf("'%s'", paths[i]));
        sources[i] = (AimfNamed){ .source = g_ptr_array_index(texts, i), .manifest = g_ptr_array_index(manifests, i) };
    }
    for (guint i = 0; i < manifests->len; i++)
        aimf_check_dataset(sources[i].manifest, sources[i].source, findings);
    aimf_check_names(sources, manifests->len, findings);
    aimf_check_labels(sources, manifests->len, findings);
}

/* (owned) of AimfManifest */
static GPtrArray *open_manifests(AimfCli *cli, char *const *paths, guint n, AimfFindings *findings, GError **error)
{
    g_autoptr(GPtrArray) manifests = g_ptr_array_new_with_free_func(free_manifest);
    for (guint i = 0; i < n; i++) {
        AimfManifest *manifest =
            aimf_cli_open_manifest(cli, paths[i], AIMF_COLUMN_OPTIONAL, AIMF_COLUMN_OPTIONAL, findings, error);
        if (!manifest)
            return NULL;
        g_ptr_array_add(manifests, manifest);
    }
    if (cli->labels.merge_spellings)
        aimf_manifests_merge_labels((AimfManifest *const *)manifests->pdata, n);
    return g_steal_pointer(&manifests);
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    gboolean no_decode = FALSE;
    g_auto(AimfAllow) allow;
    aimf_allow_init(&allow);
    const GOptionEntry entries[] = {
        { "no-decode", 0, 0, G_OPTION_ARG_NONE, &no_decode, "only look whether the files are there", NULL },
        AIMF_ALLOW_ENTRY(&allow),
        G_OPTION_ENTRY_NULL,
    };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error) ||
        !aimf_cli_require(cli, "MANIFEST", argc > 1 ? argv[1] : NULL, error) || !aimf_allow_check(&allow, error))
        return FALSE;
    g_autoptr(GPtrArray) manifests = open_manifests(cli, argv + 1, (guint)argc - 1, allow.findings, error);
    if (!manifests)
        return FALSE;
    const AimfManifest *const *all = (const AimfManifest *const *)manifests->pdata;
    g_autoptr(AimfDataCheck) check =
        aimf_data_check(all, manifests->len, !no_decode, cli->threads, cli->monitor, error);
    if (!check)
        return FALSE;
    Report report = { cli, argv + 1, all, manifests->len, !no_decode, check, allow.findings };
    find_leaks(&report, allow.findings);
    check_labels(manifests, argv + 1, allow.findings);
    (cli->json ? print_json_report : print_report)(&report);
    if (check->missing->len || check->unreadable->len) {
        aimf_cli_message(cli, AIMF_LOG_WARNING, "%u image%s missing, %u unreadable", check->missing->len,
                         check->missing->len == 1 ? " is" : "s are", check->unreadable->len);
        cli->exit_status = AIMF_EXIT_USAGE;
    }
    return aimf_allow_report(cli, &allow, error);
}

const AimfCommand AIMF_COMMAND_DATA_CHECK = {
    .name = "data check",
    .summary = "count groups, find missing, unreadable and repeated images",
    .arguments = "MANIFEST…",
    .description = "An image that is in two manifests is a leak where one of them is for testing.\n"
                   "Exit status 2 when an image is missing, unreadable, or in two manifests (unless --allow overlap).",
    .reads_labels = TRUE,
    .run = run,
};
