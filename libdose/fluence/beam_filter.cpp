#include "fluence/stages.h"

namespace libdose {

physics::FilterView BeamFilter::view() const {
    return {softening_radius_mm.size(),
            wedge_mm.size(),
            softening_radius_mm.data(),
            softening_g_cm2.data(),
            wedge_mm.data(),
            wedge_water_g_cm2.data(),
            wedge_high_z_g_cm2.data(),
            wedge_cos,
            wedge_sin,
            tray_water_g_cm2};
}

}  // namespace libdose
