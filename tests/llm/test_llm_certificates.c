#include "llm/llm_certificates.h"

#include <glib/gstdio.h>
#include <string.h>

/* The one named, or the first that is there; what to set where none is. */
static void test_places(void)
{
    g_autofree char *folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    g_autofree char *first = g_build_filename(folder, "first.pem", NULL);
    g_autofree char *second = g_build_filename(folder, "second.pem", NULL);
    g_autofree char *third = g_build_filename(folder, "third.pem", NULL);
    const char *const places[] = { first, second, third, NULL };
    g_assert_true(g_file_set_contents(second, "-", 1, NULL));
    g_assert_true(g_file_set_contents(third, "-", 1, NULL));

    g_autofree char *found = aimf_certificates_find(NULL, places, NULL);
    g_assert_cmpstr(found, ==, second);
    g_autofree char *of_empty = aimf_certificates_find("", places, NULL);
    g_assert_cmpstr(of_empty, ==, second);
    g_autofree char *of_named = aimf_certificates_find(third, places, NULL);
    g_assert_cmpstr(of_named, ==, third);

    /* What was named is not replaced by another. */
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_certificates_find(first, places, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, first));
    g_clear_error(&error);

    /* A folder of certificates is none. */
    const char *const folders[] = { folder, third, NULL };
    g_autofree char *behind = aimf_certificates_find(NULL, folders, NULL);
    g_assert_cmpstr(behind, ==, third);
    g_assert_null(aimf_certificates_find(folder, places, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "must be a file"));
    g_clear_error(&error);

    g_unlink(second);
    g_unlink(third);
    g_assert_null(aimf_certificates_find(NULL, places, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "SSL_CERT_FILE"));
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/llm/certificates/places", test_places);
    return g_test_run();
}
