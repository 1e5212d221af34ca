// A page as PDF, by a browser that is installed.
#pragma once

#include <filesystem>

namespace libdose::cli {

/// Prints an HTML file of the disk with Chromium (chromium, chromium-browser or google-chrome of the PATH).
/// The PDF takes its place when it is whole. Throws bad_input where there is none of them, or it fails.
void print_pdf(const std::filesystem::path& html, const std::filesystem::path& pdf);

}  // namespace libdose::cli
