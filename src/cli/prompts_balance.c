/* The balance of contexts over the groups, for people and for programs. */
#include "prompts_command.h"

#include <math.h>

enum { MAX_VALUES_SHOWN = 12 };

static void print_counts(AimfCli *cli, const AimfBalance *balance, const AimfBalanceDimension *dimension)
{
    for (guint v = 0; v < MIN(dimension->n_values, MAX_VALUES_SHOWN); v++) {
        aimf_cli_print(cli, "    %-28.28s", dimension->values[v]);
        for (guint g = 0; g < balance->n_groups; g++)
            aimf_cli_print(cli, " %8u", dimension->counts[v * balance->n_groups + g]);
        aimf_cli_print(cli, "\n");
    }
    if (dimension->n_values > MAX_VALUES_SHOWN)
        aimf_cli_print(cli, "    and %u other values\n", dimension->n_values - MAX_VALUES_SHOWN);
}

static void print_test(AimfCli *cli, const AimfBalance *balance, guint d)
{
    const AimfBalanceDimension *dimension = &balance->dimensions[d];
    if (isnan(dimension->cramers_v))
        aimf_cli_print(cli, "  %s: nothing to compare\n", dimension->name);
    else if (dimension->tested)
        aimf_cli_print(cli, "  %s: V %.3f, chi-square %.2f (%u), p %.3g%s\n", dimension->name, dimension->cramers_v,
                       dimension->chi_square, dimension->degrees, dimension->p_value,
                       aimf_balance_beyond_chance(balance, d) ? ": beyond chance" : "");
    else
        aimf_cli_print(cli, "  %s: V %.3f, too few prompts for a test\n", dimension->name, dimension->cramers_v);
}

void prompts_print_balance(AimfCli *cli, const AimfBalance *balance)
{
    if (!balance->n_dimensions)
        return;
    aimf_cli_print(cli, "Contexts by group:%21s", "");
    for (guint g = 0; g < balance->n_groups; g++)
        aimf_cli_print(cli, "%s%8s", g ? " " : "", balance->groups[g]);
    aimf_cli_print(cli, "\n");
    for (guint d = 0; d < balance->n_dimensions; d++) {
        print_test(cli, balance, d);
        print_counts(cli, balance, &balance->dimensions[d]);
    }
    if (balance->most >= 0)
        aimf_cli_print(cli, "Most different: %s (V %.3f). Beyond chance is p below %.3g.\n",
                       balance->dimensions[balance->most].name, balance->dimensions[balance->most].cramers_v,
                       balance->level);
    else
        aimf_cli_print(cli, "Contexts are distributed alike in all groups.\n");
}

static void json_counts(JsonBuilder *builder, const AimfBalance *balance, const AimfBalanceDimension *dimension)
{
    json_builder_set_member_name(builder, "counts");
    json_builder_begin_object(builder);
    for (guint v = 0; v < dimension->n_values; v++) {
        json_builder_set_member_name(builder, dimension->values[v]);
        json_builder_begin_array(builder);
        for (guint g = 0; g < balance->n_groups; g++)
            json_builder_add_int_value(builder, dimension->counts[v * balance->n_groups + g]);
        json_builder_end_array(builder);
    }
    json_builder_end_object(builder);
}

void prompts_json_balance(JsonBuilder *builder, const AimfBalance *balance)
{
    json_builder_set_member_name(builder, "balance");
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "groups");
    json_builder_begin_array(builder);
    for (guint g = 0; g < balance->n_groups; g++)
        json_builder_add_string_value(builder, balance->groups[g]);
    json_builder_end_array(builder);
    aimf_cli_json_text(builder, "most_different", balance->most >= 0 ? balance->dimensions[balance->most].name : NULL);
    aimf_cli_json_double(builder, "level", balance->level);
    json_builder_set_member_name(builder, "dimensions");
    json_builder_begin_array(builder);
    for (guint d = 0; d < balance->n_dimensions; d++) {
        const AimfBalanceDimension *dimension = &balance->dimensions[d];
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "name", dimension->name);
        aimf_cli_json_double(builder, "cramers_v", dimension->cramers_v);
        aimf_cli_json_bool(builder, "tested", dimension->tested);
        aimf_cli_json_double(builder, "chi_square", dimension->chi_square);
        aimf_cli_json_int(builder, "degrees", dimension->degrees);
        aimf_cli_json_double(builder, "p_value", dimension->p_value);
        aimf_cli_json_bool(builder, "beyond_chance", aimf_balance_beyond_chance(balance, d));
        json_counts(builder, balance, dimension);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

void prompts_warn_of_balance(AimfCli *cli, const AimfBalance *balance)
{
    for (guint d = 0; d < balance->n_dimensions; d++) {
        const AimfBalanceDimension *dimension = &balance->dimensions[d];
        if (aimf_balance_beyond_chance(balance, d))
            aimf_cli_message(
                cli, AIMF_LOG_WARNING,
                "%s differs between the groups beyond chance (p %.2g), most in %s: images of these prompts "
                "would teach it along with the attributes",
                dimension->name, dimension->p_value, balance->groups[dimension->group]);
    }
}
