#include "engine/backend_choice.h"

#include "cuda/backend.h"
#include "cuda/library.h"
#include "libdose/error.h"

namespace libdose {

namespace {

std::string cpu_because(const Error& error) { return "backend: cpu, for " + error.problem() + (error.where().empty() ? "" : " [" + error.where() + "]"); }

}  // namespace

ChosenBackend choose_backend(BackendChoice choice, int device) {
    if (choice == BackendChoice::cpu) return {};
    try {
        return {cuda::make_backend(cuda::open_device(cuda::load_library(), device)), ""};
    } catch (const Error& error) {
        if (choice == BackendChoice::cuda) throw;
        return {nullptr, cpu_because(error)};
    }
}

void require_memory(ChosenBackend& backend, BackendChoice choice, const MemoryNeeds& needs, const std::string& where) {
    if (backend.own) {
        try {
            backend.own->require_memory(needs, where);
        } catch (const Error& error) {
            if (choice != BackendChoice::automatic) throw;
            backend = {nullptr, cpu_because(error)};
        }
    }
    MemoryNeeds on_host = needs;
    on_host.transport_elsewhere = backend.own != nullptr;
    cpu_backend().require_memory(on_host, where);
}

}  // namespace libdose
