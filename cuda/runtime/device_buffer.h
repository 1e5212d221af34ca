// Memory of a device: arrays that give their memory back, from a pool that keeps it for the next one.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "cuda/runtime/executor.h"

namespace libdose::cuda {

/// Memory once taken from the device stays with the pool, so that beams after the first allocate nothing.
/// Work runs in one order on the device: memory may be given back while a launch that uses it is still to
/// come. Only a copy to it has to wait for that launch, so of blocks of one size the one that has been free
/// for the longest is taken.
class DevicePool {
public:
    explicit DevicePool(Executor& executor) : executor_(executor), free_bytes_(executor.free_bytes()) {}
    ~DevicePool() { trim(); }
    DevicePool(const DevicePool&) = delete;
    DevicePool& operator=(const DevicePool&) = delete;

    struct Block {
        void* memory = nullptr;
        std::size_t bytes = 0;
        Executor::Mark free_since = 0;  ///< work asked for before this mark may still use it
    };
    /// Throws bad_input with the figures where the device has no more.
    Block take(std::size_t bytes);
    void give(Block block) noexcept;
    /// Kept by the pool or free on the device, as far as is known without asking it: that takes as long as a
    /// kernel.
    std::size_t available_bytes() const { return free_bytes_ + kept_bytes_; }
    void ask_for_free_memory() {
        free_bytes_ = executor_.free_bytes();
    }                      ///< others may have taken or given back some
    void trim() noexcept;  ///< gives kept blocks back to the device
    Executor& executor() { return executor_; }

private:
    Executor& executor_;
    std::multimap<std::size_t, Block> kept_;  ///< by size; of one size in the order in which they came
    std::size_t free_bytes_, kept_bytes_ = 0, used_bytes_ = 0;
};

template <class Value>
class DeviceArray {
public:
    DeviceArray() = default;
    DeviceArray(DevicePool& pool, std::size_t count)
        : pool_(&pool), block_(pool.take(count * sizeof(Value))), count_(count) {}
    DeviceArray(DevicePool& pool, const std::vector<Value>& values) : DeviceArray(pool, values.size()) {
        if (count_ > 0)
            pool.executor().upload(block_.memory, values.data(), count_ * sizeof(Value), block_.free_since);
    }
    ~DeviceArray() { reset(); }
    DeviceArray(DeviceArray&& other) noexcept { swap(other); }
    DeviceArray& operator=(DeviceArray&& other) noexcept {
        swap(other);
        return *this;
    }
    DeviceArray(const DeviceArray&) = delete;
    DeviceArray& operator=(const DeviceArray&) = delete;

    Value* data() { return static_cast<Value*>(block_.memory); }
    const Value* data() const { return static_cast<const Value*>(block_.memory); }
    std::size_t size() const { return count_; }
    void clear() { pool_->executor().clear(block_.memory, count_ * sizeof(Value)); }
    std::vector<Value> values() const {
        std::vector<Value> copy(count_);
        if (count_ > 0) pool_->executor().download(copy.data(), block_.memory, count_ * sizeof(Value));
        return copy;
    }
    void reset() noexcept {
        if (pool_) pool_->give(block_);
        pool_ = nullptr;
        block_ = {};
        count_ = 0;
    }

private:
    void swap(DeviceArray& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(block_, other.block_);
        std::swap(count_, other.count_);
    }
    DevicePool* pool_ = nullptr;
    DevicePool::Block block_;
    std::size_t count_ = 0;
};

}  // namespace libdose::cuda
