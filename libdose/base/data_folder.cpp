#include <dlfcn.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "libdose/data.h"
#include "libdose/error.h"

namespace libdose {

std::filesystem::path data_folder() {
    namespace fs = std::filesystem;
    const auto complete = [](const fs::path& folder) {
        std::error_code error;
        return fs::is_regular_file(folder / "materials" / "basis.csv", error);
    };
    if (const char* chosen = std::getenv("LIBDOSE_DATA"); chosen && *chosen) {
        if (!complete(chosen))
            throw bad_input("LIBDOSE_DATA does not hold materials/basis.csv", chosen,
                            "Point it at the data folder of libdose, or unset it");
        return chosen;
    }
    std::vector<fs::path> candidates;
    std::error_code error;
    // A shared library in a host's process: lib/ or lib/<architecture>/ with share/ above it, or a Python
    // package with share/ in it.
    Dl_info here;
    static const char anchor = 0;
    if (dladdr(&anchor, &here) != 0 && here.dli_fname) {
        fs::path folder = fs::canonical(here.dli_fname, error).parent_path();
        candidates.push_back(folder / "share" / "libdose");
        for (int up = 0; up < 2 && folder.has_relative_path(); ++up)
            candidates.push_back((folder = folder.parent_path()) / "share" / "libdose");
    }
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (!error) candidates.push_back(program.parent_path().parent_path() / "share" / "libdose");
    candidates.emplace_back(LIBDOSE_INSTALL_DATA);
    candidates.emplace_back(LIBDOSE_SOURCE_DATA);
    std::string tried;
    for (const fs::path& folder : candidates) {
        if (complete(folder)) return folder;
        tried += (tried.empty() ? "" : ", ") + folder.string();
    }
    throw bad_input("the data of libdose (beam models, materials) were not found", tried,
                    "Install libdose, or set LIBDOSE_DATA to its data folder");
}

}  // namespace libdose
