// Where the installed data (beam models, materials) are.
#pragma once

#include <filesystem>

namespace libdose {

/// Folder that holds models/ and materials/: the environment variable LIBDOSE_DATA; else share/libdose beside
/// the library that this function is in, or one or two folders above; else beside the bin folder of the
/// running program; else the install prefix; else the source tree that the library was built from. Throws
/// bad_input when none of them has materials/basis.csv.
std::filesystem::path data_folder();

}  // namespace libdose
