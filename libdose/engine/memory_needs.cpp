#include "engine/memory_needs.h"

#include <algorithm>
#include <cmath>

#include "engine/compute.h"
#include "engine/small_fields.h"
#include "fluence/aperture.h"

namespace libdose {

MemoryNeeds memory_needs(const Grid& grid, const Plan& plan, const BeamModelProvider& models,
                         const EngineOptions& options, int threads) {
    MemoryNeeds needs;
    const double stated_mm = options.grid ? grid.spacing_mm.maxCoeff() : options.grid_mm;
    needs.grid = grid;
    needs.algorithm = options.algorithm;
    needs.threads = threads;
    needs.ray_spacing_voxels = quality_settings(options.quality).ray_spacing_voxels;
    needs.rates = needs.maps = 0;
    needs.map_pixels = needs.opening_u_mm = needs.opening_v_mm = 0;
    for (const Beam& beam : plan.beams) {
        const BeamModel& model = models(beam);
        const double radius = model.head.maximum_field_radius_mm;
        needs.rates = std::max(needs.rates, model.cone_kernel.rates_cm2_g.size());
        needs.map_pixels =
            std::max(needs.map_pixels, 2 * radius / fluence_pixel_mm(beam, model.head, grid, stated_mm));
        double turn = 0;
        for (std::size_t i = 0; i < beam.control_points.size(); ++i) {
            const ControlPoint& point = beam.control_points[i];
            const auto box = opening_mm(beam, point, radius).value_or(jaw_opening_mm(point, radius));
            needs.opening_u_mm = std::max(needs.opening_u_mm, box.width_u_mm());
            needs.opening_v_mm = std::max(needs.opening_v_mm, box.width_v_mm());
            if (i > 0)
                turn +=
                    std::abs(std::remainder(point.gantry_deg - beam.control_points[i - 1].gantry_deg, 360.0));
        }
        const std::size_t maps = 1 + static_cast<std::size_t>(turn / options.sub_arc_deg);
        needs.maps = options.per_beam ? std::max(needs.maps, maps) : needs.maps + maps;
    }
    return needs;
}

}  // namespace libdose
