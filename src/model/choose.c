/*
 * One model's weights among all that a file holds: below any chain of prefixes, beside an optimizer's state, averaged
 * copies and other models, the final layer under its own name or another. Only a set that has every tensor of the
 * architecture and none that it does not know is taken, for a deeper network has all the names of a shallower one.
 */
#include "model/choose_report.h"

#include "base/monitor.h"
#include "base/shown.h"
#include "model/model.h"
#include "model/places.h"
#include "model/saved.h"
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
    GHashTable *names;   /* of the architecture's tensors, old ones, and in an nn.Sequential, to index + 1; owned */
    gsize longest;       /* of them */
    guint needed;
    GPtrArray *keys;      /* below which tensors may be used, with their dots; none: below any */
    const gboolean *only; /* per tensor of the file, whether it may be used */
    gboolean top;         /* only the set without a prefix may */
    gboolean any_head;    /* what becomes of the head is no matter, nor whether there is one */
    guint head_weight, head_bias;
    GPtrArray *sets; /* of AimfWeightSet */
} Search;

static void set_free(gpointer data)
{
    AimfWeightSet *set = data;
    g_free(set->prefix);
    g_free(set->entry);
    g_free(set->head);
    aimf_misfits_clear(&set->misfits);
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
    aimf_misfits_init(&set->misfits);
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
            aimf_misfits_add(set->misfits.surplus, name);
        else if (!is_of_another(search, set, name) && !aimf_weights_kind(name + bytes, TRUE))
            g_array_append_val(others, i);
    }
}

/* --- The head, under its own name or another --- */

/* Whether these are a linear layer that takes what the head takes. */
static gboolean takes_features(const Search *search, int weight_entry, int bias_entry)
{
    if (weight_entry < 0 || bias_entry < 0)
        return FALSE;
    const AimfTensor *weight = aimf_tensors_at(search->tensors, (guint)weight_entry);
    const AimfTensor *bias = aimf_tensors_at(search->tensors, (guint)bias_entry);
    return aimf_dtype_is_float(weight->dtype) && aimf_dtype_is_float(bias->dtype) && weight->shape.rank == 2 &&
           weight->shape.dim[1] == spec_at(search, search->head_weight)->shape.dim[1] && bias->shape.rank == 1 &&
           bias->shape.dim[0] == weight->shape.dim[0];
}

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

/* (owned) modules by their first component below some prefix */
static GHashTable *modules_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, module_free);
}

/* The one with @name, which has @skip bytes before its module; NULL if there is none. */
static Module *module_of(GHashTable *modules, const char *name, gsize skip)
{
    g_autofree char *root = g_strndup(name + skip, strcspn(name + skip, "."));
    return g_hash_table_lookup(modules, root);
}

/* Files @index, whose name has @skip bytes before its module, under that module. */
static void add_to_module(const Search *search, GHashTable *modules, guint index, gsize skip)
{
    const char *name = name_at(search, index), *last = strrchr(name + skip, '.');
    Module *module = module_of(modules, name, skip);
    if (!module) {
        module = g_new0(Module, 1);
        module->weight = module->bias = AIMF_NO_ENTRY;
        g_hash_table_insert(modules, g_strndup(name + skip, strcspn(name + skip, ".")), module);
    }
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

/* A head, and nothing beside it: of several layers the last is not the head. */
static gboolean is_linear(const Search *search, const Module *module)
{
    return module->n == 2 && takes_features(search, module->weight, module->bias);
}

static gint compare_modules(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const Module *const *)a)->name, (*(const Module *const *)b)->name);
}

static void set_head(const Search *search, AimfWeightSet *set, int weight, int bias)
{
    set->entry[search->head_weight] = weight;
    set->entry[search->head_bias] = bias;
}

static void complain_of_several(const Search *search, AimfWeightSet *set, const GPtrArray *heads)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < MIN(heads->len, MAX_HEADS); i++) {
        const Module *head = heads->pdata[i];
        gint64 n = aimf_tensors_at(search->tensors, (guint)head->bias)->shape.dim[0];
        g_string_append_printf(text, "%s'%s' (%" G_GINT64_FORMAT " output%s)", i ? " or " : "", head->name, n,
                               AIMF_PLURAL(n));
    }
    g_autofree char *below = *set->prefix ? g_strndup(set->prefix, strlen(set->prefix) - 1) : g_strdup(TOP);
    const Module *first = heads->pdata[0];
    set->several_heads = TRUE;
    g_ptr_array_add(set->misfits.missing, g_strdup_printf("%s, which may be %s: choose with --only %s,%s",
                                                          search->architecture->head, text->str, below, first->name));
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
    const Module *first = heads->pdata[0];
    if (heads->len > 1) {
        complain_of_several(search, set, heads);
        return TRUE;
    }
    set_head(search, set, first->weight, first->bias);
    set->head = g_strdup(first->name);
    return TRUE;
}

