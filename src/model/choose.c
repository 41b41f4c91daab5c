/*
 * One model's weights among all that a file holds: below any chain of prefixes, beside an optimizer's state, averaged
 * copies and other models, the final layer under its own name or another. Only a set that has every tensor of the
 * architecture and none that it does not know is taken, for a deeper network has all the names of a shallower one.
 */
#include "model/choose.h"

#include "base/monitor.h"
#include "model/model.h"
#include "weights/element.h"
#include "weights/tensors.h"

#include <string.h>

/* What to say for the set without a prefix. */
#define TOP "."

enum {
    MAX_SETS = 64,  /* that are looked at: each costs a walk over all names */
    MAX_ENDS = 8,   /* names of an architecture that one name can end with */
    MAX_HEADS = 16, /* layers that could be the head, of which a message speaks */
};

/* @needed: tensors that every set must have: all but the head and the counters. */
typedef struct {
    AimfTensors *tensors;
    const AimfArchitecture *architecture;
    const GArray *specs; /* of AimfTensorSpec */
    GHashTable *names;   /* of the architecture's tensors, to index + 1 */
    gsize longest;       /* of them */
    guint needed;
    const gboolean *only; /* per tensor of the file, whether it may be used */
    gboolean top;         /* only the set without a prefix may */
    guint head_weight, head_bias;
    GPtrArray *sets; /* of AimfWeightSet */
} Search;

static void set_free(gpointer data)
{
    AimfWeightSet *set = data;
    g_free(set->prefix);
    g_free(set->entry);
    g_free(set->head);
    g_clear_pointer(&set->missing, g_ptr_array_unref);
    g_clear_pointer(&set->surplus, g_ptr_array_unref);
    g_clear_pointer(&set->wrong, g_ptr_array_unref);
    g_free(set);
}

static const AimfTensorSpec *spec_at(const Search *search, guint index)
{
    return &g_array_index(search->specs, AimfTensorSpec, index);
}

static gboolean is_head(const Search *search, guint index)
{
    return index == search->head_weight || index == search->head_bias;
}

static gboolean is_needed(const Search *search, guint index)
{
    return !is_head(search, index) && spec_at(search, index)->dtype != AIMF_I64;
}

/* --- Names --- */

/* @index: of the architecture's name that the file's name ends with; @prefix_bytes: what stands before it. */
typedef struct {
    guint index;
    gsize prefix_bytes;
} End;

/*
 * Modules that training programs put between others: torch.compile, FSDP, checkpointing of activations, DataParallel
 * of a part.
 */
static gboolean is_wrapper(const char *component, gsize bytes)
{
    static const char *const wrappers[] = { "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
                                            "module" };
    for (guint i = 0; i < G_N_ELEMENTS(wrappers); i++)
        if (strlen(wrappers[i]) == bytes && memcmp(component, wrappers[i], bytes) == 0)
            return TRUE;
    return FALSE;
}

/* All ways to read the end of @name as a name of the architecture, wrappers within it left out; returns how many. */
static guint find_ends(const Search *search, const char *name, End ends[MAX_ENDS])
{
    char buffer[AIMF_MAX_ARCHITECTURE_NAME + 1]; /* filled from its end */
    char *text = buffer + AIMF_MAX_ARCHITECTURE_NAME;
    *text = 0;
    guint n = 0;
    for (const char *stop = name + strlen(name); stop > name && n < MAX_ENDS;) {
        const char *begin = stop;
        while (begin > name && begin[-1] != '.')
            begin--;
        gsize bytes = (gsize)(stop - begin), used = (gsize)(buffer + AIMF_MAX_ARCHITECTURE_NAME - text);
        if (!is_wrapper(begin, bytes)) {
            if (used + (used > 0) + bytes > search->longest)
                break;
            if (used)
                *--text = '.';
            text -= bytes;
            memcpy(text, begin, bytes);
            guint index = GPOINTER_TO_UINT(g_hash_table_lookup(search->names, text));
            if (index)
                ends[n++] = (End){ index - 1, (gsize)(begin - name) };
        }
        stop = begin > name ? begin - 1 : name;
    }
    return n;
}

