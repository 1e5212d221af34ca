// Head model: from the devices at many moments to fluence maps, a thread per pixel. Maps of one raster lie
// one after another.
#pragma once

#include "cuda/runtime/index.h"
#include "fluence/fluence_views.h"
#include "fluence/leaf_bank.h"

namespace libdose::cuda {

/// Pixels of maps, as those of FluenceMap.
struct MapRaster {
    int size_u, size_v;
    double pixel_mm, lower_u_mm, lower_v_mm;

    LIBDOSE_HD std::size_t pixels() const {
        return static_cast<std::size_t>(size_u) * static_cast<std::size_t>(size_v);
    }
    LIBDOSE_HD std::size_t number(const Index3& at) const {
        return static_cast<std::size_t>(at.z) * pixels() +
               static_cast<std::size_t>(at.y) * static_cast<std::size_t>(size_u) +
               static_cast<std::size_t>(at.x);
    }
};

/// A multileaf collimator over a raster at several moments (BankOnRaster), and what its strips let through.
struct BankView {
    physics::LeafBank bank;
    bool along_x;
    int pairs, strips;
    int travel_size;
    double travel_lower_mm, pixel_mm;
    const physics::Interval *jaw, *leaves;  ///< [moment], [moment][pair]
    const int* first_share;                 ///< [row of pixels across the leaves, and one more]
    const physics::StripShare* shares;
    float* through;  ///< [moment][strip][travel], where leaves move along y [moment][travel][strip]:
                     ///< neighbouring pixels read neighbouring numbers

    LIBDOSE_HD std::size_t place(int moment, int strip, int i) const {
        const std::size_t row = static_cast<std::size_t>(along_x ? strip : i),
                          column = static_cast<std::size_t>(along_x ? i : strip);
        const std::size_t rows = static_cast<std::size_t>(along_x ? strips : travel_size),
                          columns = static_cast<std::size_t>(along_x ? travel_size : strips);
        return (static_cast<std::size_t>(moment) * rows + row) * columns + column;
    }
    LIBDOSE_HD physics::Interval cell(int i) const {
        return {travel_lower_mm + i * pixel_mm, travel_lower_mm + i * pixel_mm + pixel_mm};
    }
    /// Transmission of a pixel at one moment.
    LIBDOSE_HD float at(int moment, int i, int stack) const {
        float sum = 0;
        for (int n = first_share[stack]; n < first_share[stack + 1]; ++n)
            sum += shares[n].part * through[place(moment, shares[n].strip, i)];
        return sum;
    }
};

/// Strips of the pairs and of the jaws alone; then, with `between`, those where two pairs overlap.
struct LeafStrips {
    static constexpr Index3 block{64, 2, 1};  ///< x: along the travel, y: strip, z: moment
    BankView of;
    bool between;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const physics::Interval cell = of.cell(at.x), jaw = of.jaw[at.z];
        const physics::Interval* leaves =
            of.leaves + static_cast<std::size_t>(at.z) * static_cast<std::size_t>(of.pairs);
        if (between)
            of.through[of.place(at.z, of.pairs + 1 + at.y, at.x)] = of.bank.overlap(
                cell, jaw, leaves[at.y], leaves[at.y + 1], of.through[of.place(at.z, at.y, at.x)],
                of.through[of.place(at.z, at.y + 1, at.x)]);
        else {
            const physics::Interval pair = at.y < of.pairs ? leaves[at.y] : physics::wide_open();
            of.through[of.place(at.z, at.y, at.x)] = of.bank.pair(
                cell, jaw, pair, of.bank.open_to(cell.low, pair), of.bank.open_to(cell.high, pair));
        }
    }
};

/// The jaws at a moment and what it weighs.
struct Moment {
    double weight;
    physics::Interval jaw_x, jaw_y;
};

