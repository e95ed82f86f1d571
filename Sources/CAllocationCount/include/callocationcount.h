#pragma once
#include <stdint.h>

// The functions of malloc's family are replaced by ones that count and then do what the C library does, for the whole
// program: two additions a call. What cannot be counted, where the C library is another, is -1.

/// Allocations made by this process since it began.
int64_t allocation_count(void);

/// Allocations made by the calling thread since it began.
int64_t allocation_count_of_thread(void);
