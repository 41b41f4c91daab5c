/* The sections of a report, in its order. Each says in a sentence what is missing. */
#pragma once

#include "run/report_chart.h"

/* report_finding.c */
/** aimf_report_sentence: (owned) the finding in one sentence of HTML. */
char *aimf_report_sentence(const AimfRunResults *results);
/** aimf_report_changes: the table of the main measures before and after. */
void aimf_report_changes(AimfHtml *html, const AimfRunResults *results);
/** aimf_report_gates: what became of the demands. */
void aimf_report_gates(AimfHtml *html, const AimfRunResults *results);
/** aimf_report_notices: seeds that failed, and cells that are not of one kind of machine. */
void aimf_report_notices(AimfHtml *html, const AimfRunResults *results);

/* report_groups.c */
void aimf_report_groups(AimfHtml *html, const AimfRunResults *results);
/** aimf_report_method_groups: chart and table of one method against the biased one. */
void aimf_report_method_groups(AimfHtml *html, const AimfRunResults *results, guint method);
void aimf_report_confusion(AimfHtml *html, const AimfRunResults *results);

/* report_measures.c */
void aimf_report_all_measures(AimfHtml *html, const AimfRunResults *results);
void aimf_report_tops(AimfHtml *html, const AimfRunResults *results);

/* report_curves.c */
void aimf_report_curves(AimfHtml *html, const AimfRunResults *results);

/* report_tensors.c */
void aimf_report_tensors(AimfHtml *html, const AimfRunResults *results);

/* report_pictures.c */
void aimf_report_synthetic(AimfHtml *html, const AimfRunResults *results);
void aimf_report_photographs(AimfHtml *html, const AimfRunResults *results);

/* report_data.c */
void aimf_report_data(AimfHtml *html, const AimfRunResults *results);
void aimf_report_configuration(AimfHtml *html, const AimfRunResults *results);

/* report_limits.c */
void aimf_report_limits(AimfHtml *html, const AimfRunResults *results);
void aimf_report_impact(AimfHtml *html, const AimfRunResults *results);
void aimf_report_ai_act(AimfHtml *html);

/* report_compare.c */
/** aimf_report_compare: the main measures of @runs (n) side by side, and how their configurations differ. */
void aimf_report_compare(AimfHtml *html, const AimfRunResults *const *runs, guint n);