static gboolean is_below(const char *name, const char *prefix)
{
    return g_str_has_prefix(name, prefix);
}

static const char *name_at(const Search *search, guint i)
{
    return aimf_tensors_at(search->tensors, i)->name;
}

/* --- Sets --- */

static AimfWeightSet *set_new(const Search *search, const char *prefix, gsize bytes, guint hits)
{
    AimfWeightSet *set = g_new0(AimfWeightSet, 1);
    set->prefix = g_strndup(prefix, bytes);
    set->hits = hits;
    set->entry = g_new(int, search->specs->len);
    for (guint i = 0; i < search->specs->len; i++)
        set->entry[i] = AIMF_NO_ENTRY;
    set->missing = g_ptr_array_new_with_free_func(g_free);
    set->surplus = g_ptr_array_new_with_free_func(g_free);
    set->wrong = g_ptr_array_new_with_free_func(g_free);
    return set;
}

/* Prefix, owned, to how many needed tensors are below it. */
static GHashTable *count_hits(const Search *search)
{
    GHashTable *hits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < aimf_tensors_count(search->tensors); i++) {
        End ends[MAX_ENDS];
        guint n = search->only[i] ? find_ends(search, name_at(search, i), ends) : 0;
        for (guint k = 0; k < n; k++) {
            if (!is_needed(search, ends[k].index))
                continue;
            char *prefix = g_strndup(name_at(search, i), ends[k].prefix_bytes);
            guint before = GPOINTER_TO_UINT(g_hash_table_lookup(hits, prefix));
            g_hash_table_replace(hits, prefix, GUINT_TO_POINTER(before + 1));
        }
    }
    return hits;
}

static gint compare_sets(gconstpointer a, gconstpointer b)
{
    const AimfWeightSet *left = *(const AimfWeightSet *const *)a, *right = *(const AimfWeightSet *const *)b;
    return strcmp(left->prefix, right->prefix);
}

/* All prefixes with every needed name; if there are none, the one with the most, or the top where that is little. */
static void find_sets(Search *search)
{
    g_autoptr(GHashTable) hits = count_hits(search);
    GHashTableIter iter;
    gpointer prefix, n;
    const char *best = "";
    guint most = 0;
    g_hash_table_iter_init(&iter, hits);
    while (g_hash_table_iter_next(&iter, &prefix, &n)) {
        guint count = GPOINTER_TO_UINT(n);
        if (count > most || (count == most && strcmp(prefix, best) < 0)) {
            most = count;
            best = prefix;
        }
        if (count >= search->needed && search->sets->len < MAX_SETS)
            g_ptr_array_add(search->sets, set_new(search, prefix, strlen(prefix), count));
    }
    if (search->sets->len == 0 && most < search->needed / 2) {
        best = "";
        most = 0;
    }
    if (search->sets->len == 0)
        g_ptr_array_add(search->sets, set_new(search, best, strlen(best), most));
    g_ptr_array_sort(search->sets, compare_sets);
}

static void note(GPtrArray *list, const char *name)
{
    g_ptr_array_add(list, g_strdup(name));
}

/* Whether the tensor belongs to another set, one further down. */
static gboolean is_of_another(const Search *search, const AimfWeightSet *set, const char *name)
{
    for (guint k = 0; k < search->sets->len; k++) {
        const AimfWeightSet *other = search->sets->pdata[k];
        if (other != set && strlen(other->prefix) > strlen(set->prefix) && is_below(name, other->prefix))
            return TRUE;
    }
    return FALSE;
}

/* The entries of @set, and in @others the indices of what else is below its prefix. */
static void fill_set(const Search *search, AimfWeightSet *set, GArray *others)
{
    gsize bytes = strlen(set->prefix);
    for (guint i = 0; i < aimf_tensors_count(search->tensors); i++) {
        const char *name = name_at(search, i);
        if (!search->only[i] || !is_below(name, set->prefix))
            continue;
        End ends[MAX_ENDS];
        guint n = find_ends(search, name, ends), k = 0;
        while (k < n && ends[k].prefix_bytes != bytes)
            k++;
        if (k < n && set->entry[ends[k].index] == AIMF_NO_ENTRY)
            set->entry[ends[k].index] = (int)i;
        else if (k < n) /* the same name with and without a wrapper */
            note(set->surplus, name);
        else if (!is_of_another(search, set, name) && !aimf_weights_kind(name + bytes, TRUE))
            g_array_append_val(others, i);
    }
}

