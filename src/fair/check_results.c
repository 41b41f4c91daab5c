/* Whether results are of different things: sensitivities that are not all 0, files that are not one file. */
#include <aimfair/sets.h>

#include "base/json.h"
#include "model/model.h"
#include <string.h>
#include <sys/stat.h>

/* --- Sensitivities --- */

/* @a, @b: the names of the two sets whose gradients are equal; @what: "domain" */
static void tell_zeros(const AimfTensors *gradients, const char *a, const char *b, const char *what,
                       AimfFindings *findings)
{
    g_autofree char *key_a = g_strconcat(AIMF_GRADIENTS_DATA_KEY, a, NULL);
    g_autofree char *key_b = g_strconcat(AIMF_GRADIENTS_DATA_KEY, b, NULL);
    const char *rows_a = gradients ? aimf_tensors_metadata(gradients, key_a) : NULL;
    const char *rows_b = gradients ? aimf_tensors_metadata(gradients, key_b) : NULL;
    if (rows_a && g_strcmp0(rows_a, rows_b) == 0)
        aimf_findings_add(findings, "same-set", TRUE,
                          "all sensitivities to %s are 0: by their hashes the %s and the %s set are one", what, a, b);
    else if (rows_a && rows_b)
        aimf_findings_add(findings, "insensitive", TRUE,
                          "all sensitivities to %s are 0, so they rank nothing: the %s and the %s set gave the same "
                          "gradients. By their hashes they are two sets; most likely the model gives every picture the "
                          "same answer, or they have the same pictures under other names",
                          what, a, b);
    else
        aimf_findings_add(findings, "insensitive", TRUE,
                          "all sensitivities to %s are 0, so they rank nothing: the %s and the %s set gave the same "
                          "gradients. Most likely they were one set, or the model gives every picture the same answer",
                          what, a, b);
}

void aimf_check_sensitivities(const AimfSensitivities *sensitivities, const AimfTensors *gradients,
                              AimfFindings *findings)
{
    gboolean domain = FALSE, bias = FALSE;
    for (guint i = 0; i < sensitivities->n; i++) {
        domain = domain || sensitivities->tensors[i].domain > 0;
        bias = bias || sensitivities->tensors[i].bias > 0;
    }
    if (!domain)
        tell_zeros(gradients, "real", "biased", "domain", findings);
    if (!bias)
        tell_zeros(gradients, "biased", "balanced", "bias", findings);
}

void aimf_check_batch_norm(const AimfSensitivities *sensitivities, const AimfModel *model, AimfBatchNormMode mode,
                           AimfFindings *findings)
{
    if (!aimf_model_has_batch_norm(model) || sensitivities->batch_norm == mode)
        return;
    gboolean frozen = mode == AIMF_BATCH_NORM_FROZEN;
    aimf_findings_add(findings, "batch-norm", FALSE,
                      "batch norm is %s in this training; the sensitivities, which choose what is trained, were "
                      "measured with it %s",
                      frozen ? "frozen" : "not frozen", frozen ? "not frozen" : "frozen");
}

/* --- Results to be averaged --- */

enum { MAX_FILE_BYTES = 64 << 20 };

/* A result and its text without regard to blanks. */
typedef struct {
    struct stat status;
    char *text;
    char *origin; /* (nullable) hashes of model and data, from the evidence */
    AimfEvaluation *evaluation;
} Result;

static void result_clear(gpointer data)
{
    Result *result = data;
    g_free(result->text);
    g_free(result->origin);
    aimf_evaluation_free(result->evaluation);
}

static const char *hash_of(JsonObject *evidence, const char *name)
{
    JsonNode *hash = json_object_get_member(evidence, name);
    return hash && JSON_NODE_HOLDS_VALUE(hash) ? json_node_get_string(hash) : NULL;
}

/* (owned, nullable) hashes of the weights and rows that a result is of, or of the answers if there were no weights */
static char *read_origin(JsonObject *object)
{
    JsonNode *node = json_object_get_member(object, "evidence");
    if (!node || !JSON_NODE_HOLDS_OBJECT(node))
        return NULL;
    JsonObject *evidence = json_node_get_object(node);
    const char *weights = hash_of(evidence, "weights_sha256");
    const char *data = hash_of(evidence, weights ? "rows_sha256" : "data_sha256");
    return data ? g_strconcat(weights ? weights : "answers", " ", data, NULL) : NULL;
}

