#pragma once
#include "glimpse_taps.h"

/// The matrix from gradients of the taps' outputs to gradients of the inputs, by blocks of LANES inputs: `count[b]`
/// outputs from first[b] on contribute to block b, with weights in the rows from start[b] on.
typedef struct transposed_taps {
  int32_t blocks, first[MAXIMUM_GLIMPSE / LANES], count[MAXIMUM_GLIMPSE / LANES], start[MAXIMUM_GLIMPSE / LANES];
  // An output can contribute to two blocks.
  lanes weights[2 * MAXIMUM_SIZE];
} transposed_taps;

/// Working memory of one row: intermediate images of a glimpse's height and an image's width, or the reverse.
typedef struct workspace {
  taps x, y;
  transposed_taps transposed;
  float rows[4][MAXIMUM_GLIMPSE * ROW];
} workspace;

/// The calling thread's workspace, kept until the process ends.
workspace *thread_workspace(void);
