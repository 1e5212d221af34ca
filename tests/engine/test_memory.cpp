#include <gtest/gtest.h>

#include "engine/memory.h"
#include "libdose/error.h"

using namespace libdose;

namespace {
Grid cube(int n) {
    Grid grid;
    grid.size = {n, n, n};
    grid.spacing_mm = Vec3::Constant(2);
    return grid;
}
constexpr double gib = 1024.0 * 1024 * 1024;
}  // namespace

TEST(Memory, AFullArcOn256CubedStaysUnderFourGibibytes) {
    EXPECT_LT(memory_bytes(cube(256), Algorithm::collapsed_cone, 8, 3), 4 * gib);
    EXPECT_GT(memory_bytes(cube(256), Algorithm::collapsed_cone, 8, 3), memory_bytes(cube(256), Algorithm::collapsed_cone, 2, 3));
    // Each thread holds one volume of 64 MiB and the lines of 12 values on 12 · 256² places, 36 MiB.
    EXPECT_NEAR(memory_bytes(cube(256), Algorithm::collapsed_cone, 3, 3) - memory_bytes(cube(256), Algorithm::collapsed_cone, 2, 3), (64 + 36) * 1024.0 * 1024,
                1);
}

TEST(Memory, WhatDoesNotFitIsRefusedWithBothFigures) {
    EXPECT_NO_THROW(require_memory(3 * gib, 3.1 * gib, "here"));
    EXPECT_NO_THROW(require_memory(3 * gib, 0, "here"));  // not known
    try {
        require_memory(6.04 * gib, 3.1 * gib, "dose grid of 1 mm");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_input);
        EXPECT_NE(std::string(error.what()).find("needs about 6 GiB of memory, 3.1 are free"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("dose grid of 1 mm"), std::string::npos);
    }
    EXPECT_GT(available_memory_bytes(), 0);
}
