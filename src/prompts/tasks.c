/* The built-in tasks, and those made of attributes that words are known for. */
#include "prompts/task.h"

#include <aimfair/names.h>
#include <string.h>

#define PORTRAIT "A portrait photo of"

static const struct {
    const char *name;
    const char *dataset; /* NULL: the animals */
    const char *target;
    const char *protected_attributes;
    const char *summary;
} TASKS[] = {
    { "Smiling_Male", "celeba", "Smiling", "Male", "smiling or not, women and men" },
    { "Smiling_Young", "celeba", "Smiling", "Young", "smiling or not, older and young people" },
    { "Young_Male", "celeba", "Young", "Male", "older or young, women and men" },
    { "Male_Young", "celeba", "Male", "Young", "women or men, older and young" },
    { "BlondHair_Male", "celeba", "Blond_Hair", "Male", "blond or other hair, women and men" },
    { "BlackHair_Young", "celeba", "Black_Hair", "Young", "black or other hair, older and young people" },
    { "Female_White", "utkface", "gender:1", "race:0", "men or women, white and other people" },
    { "Smiling_Male_Young", "celeba", "Smiling", "Male,Young", "smiling or not, women and men, older and young" },
    { "Dog_Light", NULL, NULL, NULL, "cats or dogs, dark and light ones" },
};

const char *const *aimf_task_names(void)
{
    static const char *names[G_N_ELEMENTS(TASKS) + 1];
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        for (gsize i = 0; i < G_N_ELEMENTS(TASKS); i++)
            names[i] = TASKS[i].name;
        g_once_init_leave(&once, 1);
    }
    return names;
}

static AimfTask *make_animals(const char *name, const char *summary, GError **error)
{
    g_autoptr(AimfTask) task = g_new0(AimfTask, 1);
    *task = (AimfTask){ .name = g_strdup(name),
                        .summary = g_strdup(summary),
                        .opening = g_strdup("A photo of"),
                        .noun = g_strdup("animal") };
    aimf_task_add_attribute(task, "Dog");
    aimf_task_add_attribute(task, "Light");
    aimf_words_for_animals(&task->attributes[0], &task->attributes[1]);
    aimf_task_take_animals(task);
    return aimf_task_finish(task, task->name, error) ? g_steal_pointer(&task) : NULL;
}

static gboolean add_attribute(AimfTask *task, const char *dataset, const char *text, GError **error)
{
    return aimf_words_for_attribute(dataset, text, aimf_task_add_attribute(task, NULL), error);
}

static gboolean check_different(const AimfTask *task, GError **error)
{
    for (guint a = 0; a < task->n_attributes; a++)
        for (guint b = 0; b < a; b++) {
            const AimfTaskAttribute *one = &task->attributes[a], *other = &task->attributes[b];
            if (strcmp(one->values[0].words[0], other->values[0].words[0]) != 0 &&
                strcmp(one->values[0].words[0], other->values[1].words[0]) != 0 &&
                (!one->slot || g_strcmp0(one->slot, other->slot) != 0))
                continue;
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "%s and %s say the same thing of a person, so there are no groups that differ in one only",
                        other->name, one->name);
            return FALSE;
        }
    return TRUE;
}

static AimfTask *make_people(const char *dataset, const char *target, const char *protected_attributes, GError **error)
{
    g_autoptr(AimfTask) task = g_new0(AimfTask, 1);
    if (!add_attribute(task, dataset, target, error))
        return NULL;
    g_auto(GStrv) names = g_strsplit(protected_attributes, ",", -1);
    for (char **name = names; *name; name++)
        if (!add_attribute(task, dataset, g_strstrip(*name), error))
            return NULL;
    if (task->n_attributes < 2) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "no protected attribute is named");
        return NULL;
    }
    if (!check_different(task, error))
        return NULL;
    GString *name = g_string_new(NULL);
    for (guint a = 0; a < task->n_attributes; a++)
        g_string_append_printf(name, "%s%s", a ? "_" : "", task->attributes[a].name);
    task->name = g_string_free(name, FALSE);
    task->opening = g_strdup(PORTRAIT);
    task->noun = g_strdup("person");
    aimf_task_take_people(task);
    for (gsize i = 0; i < G_N_ELEMENTS(TASKS); i++)
        if (strcmp(TASKS[i].name, task->name) == 0)
            task->summary = g_strdup(TASKS[i].summary);
    return aimf_task_finish(task, task->name, error) ? g_steal_pointer(&task) : NULL;
}

AimfTask *aimf_task_make(const char *dataset, const char *target, const char *protected_attributes, GError **error)
{
    if (dataset)
        return make_people(dataset, target, protected_attributes, error);
    g_autoptr(GError) celeba = NULL, utkface = NULL;
    AimfTask *task = make_people("celeba", target, protected_attributes, &celeba);
    if (!task)
        task = make_people("utkface", target, protected_attributes, &utkface);
    if (!task)
        g_set_error(error, AIMF_ERROR, celeba->code, "no dataset has words for '%s' and '%s': celeba: %s; utkface: %s",
                    target, protected_attributes, celeba->message, utkface->message);
    return task;
}

static gboolean same_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "_- ");
        b += strspn(b, "_- ");
        if (g_ascii_tolower(*a) != g_ascii_tolower(*b))
            return FALSE;
        if (!*a)
            return TRUE;
    }
}

AimfTask *aimf_task_find(const char *name, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(TASKS); i++) {
        if (!same_name(TASKS[i].name, name))
            continue;
        return TASKS[i].dataset ? make_people(TASKS[i].dataset, TASKS[i].target, TASKS[i].protected_attributes, error)
                                : make_animals(TASKS[i].name, TASKS[i].summary, error);
    }
    g_autofree char *known = g_strjoinv(", ", (char **)aimf_task_names());
    g_autofree char *hint = aimf_name_hint(name, aimf_task_names());
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                "there is no built-in task '%s'%s; there are %s. A file that describes one ends in .yaml", name, hint,
                known);
    return NULL;
}
