// A device library without a device: the interface of the real one over a host executor, to try how it is
// found and what may be wrong with it. LIBDOSE_FAKE_DEVICE says what is: old, other-sources, no-driver,
// no-device, wrong-architecture, lost; nothing: all is well.
#include "cuda/fake/fake_device_library.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "cuda/device/interface.h"
#include "cuda/host_executor.h"

using namespace libdose;
using namespace libdose::cuda;
using libdose::test::FakeDeviceCounts;

namespace {

bool fault(const char* name) {
    const char* wanted = std::getenv("LIBDOSE_FAKE_DEVICE");
    return wanted && std::strcmp(wanted, name) == 0;
}

void say(DeviceStatus* status, int code, const char* text) {
    status->code = code;
    std::snprintf(status->text, sizeof(status->text), "%s", text);
}

FakeDeviceCounts counts;

struct Fake {
    test::HostDevice device;
    test::HostExecutor executor{device};
};

Fake& of(void* handle) { return *static_cast<Fake*>(handle); }

void count(int* devices, DeviceStatus* status) {
    *devices = fault("no-device") ? 0 : 2;
    if (fault("no-driver")) say(status, device_no_driver, "no driver in this fake");
}

void open(int, void** handle, DeviceStatus* status) {
    if (fault("wrong-architecture")) return say(status, device_wrong_architecture, "no code in this fake");
    *handle = new Fake;
    ++counts.opened;
}

void close(void* handle) {
    delete &of(handle);
    ++counts.closed;
}

void info(void* handle, DeviceInfo* about, DeviceStatus*) {
    std::snprintf(about->name, sizeof(about->name), "fake");
    about->major = 9;
    about->minor = 0;
    about->total_bytes = of(handle).device.total_bytes;
    about->free_bytes = of(handle).executor.free_bytes();
    if (fault("small")) about->free_bytes = std::size_t{1} << 20;
}

void allocate(void* handle, std::size_t bytes, void** memory, DeviceStatus* status) {
    ++counts.allocations;
    *memory = of(handle).executor.allocate(bytes);
    if (!*memory) say(status, device_out_of_memory, "no memory in this fake");
}

void release(void* handle, void* memory) { of(handle).executor.release(memory); }
void mark(void* handle, std::uint64_t* mark, DeviceStatus*) { *mark = of(handle).executor.mark(); }
void upload(void* handle, void* to, const void* from, std::size_t bytes, std::uint64_t after, DeviceStatus*) {
    of(handle).executor.upload(to, from, bytes, after);
}
void download(void* handle, void* to, const void* from, std::size_t bytes, DeviceStatus*) {
    of(handle).executor.download(to, from, bytes);
}
void clear(void* handle, void* memory, std::size_t bytes, DeviceStatus*) {
    of(handle).executor.clear(memory, bytes);
}

std::size_t sizes[Kernels::count];

void launch(void* handle, int kernel, const void* arguments, const int* threads, DeviceStatus* status) {
    if (fault("lost")) return say(status, device_failed, "lost in this fake");
    of(handle).executor.launch(kernel, arguments, sizes[kernel], {threads[0], threads[1], threads[2]});
}

void synchronize(void* handle, DeviceStatus* status) {
    if (fault("lost")) return say(status, device_failed, "lost in this fake");
    of(handle).executor.synchronize();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) libdose::test::FakeDeviceCounts*
libdose_fake_device_counts() {
    return &counts;
}

extern "C" __attribute__((visibility("default"))) const DeviceInterface* libdose_cuda_interface() {
    int n = 0;
    Kernels::for_each([&]<class Kernel>() { sizes[n++] = sizeof(Kernel); });
    if (fault("other-sources")) ++sizes[3];
    static DeviceInterface interface;
    interface = {device_interface_version,
                 fault("old") ? "0.0.1" : LIBDOSE_VERSION,
                 Kernels::count,
                 sizes,
                 count,
                 open,
                 close,
                 info,
                 allocate,
                 release,
                 mark,
                 upload,
                 download,
                 clear,
                 launch,
                 synchronize};
    return &interface;
}
