// Causes whose difference follows from the calculated doses: output, and the grid.
#include <fmt/core.h>

#include <cmath>

#include "check/attribution_causes.h"

namespace libdose::check {

namespace {

constexpr double largest_output_percent = 200, largest_move_mm = 20, largest_blur_mm2 = 100;

Candidate output(const std::string& name, const Field& dose) {
    Candidate candidate;
    candidate.cause = {"output", name, 0, "%", 0};
    candidate.fields = 0.01 * dose;
    candidate.largest = largest_output_percent;
    return candidate;
}

Volume<float> moved(const Volume<float>& dose, const Vec3& by_mm) {
    Volume<float> result = dose;
    result.grid.origin_mm += by_mm;
    return result;
}

}  // namespace

std::string text_of(const Vec3& mm) {
    return fmt::format("({:+.1f}, {:+.1f}, {:+.1f}) mm", mm[0], mm[1], mm[2]);
}

std::vector<Candidate> output_causes(const CheckInput& input, const CalculationResult& calculation,
                                     const DoseSamples& samples) {
    std::vector<Candidate> causes;
    for (const Dose& beam : calculation.beams)
        for (const Beam& planned : input.plan->beams)
            if (planned.number == beam.beam_number)
                causes.push_back(output(fmt::format("output of beam {} ('{}')", planned.number, planned.name),
                                        input.plan->fractions * samples.of(beam.gy)));
    // Of a plan of one beam, both are the same.
    if (causes.size() != 1) causes.push_back(output("output of all beams", samples.of(calculation.plan.gy)));
    return causes;
}

std::vector<Candidate> grid_causes(const Volume<float>& calculated_gy, const DoseSamples& samples) {
    const Field here = samples.of(calculated_gy);
    Candidate move, blur;
    move.fields.resize(here.size(), 3);
    blur.fields.setZero(here.size(), 1);
    for (int axis = 0; axis < 3; ++axis) {
        const double step_mm = calculated_gy.grid.spacing_mm[axis];
        Vec3 by_mm = Vec3::Zero();
        by_mm[axis] = step_mm;
        const Field up = samples.of(moved(calculated_gy, by_mm)),
                    down = samples.of(moved(calculated_gy, -by_mm));
        move.fields.col(axis) = (up - down) / (2 * step_mm);
        // A blur of variance s² adds s²/2 times the second derivatives.
        blur.fields.col(0) += (up + down - 2 * here) / (2 * step_mm * step_mm);
    }
    move.cause = {"grid", "dose grid moved", 0, "mm", 0};
    move.largest = largest_move_mm;
    move.recalculated = [&calculated_gy, &samples, here](const Sizes& by_mm) -> Field {
        return samples.of(moved(calculated_gy, by_mm)) - here;
    };
    move.describe = [](Candidate& c) {
        c.cause.size = c.sizes.norm();
        c.cause.name = "dose grid moved by " + text_of(c.sizes);
        c.description = c.cause.name;
    };
    blur.cause = {"grid", "dose blurred", 0, "mm", 0};
    blur.largest = largest_blur_mm2;
    blur.describe = [](Candidate& c) {
        c.cause.size = std::copysign(std::sqrt(std::abs(c.sizes[0])), c.sizes[0]);
        c.cause.name = c.cause.size < 0 ? "dose less blurred (grid or penumbra), sigma"
                                        : "dose more blurred (grid or penumbra), sigma";
        c.description = fmt::format("{} {:.1f} mm", c.cause.name, std::abs(c.cause.size));
    };
    return {move, blur};
}

}  // namespace libdose::check
