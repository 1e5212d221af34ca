#include "cuda/runtime/library.h"

#include <dlfcn.h>

#include <string>

#include "libdose/error.h"

namespace libdose::cuda {

namespace {

constexpr const char* use_the_cpu = "use --backend cpu or auto";

/// Turns a failure into an Error.
void check(const DeviceStatus& status, const std::string& where) {
    const std::string text(status.text);
    switch (status.code) {
        case device_ok:
            return;
        case device_out_of_memory:
            throw bad_input("the device has no memory left: " + text, where,
                            "Choose a larger grid spacing, or " + std::string(use_the_cpu));
        case device_no_driver:
            throw bad_input("there is no NVIDIA driver that CUDA can use: " + text, where,
                            "Install or update it, or " + std::string(use_the_cpu));
        case device_none:
            throw bad_input("there is no such CUDA device: " + text, where,
                            "Choose one with --device, or " + std::string(use_the_cpu));
        case device_wrong_architecture:
            throw bad_input("the CUDA library holds no code for this device: " + text, where,
                            "Build it with the device's architecture in CMAKE_CUDA_ARCHITECTURES, or " +
                                std::string(use_the_cpu));
        default:
            throw bad_input("the CUDA device failed and cannot be used further: " + text, where,
                            "Start again, or " + std::string(use_the_cpu));
    }
}

class DeviceExecutor : public Executor {
public:
    DeviceExecutor(const DeviceInterface& library, int number)
        : library_(library), description_("cuda device " + std::to_string(number)) {
        DeviceStatus status{};
        library_.open(number, &device_, &status);
        check(status, description_);
        try {
            const DeviceInfo about = info();
            description_ = "cuda " + std::string(about.name) + " (device " + std::to_string(number) +
                           ", compute capability " + std::to_string(about.major) + "." +
                           std::to_string(about.minor) + ")";
        } catch (...) {
            library_.close(device_);
            throw;
        }
    }
    ~DeviceExecutor() override { library_.close(device_); }
    std::string description() const override { return description_; }
    std::size_t free_bytes() const override { return info().free_bytes; }
    void* allocate(std::size_t bytes) override {
        void* memory = nullptr;
        DeviceStatus status{};
        library_.allocate(device_, bytes, &memory, &status);
        if (status.code == device_out_of_memory) return nullptr;
        check(status, description_);
        return memory;
    }
    void release(void* memory) noexcept override { library_.release(device_, memory); }
    Mark mark() override {
        Mark mark = 0;
        checked(library_.mark, &mark);
        return mark;
    }
    void upload(void* to, const void* from, std::size_t bytes, Mark after) override {
        checked(library_.upload, to, from, bytes, after);
    }
    void download(void* to, const void* from, std::size_t bytes) override {
        checked(library_.download, to, from, bytes);
    }
    void clear(void* memory, std::size_t bytes) override { checked(library_.clear, memory, bytes); }
    void launch(int kernel, const void* arguments, std::size_t, const Index3& threads) override {
        const int size[3] = {threads.x, threads.y, threads.z};
        checked(library_.launch, kernel, arguments, size);
    }
    void synchronize() override { checked(library_.synchronize); }

private:
    template <class Function, class... Arguments>
    void checked(Function function, Arguments... arguments) const {
        DeviceStatus status{};
        function(device_, arguments..., &status);
        check(status, description_);
    }
    DeviceInfo info() const {
        DeviceInfo about{};
        DeviceStatus status{};
        library_.info(device_, &about, &status);
        check(status, description_);
        return about;
    }
    const DeviceInterface& library_;
    std::string description_;
    void* device_ = nullptr;
};

}  // namespace

const DeviceInterface& load_library(const std::filesystem::path& file) {
    // It stays loaded: the CUDA runtime does not like to be unloaded.
    void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char* reason = dlerror();
        throw bad_input(
            "the CUDA library cannot be loaded: " + std::string(reason ? reason : "unknown reason"),
            file.string(), "Install it again, or " + std::string(use_the_cpu));
    }
    const auto function = reinterpret_cast<DeviceInterfaceFunction>(dlsym(library, device_interface_symbol));
    if (!function)
        throw bad_input("this is not the CUDA library of libdose", file.string(),
                        "Check LIBDOSE_CUDA_LIBRARY");
    const DeviceInterface& interface = *function();
    // The version comes first: nothing else is known of another one.
    if (interface.version != device_interface_version ||
        std::string(interface.library_version) != LIBDOSE_VERSION)
        throw bad_input("the CUDA library is of another version of libdose", file.string(),
                        "Install the one of version " LIBDOSE_VERSION ", or " + std::string(use_the_cpu));
    bool same = interface.kernel_count == Kernels::count;
    int n = 0;
    Kernels::for_each([&]<class Kernel>() { same = same && interface.kernel_bytes[n++] == sizeof(Kernel); });
    if (!same)
        throw bad_input("the CUDA library was built from other sources", file.string(),
                        "Build libdose and its CUDA library together");
    return interface;
}

const DeviceInterface& load_library() {
    std::string tried;
    for (const std::filesystem::path& candidate : library_candidates()) {
        std::error_code error;
        if (std::filesystem::exists(candidate, error)) return load_library(candidate);
        tried += (tried.empty() ? "" : ", ") + candidate.string();
    }
    throw bad_input(
        "the CUDA library of libdose is not installed", tried,
        "Build it with -DLIBDOSE_CUDA=ON, set LIBDOSE_CUDA_LIBRARY to it, or " + std::string(use_the_cpu));
}

std::unique_ptr<Executor> open_device(const DeviceInterface& library, int number) {
    int count = 0;
    DeviceStatus status{};
    library.count(&count, &status);
    const std::string where = "device " + std::to_string(number);
    check(status, where);
    if (number < 0 || number >= count)
        throw bad_input("there is no CUDA device " + std::to_string(number) + ": " +
                            (count == 0   ? "none"
                             : count == 1 ? "only device 0"
                                          : "0 to " + std::to_string(count - 1)) +
                            (count == 0   ? " was found"
                             : count == 1 ? " is there"
                                          : " are there"),
                        "--device", "Choose another one, or " + std::string(use_the_cpu));
    return std::make_unique<DeviceExecutor>(library, number);
}

}  // namespace libdose::cuda
