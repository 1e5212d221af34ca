#include "cuda/runtime/device_buffer.h"

#include <algorithm>
#include <bit>

#include "cuda/runtime/memory_text.h"
#include "libdose/error.h"

namespace libdose::cuda {

namespace {

/// Up to the next eighth of a power of two, so that sizes that differ little share memory.
std::size_t rounded(std::size_t bytes) {
    const std::size_t least = std::max<std::size_t>(bytes, 512), part = std::bit_floor(least) / 8;
    return (least + part - 1) / part * part;
}

}  // namespace

DevicePool::Block DevicePool::take(std::size_t bytes) {
    const std::size_t size = rounded(bytes);
    // Only a free block of exactly this size is reused: a repeated calculation then finds every block that it
    // gave back.
    const auto found = kept_.lower_bound(size);
    if (found != kept_.end() && found->first == size) {
        const Block block = found->second;
        kept_.erase(found);
        kept_bytes_ -= block.bytes;
        used_bytes_ += block.bytes;
        return block;
    }
    void* memory = executor_.allocate(size);
    if (!memory && !kept_.empty()) {
        trim();
        memory = executor_.allocate(size);
    }
    if (!memory) {
        ask_for_free_memory();
        throw bad_input("the device has no " + in_mebibytes(size) + " more of memory (" +
                            in_mebibytes(used_bytes_) + " in use, " + in_mebibytes(free_bytes_) + " free)",
                        executor_.description(),
                        "Choose a larger grid spacing, a smaller margin or --backend cpu");
    }
    free_bytes_ -= std::min(free_bytes_, size);
    used_bytes_ += size;
    return {memory, size, 0};
}

void DevicePool::give(Block block) noexcept {
    if (!block.memory) return;
    used_bytes_ -= block.bytes;
    try {
        block.free_since = executor_.mark();
        kept_.emplace(block.bytes, block);
        kept_bytes_ += block.bytes;
    } catch (...) {
        executor_.release(block.memory);
        free_bytes_ += block.bytes;
    }
}

void DevicePool::trim() noexcept {
    for (const auto& [bytes, block] : kept_) executor_.release(block.memory);
    free_bytes_ += kept_bytes_;
    kept_.clear();
    kept_bytes_ = 0;
}

}  // namespace libdose::cuda
