#include "cpu/fluence/add_apertures.h"

#include <algorithm>
#include <cmath>

#include "base/simd/multiversion.h"

namespace libdose::cpu {

namespace {

LIBDOSE_VERSIONS
void add_row(std::size_t n, float factor, const float* from, float* to) {
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) to[i] += factor * from[i];
}
LIBDOSE_VERSIONS
void multiply_row(std::size_t n, const float* by, float* to) {
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) to[i] *= by[i];
}

/// Adds weight × what a collimator lets through, [strip][cell along the travel].
void add_strips(const BankOnRaster& bank, const ControlPoint& point, float weight, std::vector<float>& sum) {
    const physics::Interval jaw = bank.jaw(point);
    const std::vector<physics::Interval> leaves = bank.leaves(point);
    const auto travel = static_cast<std::size_t>(bank.travel_size),
               pairs = static_cast<std::size_t>(bank.pairs);
    std::vector<float> strips(sum.size());
    for (std::size_t l = 0; l <= pairs; ++l) {
        const physics::Interval pair = l < pairs ? leaves[l] : physics::wide_open();
        double open_to = bank.bank.open_to(bank.cell(0).low, pair);
        for (std::size_t i = 0; i < travel; ++i) {
            const physics::Interval cell = bank.cell(static_cast<int>(i));
            const double open_to_high = bank.bank.open_to(cell.high, pair);
            strips[l * travel + i] = bank.bank.pair(cell, jaw, pair, open_to, open_to_high);
            open_to = open_to_high;
        }
    }
    for (std::size_t l = 0; l < static_cast<std::size_t>(bank.between); ++l)
        for (std::size_t i = 0; i < travel; ++i)
            strips[(pairs + 1 + l) * travel + i] =
                bank.bank.overlap(bank.cell(static_cast<int>(i)), jaw, leaves[l], leaves[l + 1],
                                  strips[l * travel + i], strips[(l + 1) * travel + i]);
    add_row(sum.size(), weight, strips.data(), sum.data());
}

/// Multiplies the pixels of a plane, size_u in a row, by the strips that cover them.
void multiply_by(const BankOnRaster& bank, const std::vector<float>& strips, std::size_t size_u,
                 std::vector<float>& plane) {
    const auto travel = static_cast<std::size_t>(bank.travel_size);
    std::vector<float> row(travel);
    for (int s = 0; s < bank.stack_size; ++s) {
        std::fill(row.begin(), row.end(), 0.0f);
        for (int n = bank.first_share[static_cast<std::size_t>(s)];
             n < bank.first_share[static_cast<std::size_t>(s) + 1]; ++n) {
            const physics::StripShare share = bank.shares[static_cast<std::size_t>(n)];
            add_row(travel, share.part, strips.data() + static_cast<std::size_t>(share.strip) * travel,
                    row.data());
        }
        if (bank.along_x) {
            multiply_row(travel, row.data(), plane.data() + static_cast<std::size_t>(s) * size_u);
        } else {
            float* const out = plane.data() + s;
            for (std::size_t i = 0; i < travel; ++i) out[i * size_u] *= row[i];
        }
    }
}

bool same(const physics::Interval& a, const physics::Interval& b) {
    return a.low == b.low && a.high == b.high;
}

}  // namespace

void add_apertures(FluenceMap& map, const DevicesOnRaster& devices,
                   const std::vector<WeightedAperture>& apertures) {
    const auto nu = static_cast<std::size_t>(map.size_u);
    const auto same_jaws_alone = [&](const ControlPoint& a, const ControlPoint& b) {
        return (devices.x_jaw_in_bank || same(jaw_x_of(a), jaw_x_of(b))) &&
               (devices.y_jaw_in_bank || same(jaw_y_of(a), jaw_y_of(b)));
    };
    // With one collimator, strips are summed over all moments at which nothing else moves, and spread over
    // the plane once.
    const bool one_bank = devices.banks.size() == 1;
    for (std::size_t begin = 0, end; begin < apertures.size(); begin = end) {
        const ControlPoint& point = apertures[begin].devices;
        for (end = begin + 1;
             one_bank && end < apertures.size() && same_jaws_alone(point, apertures[end].devices);)
            ++end;
        // Factors of the whole plane from each multileaf collimator; a beam has one or two.
        std::vector<float> plane =
            devices.blocks.empty() ? std::vector<float>(map.values.size(), 1.0f) : devices.blocks;
        for (const BankOnRaster& bank : devices.banks) {
            std::vector<float> strips(
                static_cast<std::size_t>(bank.strips()) * static_cast<std::size_t>(bank.travel_size), 0.0f);
            for (std::size_t n = begin; n < end; ++n)
                add_strips(bank, apertures[n].devices,
                           one_bank ? static_cast<float>(apertures[n].weight) : 1.0f, strips);
            multiply_by(bank, strips, nu, plane);
        }
        const auto jaw_factors = [&](double lower_mm, int size, const physics::Interval& jaw, bool in_bank) {
            std::vector<double> factors(static_cast<std::size_t>(size), 1.0);
            for (std::size_t i = 0; i < factors.size() && !in_bank; ++i) {
                const double low = lower_mm + static_cast<double>(i) * map.pixel_mm;
                factors[i] = physics::jaws_alone({low, low + map.pixel_mm}, jaw, devices.jaw_transmission);
            }
            return factors;
        };
        const std::vector<double> columns = jaw_factors(map.lower_u_mm, map.size_u, jaw_x_of(point),
                                                        devices.x_jaw_in_bank),
                                  rows = jaw_factors(map.lower_v_mm, map.size_v, jaw_y_of(point),
                                                     devices.y_jaw_in_bank);
        const double weight = one_bank ? 1 : apertures[begin].weight;
        const std::vector<float> of_columns(columns.begin(), columns.end());
        for (std::size_t v = 0; v < rows.size(); ++v) {
            multiply_row(nu, of_columns.data(), plane.data() + v * nu);
            add_row(nu, static_cast<float>(weight * rows[v]), plane.data() + v * nu,
                    map.values.data() + v * nu);
        }
    }
}

}  // namespace libdose::cpu
