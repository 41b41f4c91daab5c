/* What readers call the protected labels of a run's data. */
#include "data/attribute.h"
#include "run/results.h"

#include <string.h>

void aimf_run_results_name_labels(AimfRunResults *results)
{
    const char *kind = aimf_config_text_at(results->config, AIMF_KEY_DATA_KIND);
    const char *text = aimf_config_text_at(results->config, AIMF_KEY_DATA_PROTECTED);
    AimfAttribute attribute; /* a run names one; its folder may have been tampered with */
    if (!text || (strcmp(kind, "celeba") != 0 && strcmp(kind, "utkface") != 0) ||
        !aimf_attribute_parse(kind, text, &attribute, NULL))
        return;
    results->label_names = g_strdupv(results->labels);
    for (char **name = results->label_names; *name; name++) {
        if (strcmp(*name, "0") != 0 && strcmp(*name, "1") != 0)
            continue;
        char *called = aimf_attribute_name_of(&attribute, **name - '0');
        g_free(*name);
        *name = called;
    }
}

const char *aimf_run_label_name(const AimfRunResults *results, const char *label)
{
    for (int i = 0; results->label_names && results->labels[i]; i++)
        if (strcmp(results->labels[i], label) == 0)
            return results->label_names[i];
    return label;
}
