// Interface between the device library (libdose_cuda.so) and the core. Plain functions with a status:
// no objects, exceptions or allocators of C++ cross it, so that the two may be built by different compilers.
// The numbers and sizes of the kernels are compared when it is loaded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace libdose::cuda {

/// Changes with everything below and with the meaning of a kernel's arguments.
inline constexpr int device_interface_version = 2;

enum DeviceStatusCode : int {
    device_ok = 0,
    device_out_of_memory,
    device_no_driver,           ///< or an older one than the library needs
    device_none,                ///< no such device
    device_wrong_architecture,  ///< the library holds no code for it
    device_failed               ///< anything else: the device cannot be used any more
};

struct DeviceStatus {
    int code;
    char text[512];
};

struct DeviceInfo {
    char name[256];
    int major, minor;  ///< compute capability
    std::size_t total_bytes, free_bytes;
};

/// `device` is what `open` gave. Work on it is done in the order of the calls.
struct DeviceInterface {
    int version;                  ///< device_interface_version
    const char* library_version;  ///< version of libdose
    int kernel_count;
    const std::size_t* kernel_bytes;  ///< sizes of the kernels' arguments, by number
    void (*count)(int* devices, DeviceStatus* status);
    void (*open)(int number, void** device, DeviceStatus* status);
    void (*close)(void* device);
    void (*info)(void* device, DeviceInfo* info, DeviceStatus* status);
    void (*allocate)(void* device, std::size_t bytes, void** memory, DeviceStatus* status);
    void (*release)(void* device, void* memory);
    void (*mark)(void* device, std::uint64_t* mark, DeviceStatus* status);  ///< all work asked for so far
    /// Beside the work: after that before the mark `after`, before that asked for later.
    void (*upload)(void* device, void* to, const void* from, std::size_t bytes, std::uint64_t after,
                   DeviceStatus* status);
    void (*download)(void* device, void* to, const void* from, std::size_t bytes, DeviceStatus* status);
    void (*clear)(void* device, void* memory, std::size_t bytes, DeviceStatus* status);
    void (*launch)(void* device, int kernel, const void* arguments, const int* threads, DeviceStatus* status);
    void (*synchronize)(void* device, DeviceStatus* status);
};

/// The one symbol that the library exports.
inline constexpr const char* device_interface_symbol = "libdose_cuda_interface";
using DeviceInterfaceFunction = const DeviceInterface* (*)();

}  // namespace libdose::cuda
