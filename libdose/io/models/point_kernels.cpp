#include "io/hdf5/hdf5_file.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"

namespace libdose::io {

PointKernels read_point_kernels(const std::filesystem::path& path) {
    const Hdf5Reader file(path);
    PointKernels kernels;
    kernels.energy_mev = file.doubles("/energy_MeV");
    kernels.theta_edges_deg = file.doubles("/theta_edges_deg");
    kernels.radius_edges_cm = file.doubles("/radius_edges_cm");
    kernels.cells = file.doubles("/total");
    for (const double stays : file.doubles("/sum_total")) kernels.escaped.push_back(1 - stays);
    try {
        kernels.check();
    } catch (const Error& error) {
        throw bad_input(error.problem(), path.string(), "Use the kernels that come with libdose");
    }
    return kernels;
}

}  // namespace libdose::io
