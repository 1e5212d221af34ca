// The engine on a thread of its own, so that the host's callback is called on the thread that the host called
// on: runtimes such as those of C# and Java keep every other thread that ever enters them.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

namespace libdose::capi {

/// Carries the engine's progress to the thread that waits in run(), and the answer back.
class Relay {
public:
    /// `callback`: true asks to stop.
    explicit Relay(std::function<bool(double, const std::string&)> callback)
        : callback_(std::move(callback)) {}

    /// Does the work on another thread while this one serves its calls of report(); throws what the work
    /// threw.
    void run(const std::function<void()>& work);

    /// Called by the work, from any thread, one at a time. Throws Cancelled when the callback asked to stop,
    /// then and ever after.
    void report(double fraction, const std::string& stage);

private:
    std::function<bool(double, const std::string&)> callback_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool asked_ = false, stop_ = false, finished_ = false;
    double fraction_ = 0;
    std::string stage_;
};

}  // namespace libdose::capi
