// Rectangles of the isocentre plane.
#include <gtest/gtest.h>

#include "geometry/rect.h"

namespace libdose {
namespace {

TEST(Rect, CommonAndAround) {
    const Rect a{-10, 20, -5, 5}, b{0, 30, -8, 4};
    EXPECT_EQ(a.common(b), (Rect{0, 20, -5, 4}));
    EXPECT_EQ(a.around(b), (Rect{-10, 30, -8, 5}));
    EXPECT_EQ(Rect::nothing().around(b), b);
    EXPECT_FALSE(a.common({40, 50, -5, 5}).has_area());
    EXPECT_FALSE(Rect{}.has_area());
}

TEST(Rect, GrowsOutwards) {
    EXPECT_EQ(Rect::square(1, 2, 3), (Rect{-2, 4, -1, 5}));
    EXPECT_EQ((Rect{-1, 1, -2, 2}.grown(0.5)), (Rect{-1.5, 1.5, -2.5, 2.5}));
}

TEST(Rect, CornersByTheirBits) {
    const Rect r{-1, 2, -3, 4};
    EXPECT_EQ(r.corner_u_mm(1), 2);
    EXPECT_EQ(r.corner_v_mm(1), -3);
    EXPECT_EQ(r.corner_u_mm(2), -1);
    EXPECT_EQ(r.corner_v_mm(2), 4);
}

}  // namespace
}  // namespace libdose
