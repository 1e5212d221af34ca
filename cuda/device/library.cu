// The device library: launches, memory and streams of a device, behind cuda/device/interface.h.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

#include "cuda/device/interface.h"
#include "cuda/runtime/kernel_list.h"

namespace libdose::cuda {

namespace {

template <class Kernel>
__global__ void __launch_bounds__(Kernel::block.x* Kernel::block.y* Kernel::block.z)
    run_kernel(const __grid_constant__ Kernel kernel, const Index3 threads) {
    run_thread(kernel,
               {static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y), static_cast<int>(blockIdx.z)},
               {static_cast<int>(threadIdx.x), static_cast<int>(threadIdx.y), static_cast<int>(threadIdx.z)},
               threads);
}

template <class Kernel>
void launch_kernel(const void* arguments, const Index3& threads, cudaStream_t stream) {
    const Index3 blocks = blocks_over(threads, Kernel::block);
    run_kernel<Kernel>
        <<<dim3(blocks.x, blocks.y, blocks.z), dim3(Kernel::block.x, Kernel::block.y, Kernel::block.z), 0,
           stream>>>(*static_cast<const Kernel*>(arguments), threads);
}

struct LaunchTable {
    void (*launch[Kernels::count])(const void*, const Index3&, cudaStream_t);
    std::size_t bytes[Kernels::count];
    LaunchTable() {
        int n = 0;
        Kernels::for_each([&]<class Kernel>() {
            launch[n] = launch_kernel<Kernel>;
            bytes[n] = sizeof(Kernel);
            ++n;
        });
    }
};

const LaunchTable& table() {
    static const LaunchTable kernels;
    return kernels;
}

/// Memory of the host that the device copies from and to while both go on; what was asked for last with it is
/// at the event.
struct StagingSlot {
    static constexpr std::size_t bytes = std::size_t{4} << 20;
    void* memory = nullptr;
    cudaEvent_t done = nullptr;
};

/// Work has one stream, copies to the device another one beside it.
struct Device {
    static constexpr int mark_count = 256, slot_count = 4;
    int number = 0;
    cudaStream_t stream = nullptr, copies = nullptr;
    cudaEvent_t copied = nullptr;
    cudaEvent_t marks[mark_count] = {};  ///< the last marks; an older mark waits for the oldest of them
    std::uint64_t last_mark = 0;
    bool work_since_mark = false;
    StagingSlot up[slot_count], down[2];
    int next_up = 0;
};

int code_of(cudaError_t error) {
    switch (error) {
        case cudaSuccess:
            return device_ok;
        case cudaErrorMemoryAllocation:
            return device_out_of_memory;
        case cudaErrorInsufficientDriver:
        case cudaErrorStubLibrary:
        case cudaErrorInitializationError:
        case cudaErrorSystemNotReady:
        case cudaErrorSystemDriverMismatch:
            return device_no_driver;
        case cudaErrorNoDevice:
        case cudaErrorInvalidDevice:
        case cudaErrorDevicesUnavailable:
            return device_none;
        case cudaErrorNoKernelImageForDevice:
        case cudaErrorUnsupportedPtxVersion:
        case cudaErrorInvalidDeviceFunction:
            return device_wrong_architecture;
        default:
            return device_failed;
    }
}

/// Whether it went well; if not, `status` says what and where.
bool check(cudaError_t error, const char* what, DeviceStatus* status) {
    status->code = code_of(error);
    status->text[0] = 0;
    if (error == cudaSuccess) return true;
    cudaGetLastError();  // an error that does not stay is forgotten here
    std::snprintf(status->text, sizeof(status->text), "%s: %s (%s)", what, cudaGetErrorString(error),
                  cudaGetErrorName(error));
    return false;
}

/// The calling thread works on this device.
Device* use(void* handle, const char* what, DeviceStatus* status) {
    auto* device = static_cast<Device*>(handle);
    return check(cudaSetDevice(device->number), what, status) ? device : nullptr;
}

void count(int* devices, DeviceStatus* status) {
    *devices = 0;
    check(cudaGetDeviceCount(devices), "looking for devices", status);
}

/// Gives back what has been made of it, on the device that the thread works on.
void destroy(Device* device) {
    for (StagingSlot* slots : {device->up, device->down})
        for (int n = 0; n < (slots == device->up ? Device::slot_count : 2); ++n) {
            if (slots[n].done) cudaEventDestroy(slots[n].done);
            if (slots[n].memory) cudaFreeHost(slots[n].memory);
        }
    for (cudaEvent_t mark : device->marks)
        if (mark) cudaEventDestroy(mark);
    if (device->copied) cudaEventDestroy(device->copied);
    for (cudaStream_t stream : {device->copies, device->stream})
        if (stream) cudaStreamDestroy(stream);
    cudaGetLastError();
    delete device;
}

bool make(Device* device, DeviceStatus* status) {
    for (cudaStream_t* stream : {&device->stream, &device->copies})
        if (!check(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking), "making a stream", status))
            return false;
    const auto event = [&](cudaEvent_t* made) {
        return check(cudaEventCreateWithFlags(made, cudaEventDisableTiming), "making an event", status);
    };
    if (!event(&device->copied)) return false;
    for (cudaEvent_t& mark : device->marks)
        if (!event(&mark)) return false;
    for (StagingSlot* slots : {device->up, device->down})
        for (int n = 0; n < (slots == device->up ? Device::slot_count : 2); ++n)
            if (!event(&slots[n].done) || !check(cudaMallocHost(&slots[n].memory, StagingSlot::bytes),
                                                 "allocating memory of the host", status))
                return false;
    return true;
}

