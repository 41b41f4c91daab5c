/* aimfair devices: where it can compute, and why it cannot elsewhere. */
#include "cli.h"

static void print_json(AimfCli *cli, const GArray *devices)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "devices");
    json_builder_begin_array(builder);
    for (guint i = 0; i < devices->len; i++) {
        const AimfDeviceInfo *info = &g_array_index(devices, AimfDeviceInfo, i);
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "name", info->name);
        aimf_cli_json_text(builder, "engine", info->engine);
        aimf_cli_json_bool(builder, "usable", !info->unusable);
        aimf_cli_json_text(builder, "unusable", info->unusable);
        aimf_cli_json_int(builder, "memory_bytes", (gint64)info->memory_bytes);
        aimf_cli_json_int(builder, "memory_left_bytes", (gint64)info->memory_left_bytes);
        aimf_cli_json_int(builder, "threads", info->threads);
        json_builder_set_member_name(builder, "precisions");
        json_builder_begin_array(builder);
        json_builder_add_string_value(builder, "f32");
        if (info->bf16)
            json_builder_add_string_value(builder, "bf16");
        json_builder_end_array(builder);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

static void print_text(AimfCli *cli, const GArray *devices)
{
    for (guint i = 0; i < devices->len; i++) {
        const AimfDeviceInfo *info = &g_array_index(devices, AimfDeviceInfo, i);
        aimf_cli_print_padded(cli, info->name, 12);
        aimf_cli_print(cli, "%s\n", info->engine);
        if (info->unusable)
            aimf_cli_print(cli, "            cannot be used: %s\n", info->unusable);
        aimf_cli_print(cli, "            %.1f GB of memory, %.1f GB left; %d thread%s; %s\n",
                       (double)info->memory_bytes / 1e9, (double)info->memory_left_bytes / 1e9, info->threads,
                       info->threads == 1 ? "" : "s", info->bf16 ? "f32, bf16" : "f32");
    }
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error))
        return FALSE;
    g_autoptr(GArray) devices = aimf_devices();
    if (cli->json)
        print_json(cli, devices);
    else
        print_text(cli, devices);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_DEVICES = {
    .name = "devices",
    .summary = "list the devices on which it can compute",
    .description = "Example: aimfair devices --json\n\n--device NAME of every command that computes takes one of them; "
                   "'auto' is the first that can be used.",
    .run = run,
};
