#include "fluence/leakage_split.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/simd/multiversion.h"
#include "base/simd/reduce.h"
#include "fluence/fluence_map.h"

namespace libdose {

namespace {

double angle_between_deg(const Vec3& a, const Vec3& b) {
    return std::acos(std::clamp(a.dot(b), -1.0, 1.0)) * 180 / std::numbers::pi;
}

bool same_raster(const FluenceMap& a, const FluenceMap& b) {
    return a.size_u == b.size_u && a.size_v == b.size_v && a.pixel_mm == b.pixel_mm &&
           a.lower_u_mm == b.lower_u_mm && a.lower_v_mm == b.lower_v_mm &&
           a.frame.source_axis_distance_mm == b.frame.source_axis_distance_mm &&
           a.electrons.values.size() == b.electrons.values.size();
}

/// Maps from `begin` on whose frames lie within `sector_deg` of the first: the end of the sector. A little
/// less than that, so that evenly spaced angles which come to just the sector are parted the same way
/// whatever the rounding.
std::size_t end_of_sector(const std::vector<FluenceMap>& maps, std::size_t begin, double nominal_deg) {
    const double sector_deg = nominal_deg - 1e-6;
    const FluenceMap& first = maps[begin];
    std::size_t end = begin + 1;
    while (end < maps.size() &&
           angle_between_deg(first.frame.axes.col(2), maps[end].frame.axes.col(2)) < sector_deg &&
           maps[end].filter == first.filter &&
           angle_between_deg(first.frame.axes.col(0), maps[end].frame.axes.col(0)) < sector_deg &&
           first.frame.isocentre_mm == maps[end].frame.isocentre_mm && same_raster(first, maps[end]))
        ++end;
    return end;
}

FluenceMap like(const FluenceMap& map) {
    FluenceMap empty;
    empty.frame = map.frame;
    empty.pixel_mm = map.pixel_mm;
    empty.size_u = map.size_u;
    empty.size_v = map.size_v;
    empty.lower_u_mm = map.lower_u_mm;
    empty.lower_v_mm = map.lower_v_mm;
    empty.filter = map.filter;
    return empty;
}

constexpr float leakage_part = 3e-2f;  // of a map's maximum
constexpr double leakage_pixel_mm = 2;

/// The leakage in a value: all of it up to `level`, from there on less, and nothing from three times the
/// level on.
LIBDOSE_INLINE float leakage_of(float value, float level) {
    return std::max(0.0f, std::min(value, 0.5f * (3 * level - value)));
}

/// The values without their leakage, cut to where there are any; where there are none, one empty pixel.
FluenceMap primary_of(const FluenceMap& map, float level) {
    int u0 = map.size_u, u1 = 0, v0 = map.size_v, v1 = 0;
    std::vector<float> highest(static_cast<std::size_t>(map.size_u), 0.0f);  // of the columns
    for (int v = 0; v < map.size_v; ++v) {
        const float* const row = map.values.data() + static_cast<std::ptrdiff_t>(v) * map.size_u;
        if (!(largest({row, static_cast<std::size_t>(map.size_u)}) > level)) continue;
        v0 = std::min(v0, v);
        v1 = v + 1;
        for (std::size_t u = 0; u < highest.size(); ++u) highest[u] = std::max(highest[u], row[u]);
    }
    for (int u = 0; u < map.size_u; ++u)
        if (highest[static_cast<std::size_t>(u)] > level) {
            u0 = std::min(u0, u);
            u1 = u + 1;
        }
    if (u0 >= u1) {
        u0 = v0 = 0;
        u1 = v1 = 1;
    }
    FluenceMap part = like(map);
    part.size_u = u1 - u0;
    part.size_v = v1 - v0;
    part.lower_u_mm += u0 * map.pixel_mm;
    part.lower_v_mm += v0 * map.pixel_mm;
    for (int v = v0; v < v1; ++v)
        for (int u = u0; u < u1; ++u) part.values.push_back(map.at(u, v) - leakage_of(map.at(u, v), level));
    return part;
}

/// The leakage of a map on larger pixels: only large voxels read it.
FluenceMap on_leakage_pixels(FluenceMap map) {
    const int n = std::max(1, static_cast<int>(std::lround(leakage_pixel_mm / map.pixel_mm)));
    if (n == 1) return map;
    map.values = means_over_pixels(map, n);
    map.size_u = (map.size_u + n - 1) / n;
    map.size_v = (map.size_v + n - 1) / n;
    map.pixel_mm *= n;
    return map;
}

/// Adds what is leakage at one level and not for a lower one.
LIBDOSE_VERSIONS
void add_leakage(std::size_t count, const float* from, float lower, float level, float* to) {
#pragma omp simd
    for (std::size_t p = 0; p < count; ++p) to[p] += leakage_of(from[p], level) - leakage_of(from[p], lower);
}
void add_leakage(const FluenceMap& map, float lower, float level, FluenceMap& sum) {
    add_leakage(sum.values.size(), map.values.data(), lower, level, sum.values.data());
}

}  // namespace

LeakageSplit split_map(const FluenceMap& map) {
    LeakageSplit parts;
    const float level = leakage_part * largest(map.values);
    std::size_t leakage = 0, primary = 0;
    for (const float value : map.values) {
        leakage += value > 0 && value <= level;
        primary += value > level;
    }
    if (leakage <= primary) {
        parts.primary.push_back(map);
        return parts;
    }
    parts.primary.push_back(primary_of(map, level));
    FluenceMap sum = like(map);
    sum.values.assign(map.values.size(), 0.0f);
    add_leakage(map, 0, level, sum);
    parts.leakage.push_back(on_leakage_pixels(std::move(sum)));
    return parts;
}

LeakageSplit split_arc(const std::vector<FluenceMap>& maps) {
    // The fainter, the wider the sectors.
    struct Level {
        float low, high;
        double sector_deg;
    };
    constexpr Level levels[] = {{0.0f, 1e-2f, 24.0}, {1e-2f, leakage_part, 12.0}};
    constexpr double electron_sector_deg = 12.0;
    LeakageSplit arc;
    std::vector<float> maximum(maps.size());
    arc.primary.resize(maps.size());
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t m = 0; m < maps.size(); ++m) {
        maximum[m] = largest(maps[m].values);
        arc.primary[m] = primary_of(maps[m], leakage_part * maximum[m]);
    }
    struct Sector {
        std::size_t begin, end;
        const Level* level;
    };
    std::vector<Sector> sectors;
    for (const Level& level : levels)
        for (std::size_t begin = 0, end; begin < maps.size(); begin = end) {
            end = end_of_sector(maps, begin, level.sector_deg);
            sectors.push_back({begin, end, &level});
        }
    arc.leakage.resize(sectors.size());
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t s = 0; s < sectors.size(); ++s) {
        const auto [begin, end, level] = sectors[s];
        FluenceMap sector = like(maps[begin + (end - begin) / 2]);
        sector.values.assign(maps[begin].values.size(), 0.0f);
        for (std::size_t m = begin; m < end; ++m)
            add_leakage(maps[m], level->low * maximum[m], level->high * maximum[m], sector);
        arc.leakage[s] = on_leakage_pixels(std::move(sector));
    }
    for (std::size_t begin = 0, end; begin < maps.size(); begin = end) {
        end = end_of_sector(maps, begin, electron_sector_deg);
        FluenceMap sector = like(maps[begin + (end - begin) / 2]);
        sector.electrons = maps[begin].electrons;
        for (std::size_t m = begin + 1; m < end; ++m)
            for (std::size_t p = 0; p < sector.electrons.values.size(); ++p)
                sector.electrons.values[p] += maps[m].electrons.values[p];
        arc.electrons.push_back(std::move(sector));
    }
    return arc;
}

}  // namespace libdose