void open(int number, void** handle, DeviceStatus* status) {
    *handle = nullptr;
    if (!check(cudaSetDevice(number), "choosing the device", status)) return;
    cudaFuncAttributes attributes{};
    if (!check(cudaFuncGetAttributes(&attributes, run_kernel<GatherDeposit>),
               "looking for code for the device", status))
        return;
    auto* device = new (std::nothrow) Device;
    if (!device) {
        check(cudaErrorMemoryAllocation, "opening the device", status);
        return;
    }
    device->number = number;
    if (make(device, status))
        *handle = device;
    else
        destroy(device);
}

void close(void* handle) {
    auto* device = static_cast<Device*>(handle);
    // A lost device cannot even give back; there is nobody left to tell.
    cudaSetDevice(device->number);
    destroy(device);
}

void info(void* handle, DeviceInfo* info, DeviceStatus* status) {
    Device* device = use(handle, "asking about the device", status);
    cudaDeviceProp properties{};
    if (!device ||
        !check(cudaGetDeviceProperties(&properties, device->number), "asking about the device", status))
        return;
    std::snprintf(info->name, sizeof(info->name), "%s", properties.name);
    info->major = properties.major;
    info->minor = properties.minor;
    check(cudaMemGetInfo(&info->free_bytes, &info->total_bytes), "asking for free memory", status);
}

void allocate(void* handle, std::size_t bytes, void** memory, DeviceStatus* status) {
    *memory = nullptr;
    if (use(handle, "allocating", status)) check(cudaMalloc(memory, bytes), "allocating", status);
}

void release(void* handle, void* memory) {
    DeviceStatus ignored;
    if (use(handle, "releasing memory", &ignored)) check(cudaFree(memory), "releasing memory", &ignored);
}

void mark(void* handle, std::uint64_t* mark, DeviceStatus* status) {
    Device* device = use(handle, "marking the work", status);
    if (!device) return;
    if (device->work_since_mark) {
        const std::uint64_t next = device->last_mark + 1;
        if (!check(cudaEventRecord(device->marks[next % Device::mark_count], device->stream),
                   "marking the work", status))
            return;
        device->last_mark = next;
        device->work_since_mark = false;
    }
    *mark = device->last_mark;
}

/// The copies that follow wait for the work before a mark. Where it is so old that its event has been taken
/// for another one, they wait for the oldest that there is.
cudaError_t wait_for_mark(Device* device, std::uint64_t after) {
    if (after == 0) return cudaSuccess;
    const std::uint64_t oldest =
        device->last_mark < Device::mark_count ? 1 : device->last_mark - Device::mark_count + 1;
    return cudaStreamWaitEvent(device->copies, device->marks[std::max(after, oldest) % Device::mark_count],
                               0);
}

