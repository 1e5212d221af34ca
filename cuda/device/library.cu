// The device library: launches, memory and the stream of a device, behind cuda/device/interface.h.
#include <cuda_runtime.h>

#include <cstdio>
#include <new>

#include "cuda/device/interface.h"
#include "cuda/kernels/list.h"

namespace libdose::cuda {

namespace {

template <class Kernel>
__global__ void __launch_bounds__(Kernel::block.x* Kernel::block.y* Kernel::block.z) run_kernel(const __grid_constant__ Kernel kernel, const Index3 threads) {
    run_thread(kernel, {static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y), static_cast<int>(blockIdx.z)},
               {static_cast<int>(threadIdx.x), static_cast<int>(threadIdx.y), static_cast<int>(threadIdx.z)}, threads);
}

template <class Kernel>
void launch_kernel(const void* arguments, const Index3& threads, cudaStream_t stream) {
    const Index3 blocks = blocks_over(threads, Kernel::block);
    run_kernel<Kernel><<<dim3(blocks.x, blocks.y, blocks.z), dim3(Kernel::block.x, Kernel::block.y, Kernel::block.z), 0, stream>>>(
        *static_cast<const Kernel*>(arguments), threads);
}

struct LaunchTable {
    void (*launch[Kernels::count])(const void*, const Index3&, cudaStream_t);
    std::size_t bytes[Kernels::count];
    LaunchTable() {
        int n = 0;
        Kernels::for_each([&]<class Kernel>() { launch[n] = launch_kernel<Kernel>, bytes[n] = sizeof(Kernel), ++n; });
    }
};

const LaunchTable& table() {
    static const LaunchTable kernels;
    return kernels;
}

struct Device {
    int number = 0;
    cudaStream_t stream = nullptr;
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
    std::snprintf(status->text, sizeof(status->text), "%s: %s (%s)", what, cudaGetErrorString(error), cudaGetErrorName(error));
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

void open(int number, void** handle, DeviceStatus* status) {
    *handle = nullptr;
    if (!check(cudaSetDevice(number), "choosing the device", status)) return;
    cudaFuncAttributes attributes{};
    if (!check(cudaFuncGetAttributes(&attributes, run_kernel<GatherDeposit>), "looking for code for the device", status)) return;
    auto* device = new (std::nothrow) Device;
    if (!device) {
        check(cudaErrorMemoryAllocation, "opening the device", status);
        return;
    }
    device->number = number;
    if (!check(cudaStreamCreateWithFlags(&device->stream, cudaStreamNonBlocking), "making a stream", status)) {
        delete device;
        return;
    }
    *handle = device;
}

void close(void* handle) {
    auto* device = static_cast<Device*>(handle);
    // A lost device cannot even give back; there is nobody left to tell.
    if (cudaSetDevice(device->number) == cudaSuccess) cudaStreamDestroy(device->stream);
    cudaGetLastError();
    delete device;
}

void info(void* handle, DeviceInfo* info, DeviceStatus* status) {
    Device* device = use(handle, "asking about the device", status);
    cudaDeviceProp properties{};
    if (!device || !check(cudaGetDeviceProperties(&properties, device->number), "asking about the device", status)) return;
    std::snprintf(info->name, sizeof(info->name), "%s", properties.name);
    info->major = properties.major, info->minor = properties.minor;
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

void upload(void* handle, void* to, const void* from, std::size_t bytes, DeviceStatus* status) {
    // From pageable memory the call returns once the source has been read.
    if (Device* device = use(handle, "copying to the device", status))
        check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, device->stream), "copying to the device", status);
}

void download(void* handle, void* to, const void* from, std::size_t bytes, DeviceStatus* status) {
    Device* device = use(handle, "copying from the device", status);
    if (device && check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, device->stream), "copying from the device", status))
        check(cudaStreamSynchronize(device->stream), "copying from the device", status);
}

void clear(void* handle, void* memory, std::size_t bytes, DeviceStatus* status) {
    if (Device* device = use(handle, "clearing memory", status)) check(cudaMemsetAsync(memory, 0, bytes, device->stream), "clearing memory", status);
}

void launch(void* handle, int kernel, const void* arguments, const int* threads, DeviceStatus* status) {
    Device* device = use(handle, "launching a kernel", status);
    if (!device) return;
    table().launch[kernel](arguments, {threads[0], threads[1], threads[2]}, device->stream);
    check(cudaGetLastError(), "launching a kernel", status);
}

void synchronize(void* handle, DeviceStatus* status) {
    if (Device* device = use(handle, "waiting for the device", status)) check(cudaStreamSynchronize(device->stream), "waiting for the device", status);
}

}  // namespace

}  // namespace libdose::cuda

extern "C" __attribute__((visibility("default"))) const libdose::cuda::DeviceInterface* libdose_cuda_interface() {
    using namespace libdose::cuda;
    static const DeviceInterface interface {
        device_interface_version, LIBDOSE_VERSION, Kernels::count,
            table().bytes, count, open, close, info, allocate, release, upload, download, clear, launch, synchronize
    };
    return &interface;
}