/* Takes the layer that is itself one of the keys; two of them are no choice. */
static gboolean take_named_head(const Search *search, AimfWeightSet *set)
{
    int weight = AIMF_NO_ENTRY, bias = AIMF_NO_ENTRY;
    guint n = 0;
    for (guint k = 0; k < search->keys->len; k++) {
        const char *key = search->keys->pdata[k];
        g_autofree char *weight_name = g_strconcat(key, "weight", NULL), *bias_name = g_strconcat(key, "bias", NULL);
        int w = aimf_tensors_find(search->tensors, weight_name), b = aimf_tensors_find(search->tensors, bias_name);
        if (!*key || !takes_features(search, w, b) || is_of_another(search, set, key))
            continue;
        weight = w;
        bias = b;
        g_free(set->head);
        set->head = g_strndup(key, strlen(key) - 1);
        n++;
    }
    if (n == 1) {
        set_head(search, set, weight, bias);
        return TRUE;
    }
    g_clear_pointer(&set->head, g_free);
    return FALSE;
}

/* (owned) the modules beside the set, below @level, which is further up. */
static GHashTable *modules_beside(const Search *search, const AimfWeightSet *set, const char *level)
{
    GHashTable *modules = modules_new();
    for (guint i = 0; i < aimf_tensors_count(search->tensors); i++) {
        const char *name = name_at(search, i);
        if (search->only[i] && is_below(name, level) && !is_below(name, set->prefix) &&
            !is_of_another(search, set, name) && !aimf_weights_kind(name, FALSE))
            add_to_module(search, modules, i, strlen(level));
    }
    return modules;
}

/* (owned) the modules below the prefix that are none of the architecture's, and its own head. */
static GHashTable *modules_inside(const Search *search, const AimfWeightSet *set, const GArray *others)
{
    GHashTable *modules = modules_new();
    const int own[] = { set->entry[search->head_weight], set->entry[search->head_bias] };
    for (guint k = 0; k < others->len; k++)
        add_to_module(search, modules, g_array_index(others, guint, k), strlen(set->prefix));
    for (guint k = 0; k < G_N_ELEMENTS(own); k++)
        if (own[k] != AIMF_NO_ENTRY)
            add_to_module(search, modules, (guint)own[k], strlen(set->prefix));
    return modules;
}

/*
 * Looks for the head: the one that was asked for, else below the set's prefix, beside it and further up. A head of
 * its own that does not fit stays, to be complained of. Returns: whether it was asked for.
 */
static gboolean find_head(const Search *search, AimfWeightSet *set, GHashTable *inside)
{
    int weight = set->entry[search->head_weight], bias = set->entry[search->head_bias];
    gboolean has_own = weight != AIMF_NO_ENTRY || bias != AIMF_NO_ENTRY;
    gboolean named = take_named_head(search, set);
    gboolean fits = !has_own || takes_features(search, weight, bias);
    gboolean found = named || (fits && take_head(search, set, inside)) || has_own;
    g_autofree char *level = g_strdup(set->prefix);
    while (!found && *level) {
        level[strlen(level) - 1] = 0; /* the dot */
        char *dot = strrchr(level, '.');
        *(dot ? dot + 1 : level) = 0;
        g_autoptr(GHashTable) beside = modules_beside(search, set, level);
        found = take_head(search, set, beside);
    }
    if (has_own && set->entry[search->head_weight] == weight)
        g_clear_pointer(&set->head, g_free);
    return named;
}

/* --- Whether a set fits --- */

static void check_entry(const Search *search, AimfWeightSet *set, guint index)
{
    const AimfTensorSpec *spec = spec_at(search, index);
    int entry = set->entry[index];
    const AimfTensor *theirs = entry == AIMF_NO_ENTRY ? NULL : aimf_tensors_at(search->tensors, (guint)entry);
    AimfShape shape = spec->shape;
    if (!theirs && is_head(search, index) && (set->several_heads || search->any_head))
        return;
    if (theirs && is_head(search, index) && theirs->shape.rank > 0 && theirs->shape.dim[0] > 0)
        shape.dim[0] = theirs->shape.dim[0];
    if (theirs && aimf_places_alike(search->architecture, spec->name, &shape, &theirs->shape))
        shape = theirs->shape;
    aimf_misfits_compare(&set->misfits, spec->name, spec->dtype, &shape, theirs);
}

