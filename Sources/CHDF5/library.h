#pragma once
// What all of this shim stands on: one lock and one error text around each call, and types as HDF5 has them.
#include "chdf5.h"
#include <hdf5.h>

/// Takes the lock and clears the error; every public function calls it first.
void hdf5_begin(void);
/// Gives the lock back; returns the status, for `return`.
int64_t hdf5_end(int64_t status);

/// HDF5's type for one of CHDF5_FLOAT32 to CHDF5_INT64, in a file or in memory; negative for others.
hid_t hdf5_number_type(int type, int in_file);
/// The code of a type that was found in a file.
int hdf5_type_code(hid_t type);
/// Fills code and dims and returns the rank; closes both.
int hdf5_describe(hid_t type, hid_t space, int *code, uint64_t *dims);
/// A space of these dimensions; a scalar without any.
hid_t hdf5_space(int rank, const uint64_t *dims);
/// A property list with which no link into another file is followed.
hid_t hdf5_access_within_file(hid_t class);
