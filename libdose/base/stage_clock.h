// Seconds per stage of a calculation.
#pragma once

#include <chrono>
#include <map>
#include <string>

namespace libdose {

class StageClock {
public:
    explicit StageClock(std::map<std::string, double>* seconds) : seconds_(seconds) {}
    /// Counts the time since the last call to this stage.
    void add(const char* stage) {
        const auto now = std::chrono::steady_clock::now();
        if (seconds_) (*seconds_)[stage] += std::chrono::duration<double>(now - last_).count();
        last_ = now;
    }
    void skip() { last_ = std::chrono::steady_clock::now(); }

private:
    std::map<std::string, double>* seconds_;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace libdose
