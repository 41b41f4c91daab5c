/* What the library of failing calls and those who use it agree upon. */
#pragma once

typedef enum {
    FAULT_ALLOC,
    FAULT_WRITE,
    FAULT_FSYNC,
    FAULT_RENAME,
    FAULT_OPEN,
    FAULT_CLOSE,
    FAULT_MMAP,
    FAULT_STAT,
    FAULT_READ,
    FAULT_N_KINDS,
} FaultKind;

static const char *const fault_kinds[FAULT_N_KINDS] = { "alloc", "write", "fsync", "rename", "open",
                                                        "close", "mmap",  "stat",  "read" };

/** FaultCounts: the calls of each kind from main() on; @failed: how many of the chosen kind were made to fail */
typedef struct {
    unsigned long calls[FAULT_N_KINDS];
    unsigned long failed;
} FaultCounts;
