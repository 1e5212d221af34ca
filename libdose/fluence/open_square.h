// A square of the isocentre plane that is open by itself: a beamlet.
#pragma once

namespace libdose {

/// A square of the isocentre plane (beam-limiting-device frame) that is open, and the MU that it is open for.
struct OpenSquare {
    double u_mm = 0, v_mm = 0;  ///< centre
    double mu = 1;
};

}  // namespace libdose
