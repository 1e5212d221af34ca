#include <gtest/gtest.h>

#include "engine/memory_needs.h"
#include "libdose/error.h"

using namespace libdose;

namespace {
MemoryNeeds needs(int n, int threads, std::size_t maps) {
    MemoryNeeds needs;
    needs.grid.size = {n, n, n};
    needs.grid.spacing_mm = Vec3::Constant(2);
    needs.threads = threads;
    needs.maps = maps;
    return needs;
}
constexpr double gib = 1024.0 * 1024 * 1024;
}  // namespace

TEST(Memory, AFullArcOn256CubedStaysUnderFourGibibytes) {
    EXPECT_LT(memory_bytes(needs(256, 2, 178)), 4 * gib);
}

TEST(Memory, AThreadHoldsItsVolumeLinesAndRays) {
    // A volume of 64 MiB, 16 in 256 of it beside its rows; the lines of 12 values on 4 · 3 · 256² places, 36
    // MiB; 56² rays of 887 half voxels, two sums each; 20 bytes for each of 566² pixels.
    const double rays = 56.0 * 56 * (2 * std::sqrt(3.0) * 256) * 8;
    EXPECT_NEAR(memory_bytes(needs(256, 9, 178)) - memory_bytes(needs(256, 8, 178)),
                (64 + 4 + 36) * 1024.0 * 1024 + rays + 20 * 566.0 * 566, 1);
}

TEST(Memory, GrowsWithMapsAndOpenings) {
    EXPECT_NEAR(memory_bytes(needs(256, 2, 178)) - memory_bytes(needs(256, 2, 170)), 8 * 2 * 566.0 * 566 * 4,
                1);
    MemoryNeeds wide = needs(256, 2, 1);
    const double narrow = memory_bytes(wide);
    wide.opening_u_mm = wide.opening_v_mm = 400;  // rays of half a voxel: 406² against 106²
    EXPECT_NEAR(memory_bytes(wide) - narrow, (406.0 * 406 - 106.0 * 106) * (2 * std::sqrt(3.0) * 256) * 8, 1);
}

TEST(Memory, WhatDoesNotFitIsRefusedWithBothFigures) {
    EXPECT_NO_THROW(require_memory(3 * gib, 3.1 * gib, "here"));
    EXPECT_NO_THROW(require_memory(3 * gib, 0, "here"));  // not known
    try {
        require_memory(6.04 * gib, 3.1 * gib, "dose grid of 1 mm");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_input);
        EXPECT_NE(std::string(error.what()).find("needs about 6 GiB of memory, 3.1 are free"),
                  std::string::npos)
            << error.what();
        EXPECT_NE(std::string(error.what()).find("dose grid of 1 mm"), std::string::npos);
    }
    EXPECT_GT(available_memory_bytes(), 0);
}
