// Runs work of the library without the interpreter's lock; signals stop it, progress is reported by the
// calling thread.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace libdose::python {

namespace nb = nanobind;

/// Ends a calculation from inside its progress callback.
struct Stopped : std::exception {
    const char* what() const noexcept override { return "the calculation was stopped"; }
};

using Report = std::function<void(double, const std::string&)>;

/// Returns work(report). `progress`: None or a callable (fraction, stage). Ctrl-C, or an exception of
/// `progress`, ends the work at its next report and is raised.
template <class Work>
auto run(nb::handle progress, Work&& work) {
    using Result = decltype(work(std::declval<const Report&>()));
    std::mutex mutex;
    std::condition_variable changed;
    std::atomic<bool> stop{false};
    bool done = false, fresh = false;
    double fraction = 0;
    std::string stage;
    std::optional<Result> result;
    std::exception_ptr failure, from_python;
    const Report report = [&](double part, const std::string& what) {
        if (stop) throw Stopped();
        const std::lock_guard lock(mutex);
        fresh = fresh || stage != what || part - fraction > 1e-3 || part < fraction || part >= 1;
        fraction = part;
        stage = what;
    };
    std::thread worker([&] {
        try {
            result.emplace(work(report));
        } catch (...) {
            failure = std::current_exception();
        }
        const std::lock_guard lock(mutex);
        done = true;
        changed.notify_all();
    });
    {
        const nb::gil_scoped_release unlocked;
        std::unique_lock lock(mutex);
        while (!done) {
            changed.wait_for(lock, std::chrono::milliseconds(50), [&] { return done; });
            const bool tell = fresh && !progress.is_none();
            const double part = fraction;
            const std::string what = stage;
            fresh = false;
            lock.unlock();
            if (!stop) {
                const nb::gil_scoped_acquire locked;
                try {
                    if (PyErr_CheckSignals() != 0) throw nb::python_error();
                    if (tell) progress(part, what);
                } catch (...) {
                    from_python = std::current_exception();
                    stop = true;
                }
            }
            lock.lock();
        }
        lock.unlock();
        worker.join();
    }
    if (from_python) std::rethrow_exception(from_python);
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
}

}  // namespace libdose::python
