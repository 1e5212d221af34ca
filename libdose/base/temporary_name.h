// Outputs are written under a temporary name in the same folder and renamed, so that no half file is ever
// seen.
#pragma once

#include <filesystem>

namespace libdose {

/// A name in the folder of `file` that no other process uses.
std::filesystem::path temporary_name(const std::filesystem::path& file);
/// Replaces `file` by `temporary` in one step. Throws bad_input, after removing the temporary file, when that
/// fails.
void rename_into_place(const std::filesystem::path& temporary, const std::filesystem::path& file);

}  // namespace libdose