/* --- The head under another name --- */

/* A module below some prefix: how many tensors it has, and its one weight and bias. @name: of the layer, owned. */
typedef struct {
    char *name;
    guint n;
    int weight, bias;
} Module;

static void module_free(gpointer data)
{
    g_free(((Module *)data)->name);
    g_free(data);
}

/* Files @index, whose name has @skip bytes before its module, under that module. */
static void add_to_module(const Search *search, GHashTable *modules, guint index, gsize skip)
{
    const char *name = name_at(search, index), *last = strrchr(name + skip, '.');
    char *root = g_strndup(name + skip, strcspn(name + skip, "."));
    Module *module = g_hash_table_lookup(modules, root);
    if (!module) {
        module = g_new0(Module, 1);
        module->weight = module->bias = AIMF_NO_ENTRY;
        g_hash_table_insert(modules, g_strdup(root), module);
    }
    g_free(root);
    module->n++;
    g_autofree char *layer = last ? g_strndup(name, (gsize)(last - name)) : g_strdup("");
    if (!module->name)
        module->name = g_strdup(layer);
    if (!last || strcmp(layer, module->name) != 0)
        return;
    if (strcmp(last, ".weight") == 0)
        module->weight = (int)index;
    else if (strcmp(last, ".bias") == 0)
        module->bias = (int)index;
}

/* A linear layer that takes what the head takes, and nothing beside it: of several layers the last is not the head. */
static gboolean is_linear(const Search *search, const Module *module)
{
    if (module->n != 2 || module->weight < 0 || module->bias < 0)
        return FALSE;
    const AimfTensor *weight = aimf_tensors_at(search->tensors, (guint)module->weight);
    const AimfTensor *bias = aimf_tensors_at(search->tensors, (guint)module->bias);
    return aimf_dtype_is_float(weight->dtype) && aimf_dtype_is_float(bias->dtype) && weight->shape.rank == 2 &&
           weight->shape.dim[1] == spec_at(search, search->head_weight)->shape.dim[1] && bias->shape.rank == 1 &&
           bias->shape.dim[0] == weight->shape.dim[0];
}

static gint compare_modules(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const Module *const *)a)->name, (*(const Module *const *)b)->name);
}

/* Takes the one module that can be the head; several are no choice. Returns whether there were any. */
static gboolean take_head(const Search *search, AimfWeightSet *set, GHashTable *modules)
{
    g_autoptr(GPtrArray) heads = g_ptr_array_new();
    GHashTableIter iter;
    gpointer module;
    g_hash_table_iter_init(&iter, modules);
    while (g_hash_table_iter_next(&iter, NULL, &module))
        if (is_linear(search, module))
            g_ptr_array_add(heads, module);
    if (heads->len == 0)
        return FALSE;
    g_ptr_array_sort(heads, compare_modules);
    if (heads->len == 1) {
        const Module *head = heads->pdata[0];
        set->entry[search->head_weight] = head->weight;
        set->entry[search->head_bias] = head->bias;
        set->head = g_strdup(head->name);
        return TRUE;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < MIN(heads->len, MAX_HEADS); i++) {
        const Module *head = heads->pdata[i];
        g_string_append_printf(text, "%s'%s' (%" G_GINT64_FORMAT " outputs)", i ? " or " : "", head->name,
                               aimf_tensors_at(search->tensors, (guint)head->bias)->shape.dim[0]);
    }
    const Module *first = heads->pdata[0];
    set->several_heads = TRUE;
    g_ptr_array_add(set->missing,
                    g_strdup_printf("%s, which may be %s: choose with --only %.*s,%s", search->architecture->head,
                                    text->str, (int)MAX(strlen(set->prefix), 1) - 1, *set->prefix ? set->prefix : "",
                                    first->name));
    return TRUE;
}

