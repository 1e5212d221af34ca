// Draws that are the same on every machine and for any number of threads.
#pragma once

#include <cstdint>

namespace libdose {

/// Mixes the bits of a number (finaliser of SplitMix64; Steele, Lea, Flood, OOPSLA 2014,
/// doi:10.1145/2660193.2660195).
constexpr std::uint64_t hash_bits(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/// Evenly distributed in [0, 1).
constexpr float unit_interval(std::uint64_t x) { return static_cast<float>(hash_bits(x) >> 40) * 0x1p-24f; }

}  // namespace libdose
