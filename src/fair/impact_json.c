#include "fair/impact_json.h"

#include "fair/interval_json.h"

static JsonArray *texts(char *const *values)
{
    JsonArray *array = json_array_new();
    for (; *values; values++)
        json_array_add_string_element(array, *values);
    return array;
}

/* Numbers that are not finite become null when they are written. @hits, @rate: what they are called. */
static JsonObject *category_object(const AimfImpactCategory *category, const char *hits, const char *rate)
{
    JsonObject *object = json_object_new();
    g_autofree char *interval = g_strconcat(rate, "_interval", NULL);
    json_object_set_array_member(object, "values", texts(category->values));
    json_object_set_int_member(object, "n", category->n);
    json_object_set_double_member(object, "share", category->share);
    json_object_set_int_member(object, hits, category->hits);
    json_object_set_double_member(object, rate, category->rate);
    aimf_json_set_interval(object, interval, category->rate_interval);
    json_object_set_double_member(object, "impact_ratio", category->ratio);
    aimf_json_set_interval(object, "impact_ratio_interval", category->ratio_interval);
    json_object_set_boolean_member(object, "reference", category->reference);
    json_object_set_boolean_member(object, "small", category->small);
    json_object_set_boolean_member(object, "below_four_fifths", category->below_four_fifths);
    return object;
}

static JsonArray *table_objects(const AimfImpactTable *tables, guint n, const char *hits, const char *rate)
{
    JsonArray *array = json_array_new();
    for (guint t = 0; t < n; t++) {
        const AimfImpactTable *table = &tables[t];
        JsonObject *object = json_object_new();
        JsonArray *categories = json_array_new();
        for (guint i = 0; i < table->n_categories; i++)
            json_array_add_object_element(categories, category_object(&table->categories[i], hits, rate));
        json_object_set_array_member(object, "attributes", texts(table->columns));
        json_object_set_int_member(object, "n", table->n);
        json_object_set_int_member(object, "unknown", table->unknown);
        json_object_set_array_member(object, "categories", categories);
        json_array_add_object_element(array, object);
    }
    return array;
}

void aimf_impact_set_json(JsonObject *root, const AimfImpact *impact)
{
    json_object_set_array_member(root, "impact",
                                 table_objects(impact->selection, impact->n_tables, "selected", "selection_rate"));
    if (!impact->scoring)
        return;
    JsonObject *scores = json_object_new();
    json_object_set_string_member(scores, "score", impact->score);
    json_object_set_double_member(scores, "median", impact->median);
    json_object_set_array_member(scores, "tables",
                                 table_objects(impact->scoring, impact->n_tables, "above_median", "scoring_rate"));
    json_object_set_object_member(root, "impact_scores", scores);
}
