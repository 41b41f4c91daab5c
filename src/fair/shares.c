#include "fair/shares.h"

AimfShare aimf_rate_share(const AimfCounts *counts, int target, int group, AimfRate rate)
{
    const AimfCell *cell = &counts->cells[target * counts->n_protected + group];
    guint64 total = counts->totals[group];
    switch (rate) {
    case AIMF_RATE_TPR:
        return (AimfShare){ cell->correct, cell->n };
    case AIMF_RATE_FPR:
        return (AimfShare){ cell->predicted - cell->correct, total - cell->n };
    case AIMF_RATE_PRECISION:
        return (AimfShare){ cell->correct, cell->predicted };
    case AIMF_RATE_SELECTION:
        break;
    }
    return (AimfShare){ cell->predicted, total };
}

AimfShare aimf_group_share(const AimfCounts *counts, int index)
{
    return (AimfShare){ counts->cells[index].correct, counts->cells[index].n };
}

static AimfShare sum_of(const AimfCounts *counts, int first, int n)
{
    AimfShare sum = { 0, 0 };
    for (int i = first; i < first + n; i++) {
        AimfShare share = aimf_group_share(counts, i);
        sum.x += share.x;
        sum.n += share.n;
    }
    return sum;
}

AimfShare aimf_recall_share(const AimfCounts *counts, int target)
{
    return sum_of(counts, target * counts->n_protected, counts->n_protected);
}

AimfShare aimf_accuracy_share(const AimfCounts *counts)
{
    return sum_of(counts, 0, counts->n_targets * counts->n_protected);
}

AimfShare aimf_class_share(const AimfCounts *counts, int target)
{
    AimfShare all = aimf_accuracy_share(counts);
    return (AimfShare){ aimf_recall_share(counts, target).n, all.n };
}
