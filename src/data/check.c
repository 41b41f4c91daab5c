/* Checking manifests: missing and unreadable pictures, and paths that are there twice. */
#include <aimfair/data.h>

#include "base/file.h"
#include "base/monitor.h"
#include "data/overlap.h"
#include "image/image.h"
#include <omp.h>

typedef struct {
    guint manifest;
    guint row;
} Place;

static void problem_clear(gpointer data)
{
    g_free(((AimfProblem *)data)->text);
}

static GArray *problems_new(void)
{
    GArray *problems = g_array_new(FALSE, TRUE, sizeof(AimfProblem));
    g_array_set_clear_func(problems, problem_clear);
    return problems;
}

void aimf_data_check_free(AimfDataCheck *check)
{
    if (!check)
        return;
    g_array_unref(check->missing);
    g_array_unref(check->unreadable);
    g_array_unref(check->repeated);
    g_array_unref(check->across);
    g_free(check);
}

/* (owned) the picture's path, and for a copy whose it is. */
static char *duplicate_text(const char *path, const char *other, gboolean copy)
{
    char *full = g_canonicalize_filename(path, NULL);
    g_autofree char *full_other = copy ? g_canonicalize_filename(other, NULL) : NULL;
    if (!copy)
        return full;
    char *text = g_strdup_printf("%s, with the same bytes as %s", full, full_other);
    g_free(full);
    return text;
}

static void find_duplicates(const AimfManifest *const *manifests, const AimfPictures *pictures, AimfDataCheck *check)
{
    g_autofree guint8 *seen = g_new0(guint8, (gsize)pictures->n_files + 1);
    g_autofree Place *first = g_new(Place, (gsize)pictures->n_files + 1);
    for (guint m = 0; m < pictures->n; m++) {
        for (guint i = 0; i < pictures->n_rows[m]; i++) {
            guint content = pictures->content[m][i];
            if (!seen[content]) {
                seen[content] = 1;
                first[content] = (Place){ m, i };
                continue;
            }
            Place other = first[content];
            gboolean copy = pictures->file[m][i] != pictures->file[other.manifest][other.row];
            char *text = duplicate_text(aimf_manifest_at(manifests[m], i).path,
                                        aimf_manifest_at(manifests[other.manifest], other.row).path, copy);
            AimfProblem problem = { m, i, other.manifest, other.row, text };
            g_array_append_val(other.manifest == m ? check->repeated : check->across, problem);
        }
    }
}

/* What the threads share; each takes the next picture until there is none. */
typedef struct {
    const AimfManifest *const *manifests;
    GArray *places; /* of Place */
    gboolean decode;
    gint next; /* atomic */
    gint done; /* atomic */
    gint stop; /* atomic */
    AimfDecodeBudget budget;
    GMutex lock;
    AimfDataCheck *check; /* under the lock */
} Work;

static void check_picture(Work *work, Place place)
{
    const char *path = aimf_manifest_at(work->manifests[place.manifest], place.row).path;
    g_autoptr(GError) error = NULL;
    AimfPathKind kind = aimf_path_kind(path, &error);
    gboolean missing = kind == AIMF_PATH_MISSING;
    if (missing) {
        g_set_error(&error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "'%s' does not exist", path);
    } else if (!error && work->decode) {
        aimf_image_free_within(&work->budget, aimf_image_open_within(&work->budget, path, &error));
    } else if (!error && kind != AIMF_PATH_FILE) {
        g_set_error(&error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is not a regular file", path);
    }
    if (!error)
        return;
    AimfProblem problem = { place.manifest, place.row, 0, 0, g_strdup(error->message) };
    g_mutex_lock(&work->lock);
    g_array_append_val(missing ? work->check->missing : work->check->unreadable, problem);
    g_mutex_unlock(&work->lock);
}

static gpointer check_pictures(gpointer data)
{
    Work *work = data;
    for (;;) {
        guint i = (guint)g_atomic_int_add(&work->next, 1);
        if (i >= work->places->len || g_atomic_int_get(&work->stop))
            return NULL;
        check_picture(work, g_array_index(work->places, Place, i));
        g_atomic_int_inc(&work->done);
    }
}

static gint compare_problems(gconstpointer a, gconstpointer b)
{
    const AimfProblem *x = a, *y = b;
    if (x->manifest != y->manifest)
        return x->manifest < y->manifest ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* The calling thread reports and watches for a stop while the others work. */
static gboolean watch(Work *work, const AimfMonitor *monitor, GError **error)
{
    AimfStage stage;
    guint reported = 0, total = work->places->len;
    aimf_stage_begin(&stage, monitor, work->decode ? "decoding" : "looking", "images", total);
    while (reported < total) {
        if (!aimf_check_stop(monitor, "checking images", error)) {
            g_atomic_int_set(&work->stop, 1);
            return FALSE;
        }
        guint done = (guint)g_atomic_int_get(&work->done);
        if (done > reported)
            aimf_stage_step(&stage, done - reported, NULL);
        reported = done;
        if (reported < total)
            g_usleep(5000);
    }
    return TRUE;
}

/* As many of @n threads as there can be: fewer are slower, not wrong. 0 with an error. */
static guint start(GThread **workers, guint n, Work *work, GError **error)
{
    g_autoptr(GError) refused = NULL;
    workers[0] = g_thread_try_new("aimf-check", check_pictures, work, &refused);
    if (!workers[0]) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED, "no thread to check images with: %s", refused->message);
        return 0;
    }
    guint n_started = 1;
    while (n_started < n && (workers[n_started] = g_thread_try_new("aimf-check", check_pictures, work, NULL)))
        n_started++;
    return n_started;
}

AimfDataCheck *aimf_data_check(const AimfManifest *const *manifests, guint n, gboolean decode, int threads,
                               const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfDataCheck) check = g_new0(AimfDataCheck, 1);
    check->missing = problems_new();
    check->unreadable = problems_new();
    check->repeated = problems_new();
    check->across = problems_new();
    g_autoptr(AimfPictures) pictures =
        aimf_pictures_compare(manifests, n, decode ? AIMF_COMPARE_ALL : AIMF_COMPARE_FILES, monitor, error);
    if (!pictures)
        return NULL;
    find_duplicates(manifests, pictures, check);
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(Place));
    for (guint m = 0; m < n; m++) {
        for (guint i = 0; i < aimf_manifest_count(manifests[m]); i++) {
            Place place = { m, i };
            g_array_append_val(places, place);
        }
    }
    Work work = { .manifests = manifests, .places = places, .decode = decode, .check = check };
    g_mutex_init(&work.lock);
    aimf_decode_budget_init(&work.budget);
    guint n_threads = MIN((guint)(threads > 0 ? threads : omp_get_max_threads()), 256);
    g_autofree GThread **workers = g_new(GThread *, n_threads);
    guint n_workers = start(workers, n_threads, &work, error);
    gboolean good = n_workers && watch(&work, monitor, error);
    for (guint i = 0; i < n_workers; i++)
        g_thread_join(workers[i]);
    g_mutex_clear(&work.lock);
    aimf_decode_budget_clear(&work.budget);
    g_array_sort(check->missing, compare_problems);
    g_array_sort(check->unreadable, compare_problems);
    return good ? g_steal_pointer(&check) : NULL;
}
