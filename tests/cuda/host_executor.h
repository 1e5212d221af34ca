// A CPU in the place of a device: kernels run over the same blocks and threads, memory is the host's. Work is
// done as late as the interface allows and copies to the device as early as it allows, so that a copy that
// ought to have waited for work is seen. It can be told to fail.
#pragma once

#include <array>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/runtime/executor.h"
#include "libdose/error.h"

namespace libdose::test {

/// Settings of the executor by a test, and counts for it to read; outlives the executor.
struct HostDevice {
    std::size_t total_bytes = std::size_t{8} << 30;
    int failing_allocation = 0;  ///< number of the one that finds no memory, from 1 on; 0: none
    int vanishes_at_launch = 0;  ///< from this launch on every call fails; 0: never
    bool backwards = false;      ///< blocks and threads in the opposite order
    bool idle = false;           ///< nothing is worked on and nothing copied: what is asked for is counted
    std::size_t used_bytes = 0, most_used_bytes = 0;
    int allocations = 0, outstanding = 0, launches = 0, uploads = 0;
    int uploads_before_work =
        0;  ///< those that were done while work that was asked for before them was still to be done
    std::array<int, cuda::Kernels::count> launches_of{};
};

class HostExecutor : public cuda::Executor {
public:
    explicit HostExecutor(HostDevice& device) : device_(device) {}
    ~HostExecutor() override {
        for (const auto& [memory, block] : blocks_) {
            --device_.outstanding;
            device_.used_bytes -= block.second;
        }
    }
    std::string description() const override { return "cuda on the host"; }
    std::size_t free_bytes() const override { return device_.total_bytes - device_.used_bytes; }

    void* allocate(std::size_t bytes) override {
        alive();
        if (++device_.allocations == device_.failing_allocation || bytes > free_bytes()) return nullptr;
        // Memory starts as NaN: reading what nobody has written would be seen.
        auto memory = std::make_unique_for_overwrite<std::byte[]>(bytes);
        if (!device_.idle) std::memset(memory.get(), 0xff, bytes);
        void* const at = memory.get();
        blocks_.emplace(at, std::pair{std::move(memory), bytes});
        ++device_.outstanding;
        device_.used_bytes += bytes;
        device_.most_used_bytes = std::max(device_.most_used_bytes, device_.used_bytes);
        return at;
    }
    void release(void* memory) noexcept override {
        const auto found = blocks_.find(memory);
        if (found == blocks_.end()) return;
        work_until(asked_for_);
        --device_.outstanding;
        device_.used_bytes -= found->second.second;
        blocks_.erase(found);
    }
    Mark mark() override { return asked_for_; }
    void upload(void* to, const void* from, std::size_t bytes, Mark after) override {
        alive();
        work_until(after);
        ++device_.uploads;
        device_.uploads_before_work += !work_.empty();
        if (!device_.idle) std::memcpy(to, from, bytes);
    }
    void download(void* to, const void* from, std::size_t bytes) override {
        alive();
        work_until(asked_for_);
        device_.idle ? std::memset(to, 0xff, bytes) : std::memcpy(to, from, bytes);
    }
    void clear(void* memory, std::size_t bytes) override {
        alive();
        later([=] { std::memset(memory, 0, bytes); });
    }
    void synchronize() override {
        alive();
        work_until(asked_for_);
    }

    void launch(int kernel, const void* arguments, std::size_t argument_bytes,
                const cuda::Index3& threads) override {
        ++device_.launches;
        alive();
        ++device_.launches_of[static_cast<std::size_t>(kernel)];
        int number = 0;
        cuda::Kernels::for_each([&]<class Kernel>() {
            if (number++ != kernel) return;
            if (argument_bytes != sizeof(Kernel))
                throw internal_error("arguments of a kernel have another size");
            later([this, asked = *static_cast<const Kernel*>(arguments), threads] {
                run_blocks(asked, threads);
            });
        });
    }

private:
    void alive() const {
        if (device_.vanishes_at_launch > 0 && device_.launches >= device_.vanishes_at_launch)
            throw internal_error("the device is lost", description());
    }
    void later(std::function<void()> work) {
        if (device_.idle) return;
        work_.push_back(std::move(work));
        ++asked_for_;
    }
    void work_until(Mark mark) {
        for (; asked_for_ - work_.size() < mark; work_.pop_front()) work_.front()();
    }
    template <class Kernel>
    void run_blocks(const Kernel& kernel, const cuda::Index3& threads) const {
        const cuda::Index3 blocks = cuda::blocks_over(threads, Kernel::block);
        each(blocks, [&](const cuda::Index3& block) {
            each(Kernel::block,
                 [&](const cuda::Index3& thread) { cuda::run_thread(kernel, block, thread, threads); });
        });
    }
    template <class Visit>
    void each(const cuda::Index3& size, Visit&& visit) const {
        const int count = size.x * size.y * size.z;
        for (int n = 0; n < count; ++n) {
            const int at = device_.backwards ? count - 1 - n : n;
            visit({at % size.x, at / size.x % size.y, at / (size.x * size.y)});
        }
    }

    HostDevice& device_;
    std::map<void*, std::pair<std::unique_ptr<std::byte[]>, std::size_t>> blocks_;
    std::deque<std::function<void()>> work_;  ///< asked for and not yet done
    Mark asked_for_ = 0;
};

}  // namespace libdose::test
