#include "capi/relay.h"

#include <exception>
#include <thread>

#include "capi/handles.h"

namespace libdose::capi {

void Relay::run(const std::function<void()>& work) {
    std::exception_ptr failure, callback_failure;
    std::thread worker([&] {
        try {
            work();
        } catch (...) {
            failure = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        finished_ = true;
        changed_.notify_all();
    });
    {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [&] { return asked_ || finished_; });
            if (!asked_) break;
            lock.unlock();
            bool stop = true;
            try {
                stop = callback_(fraction_, stage_);
            } catch (...) {  // an exception of a host in C++: out of run(), when the work has ended
                callback_failure = std::current_exception();
            }
            lock.lock();
            stop_ = stop_ || stop;
            asked_ = false;
            changed_.notify_all();
        }
    }
    worker.join();
    if (callback_failure) std::rethrow_exception(callback_failure);
    if (failure) std::rethrow_exception(failure);
}

void Relay::report(double fraction, const std::string& stage) {
    std::unique_lock lock(mutex_);
    if (!stop_) {
        fraction_ = fraction;
        stage_ = stage;
        asked_ = true;
        changed_.notify_all();
        changed_.wait(lock, [&] { return !asked_; });
    }
    if (stop_) throw Cancelled();
}

}  // namespace libdose::capi
