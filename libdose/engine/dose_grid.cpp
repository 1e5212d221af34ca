#include "engine/dose_grid.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/field_box.h"
#include "engine/small_fields.h"
#include "fluence/aperture.h"
#include "fluence/fluence_integral.h"
#include "fluence/fluence_plan.h"
#include "libdose/error.h"
#include "patient/bolus_density.h"

namespace libdose {

namespace {

/// The neighbourhood of the fields, beam by beam.
class FieldBox {
public:
    FieldBox(const PatientBox& patient, PatientPosition position, const EngineOptions& options)
        : patient_(patient), position_(position), options_(options) {}

    /// Without anything open at any moment the jaws count: the leaves' transmission comes through them.
    void add(const Beam& beam, double radius_mm, const FieldOpening& also) {
        const std::vector<ControlPoint> moments = moments_of(beam, options_.sub_arc_deg);
        const bool closed = std::none_of(moments.begin(), moments.end(), [&](const ControlPoint& point) {
            return opening_mm(beam, point, radius_mm, closed_mm);
        });
        bool meets = false;
        for (const ControlPoint& point : moments) {
            const auto frame =
                physics::beam_frame(position_, point.gantry_deg, point.collimator_deg, point.couch_deg,
                                    point.isocentre_mm, beam.source_axis_distance_mm);
            if (contains(patient_, frame.source_mm()))
                throw bad_input("the source lies inside the patient",
                                beam.place() + ", gantry at " + short_number(point.gantry_deg) + " degrees",
                                "Check the isocentre and the patient position");
            const auto open = closed ? jaw_opening_mm(point, radius_mm) : opening_mm(beam, point, radius_mm);
            if (open) meets = include(frame, *open) || meets;
            if (const auto more = also ? also(beam, point) : std::nullopt)
                meets = include(frame, *more) || meets;
        }
        if (closed)
            notes_.push_back(beam.place() + ": its leaves are closed; what comes through them is calculated");
        if (!meets) missing_.push_back(beam.place() + " misses the patient");
    }

    PatientBox box() const {
        const Vec3 margin = Vec3::Constant(options_.beam_margin_mm);
        return {patient_.lower_mm.cwiseMax(low_ - margin), patient_.upper_mm.cwiseMin(high_ + margin)};
    }
    const std::vector<std::string>& notes() const { return notes_; }
    const std::vector<std::string>& missing() const { return missing_; }

private:
    static constexpr double closed_mm =
        1;  ///< pairs that nearly touch: dynamic leaves keep a gap of about 0.5 mm

    bool include(const physics::BeamFrame& frame, const Rect& opening) {
        const auto part = box_in_field(frame, opening, patient_);
        if (!part) return false;
        low_ = low_.cwiseMin(part->lower_mm);
        high_ = high_.cwiseMax(part->upper_mm);
        return true;
    }