/* The architecture's module that stands at the place @text (@bytes) of an nn.Sequential; NULL for none. */
static const char *child_at(const Search *search, const char *text, gsize bytes)
{
    const char *const *children = search->architecture->children;
    g_autofree char *number = g_strndup(text, bytes);
    guint64 place;
    return g_ascii_string_to_unsigned(number, 10, 0, g_strv_length((char **)children) - 1, &place, NULL)
               ? children[place]
               : NULL;
}

/* Whether the architecture has a module of the first component of @name, other than its head. */
static gboolean is_of_body(const Search *search, const char *name)
{
    gsize bytes = strcspn(name, ".");
    while (name[bytes] && is_wrapper(name, bytes)) {
        name += bytes + 1;
        bytes = strcspn(name, ".");
    }
    const char *child = child_at(search, name, bytes);
    if (child) {
        name = child;
        bytes = strlen(child);
    }
    for (guint i = 0; i < search->specs->len; i++) {
        const char *ours = spec_at(search, i)->name;
        if (!is_head(search, i) && strncmp(ours, name, bytes) == 0 && ours[bytes] == '.')
            return TRUE;
    }
    return FALSE;
}

/* What is left below the prefix is surplus, but for other heads where it is said which one is meant, or none. */
static void note_surplus(const Search *search, AimfWeightSet *set, const GArray *others, GHashTable *inside,
                         gboolean named)
{
    for (guint k = 0; k < others->len; k++) {
        guint index = g_array_index(others, guint, k);
        const char *name = name_at(search, index);
        gsize skip = strlen(set->prefix);
        gboolean taken = (int)index == set->entry[search->head_weight] || (int)index == set->entry[search->head_bias];
        gboolean other_head = search->any_head
                                  ? !is_of_body(search, name + skip)
                                  : (named || set->several_heads) && is_linear(search, module_of(inside, name, skip));
        if (!taken && !other_head)
            aimf_misfits_add(set->misfits.surplus, name);
    }
}

static void examine(const Search *search, AimfWeightSet *set)
{
    g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(guint));
    fill_set(search, set, others);
    g_autoptr(GHashTable) inside = modules_inside(search, set, others);
    gboolean whole = set->hits >= search->needed, named = FALSE;
    if (whole && !search->any_head)
        named = find_head(search, set, inside);
    else if (whole && !takes_features(search, set->entry[search->head_weight], set->entry[search->head_bias]))
        set_head(search, set, AIMF_NO_ENTRY, AIMF_NO_ENTRY);
    for (guint i = 0; i < search->specs->len; i++)
        check_entry(search, set, i);
    note_surplus(search, set, others, inside, named);
}

/* --- The search --- */

/* Which tensors lie below one of the keys in @only, a list with commas. */
static gboolean mark_only(Search *search, const char *only, gboolean *marks, GError **error)
{
    guint n = aimf_tensors_count(search->tensors);
    g_auto(GStrv) keys = g_strsplit(only ? only : TOP, ",", -1);
    search->top = only && g_strv_contains((const char *const *)keys, TOP);
    for (char **key = keys; *key; key++) {
        gboolean all = g_str_equal(*key, TOP), found = all;
        char *prefix = all ? g_strdup("") : aimf_tensors_below(search->tensors, *key);
        for (guint i = 0; i < n; i++)
            if (is_below(aimf_tensors_at(search->tensors, i)->name, prefix))
                found = marks[i] = TRUE;
        g_ptr_array_add(search->keys, prefix);
        if (!aimf_tensors_check_kinds(search->tensors, prefix, error))
            return FALSE;
        if (found)
            continue;
        g_autofree char *names = aimf_tensors_beginnings(search->tensors);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "no tensor's name begins with '%s'; they begin with %s",
                    prefix, names);
        return FALSE;
    }
    return TRUE;
}

/* The name in nn.Sequential(*model.children()), where modules are numbers: "4.0.conv1.weight". */
static void note_sequential(const Search *search, const char *name, guint index)
{
    gsize bytes = strcspn(name, ".");
    const char *const *children = search->architecture->children;
    for (guint k = 0; children[k]; k++)
        if (strlen(children[k]) == bytes && strncmp(children[k], name, bytes) == 0)
            g_hash_table_insert(search->names, g_strdup_printf("%u%s", k, name + bytes), GUINT_TO_POINTER(index + 1));
}

