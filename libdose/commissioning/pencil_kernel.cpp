// Pencil kernels: TERMA along the axis of a pencil of photons, convolved with the point kernels of the
// hardened spectrum, in few components.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "commissioning/point_kernels.h"
#include "libdose/kernels.h"
#include "terma/terma_equations.h"

namespace libdose {

namespace {

using namespace commission;

constexpr double step_cm = 0.1, depth_max_cm = 60, reach_cm = 60;
constexpr int components = 5;
constexpr int layers = 600, offsets = 1200,
              zero_offset =
                  600;  // layers of depth; slices along the kernel's axis, of which this one holds 0
constexpr int angle_parts = 10, radius_parts = 24;  // of a cell of the point kernel

std::vector<double> ring_edges_cm() {
    std::vector<double> edges{0, 0.02, 0.04, 0.07};
    constexpr int count = 70;
    for (int n = 0; n < count; ++n)
        edges.push_back(0.1 * std::pow(600.0, static_cast<double>(n) / (count - 1)));
    edges.back() = 60;
    return edges;
}

/// Energy of a point kernel by ring around its axis and slice along it: [slice][ring].
Eigen::MatrixXd by_slice_and_ring(const AverageKernel& kernel, const PointKernels& kernels,
                                  const std::vector<double>& rings) {
    const std::size_t shells = kernels.radius_edges_cm.size() - 1, cones = kernel.escape.size();
    Eigen::MatrixXd histogram = Eigen::MatrixXd::Zero(offsets, static_cast<Eigen::Index>(rings.size()) - 1);
    for (std::size_t m = 0; m < cones; ++m) {
        const double low = std::cos(kernels.theta_edges_deg[m] * std::numbers::pi / 180),
                     high = std::cos(kernels.theta_edges_deg[m + 1] * std::numbers::pi / 180);
        for (std::size_t r = 0; r < shells; ++r) {
            const double energy = kernel.cells[m * shells + r] / (angle_parts * radius_parts);
            for (int v = 0; v < radius_parts; ++v) {
                const double radius =
                    kernels.radius_edges_cm[r] +
                    (kernels.radius_edges_cm[r + 1] - kernels.radius_edges_cm[r]) * (v + 0.5) / radius_parts;
                for (int u = 0; u < angle_parts; ++u) {
                    const double cosine = low + (high - low) * (u + 0.5) / angle_parts;
                    const double lateral = radius * std::sqrt(1 - cosine * cosine), along = radius * cosine;
                    const auto slice =
                        static_cast<Eigen::Index>(std::floor((along + reach_cm) / step_cm + 0.5));
                    const auto ring =
                        static_cast<Eigen::Index>(std::upper_bound(rings.begin(), rings.end(), lateral) -
                                                  rings.begin()) -
                        1;
                    if (slice >= 0 && slice < offsets && ring < histogram.cols())
                        histogram(slice, ring) += energy;
                }
            }
        }
    }
    return histogram;
}

}  // namespace

PencilKernel make_pencil_kernel(const Spectrum& spectrum, const PointKernels& kernels) {
    const std::vector<double> edges = ring_edges_cm();
    const auto rings = static_cast<Eigen::Index>(edges.size()) - 1;
    constexpr int sets = static_cast<int>(std::size(hardening_depths_g_cm2));
    Eigen::MatrixXd dose = Eigen::MatrixXd::Zero(layers, rings);  // ring-integrated dose per photon, Gy cm²
    for (int h = 0; h < sets; ++h) {
        const Eigen::MatrixXd kernel =
            by_slice_and_ring(average_kernel(spectrum, kernels, hardening_depths_g_cm2[h]), kernels, edges);
        // Share of this set in what a layer releases: linear between the depths of the sets.
        Eigen::VectorXd source = Eigen::VectorXd::Zero(layers);
        for (int n = 0; n < layers; ++n) {
            const double depth = (n + 0.5) * step_cm;
            const auto hat = [&](int from, int to) {
                return (depth - hardening_depths_g_cm2[from]) /
                       (hardening_depths_g_cm2[to] - hardening_depths_g_cm2[from]);
            };
            double share = 0;
            if (h + 1 == sets && depth >= hardening_depths_g_cm2[h])
                share = 1;
            else if (h > 0 && depth >= hardening_depths_g_cm2[h - 1] && depth < hardening_depths_g_cm2[h])
                share = hat(h - 1, h);
            else if (h + 1 < sets && depth >= hardening_depths_g_cm2[h] &&
                     depth < hardening_depths_g_cm2[h + 1])
                share = 1 - hat(h, h + 1);
            if (share > 0) source[n] = share * physics::basis_terma(spectrum, depth, 0).water;
        }
        // A layer that lies `offset` slices behind the one that releases gets the kernel's slice at that
        // offset.
        for (int n = 0; n < layers; ++n)
            if (source[n] > 0)
                for (int d = std::max(0, n - zero_offset); d < std::min(layers, n - zero_offset + offsets);
                     ++d)
                    dose.row(d) += source[n] * kernel.row(d - n + zero_offset);
    }

    // Components of the dose of round fields: cumulative over the rings, each depth relative to its broad
    // beam.
    Eigen::MatrixXd cumulative = dose;
    for (Eigen::Index r = 1; r < rings; ++r) cumulative.col(r) += cumulative.col(r - 1);
    const Eigen::VectorXd broad = cumulative.col(rings - 1);
    for (Eigen::Index d = 0; d < layers; ++d) cumulative.row(d) /= broad[d];
    const Eigen::BDCSVD<Eigen::MatrixXd> svd(cumulative, Eigen::ComputeThinU | Eigen::ComputeThinV);

    PencilKernel pencil;
    pencil.radius_cm = edges;
    for (int i = 0; i < components; ++i)
        for (Eigen::Index r = 0; r < rings; ++r) {
            const auto n = static_cast<std::size_t>(r);
            const double shape = svd.matrixV()(r, i) - (r > 0 ? svd.matrixV()(r - 1, i) : 0.0);
            pencil.components.push_back(
                shape / (std::numbers::pi * (edges[n + 1] * edges[n + 1] - edges[n] * edges[n])));
        }
    for (int d = 0; d < layers; d = d < 60 ? d + 1 : std::min(d + 5, d < layers - 1 ? layers - 1 : layers)) {
        pencil.depth_g_cm2.push_back((d + 0.5) * step_cm);
        for (int i = 0; i < components; ++i)
            pencil.weights.push_back(svd.matrixU()(d, i) * svd.singularValues()[i] * broad[d]);
    }
    return pencil;
}

}  // namespace libdose