    const PatientBox& patient_;
    PatientPosition position_;
    const EngineOptions& options_;
    Vec3 low_ = Vec3::Constant(1e30), high_ = Vec3::Constant(-1e30);
    std::vector<std::string> notes_, missing_;
};

/// The patient's box, cut to the neighbourhood of the fields.
PatientBox calculation_box(const PatientBox& patient, const Plan& plan, const BeamModelProvider& models,
                           const EngineOptions& options, const FieldOpening& also,
                           std::vector<std::string>& notes) {
    FieldBox fields(patient, plan.position, options);
    for (const Beam& beam : plan.beams) fields.add(beam, models(beam).head.maximum_field_radius_mm, also);
    if (fields.missing().size() == plan.beams.size()) {
        std::string all;
        for (const std::string& one : fields.missing()) all += (all.empty() ? "" : "; ") + one;
        throw bad_input("no beam meets the patient: " + all, "plan " + plan.label,
                        "Check the isocentre and the patient position");
    }
    notes.insert(notes.end(), fields.notes().begin(), fields.notes().end());
    notes.insert(notes.end(), fields.missing().begin(), fields.missing().end());
    return fields.box();
}

/// The given grid, its voxels continued or left away so that it covers `needed` and no more than the patient
/// beyond that.
Grid continued_grid(const Grid& given, const PatientBox& needed, const PatientBox& patient) {
    Grid grid = given;
    for (int axis = 0; axis < 3; ++axis) {
        const double edge = given.lower_edge_mm()[axis], spacing = given.spacing_mm[axis];
        const double low = std::min(needed.lower_mm[axis], std::max(patient.lower_mm[axis], edge));
        const double high =
            std::max(needed.upper_mm[axis], std::min(patient.upper_mm[axis], given.upper_edge_mm()[axis]));
        // A billionth of a voxel of rounding must not add a layer.
        const double first = std::floor((low - edge) / spacing + 1e-9),
                     end = std::ceil((high - edge) / spacing - 1e-9);
        if (!(end - first < 1e5))
            throw bad_input("the given dose grid lies too far from the patient", "dose grid",
                            "Check that it is of this patient");
        grid.size[static_cast<std::size_t>(axis)] = static_cast<int>(end - first);
        grid.origin_mm[axis] = given.origin_mm[axis] + first * spacing;
    }
    if (((given.lower_edge_mm() - patient.upper_mm).array() >= 0).any() ||
        ((patient.lower_mm - given.upper_edge_mm()).array() >= 0).any())
        throw bad_input("the given dose grid does not meet the patient", "dose grid",
                        "Check that it is of this patient");
    return grid;
}

}  // namespace

Grid dose_grid(const CtImage& ct, const StructureSet* structures, const Plan& plan,
               const BeamModelProvider& models, const EngineOptions& options, std::vector<std::string>& notes,
               const FieldOpening& also) {
    const PatientBox patient = patient_box(ct, structures, boluses_of(plan, structures));
    const PatientBox box = calculation_box(patient, plan, models, options, also, notes);
    if (options.grid) return continued_grid(*options.grid, box, patient);
    const double spacing_mm = options.grid_mm > 0
                                  ? options.grid_mm
                                  : automatic_grid_mm(plan, models, (box.upper_mm - box.lower_mm).prod());
    return Grid::covering(box.lower_mm, box.upper_mm, Vec3::Constant(spacing_mm));
}

void put_on_given_grid(const EngineOptions& options, Volume<float>& gy) {
    if (!options.grid) return;
    const Grid& wanted = *options.grid;
    Volume<float> cut(wanted);
    const Vec3 shift = gy.grid.continuous_index(wanted.origin_mm);
    const std::array<int, 3> first{static_cast<int>(std::lround(shift[0])),
                                   static_cast<int>(std::lround(shift[1])),
                                   static_cast<int>(std::lround(shift[2]))};
    for (int k = 0; k < wanted.size[2]; ++k)
        for (int j = 0; j < wanted.size[1]; ++j)
            for (int i = 0; i < wanted.size[0]; ++i) {
                const std::array<int, 3> at{i + first[0], j + first[1], k + first[2]};
                bool there = true;
                for (std::size_t a = 0; a < 3; ++a) there = there && at[a] >= 0 && at[a] < gy.grid.size[a];
                if (there) cut.at(i, j, k) = gy.at(at[0], at[1], at[2]);
            }
    gy = std::move(cut);
}

std::string spacing_text(const Grid& grid) {
    const Vec3& s = grid.spacing_mm;
    const std::string x = short_number(s[0]);
    return s[0] == s[1] && s[0] == s[2] ? x : x + " x " + short_number(s[1]) + " x " + short_number(s[2]);
}

std::string grid_note(const Grid& grid) {
    return "dose grid: " + std::to_string(grid.size[0]) + " x " + std::to_string(grid.size[1]) + " x " +
           std::to_string(grid.size[2]) + " voxels of " + spacing_text(grid) + " mm";
}

std::string grid_note(const Grid& grid, const EngineOptions& options) {
    if (!options.grid) return grid_note(grid);
    return grid_note(*options.grid) + ", as given; calculated on " + std::to_string(grid.size[0]) + " x " +
           std::to_string(grid.size[1]) + " x " + std::to_string(grid.size[2]) +
           " of them, as far as the fields and the body reach";
}

std::optional<PatientBox> box_of_beam(const PatientBox& patient, const Beam& beam, PatientPosition position,
                                      double field_radius_mm, const EngineOptions& options,
                                      std::vector<std::string>& notes) {
    EngineOptions without_margin = options;
    without_margin.beam_margin_mm = 0;
    FieldBox field(patient, position, without_margin);
    field.add(beam, field_radius_mm, {});
    notes.insert(notes.end(), field.notes().begin(), field.notes().end());
    if (!field.missing().empty()) return std::nullopt;
    return field.box();
}

Rect field_of_map_mm(const FluenceMap& map) {
    const float least = open_part * *std::max_element(map.values.begin(), map.values.end());
    FluenceMap open = map;
    for (float& value : open.values)
        if (value < least) value = 0;
    return nonzero_bounds(open);
}

std::optional<PatientBox> box_of_map(const PatientBox& patient, const FluenceMap& map,
                                     const std::string& where) {
    if (contains(patient, map.frame.source_mm()))
        throw bad_input("the source lies inside the patient", where,
                        "Check the isocentre and the patient position");
    return box_in_field(map.frame, field_of_map_mm(map), patient);
}

}  // namespace libdose