static gboolean read_result(const char *path, Result *result, GError **error)
{
    g_autoptr(JsonNode) root = aimf_json_open(path, MAX_FILE_BYTES, error);
    if (!root || !(result->evaluation = aimf_evaluation_open(path, error)))
        return FALSE;
    result->text = json_to_string(root, FALSE);
    result->origin = read_origin(json_node_get_object(root));
    if (stat(path, &result->status) != 0)
        memset(&result->status, 0, sizeof result->status);
    return TRUE;
}

/* Every figure, of as many pictures in every group: seeds hardly ever agree so. */
static gboolean same_figures(const AimfMeasures *a, const AimfMeasures *b)
{
    if (a->n_targets != b->n_targets || a->n_protected != b->n_protected ||
        memcmp(&a->scalars, &b->scalars, sizeof a->scalars) != 0)
        return FALSE;
    for (int i = 0; i < a->n_targets * a->n_protected; i++)
        if (a->groups[i].n != b->groups[i].n || a->groups[i].accuracy != b->groups[i].accuracy)
            return FALSE;
    return TRUE;
}

static void compare_results(const Result *a, const Result *b, const char *path_a, const char *path_b,
                            AimfFindings *findings)
{
    if (a->status.st_ino && a->status.st_dev == b->status.st_dev && a->status.st_ino == b->status.st_ino)
        aimf_findings_add(findings, "same-set", TRUE, "'%s' and '%s' are one file; an average is of different results",
                          path_a, path_b);
    else if (strcmp(a->text, b->text) == 0)
        aimf_findings_add(findings, "same-set", TRUE, "'%s' and '%s' say the same; an average is of different results",
                          path_a, path_b);
    else if (a->origin && g_strcmp0(a->origin, b->origin) == 0)
        aimf_findings_add(findings, "same-set", TRUE,
                          "'%s' and '%s' are of the same weights and the same data; an average is of different results",
                          path_a, path_b);
    else if (same_figures(a->evaluation->measures, b->evaluation->measures))
        aimf_findings_add(findings, "same-set", FALSE, "'%s' and '%s' have the same figures: are they of one model?",
                          path_a, path_b);
}

/* What is predicted, and what its classes are called. */
static void check_names(const GArray *results, const char *const *paths, AimfFindings *findings)
{
    const AimfEvaluation *first = g_array_index(results, Result, 0).evaluation;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree AimfNamed *sources = g_new0(AimfNamed, (gsize)results->len);
    for (guint i = 0; i < results->len; i++) {
        const AimfEvaluation *evaluation = g_array_index(results, Result, i).evaluation;
        g_ptr_array_add(texts, g_strdup_printf("'%s'", paths[i]));
        sources[i] = (AimfNamed){ .source = g_ptr_array_index(texts, i), .classes = evaluation->classes };
        if (first->target && evaluation->target && strcmp(first->target, evaluation->target) != 0)
            aimf_findings_add(findings, "names", FALSE, "'%s' is about '%s' and '%s' about '%s': is that the same?",
                              paths[0], first->target, paths[i], evaluation->target);
    }
    aimf_check_names(sources, results->len, findings);
}

gboolean aimf_check_results(const char *const *paths, guint n, AimfFindings *findings, GError **error)
{
    g_autoptr(GArray) results = g_array_new(FALSE, TRUE, sizeof(Result));
    g_array_set_clear_func(results, result_clear);
    for (guint i = 0; i < n; i++) {
        g_array_set_size(results, i + 1);
        Result *result = &g_array_index(results, Result, i);
        if (!read_result(paths[i], result, error))
            return FALSE;
        for (guint k = 0; k < i; k++)
            compare_results(&g_array_index(results, Result, k), result, paths[k], paths[i], findings);
    }
    if (n)
        check_names(results, paths, findings);
    return TRUE;
}

void aimf_check_runs(const AimfEvidence *const *evidence, const char *const *paths, guint n, AimfFindings *findings)
{
    for (guint i = 0; i < n; i++) {
        for (guint k = 0; k < i; k++) {
            const char *one = evidence[k]->weights_sha256, *other = evidence[i]->weights_sha256;
            gboolean weights = one || other;
            if (weights ? g_strcmp0(one, other) == 0
                        : g_strcmp0(evidence[k]->data_sha256, evidence[i]->data_sha256) == 0)
                aimf_findings_add(findings, "same-set", TRUE,
                                  weights ? "'%s' and '%s' have the same weights; seeds are different models"
                                          : "'%s' and '%s' are the same answers; seeds are different models",
                                  paths[k], paths[i]);
        }
    }
}
