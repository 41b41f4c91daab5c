/* The style sheet of reports. */
#pragma once

/** aimf_report_style: (static) NULL-terminated pieces, to be written one after another. */
const char *const *aimf_report_style(void);