/* One more name of the tensor @index; and what it is in an nn.Sequential. */
static void note_name(Search *search, const char *name, guint index)
{
    g_assert(strlen(name) <= AIMF_MAX_ARCHITECTURE_NAME);
    search->longest = MAX(search->longest, strlen(name));
    g_hash_table_insert(search->names, g_strdup(name), GUINT_TO_POINTER(index + 1));
    note_sequential(search, name, index);
}

static void note_names(Search *search)
{
    g_autofree char *weight = g_strconcat(search->architecture->head, ".weight", NULL);
    g_autofree char *bias = g_strconcat(search->architecture->head, ".bias", NULL);
    for (guint i = 0; i < search->specs->len; i++) {
        const char *name = spec_at(search, i)->name;
        g_autofree char *old = search->architecture->old_name ? search->architecture->old_name(name) : NULL;
        note_name(search, name, i);
        if (old)
            note_name(search, old, i);
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
    aimf_tensors_copy_metadata(search->tensors, view);
    return g_steal_pointer(&view);
}

/* A backbone without its head is a common thing to have, and there is a way to begin with one. */
static gboolean lacks_head_alone(const Search *search, const AimfWeightSet *set)
{
    return aimf_misfits_count(&set->misfits) == 2 && set->misfits.missing->len == 2 &&
           set->entry[search->head_weight] == AIMF_NO_ENTRY && set->entry[search->head_bias] == AIMF_NO_ENTRY;
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
        if (!allowed)
            aimf_misfits_add(set->misfits.missing, "a set without a prefix");
        if (aimf_misfits_count(&set->misfits) == 0)
            g_ptr_array_add(fitting, set);
        if (!best || aimf_misfits_count(&set->misfits) < aimf_misfits_count(&best->misfits))
            best = set;
    }
    const char *architecture = search->architecture->name;
    AimfWeightChoice choice = { best, search->specs->len, search->tensors, search->only };
    if (fitting->len == 1) {
        aimf_weight_choice_report(&choice, architecture, monitor);
        return view_of(search, best, error);
    }
    if (fitting->len == 0) {
        aimf_misfits_complain(&best->misfits, best->prefix, architecture, error);
        if (lacks_head_alone(search, best))
            g_prefix_error(error, "only the final layer is missing, and 'aimfair train --head new' draws one: ");
        const char *says = aimf_saved_architecture(search->tensors);
        if (says && strcmp(says, architecture) != 0)
            g_prefix_error(error, "it is a saved model that says '--arch %s' of itself: ", AIMF_SHOWN(says));
    } else
        aimf_weight_sets_ambiguous(fitting, search->tensors, architecture, search->head_weight, error);
    return NULL;
}

AimfTensors *aimf_model_select_weights(AimfTensors *tensors, const char *architecture, const AimfWeightSearch *wanted,
                                       const AimfMonitor *monitor, GError **error)
{
    Search search = { .architecture = aimf_architecture_find(architecture, error) };
    gboolean renames = wanted && wanted->rename;
    g_autoptr(AimfTensors) renamed =
        search.architecture && renames ? aimf_tensors_rename(tensors, wanted->rename, monitor, error) : NULL;
    if (!search.architecture || (renames && !renamed))
        return NULL;
    search.tensors = renames ? renamed : tensors;
    g_auto(AimfBuilder) builder;
    aimf_builder_init(&builder, FALSE);
    AimfModel shape = { .architecture = (char *)search.architecture->name,
                        .preprocess = { .width = AIMF_USUAL_SIDE, .height = AIMF_USUAL_SIDE },
                        .outputs = 1 };
    g_autofree gboolean *marks = g_new0(gboolean, MAX(aimf_tensors_count(search.tensors), 1));
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    search.keys = keys;
    if (!mark_only(&search, wanted ? wanted->only : NULL, marks, error) ||
        !aimf_model_walk(&shape, 1, &builder, NULL, NULL, error))
        return NULL;
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) sets = g_ptr_array_new_with_free_func(set_free);
    search.specs = builder.tensors;
    search.only = marks;
    search.any_head = wanted && wanted->any_head;
    search.names = names;
    search.sets = sets;
    note_names(&search);
    return choose(&search, monitor, error);
}
