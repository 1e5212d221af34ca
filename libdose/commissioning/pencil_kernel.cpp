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
constexpr int layers = 600;                         // of depth
constexpr int offsets = 1200, zero_offset = 600;    // slices along the kernel's axis; this one holds 0
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

constexpr int sets = static_cast<int>(std::size(hardening_depths_g_cm2));

double depth_of_layer(int layer) { return (layer + 0.5) * step_cm; }

/// Share of the kernels of one set in what is released at a depth: linear between the depths of the sets, all
/// of the last one's beyond it.
double share_of_set(int set, double depth) {
    const auto& at = hardening_depths_g_cm2;
    const auto part = [&](int from, int to) { return (depth - at[from]) / (at[to] - at[from]); };
    const bool last = set + 1 == sets;
    if (last && depth >= at[set]) return 1;
    if (set > 0 && depth >= at[set - 1] && depth < at[set]) return part(set - 1, set);
    if (!last && depth >= at[set] && depth < at[set + 1]) return 1 - part(set, set + 1);
    return 0;
}

/// TERMA of one photon by layer, as far as the kernels of one set carry it.
Eigen::VectorXd terma_of_set(const Spectrum& spectrum, int set) {
    Eigen::VectorXd terma = Eigen::VectorXd::Zero(layers);
    for (int n = 0; n < layers; ++n) {
        const double depth = depth_of_layer(n), share = share_of_set(set, depth);
        if (share > 0) terma[n] = share * physics::basis_terma(spectrum, depth, 0).water;
    }
    return terma;
}

/// Adds what every layer releases, spread by a kernel: a layer that lies `offset` slices behind the one that
/// releases gets the kernel's slice at that offset.
void add_spread(Eigen::MatrixXd& dose, const Eigen::VectorXd& terma, const Eigen::MatrixXd& kernel) {
    for (int n = 0; n < layers; ++n) {
        if (!(terma[n] > 0)) continue;
        const int first = std::max(0, n - zero_offset), end = std::min(layers, n - zero_offset + offsets);
        for (int d = first; d < end; ++d) dose.row(d) += terma[n] * kernel.row(d - n + zero_offset);
    }
}

/// Ring-integrated dose per photon of the pencil, Gy cm²: [layer][ring].
Eigen::MatrixXd dose_by_layer_and_ring(const Spectrum& spectrum, const PointKernels& kernels,
                                       const std::vector<double>& edges) {
    Eigen::MatrixXd dose = Eigen::MatrixXd::Zero(layers, static_cast<Eigen::Index>(edges.size()) - 1);
    for (int h = 0; h < sets; ++h)
        add_spread(
            dose, terma_of_set(spectrum, h),
            by_slice_and_ring(average_kernel(spectrum, kernels, hardening_depths_g_cm2[h]), kernels, edges));
    return dose;
}

/// The layers that the weights are kept of: all to 6 cm, then every fifth, and the last.
std::vector<int> kept_layers() {
    std::vector<int> kept;
    for (int d = 0; d < 60; ++d) kept.push_back(d);
    for (int d = 60; d < layers - 1; d += 5) kept.push_back(d);
    kept.push_back(layers - 1);
    return kept;
}

}  // namespace

PencilKernel make_pencil_kernel(const Spectrum& spectrum, const PointKernels& kernels) {
    const std::vector<double> edges = ring_edges_cm();
    const auto rings = static_cast<Eigen::Index>(edges.size()) - 1;
    // Components of the dose of round fields: cumulative over the rings, each depth relative to its broad
    // beam.
    Eigen::MatrixXd cumulative = dose_by_layer_and_ring(spectrum, kernels, edges);
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
    for (const int d : kept_layers()) {
        pencil.depth_g_cm2.push_back(depth_of_layer(d));
        for (int i = 0; i < components; ++i)
            pencil.weights.push_back(svd.matrixU()(d, i) * svd.singularValues()[i] * broad[d]);
    }
    return pencil;
}

}  // namespace libdose