void upload(void* handle, void* to, const void* from, std::size_t bytes, std::uint64_t after,
            DeviceStatus* status) {
    constexpr const char* what = "copying to the device";
    Device* device = use(handle, what, status);
    if (!device || !check(wait_for_mark(device, after), what, status)) return;
    for (std::size_t done = 0; done < bytes;) {
        const std::size_t part = std::min(bytes - done, StagingSlot::bytes);
        StagingSlot& slot = device->up[device->next_up];
        device->next_up = (device->next_up + 1) % Device::slot_count;
        if (!check(cudaEventSynchronize(slot.done), what, status)) return;  // the copy that had it before
        std::memcpy(slot.memory, static_cast<const char*>(from) + done, part);
        if (!check(cudaMemcpyAsync(static_cast<char*>(to) + done, slot.memory, part, cudaMemcpyHostToDevice,
                                   device->copies),
                   what, status) ||
            !check(cudaEventRecord(slot.done, device->copies), what, status))
            return;
        done += part;
    }
    if (check(cudaEventRecord(device->copied, device->copies), what, status))
        check(cudaStreamWaitEvent(device->stream, device->copied, 0), what, status);
}

void download(void* handle, void* to, const void* from, std::size_t bytes, DeviceStatus* status) {
    constexpr const char* what = "copying from the device";
    Device* device = use(handle, what, status);
    if (!device) return;
    // The host empties one slot while the device fills the other.
    const std::size_t parts = (bytes + StagingSlot::bytes - 1) / StagingSlot::bytes;
    const auto size = [&](std::size_t n) {
        return std::min(StagingSlot::bytes, bytes - n * StagingSlot::bytes);
    };
    for (std::size_t n = 0; n <= parts; ++n) {
        if (n < parts) {
            StagingSlot& slot = device->down[n % 2];
            if (!check(cudaMemcpyAsync(slot.memory, static_cast<const char*>(from) + n * StagingSlot::bytes,
                                       size(n), cudaMemcpyDeviceToHost, device->stream),
                       what, status) ||
                !check(cudaEventRecord(slot.done, device->stream), what, status))
                return;
        }
        if (n == 0) continue;
        StagingSlot& full = device->down[(n - 1) % 2];
        if (!check(cudaEventSynchronize(full.done), what, status)) return;
        std::memcpy(static_cast<char*>(to) + (n - 1) * StagingSlot::bytes, full.memory, size(n - 1));
    }
}

void clear(void* handle, void* memory, std::size_t bytes, DeviceStatus* status) {
    Device* device = use(handle, "clearing memory", status);
    if (!device) return;
    check(cudaMemsetAsync(memory, 0, bytes, device->stream), "clearing memory", status);
    device->work_since_mark = true;
}

void launch(void* handle, int kernel, const void* arguments, const int* threads, DeviceStatus* status) {
    Device* device = use(handle, "launching a kernel", status);
    if (!device) return;
    table().launch[kernel](arguments, {threads[0], threads[1], threads[2]}, device->stream);
    check(cudaGetLastError(), "launching a kernel", status);
    device->work_since_mark = true;
}

void synchronize(void* handle, DeviceStatus* status) {
    // Work waits for the copies before it; those that no work has followed yet are waited for here.
    Device* device = use(handle, "waiting for the device", status);
    if (device && check(cudaStreamSynchronize(device->copies), "waiting for the device", status))
        check(cudaStreamSynchronize(device->stream), "waiting for the device", status);
}

}  // namespace

}  // namespace libdose::cuda

extern "C" __attribute__((visibility("default"))) const libdose::cuda::DeviceInterface*
libdose_cuda_interface() {
    using namespace libdose::cuda;
    static const DeviceInterface interface {
        device_interface_version, LIBDOSE_VERSION, Kernels::count,
            table().bytes, count, open, close, info, allocate, release, mark, upload, download, clear, launch,
            synchronize
    };
    return &interface;
}
