// Coordinates of a thread, and how a grid of blocks covers a number of them. A kernel is a plain struct of
// numbers and device pointers whose call operator is the work of one thread; `block` is the shape of its
// blocks. The same bodies run on a device and, for tests, on a CPU.
#pragma once

#include "base/host_device.h"

namespace libdose::cuda {

struct Index3 {
    int x, y, z;
};

/// Blocks that cover `threads`.
LIBDOSE_HD inline Index3 blocks_over(const Index3& threads, const Index3& block) {
    return {(threads.x + block.x - 1) / block.x, (threads.y + block.y - 1) / block.y,
            (threads.z + block.z - 1) / block.z};
}

/// One thread of a launch over `threads`; those of a block that reach beyond do nothing.
template <class Kernel>
LIBDOSE_HD inline void run_thread(const Kernel& kernel, const Index3& block, const Index3& thread,
                                  const Index3& threads) {
    const Index3 at{block.x * Kernel::block.x + thread.x, block.y * Kernel::block.y + thread.y,
                    block.z * Kernel::block.z + thread.z};
    if (at.x < threads.x && at.y < threads.y && at.z < threads.z) kernel(at);
}

}  // namespace libdose::cuda
