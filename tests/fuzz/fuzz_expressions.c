/* Small languages of options, one per value of the first byte: gates, maps of values, attributes, bias and so on. */
#include "data/attribute.h"
#include "data/value_map.h"
#include "fuzz/support_fuzz.h"

#include <aimfair/fair.h>
#include <string.h>

static void parse(uint8_t which, const char *text)
{
    GError *failure = NULL;
    switch (which % 6) {
    case 0: {
        AimfGate gate = { 0 };
        for (int evidence = 0; evidence < 2; evidence++) {
            fuzz_check(aimf_gate_parse(text, evidence, &gate, &failure), &failure);
            aimf_gate_clear(&gate);
        }
        break;
    }
    case 1: {
        g_autoptr(AimfValueMap) map = aimf_value_map_parse("--map", text, which & 0x10, &failure);
        if (fuzz_check(map != NULL, &failure))
            aimf_value_map_find(map, "female", which & 0x10);
        break;
    }
    case 2: {
        g_autoptr(GArray) list = aimf_attributes_parse(which & 0x10 ? "celeba" : "utkface", text, &failure);
        fuzz_check(list != NULL, &failure);
        break;
    }
    case 3: {
        double bias;
        if (fuzz_check(aimf_bias_parse(text, &bias, &failure), &failure))
            g_assert_true(bias >= 0);
        break;
    }
    case 4: {
        g_autoptr(AimfFindings) findings = aimf_findings_new();
        if (aimf_findings_parse(findings, text))
            g_free(aimf_findings_json(findings));
        break;
    }
    case 5: {
        AimfPreprocess preprocess = { .width = 64, .height = 64, .std = { 1, 1, 1 } };
        const char *const *names = aimf_preprocess_names();
        for (guint i = 0; names[i]; i++)
            fuzz_check(aimf_preprocess_set(&preprocess, names[i], text, &failure), &failure);
        break;
    }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size || memchr(data, 0, size))
        return 0;
    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    parse(*data, text);
    return 0;
}
