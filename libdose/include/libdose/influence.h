// Dose influence: what each beamlet of a plan's beams gives to each voxel, for optimisation.
// docs/theory/influence.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "libdose/dose.h"
#include "libdose/engine.h"
#include "libdose/error.h"
#include "libdose/grid.h"

namespace libdose {

/// A square of the isocentre plane that is opened by itself.
struct Beamlet {
    int beam = 0;               ///< index in Plan::beams
    int control_point = 0;      ///< whose geometry it has
    double u_mm = 0, v_mm = 0;  ///< centre, beam-limiting-device frame
};

struct BeamletOptions {
    double side_mm = 5;
    /// Name of a structure: beamlets that see it, or come within `margin_mm` (isocentre plane) of it. Empty:
    /// those whose middle lies in the opening of jaws and leaves of the control point.
    std::string target;
    double margin_mm = 5;
};

struct InfluenceOptions {
    /// algorithm, quality, grid_mm, threads, beam_margin_mm, dose_to, lateral_scaling, overrides, leaf
    /// designs, HU curve and progress count.
    EngineOptions engine;
    BeamletOptions beamlets;
    /// Part of a beamlet's largest dose below which a value is not kept as it is: it is kept with the
    /// probability value / limit, and then as the limit, so that sums are right on average (Thieke et al,
    /// Med. Phys. 29 (2002) 676). 0: every value is kept.
    double cutoff = 3e-4;
    std::size_t first = 0, last = 0;  ///< beamlets [first, last) of all; 0, 0: all of them. Values do not
                                      ///< depend on the part that is asked for
    double memory_bytes = 0;  ///< largest size of a matrix in memory; 0: half of what the system has free
};

/// Columns of an influence matrix, compressed by column.
struct InfluenceColumns {
    std::vector<std::int64_t> begin{0};  ///< [columns + 1] of each column in the other two
    std::vector<std::int32_t> voxel;     ///< row of the matrix: Grid::index, ascending in a column
    std::vector<float> gy;               ///< Gy per MU of the beamlet, one fraction
    std::size_t count() const { return begin.size() - 1; }
    std::size_t bytes() const {
        return voxel.size() * (sizeof(std::int32_t) + sizeof(float)) + begin.size() * sizeof(std::int64_t);
    }
    void append(const InfluenceColumns& other);
    /// Columns [first, last). Throws bad_input for columns that there are not.
    InfluenceColumns part(std::size_t first, std::size_t last) const;
    /// Adds the dose (Gy) of all columns to `sum_gy`, a value for each voxel. `weights_mu`: count() values.
    void add_dose(const double* weights_mu, std::vector<double>& sum_gy) const;
};

/// Throws bad_input unless there is one weight (MU) for each beamlet, at least 0 and finite.
void require_weights(const std::vector<double>& weights_mu, std::size_t beamlets);

/// `memory_bytes` of the options, or what it stands for when it is 0.
double memory_limit_bytes(const InfluenceOptions& options);
/// Error that is thrown when `columns` of `all` columns take more than the limit and there is no file for
/// them.
Error matrix_too_large(double limit_bytes, std::size_t columns, std::size_t all);

/// Everything about an influence matrix but its values.
struct InfluenceHeader {
    Grid grid;                      ///< of the rows
    std::vector<Beamlet> beamlets;  ///< of the columns: those that were asked for
    double side_mm = 0;
    double cutoff = 0;
    DoseMedium medium = DoseMedium::medium;
    std::string frame_of_reference_uid, referenced_plan_uid;
    Provenance provenance;
    std::vector<std::string> notes;
    std::map<std::string, double> seconds;
};

struct DoseInfluence {
    InfluenceHeader header;
    InfluenceColumns columns;

    /// Dose of one fraction for the MU of every beamlet, Gy. Throws bad_input for another number of weights,
    /// and for one that is negative or not finite.
    Volume<float> dose(const std::vector<double>& weights_mu) const;
};

/// The beamlets of a plan, beam by beam, control point by control point (those of one geometry once), rows of
/// v, then u. Edges lie on multiples of the side. Throws bad_input for a side that is not positive, a target
/// that is no structure, and a plan without any beamlet.
std::vector<Beamlet> make_beamlets(const Plan& plan, const StructureSet* structures, const Grid& grid,
                                   const BeamModelProvider& models, const BeamletOptions& options);

/// The same for a calculation: on its dose grid, with all its checks.
std::vector<Beamlet> beamlets_of(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                 const BeamModelProvider& models, const InfluenceOptions& options);

/// Takes columns in the order of the beamlets, some at a time.
using InfluenceSink = std::function<void(const InfluenceHeader&, const InfluenceColumns&)>;

/// Calculates columns and hands them to `sink`; holds only some of them. Returns the header. Throws what
/// calculate() throws.
InfluenceHeader calculate_influence(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                    const MaterialTable& materials, const BeamModelProvider& models,
                                    const InfluenceOptions& options, const InfluenceSink& sink);

/// The matrix in memory. Throws bad_input when it grows beyond `memory_bytes`.
DoseInfluence influence(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                        const MaterialTable& materials, const BeamModelProvider& models,
                        const InfluenceOptions& options);

/// Dose of one fraction of the fluence that the beamlets make with these MU, by the engine as it calculates
/// any fluence: what `influence` comes near to. Also the entry for a fluence of one's own. Throws bad_input
/// for weights as DoseInfluence::dose(), else what calculate() throws.
CalculationResult calculate_beamlets(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                     const MaterialTable& materials, const BeamModelProvider& models,
                                     const InfluenceOptions& options, const std::vector<double>& weights_mu);

}  // namespace libdose
