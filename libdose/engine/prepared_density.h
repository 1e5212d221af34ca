// A density grid on a backend, with what every dose on it shares.
#pragma once

#include <memory>
#include <optional>

#include "backend/backend.h"
#include "libdose/density.h"

namespace libdose {

/// It refers to the density and to the backend. Not to be used by two threads at once.
class PreparedDensity {
public:
    PreparedDensity(Backend& backend, const DensityGrid& density);

    const DensityGrid& density() const { return density_; }
    PatientOnBackend& on_backend() { return *on_backend_; }

    /// The same patient in voxels of about 5 mm, for the fluence that comes through jaws and leaves. It is
    /// made when it is first asked for.
    struct Coarse {
        DensityGrid density;
        std::unique_ptr<PatientOnBackend> on_backend;
    };
    Coarse& coarse();

private:
    Backend& backend_;
    const DensityGrid& density_;
    std::unique_ptr<PatientOnBackend> on_backend_;
    std::optional<Coarse> coarse_;
};

}  // namespace libdose
