#include "cpu/fluence/finish_head.h"

#include <algorithm>
#include <cmath>

#include "base/simd/multiversion.h"
#include "fluence/fluence_views.h"

namespace libdose::cpu {

namespace {

/// out[i] = sum over taps of weights[k] × in[i + k·stride], of weights that are not negative; 64 at once, so
/// that the sums stay in registers.
LIBDOSE_VERSIONS
void weighted_sums(std::size_t n, std::size_t taps, const float* weights, const float* in, std::size_t stride,
                   float* out) {
    constexpr std::size_t vectors = 8, simd_width = 8, batch = vectors * simd_width;
    for (std::size_t block = 0; n >= batch && block < n; block += batch) {
        const std::size_t i =
            std::min(block, n - batch);  // the last ones once more, where they are no whole block
        float sum[vectors][simd_width] = {};
        for (std::size_t k = 0; k < taps; ++k) {
            const float* const from = in + i + k * stride;
            for (std::size_t j = 0; j < vectors; ++j)
#pragma omp simd
                for (std::size_t l = 0; l < simd_width; ++l)
                    sum[j][l] = physics::fused(weights[k], from[j * simd_width + l], sum[j][l]);
        }
        std::copy_n(sum[0], batch, out + i);
    }
    if (n >= batch) return;
    for (std::size_t i = 0; i < n; ++i) {
        float sum = 0;
        for (std::size_t k = 0; k < taps; ++k) sum = physics::fused(weights[k], in[i + k * stride], sum);
        out[i] = sum;
    }
}

/// Convolves the rows and the columns of a map, zero outside, with kernels of odd length; an empty kernel
/// changes nothing.
void convolve(std::vector<float>& values, int size_u, int size_v, const std::vector<double>& along_u,
              const std::vector<double>& along_v) {
    const auto nu = static_cast<std::size_t>(size_u), nv = static_cast<std::size_t>(size_v);
    if (!along_u.empty()) {
        const std::vector<float> weights(along_u.begin(), along_u.end());
        const std::size_t reach = weights.size() / 2;
        std::vector<float> padded(nu + 2 * reach, 0.0f);
        for (std::size_t v = 0; v < nv; ++v) {
            float* row = values.data() + v * nu;
            std::copy_n(row, nu, padded.begin() + static_cast<std::ptrdiff_t>(reach));
            weighted_sums(nu, weights.size(), weights.data(), padded.data(), 1, row);
        }
    }
    if (!along_v.empty()) {
        const std::vector<float> weights(along_v.begin(), along_v.end()), in = values;
        const std::size_t reach = weights.size() / 2;
        for (std::size_t v = 0; v < nv; ++v) {
            const std::size_t first = v < reach ? reach - v : 0,
                              end = std::min(weights.size(), nv + reach - v);
            weighted_sums(nu, end - first, weights.data() + first, in.data() + (v + first - reach) * nu, nu,
                          values.data() + v * nu);
        }
    }
}

/// Mean of the map over large pixels.
CoarseMap coarse(const FluenceMap& map) {
    CoarseMap out = coarse_raster(map);
    out.values = means_over_pixels(map, coarse_pixels(map));
    return out;
}

/// physics::CoarseMapView::at of points n steps after the first along u, row by row.
class CoarseRows {
public:
    CoarseRows(const physics::CoarseMapView& map, int n, double first_mm, double step_mm)
        : map_(map), blended_(static_cast<std::size_t>(map.size_u) + 3, 0.0) {
        for (int i = 0; i < n; ++i) {
            int low;
            double part;
            map.lower_centre(first_mm + i * step_mm - map.lower_u_mm, low, part);
            const bool near = low >= -1 && low < map.size_u;
            cell_.push_back(near ? low + 1 : map.size_u + 1);
            part_.push_back(near ? part : 0);
        }
    }
    /// The two rows beside v as one: point i lies `part` of the way from blended[cell] to the next.
    const double* blend(double v_mm) {
        int j;
        double part;
        map_.lower_centre(v_mm - map_.lower_v_mm, j, part);
        for (int i = 0; i < map_.size_u; ++i)
            blended_[static_cast<std::size_t>(i) + 1] =
                map_.between(map_.value(i, j), map_.value(i, j + 1), part);
        return blended_.data();
    }
    const int* cell() const { return cell_.data(); }
    const double* part() const { return part_.data(); }

private:
    physics::CoarseMapView map_;
    std::vector<int> cell_;
    std::vector<double> part_, blended_;
};

/// A row of pixels of physics::head_pixel.
LIBDOSE_VERSIONS
void finish_row(int n, const double* blended, const int* cell, const double* part, double amplitude,
                const float* profile, const float* transmission, float* values) {
#pragma omp simd
    for (int u = 0; u < n; ++u) {
        const double beside =
            physics::CoarseMapView::between(blended[cell[u]], blended[cell[u] + 1], part[u]);
        values[u] = physics::head_pixel(values[u], static_cast<double>(profile[u]), amplitude * beside,
                                        [&] { return static_cast<double>(transmission[u]); });
    }
}

}  // namespace

OpenPlane open_plane(const FluenceMap& raster, const Beam& beam, const HeadModel& head,
                     const BeamFilter* filter, const TermaTable* table) {
    const OpenHead open(beam, head, filter, table, raster.pixel_mm);
    const physics::OpenHeadView view = open.view();
    OpenPlane plane;
    plane.profile.resize(raster.values.size());
    plane.transmission.resize(raster.values.size());
#pragma omp parallel for schedule(static)
    for (int v = 0; v < raster.size_v; ++v)
        for (int u = 0; u < raster.size_u; ++u) {
            const double x = raster.lower_u_mm + (u + 0.5) * raster.pixel_mm,
                         y = raster.lower_v_mm + (v + 0.5) * raster.pixel_mm;
            const std::size_t pixel = static_cast<std::size_t>(v) * static_cast<std::size_t>(raster.size_u) +
                                      static_cast<std::size_t>(u);
            plane.profile[pixel] = static_cast<float>(view.profile(x, y));
            plane.transmission[pixel] = static_cast<float>(view.transmission(x, y));
        }
    return plane;
}

void finish(FluenceMap& map, const Beam& beam, const HeadModel& head, const OpenPlane& open,
            const std::vector<LeafEdges>& leaves, double collimator_deg) {
    const HeadBlurs blurs = head_blurs(map, beam, head, leaves, collimator_deg);
    const CoarseMap aperture = coarse(map);
    CoarseMap extrafocal;
    if (blurs.extrafocal_amplitude > 0) {
        extrafocal = aperture;
        convolve(extrafocal.values, extrafocal.size_u, extrafocal.size_v, blurs.extrafocal_u,
                 blurs.extrafocal_v);
    }
    if (blurs.electrons) {
        map.electrons = aperture;
        convolve(map.electrons.values, aperture.size_u, aperture.size_v, blurs.electrons_uv,
                 blurs.electrons_uv);
    }
    convolve(map.values, map.size_u, map.size_v, blurs.spot_u, blurs.spot_v);
    // Without an extrafocal source a map of no pixels, zero everywhere.
    CoarseRows seen(extrafocal.view(), map.size_u,
                    blurs.extrafocal_scale_u * (map.lower_u_mm + 0.5 * map.pixel_mm),
                    blurs.extrafocal_scale_u * map.pixel_mm);
    for (int v = 0; v < map.size_v; ++v) {
        const std::size_t row = static_cast<std::size_t>(v) * static_cast<std::size_t>(map.size_u);
        finish_row(map.size_u,
                   seen.blend(blurs.extrafocal_scale_v * (map.lower_v_mm + (v + 0.5) * map.pixel_mm)),
                   seen.cell(), seen.part(), blurs.extrafocal_amplitude, &open.profile[row],
                   &open.transmission[row], &map.values[row]);
    }
}

}  // namespace libdose::cpu
