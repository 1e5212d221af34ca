// Figures of a dose-volume histogram by the names that clinics use: D95%, D0.1cc, V20Gy, V20Gy[cm3], Dmean.
#pragma once

#include <string>

#include "libdose/dvh.h"

namespace libdose {

/// A figure of a dose-volume histogram (names as in the report of AAPM TG-263, 2018).
struct DvhMetric {
    enum class Kind {
        dose_at_volume,          ///< D: dose that the hottest part of a volume receives at least
        dose_at_coldest_volume,  ///< DC: dose that the coldest part of a volume receives at most
        volume_at_dose,          ///< V: volume that receives at least a dose
        volume_below_dose,       ///< CV: volume that receives less than a dose
        mean,
        minimum,
        maximum
    };
    Kind kind = Kind::mean;
    std::string name;  ///< as it was written
    double at = 0;     ///< the volume (percent or cm3) or the dose (Gy or percent of the prescription)
    bool at_is_percent = false;  ///< of the structure's volume, or of the prescription
    bool result_is_percent =
        false;  ///< a dose in percent of the prescription, or a volume in percent of the structure's

    bool needs_prescription() const;
    const char* unit() const;  ///< of the value: "Gy", "cm3" or "%"
    /// Throws bad_input for a metric that needs a prescription without one that is positive, and for a volume
    /// that the structure does not have.
    double value(const DoseVolumeHistogram& histogram, double prescription_gy = 0) const;
};

/// The grammar, in capitals or not, spaces allowed between its parts:
///   D<volume>[unit], DC<volume>[unit]   volume: 95% or 95 (percent), 0.1cc, 2cm3; unit: Gy (default), % of
///   the prescription V<dose>[unit], CV<dose>[unit]       dose: 20Gy, 2000cGy, 95% of the prescription; unit:
///   % (default), cc, cm3 Dmean, Dmin, Dmax (or mean, min, max) [unit]
/// The unit stands in square brackets or behind a space. Throws bad_input that says what is not understood.
DvhMetric parse_dvh_metric(const std::string& text);

}  // namespace libdose
