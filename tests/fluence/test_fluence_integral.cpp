#include <gtest/gtest.h>

#include "fluence/fluence_integral.h"
#include "geometry/rect.h"

using namespace libdose;

TEST(FluenceIntegral, AveragesExactly) {
    FluenceMap map;
    map.pixel_mm = 2;
    map.size_u = 3;
    map.size_v = 2;
    map.lower_u_mm = -3;
    map.lower_v_mm = 0;
    map.values = {1, 2, 3, 4, 5, 6};
    const FluenceIntegral integral(map);
    EXPECT_NEAR(integral.average(0, 1, 2, 2), 2, 1e-12);  // the middle pixel of the first row
    EXPECT_NEAR(integral.average(1, 2, 2, 2), 0.25 * (2 + 3 + 5 + 6), 1e-12);
    EXPECT_NEAR(integral.average(0, 2, 6, 4), 3.5, 1e-12);
    EXPECT_NEAR(integral.average(3, 1, 2, 2), 0.5 * 3, 1e-12);  // half outside
}

TEST(FluenceIntegral, SharpenedIsTheAverageOfTheSharpenedMap) {
    FluenceMap map;
    map.pixel_mm = 2;
    map.size_u = 12;
    map.size_v = 9;
    map.lower_u_mm = -7;
    map.lower_v_mm = 3;
    for (int n = 0; n < 12 * 9; ++n)
        map.values.push_back(n % 5 == 0 ? 0.0f : static_cast<float>((n * 37) % 11));
    // Points 1.85 pixels apart along u: 0.15 of those next to one another, 0.85 of those two apart, a mean
    // square of 3.55; along v just one.
    const Sharpening sharpening{1.3, 2.9, 3.7, 2};
    const double magnification = 1.2, half_u = 0.5 * 1.3 * 1.44 / (4 * 3.55), half_v = 0.5 * 2.9 * 1.44 / 4;
    FluenceMap sharp = map;  // with three pixels around it
    sharp.size_u += 6;
    sharp.size_v += 6;
    sharp.lower_u_mm -= 6;
    sharp.lower_v_mm -= 6;
    sharp.values.assign(static_cast<std::size_t>(sharp.size_u * sharp.size_v), 0.0f);
    const auto at = [&](int u, int v) {
        return u < 0 || v < 0 || u >= map.size_u || v >= map.size_v ? 0.0 : static_cast<double>(map.at(u, v));
    };
    for (int v = -3; v < map.size_v + 3; ++v)
        for (int u = -3; u < map.size_u + 3; ++u)
            sharp.at(u + 3, v + 3) =
                static_cast<float>(at(u, v) -
                                   half_u * (0.15 * (at(u - 1, v) + at(u + 1, v)) +
                                             0.85 * (at(u - 2, v) + at(u + 2, v)) - 2 * at(u, v)) -
                                   half_v * (at(u, v - 1) + at(u, v + 1) - 2 * at(u, v)));
    const FluenceIntegral integral(map, sharpening), expected(sharp);
    for (const double u : {-11.0, -6.0, 0.3, 9.9, 17.5, 20.5})
        for (const double v : {0.5, 2.0, 8.8, 21.0, 22.0})
            EXPECT_NEAR(integral.average(u, v, 3.1, 2.3, magnification), expected.average(u, v, 3.1, 2.3),
                        5e-6)
                << u << " " << v;
    EXPECT_EQ(integral.average(100, 0, 2, 2), 0);
}

TEST(FluenceIntegral, SupportHoldsAllThatIsNotZero) {
    FluenceMap map;
    map.pixel_mm = 2;
    map.size_u = 12;
    map.size_v = 9;
    map.lower_u_mm = -7;
    map.lower_v_mm = 3;
    map.values.assign(12 * 9, 0.0f);
    EXPECT_EQ(nonzero_bounds(map), (Rect{}));
    map.at(3, 4) = 1;
    map.at(8, 2) = 1e-20f;
    EXPECT_EQ(nonzero_bounds(map), (Rect{-1, 11, 7, 13}));
}

TEST(FluenceIntegral, LosesTheVarianceThatIsToBeTakenOff) {
    // A square of 10 mm in the middle: the mean of (u - mean)², weighted by averages, is less by that of the
    // sharpening, and no more along v.
    FluenceMap map;
    map.size_u = map.size_v = 40;
    map.lower_u_mm = map.lower_v_mm = -20;
    map.values.assign(40 * 40, 0.0f);
    for (int v = 15; v < 25; ++v)
        for (int u = 15; u < 25; ++u) map.at(u, v) = 1;
    const auto variance = [&](const Sharpening& sharpening, bool along_u) {
        const FluenceIntegral integral(map, sharpening);
        double sum = 0, squares = 0;
        for (double v = -19.75; v < 20; v += 0.5)
            for (double u = -19.75; u < 20; u += 0.5) {
                const double value = integral.average(u, v, 2.5, 2.5, 1.1), at = along_u ? u : v;
                sum += value;
                squares += value * at * at;
            }
        return squares / sum;
    };
    const Sharpening along_u{1.7, 0, 2.5, 2.5};
    EXPECT_NEAR(variance({}, true) - variance(along_u, true), 1.7 * 1.1 * 1.1, 1e-3);
    EXPECT_NEAR(variance({}, false) - variance(along_u, false), 0, 1e-3);
}
