// Counters of the fake device library.
#pragma once

#include <dlfcn.h>

#include <atomic>

namespace libdose::test {

struct FakeDeviceCounts {
    std::atomic<int> opened = 0, closed = 0, allocations = 0;
};

/// Those of the library that this program has loaded or would load.
inline FakeDeviceCounts& fake_device_counts(const char* library) {
    void* const loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    return *reinterpret_cast<FakeDeviceCounts* (*)()>(dlsym(loaded, "libdose_fake_device_counts"))();
}

}  // namespace libdose::test
