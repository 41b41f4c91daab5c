/* The one reader of JSON, and the writer: what it writes is read again and written the same. */
#include "base/json.h"
#include "fuzz/support_fuzz.h"

#include <aimfair/json.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autoptr(JsonNode) root = aimf_json_parse((const char *)data, size, &error);
    if (!fuzz_check(root != NULL, &error))
        return 0;
    g_autofree char *text = aimf_json_write(root, TRUE);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_autoptr(JsonNode) again = aimf_json_parse(text, strlen(text), &error);
    if (!fuzz_check(again != NULL, &error))
        g_error("what was written cannot be read: %s", text);
    g_autofree char *same = aimf_json_write(again, TRUE);
    g_assert_cmpstr(text, ==, same);
    return 0;
}
