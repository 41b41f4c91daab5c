#include "allow.h"

#include <aimfair/names.h>

void aimf_allow_init(AimfAllow *allow)
{
    *allow = (AimfAllow){ .findings = aimf_findings_new() };
}

void aimf_allow_clear(AimfAllow *allow)
{
    g_strfreev(allow->texts);
    aimf_findings_free(allow->findings);
}

/* (owned) the names of all --allow, one by one; NULL with an error. */
static char **names_of(const AimfAllow *allow, GError **error)
{
    const char *const *known = aimf_allowable_findings();
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    for (char **text = allow->texts; text && *text; text++) {
        g_auto(GStrv) parts = g_strsplit(*text, ",", -1);
        for (char **part = parts; *part; part++) {
            const char *name = g_strstrip(*part);
            if (g_strv_contains(known, name)) {
                g_strv_builder_add(names, name);
                continue;
            }
            g_autofree char *list = g_strjoinv(", ", (char **)known);
            g_autofree char *hint = aimf_name_hint(name, known);
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--allow takes %s, not '%s'%s", list, name, hint);
            return NULL;
        }
    }
    return g_strv_builder_end(names);
}

gboolean aimf_allow_check(const AimfAllow *allow, GError **error)
{
    g_auto(GStrv) names = names_of(allow, error);
    return names != NULL;
}

gboolean aimf_allow_report(AimfCli *cli, AimfAllow *allow, GError **error)
{
    g_auto(GStrv) names = names_of(allow, error);
    if (!names)
        return FALSE;
    gboolean good = aimf_findings_allow(allow->findings, (const char *const *)names, error);
    for (; allow->shown < aimf_findings_count(allow->findings); allow->shown++) {
        const AimfFinding *finding = aimf_findings_at(allow->findings, allow->shown);
        if (!finding->certain) /* the error has the others */
            aimf_cli_message(cli, AIMF_LOG_WARNING, "%s", finding->text);
    }
    return good;
}

void aimf_allow_json(JsonBuilder *builder, const AimfFindings *findings)
{
    g_autofree char *text = aimf_findings_json(findings);
    json_builder_set_member_name(builder, "warnings");
    json_builder_add_value(builder, json_from_string(text, NULL));
}
