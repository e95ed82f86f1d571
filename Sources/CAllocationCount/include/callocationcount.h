#pragma once
#include <stdint.h>

/// Allocations made by this process since it began; -1 where they cannot be counted.
///
/// The functions of malloc's family are replaced by ones that count and then do what the C library does, for the whole
/// program: one relaxed addition a call.
int64_t allocation_count(void);
