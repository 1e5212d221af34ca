#include "engine/compute.h"

#include <cmath>
#include <limits>

#include "libdose/error.h"

namespace libdose {

namespace {

bool all_finite(const std::vector<float>& values) {
    int bad = 0;
#pragma omp simd reduction(| : bad)
    for (std::size_t n = 0; n < values.size(); ++n)
        bad |= std::abs(values[n]) <= std::numeric_limits<float>::max() ? 0 : 1;
    return bad == 0;
}

}  // namespace

QualitySettings quality_settings(Quality quality) {
    switch (quality) {
        case Quality::draft:
            return {8, 8, 96, LatticeMode::rounded, 1.0};
        case Quality::standard:
            return {12, 12, 240, LatticeMode::interpolated, 0.5};
        case Quality::high:
            return {20, 20, 400, LatticeMode::interpolated, 0.34};
    }
    return {12, 12, 240, LatticeMode::interpolated, 0.5};
}

double gray_per_unit(const BeamModel& model, Algorithm algorithm) {
    const double reference = dose_algorithm(algorithm).reference_dose(model.calibration);
    if (!(reference > 0))
        throw bad_input("the beam model is not calibrated", model.name, "Run: dose model calibrate FILE");
    return model.calibration.reference_gy_per_mu / reference;
}

std::vector<float> compute_dose(PreparedDensity& patient, const std::vector<FluenceMap>& maps,
                                const BeamModel& model, const ComputeOptions& options) {
    // Later stages would take it for no fluence, or make a dose of it that is refused without a word of where
    // it comes from.
    for (const FluenceMap& map : maps)
        if (!all_finite(map.values))
            throw internal_error("a value of a fluence map is not finite", "dose calculation");
    return dose_algorithm(options.algorithm).dose(patient, maps, model, options);
}

std::vector<float> compute_dose(const DensityGrid& density, const std::vector<FluenceMap>& maps,
                                const BeamModel& model, const ComputeOptions& options) {
    PreparedDensity patient(options.backend ? *options.backend : cpu_backend(), density);
    return compute_dose(patient, maps, model, options);
}

}  // namespace libdose
