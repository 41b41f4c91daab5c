/* The command line of `aimfair evaluate`. */
#pragma once

#include "allow.h"
#include "evaluate_demands.h"
#include "evaluate_table.h"

/** AimfEvaluateOptions: of the command line, read and checked; everything owned. */
typedef struct {
    char *model;
    char *data;
    char *save;
    char *given;
    char *positive;
    char *by_group_text;
    char *impact_text;
    char **impact;
    char *changes;
    char *chart;
    gboolean average;
    gboolean compare;
    gint bootstrap;
    gint batch;
    gint skip_bad;
    double threshold; /* negative: not given */
    AimfDemands demands;
    AimfByGroup by_group;
    AimfAllow allow;
} AimfEvaluateOptions;

void aimf_evaluate_options_clear(AimfEvaluateOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfEvaluateOptions, aimf_evaluate_options_clear)

/** aimf_evaluate_parse: with the defaults; what is left of @argv are files. FALSE with INVALID. */
gboolean aimf_evaluate_parse(AimfCli *cli, int *argc, char **argv, AimfEvaluateOptions *options, GError **error);
/** aimf_are_tables: whether all of (n) @files are tables of predictions, by their endings, and not models. */
gboolean aimf_are_tables(int n, char **files);
/** aimf_averages_answers: whether the (n) @files of an average are models and tables, and not results. */
gboolean aimf_averages_answers(const AimfEvaluateOptions *options, int n, char **files);
