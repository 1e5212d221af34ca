#include <dlfcn.h>

#include <cstdlib>

#include "cuda/runtime/library.h"

namespace libdose::cuda {

std::vector<std::filesystem::path> library_candidates() {
    namespace fs = std::filesystem;
    if (const char* chosen = std::getenv("LIBDOSE_CUDA_LIBRARY"); chosen && *chosen) return {chosen};
    constexpr const char* name = "libdose_cuda.so";
    std::vector<fs::path> candidates;
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (!error) candidates.push_back(program.parent_path().parent_path() / LIBDOSE_LIBRARY_FOLDER / name);
    // Beside a shared library or a Python module that libdose is in.
    Dl_info here;
    static const char anchor = 0;
    if (dladdr(&anchor, &here) != 0 && here.dli_fname)
        candidates.push_back(fs::absolute(here.dli_fname, error).parent_path() / name);
    candidates.push_back(fs::path(LIBDOSE_INSTALL_LIBRARIES) / name);
#ifdef LIBDOSE_BUILD_LIBRARIES
    candidates.push_back(fs::path(LIBDOSE_BUILD_LIBRARIES) / name);
#endif
    return candidates;
}

}  // namespace libdose::cuda
