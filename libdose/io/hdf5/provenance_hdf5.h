// The group /provenance of a result in HDF5 (docs/reference/dose-hdf5.md).
#pragma once

#include "io/hdf5/hdf5_file.h"
#include "libdose/dose.h"

namespace libdose::io {

void write_provenance(Hdf5Writer& file, const Provenance& provenance);
Provenance read_provenance(const Hdf5Reader& file);

}  // namespace libdose::io