/* Looks for a head among @others, below the set's prefix, then beside it, then further up. */
static void find_head(const Search *search, AimfWeightSet *set, const GArray *others)
{
    g_autoptr(GHashTable) inside = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, module_free);
    for (guint k = 0; k < others->len; k++)
        add_to_module(search, inside, g_array_index(others, guint, k), strlen(set->prefix));
    gboolean found = take_head(search, set, inside);
    g_autofree char *level = g_strdup(set->prefix);
    while (!found && *level) {
        level[strlen(level) - 1] = 0; /* the dot */
        char *dot = strrchr(level, '.');
        *(dot ? dot + 1 : level) = 0;
        g_autoptr(GHashTable) beside = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, module_free);
        for (guint i = 0; i < aimf_tensors_count(search->tensors); i++) {
            const char *name = name_at(search, i);
            if (search->only[i] && is_below(name, level) && !is_below(name, set->prefix) &&
                !is_of_another(search, set, name) && !aimf_weights_kind(name, FALSE))
                add_to_module(search, beside, i, strlen(level));
        }
        found = take_head(search, set, beside);
    }
}

/* --- Whether a set fits --- */

static void check_entry(const Search *search, AimfWeightSet *set, guint index)
{
    const AimfTensorSpec *spec = spec_at(search, index);
    if (set->entry[index] == AIMF_NO_ENTRY) {
        /* PyTorch before 0.4.1 did not count batches: its files lack the counters, and they begin at 0. */
        if (is_needed(search, index) || (is_head(search, index) && !set->several_heads))
            note(set->missing, spec->name);
        return;
    }
    const AimfTensor *theirs = aimf_tensors_at(search->tensors, (guint)set->entry[index]);
    AimfShape shape = spec->shape;
    if (is_head(search, index) && theirs->shape.rank > 0)
        shape.dim[0] = theirs->shape.dim[0];
    gboolean fits = spec->dtype == AIMF_I64 ? theirs->dtype == AIMF_I64 : aimf_dtype_is_float(theirs->dtype);
    if (fits && aimf_shape_equal(&shape, &theirs->shape))
        return;
    g_autofree char *expected = aimf_shape_text(&spec->shape), *found = aimf_shape_text(&theirs->shape);
    g_ptr_array_add(set->wrong,
                    g_strdup_printf("%s is %s %s in place of %s %s", theirs->name, aimf_dtype_name(theirs->dtype),
                                    found, aimf_dtype_name(spec->dtype), expected));
}

static void examine(const Search *search, AimfWeightSet *set)
{
    g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(guint));
    fill_set(search, set, others);
    if (set->hits >= search->needed && set->entry[search->head_weight] == AIMF_NO_ENTRY &&
        set->entry[search->head_bias] == AIMF_NO_ENTRY)
        find_head(search, set, others);
    for (guint i = 0; i < search->specs->len; i++)
        check_entry(search, set, i);
    for (guint k = 0; k < others->len; k++) {
        int index = (int)g_array_index(others, guint, k);
        if (index != set->entry[search->head_weight] && index != set->entry[search->head_bias])
            note(set->surplus, name_at(search, (guint)index));
    }
}

static guint n_complaints(const AimfWeightSet *set)
{
    return set->missing->len + set->surplus->len + set->wrong->len;
}

/* --- The search --- */

/* Which tensors lie below one of the prefixes in @only, a list with commas. */
static gboolean mark_only(const AimfTensors *tensors, const char *only, gboolean *marks, GError **error)
{
    g_auto(GStrv) keys = g_strsplit(only ? only : "", ",", -1);
    gboolean all = !only || g_str_equal(only, TOP);
    for (guint i = 0; all && i < aimf_tensors_count(tensors); i++)
        marks[i] = TRUE;
    for (char **key = keys; !all && *key; key++) {
        g_autofree char *prefix = aimf_tensors_below(tensors, *key);
        gboolean found = FALSE;
        for (guint i = 0; i < aimf_tensors_count(tensors); i++)
            if (is_below(aimf_tensors_at(tensors, i)->name, prefix))
                found = marks[i] = TRUE;
        if (found)
            continue;
        g_autofree char *names = aimf_tensors_beginnings(tensors);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "no tensor's name begins with '%s'; they begin with %s",
                    prefix, names);
        return FALSE;
    }
    return TRUE;
}

