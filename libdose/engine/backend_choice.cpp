#include "engine/backend_choice.h"

#include <mutex>
#include <utility>
#include <vector>

#include "cuda/backend.h"
#include "cuda/runtime/library.h"
#include "libdose/error.h"

namespace libdose {

/// Backends that no calculation uses, by the number of their device.
struct OpenDevices::Idle {
    std::mutex mutex;
    std::vector<std::pair<int, std::unique_ptr<Backend>>> backends;

    std::unique_ptr<Backend> take(int device) {
        const std::lock_guard lock(mutex);
        for (std::size_t n = 0; n < backends.size(); ++n)
            if (backends[n].first == device) {
                std::unique_ptr<Backend> found = std::move(backends[n].second);
                backends.erase(backends.begin() + static_cast<std::ptrdiff_t>(n));
                return found;
            }
        return nullptr;
    }
    /// One that has failed is closed.
    void give(int device, std::unique_ptr<Backend> backend) noexcept {
        try {
            backend->finish_work();
            const std::lock_guard lock(mutex);
            backends.emplace_back(device, std::move(backend));
        } catch (...) {
        }
    }
    bool close() {
        std::vector<std::pair<int, std::unique_ptr<Backend>>> closed;
        const std::lock_guard lock(mutex);
        closed.swap(backends);
        return !closed.empty();
    }
};

OpenDevices::OpenDevices() : idle_(std::make_unique<Idle>()) {}
OpenDevices::~OpenDevices() = default;
void OpenDevices::close() { idle_->close(); }

namespace {

std::string cpu_because(const Error& error) {
    return "backend: cpu, for " + error.problem() + (error.where().empty() ? "" : " [" + error.where() + "]");
}

std::shared_ptr<Backend> open_device(int device, const std::shared_ptr<OpenDevices>& devices) {
    std::unique_ptr<Backend> backend = devices ? devices->idle().take(device) : nullptr;
    if (!backend) backend = cuda::make_backend(cuda::open_device(cuda::load_library(), device));
    if (!devices) return backend;
    return {backend.release(), [device, devices](Backend* done) {
                devices->idle().give(device, std::unique_ptr<Backend>(done));
            }};
}

}  // namespace

ChosenBackend choose_backend(BackendChoice choice, int device, const std::shared_ptr<OpenDevices>& devices) {
    if (choice == BackendChoice::cpu) return {};
    try {
        return {open_device(device, devices), ""};
    } catch (const Error& error) {
        if (choice == BackendChoice::cuda) throw;
        return {nullptr, cpu_because(error)};
    }
}

void require_memory(ChosenBackend& backend, BackendChoice choice, const MemoryNeeds& needs,
                    const std::string& where, const std::shared_ptr<OpenDevices>& devices) {
    const auto require = [&] {
        try {
            backend.own->require_memory(needs, where);
        } catch (const Error&) {
            // What others have left open may be what is missing.
            if (!devices || !devices->idle().close()) throw;
            backend.own->require_memory(needs, where);
        }
    };
    if (backend.own) {
        try {
            require();
        } catch (const Error& error) {
            if (choice != BackendChoice::automatic) throw;
            backend = {nullptr, cpu_because(error)};
        }
    }
    MemoryNeeds on_host = needs;
    on_host.transport_elsewhere = backend.own != nullptr;
    cpu_backend().require_memory(on_host, where);
}

std::vector<std::string> cuda_devices() {
    std::vector<std::string> devices;
    try {
        const cuda::DeviceInterface& library = cuda::load_library();
        int count = 0;
        cuda::DeviceStatus status{};
        library.count(&count, &status);
        if (status.code != cuda::device_ok) return devices;
        for (int number = 0; number < count; ++number)
            devices.push_back(cuda::open_device(library, number)->description());
    } catch (const Error&) {
        // No library, or a device that it has no code for: there is none that can be used.
    }
    return devices;
}

}  // namespace libdose