/// Adds the apertures of every map, in their order.
struct AddApertures {
    static constexpr Index3 block{64, 2, 1};  ///< x: u, y: v, z: map
    MapRaster raster;
    const BankView* banks;
    int bank_count;
    const Moment* moments;
    const int* first_moment;  ///< [map, and one more]
    const float* blocks;      ///< by pixel; null: none
    double jaw_transmission;
    bool x_jaw_in_bank, y_jaw_in_bank;
    float* values;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const double low_u = raster.lower_u_mm + at.x * raster.pixel_mm,
                     low_v = raster.lower_v_mm + at.y * raster.pixel_mm;
        const float behind_blocks =
            blocks ? blocks[static_cast<std::size_t>(at.y) * static_cast<std::size_t>(raster.size_u) +
                            static_cast<std::size_t>(at.x)]
                   : 1.0f;
        float sum = values[raster.number(at)];
        for (int m = first_moment[at.z]; m < first_moment[at.z + 1]; ++m) {
            float through = behind_blocks;
            for (int b = 0; b < bank_count; ++b)
                through *= banks[b].at(m, banks[b].along_x ? at.x : at.y, banks[b].along_x ? at.y : at.x);
            double weight = moments[m].weight;
            if (!y_jaw_in_bank)
                weight *=
                    physics::jaws_alone({low_v, low_v + raster.pixel_mm}, moments[m].jaw_y, jaw_transmission);
            if (!x_jaw_in_bank)
                weight *=
                    physics::jaws_alone({low_u, low_u + raster.pixel_mm}, moments[m].jaw_x, jaw_transmission);
            sum += static_cast<float>(weight) * through;
        }
        values[raster.number(at)] = sum;
    }
};

/// Means of maps over large pixels.
struct CoarsenMaps {
    static constexpr Index3 block{32, 4, 1};  ///< x: u, y: v of the large pixels, z: map
    MapRaster raster;
    int factor, coarse_u, coarse_v;
    const float* values;
    float* coarse;

    LIBDOSE_HD void operator()(const Index3& at) const {
        float sum = 0;
        for (int v = at.y * factor; v < (at.y + 1) * factor && v < raster.size_v; ++v)
            for (int u = at.x * factor; u < (at.x + 1) * factor && u < raster.size_u; ++u)
                sum += values[raster.number({u, v, at.z})] / static_cast<float>(factor * factor);
        coarse[(static_cast<std::size_t>(at.z) * static_cast<std::size_t>(coarse_v) +
                static_cast<std::size_t>(at.y)) *
                   static_cast<std::size_t>(coarse_u) +
               static_cast<std::size_t>(at.x)] = sum;
    }
};

/// Convolution of the rows or the columns of maps, zero outside.
struct BlurMaps {
    static constexpr Index3 block{64, 2, 1};  ///< x: u, y: v, z: map
    int size_u, size_v;
    bool along_v;
    const double* kernels;  ///< map m has those from first[m] up to first[m + 1], of odd length; empty:
                            ///< nothing is blurred
    const int* first;
    const float* from;
    float* to;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const std::size_t row = static_cast<std::size_t>(size_u), step = along_v ? row : 1;
        const std::size_t here = (static_cast<std::size_t>(at.z) * static_cast<std::size_t>(size_v) +
                                  static_cast<std::size_t>(at.y)) *
                                     row +
                                 static_cast<std::size_t>(at.x);
        const int begin = first[at.z], length = first[at.z + 1] - begin, reach = length / 2;
        if (length == 0) {
            to[here] = from[here];
            return;
        }
        const int place = along_v ? at.y : at.x, size = along_v ? size_v : size_u;
        const float* line = from + (here - static_cast<std::size_t>(place) * step);
        double sum = 0;
        for (int k = 0; k < length; ++k) {
            const int other = place + k - reach;
            if (other >= 0 && other < size)
                sum += kernels[begin + k] * static_cast<double>(line[static_cast<std::size_t>(other) * step]);
        }
        to[here] = static_cast<float>(sum);
    }
};

/// Both sources through the head.
struct FinishMaps {
    static constexpr Index3 block{64, 2, 1};  ///< x: u, y: v, z: map
    MapRaster raster;
    physics::OpenHeadView head;
    double extrafocal_amplitude, extrafocal_scale_u, extrafocal_scale_v;  ///< amplitude 0: no such source
    physics::CoarseMapView extrafocal;  ///< extrafocal fluence of the first map
    float* values;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const double u_mm = raster.lower_u_mm + (at.x + 0.5) * raster.pixel_mm,
                     v_mm = raster.lower_v_mm + (at.y + 0.5) * raster.pixel_mm;
        double beside = 0;
        if (extrafocal_amplitude > 0) {
            physics::CoarseMapView seen = extrafocal;
            seen.values += static_cast<std::size_t>(at.z) * static_cast<std::size_t>(seen.size_u) *
                           static_cast<std::size_t>(seen.size_v);
            beside = extrafocal_amplitude * seen.at(extrafocal_scale_u * u_mm, extrafocal_scale_v * v_mm);
        }
        float& value = values[raster.number(at)];
        value = head.pixel(u_mm, v_mm, value, beside);
    }
};

}  // namespace libdose::cuda
