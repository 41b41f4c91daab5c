/* A program of somebody else's: it knows the installed headers and pkg-config, nothing of the source tree. */
#include <aimfair/fair.h>
#include <aimfair/version.h>
#include <stdio.h>

int main(void)
{
    const int target[] = { 0, 0, 1, 1 }, prediction[] = { 0, 1, 1, 1 }, group[] = { 0, 1, 0, 1 };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfMeasures) measures = aimf_measure(4, target, prediction, NULL, group, 2, 2, 0, 0, NULL, &error);
    if (!measures) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    printf("aimfair %s: accuracy %.2f, worst group %.2f\n", aimf_version(), measures->scalars.accuracy,
           measures->scalars.worst_group_accuracy);
    return measures->scalars.accuracy == 0.75 && measures->scalars.worst_group_accuracy == 0 ? 0 : 1;
}
