// One device for the stages of this backend: its memory, launches on it in one order, and copies to it beside
// them. A device is behind cuda/library.h; the tests put a CPU behind it
// (tests/cuda/host_executor.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "cuda/runtime/kernel_list.h"

namespace libdose::cuda {

/// Work, which is launches, clear() and download(), is done in the order in which it is asked for; launches
/// return before they are done. Failures throw libdose::Error. One thread at a time.
class Executor {
public:
    virtual ~Executor() = default;
    virtual std::string description() const = 0;
    virtual std::size_t free_bytes() const = 0;
    virtual void* allocate(std::size_t bytes) = 0;  ///< null: not enough memory
    virtual void release(void* memory) noexcept = 0;
    /// Everything that has been asked for so far; 0 comes before all of it.
    using Mark = std::uint64_t;
    virtual Mark mark() = 0;
    /// A copy beside the work: it begins when the work before `after` is done, and work that is asked for
    /// later waits for it. `from` may change after the call.
    virtual void upload(void* to, const void* from, std::size_t bytes, Mark after) = 0;
    virtual void download(void* to, const void* from, std::size_t bytes) = 0;  ///< done when it returns
    virtual void clear(void* memory, std::size_t bytes) = 0;                   ///< to zero
    virtual void launch(int kernel, const void* arguments, std::size_t argument_bytes,
                        const Index3& threads) = 0;
    virtual void synchronize() = 0;

    template <class Kernel>
    void run(const Kernel& kernel, const Index3& threads) {
        static_assert(kernel_number<Kernel> >= 0, "the kernel is not in the list");
        if (threads.x > 0 && threads.y > 0 && threads.z > 0)
            launch(kernel_number<Kernel>, &kernel, sizeof(Kernel), threads);
    }
};

}  // namespace libdose::cuda