static void note_names(Search *search)
{
    g_autofree char *weight = g_strconcat(search->architecture->head, ".weight", NULL);
    g_autofree char *bias = g_strconcat(search->architecture->head, ".bias", NULL);
    for (guint i = 0; i < search->specs->len; i++) {
        const char *name = spec_at(search, i)->name;
        g_assert(strlen(name) <= AIMF_MAX_ARCHITECTURE_NAME);
        search->longest = MAX(search->longest, strlen(name));
        g_hash_table_insert(search->names, (char *)name, GUINT_TO_POINTER(i + 1));
        if (strcmp(name, weight) == 0)
            search->head_weight = i;
        else if (strcmp(name, bias) == 0)
            search->head_bias = i;
    }
    for (guint i = 0; i < search->specs->len; i++)
        search->needed += is_needed(search, i) ? 1 : 0;
}

static AimfTensors *view_of(const Search *search, const AimfWeightSet *set, GError **error)
{
    g_autoptr(AimfTensors) view = aimf_tensors_new_view();
    for (guint i = 0; i < search->specs->len; i++) {
        if (set->entry[i] == AIMF_NO_ENTRY)
            continue;
        guint entry = (guint)set->entry[i];
        if (!aimf_tensors_add_view(view, spec_at(search, i)->name, search->tensors, entry, 0,
                                   &aimf_tensors_at(search->tensors, entry)->shape, error))
            return NULL;
    }
    g_auto(GStrv) keys = aimf_tensors_metadata_keys(search->tensors);
    for (char **key = keys; *key; key++)
        aimf_tensors_set_metadata(view, *key, aimf_tensors_metadata(search->tensors, *key));
    return g_steal_pointer(&view);
}

static AimfTensors *choose(Search *search, const AimfMonitor *monitor, GError **error)
{
    find_sets(search);
    g_autoptr(GPtrArray) fitting = g_ptr_array_new();
    const AimfWeightSet *best = NULL;
    for (guint i = 0; i < search->sets->len; i++) {
        AimfWeightSet *set = search->sets->pdata[i];
        examine(search, set);
        gboolean allowed = !search->top || !*set->prefix;
        if (allowed && n_complaints(set) == 0)
            g_ptr_array_add(fitting, set);
        if (!allowed)
            note(set->missing, "a set without a prefix");
        if (!best || n_complaints(set) < n_complaints(best))
            best = set;
    }
    const char *architecture = search->architecture->name;
    AimfWeightChoice choice = { best, search->specs->len, search->tensors, search->only };
    if (fitting->len == 1) {
        aimf_weight_choice_report(&choice, architecture, monitor);
        return view_of(search, best, error);
    }
    if (fitting->len == 0)
        aimf_weight_set_complain(best, architecture, error);
    else
        aimf_weight_sets_ambiguous(fitting, search->tensors, architecture, search->head_weight, error);
    return NULL;
}

AimfTensors *aimf_model_select_weights(AimfTensors *tensors, const char *architecture, const char *only,
                                       const AimfMonitor *monitor, GError **error)
{
    Search search = { .tensors = tensors, .architecture = aimf_architecture_find(architecture, error) };
    if (!search.architecture)
        return NULL;
    g_auto(AimfBuilder) builder;
    aimf_builder_init(&builder, FALSE);
    int side = search.architecture->min_image_size;
    AimfModel shape = { .architecture = (char *)search.architecture->name,
                        .preprocess = { .width = side, .height = side },
                        .outputs = 1 };
    g_autofree gboolean *marks = g_new0(gboolean, MAX(aimf_tensors_count(tensors), 1));
    if (!mark_only(tensors, only, marks, error) || !aimf_model_walk(&shape, 1, &builder, NULL, NULL, error))
        return NULL;
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) sets = g_ptr_array_new_with_free_func(set_free);
    search.specs = builder.tensors;
    search.only = marks;
    search.top = g_strcmp0(only, TOP) == 0;
    search.names = names;
    search.sets = sets;
    note_names(&search);
    return choose(&search, monitor, error);
}
