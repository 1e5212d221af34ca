// Outputs are written under a temporary name in the same folder and renamed, so that no half file is ever
// seen.
#pragma once

#include <filesystem>
#include <string>

namespace libdose {

/// A name in the folder of `file` that no other process uses.
std::filesystem::path temporary_name(const std::filesystem::path& file);
/// Replaces `file` by `temporary` in one step. Throws bad_input, after removing the temporary file, when that
/// fails.
void rename_into_place(const std::filesystem::path& temporary, const std::filesystem::path& file);

/// Writes a text file in one step. Throws bad_input when that fails.
void write_text(const std::string& text, const std::filesystem::path& file);

}  // namespace libdose
