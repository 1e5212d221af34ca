#include <algorithm>

#include "capi/handles.h"
#include "capi/reading.h"
#include "libdose/io/dicom.h"

using namespace libdose;
using namespace libdose::capi;

namespace {

Beam& beam_at(libdose_plan* plan, size_t index) {
    std::vector<Beam>& beams = handle(plan, "plan").plan.beams;
    item(beams, index, "beam_index");
    return beams[index];
}

std::optional<JawOpening> jaw(std::int32_t present, const double (&positions)[2]) {
    return present != 0 ? std::optional(JawOpening{positions[0], positions[1]}) : std::nullopt;
}

/// The tips of all collimators, one after another, as one list for each.
std::vector<LeafPositions> leaves_of(const libdose_control_point& point, const Beam& beam) {
    std::size_t pairs = 0;
    for (const MultileafCollimator& collimator : beam.collimators)
        pairs += static_cast<std::size_t>(collimator.leaf_pairs());
    require_count(point.leaf_pair_count, pairs, "point->leaf_pair_count");
    std::vector<LeafPositions> leaves;
    if (pairs == 0) return leaves;
    const double *lower = &required(point.leaf_lower_mm, "point->leaf_lower_mm"),
                 *upper = &required(point.leaf_upper_mm, "point->leaf_upper_mm");
    for (const MultileafCollimator& collimator : beam.collimators) {
        const auto count = collimator.leaf_pairs();
        leaves.push_back(
            {std::vector<double>(lower, lower + count), std::vector<double>(upper, upper + count)});
        lower += count;
        upper += count;
    }
    return leaves;
}

/// For each wedge of the beam whether it is in.
std::vector<bool> wedges_in(const libdose_control_point& point, const Beam& beam) {
    require_count(point.wedge_count, beam.wedges.size(), "point->wedge_count");
    std::vector<bool> in;
    if (beam.wedges.empty()) return in;
    const std::int32_t* given = &required(point.wedge_in, "point->wedge_in");
    for (std::size_t w = 0; w < beam.wedges.size(); ++w) in.push_back(given[w] != 0);
    return in;
}

void require_no_control_points(const Beam& beam, const std::string& what) {
    if (!beam.control_points.empty())
        throw bad_input("the beam has control points already", "beam_index",
                        "Add its " + what + " before them");
}

}  // namespace

void libdose_beam_init(libdose_beam* beam, size_t struct_size) {
    libdose_beam values{};
    const Beam defaults;
    values.source_axis_distance_mm = defaults.source_axis_distance_mm;
    values.final_cumulative_weight = defaults.final_cumulative_weight;
    init_struct(beam, struct_size, values);
}

void libdose_control_point_init(libdose_control_point* point, size_t struct_size) {
    init_struct(point, struct_size, libdose_control_point{});
}
void libdose_plan_reading_init(libdose_plan_reading* reading, size_t struct_size) {
    init_struct(reading, struct_size, libdose_plan_reading{});
}

libdose_status libdose_plan_create(const char* label, int32_t fractions, libdose_patient_position position,
                                   const char* frame_of_reference_uid, libdose_plan** plan) {
    return guarded([&] {
        Output<libdose_plan> made(plan, "plan");
        if (fractions < 1)
            throw bad_input("the number of fractions is " + std::to_string(fractions), "fractions");
        made->plan.label = text_or_empty(label);
        made->plan.fractions = fractions;
        made->plan.position = position_of(position);
        made->plan.frame_of_reference_uid = text_or_empty(frame_of_reference_uid);
        made.hand_over();
    });
}

libdose_status libdose_plan_read(const char* file, const libdose_plan_reading* reading, libdose_plan** plan) {
    return guarded([&] {
        Output<libdose_plan> made(plan, "plan");
        const PlanReading how(reading);
        made->plan = io::read_plan(text_of(file, "file"), how.fraction_group, how.accepted);
        made.hand_over();
    });
}

libdose_status libdose_plan_add_beam(libdose_plan* plan, const libdose_beam* beam, size_t* index) {
    return guarded([&] {
        std::vector<Beam>& beams = handle(plan, "plan").plan.beams;
        const libdose_beam given = read_struct(beam, "beam");
        if (given.number < 1)
            throw bad_input("the beam number is " + std::to_string(given.number), "beam->number",
                            "Beams are numbered from 1");
        for (const Beam& other : beams)
            if (other.number == given.number)
                throw bad_input("there is a beam of number " + std::to_string(given.number) + " already",
                                "beam->number");
        const auto positive = [](double value, const char* name) {
            require_finite(value, name);
            if (!(value > 0)) throw bad_input("the value is not positive", name);
            return value;
        };
        Beam added;
        added.number = given.number;
        added.name = text_or_empty(given.name);
        added.machine = text_or_empty(given.machine);
        added.manufacturer = text_or_empty(given.manufacturer);
        if (given.fluence_mode) added.fluence_mode = text_of(given.fluence_mode, "beam->fluence_mode");
        added.nominal_energy_mv = positive(given.nominal_energy_mv, "beam->nominal_energy_mv");
        require_finite(given.meterset_mu, "beam->meterset_mu");
        added.meterset_mu = given.meterset_mu;
        added.source_axis_distance_mm =
            positive(given.source_axis_distance_mm, "beam->source_axis_distance_mm");
        if (given.tray_factor != 0) added.tray_factor = positive(given.tray_factor, "beam->tray_factor");
        require_finite(given.tray_water_mm, "beam->tray_water_mm");
        added.tray_water_mm = given.tray_water_mm;
        added.final_cumulative_weight =
            positive(given.final_cumulative_weight, "beam->final_cumulative_weight");
        beams.push_back(std::move(added));
        if (index) *index = beams.size() - 1;
    });
}

libdose_status libdose_plan_add_collimator(libdose_plan* plan, size_t beam_index, const char* type,
                                           const double* leaf_boundaries_mm, size_t boundary_count) {
    return guarded([&] {
        Beam& beam = beam_at(plan, beam_index);
        require_no_control_points(beam, "collimators");
        MultileafCollimator collimator;
        collimator.type = text_of(type, "type");
        if (collimator.type != "MLCX" && collimator.type != "MLCY" && collimator.type != "MLCX1" &&
            collimator.type != "MLCX2")
            throw bad_input("unknown collimator type \"" + collimator.type + "\"", "type",
                            "Choose MLCX, MLCY, MLCX1 or MLCX2");
        if (collimator.type == "MLCY") collimator.motion = MultileafCollimator::Motion::along_y;
        const double* edges = &required(leaf_boundaries_mm, "leaf_boundaries_mm");
        if (boundary_count < 2) throw bad_input("fewer than two leaf boundaries", "boundary_count");
        for (size_t i = 0; i < boundary_count; ++i) {
            require_finite(edges[i], "leaf_boundaries_mm");
            if (i > 0 && !(edges[i - 1] < edges[i]))
                throw bad_input("the leaf boundaries do not ascend", "leaf_boundaries_mm");
        }
        collimator.leaf_boundaries_mm.assign(edges, edges + boundary_count);
        beam.collimators.push_back(std::move(collimator));
    });
}

void libdose_wedge_init(libdose_wedge* wedge, size_t struct_size) {
    init_struct(wedge, struct_size, libdose_wedge{});
}
void libdose_block_init(libdose_block* block, size_t struct_size) {
    init_struct(block, struct_size, libdose_block{});
}

libdose_status libdose_plan_add_wedge(libdose_plan* plan, size_t beam_index, const libdose_wedge* wedge) {
    return guarded([&] {
        Beam& beam = beam_at(plan, beam_index);
        require_no_control_points(beam, "wedges");
        const libdose_wedge given = read_struct(wedge, "wedge");
        static_assert(static_cast<int>(Wedge::Kind::motorised) == LIBDOSE_WEDGE_MOTORISED &&
                      static_cast<int>(Wedge::Kind::dynamic) == LIBDOSE_WEDGE_DYNAMIC);
        one_of(given.kind, 3, "wedge->kind");
        require_finite(given.angle_deg, "wedge->angle_deg");
        require_finite(given.orientation_deg, "wedge->orientation_deg");
        require_finite(given.factor, "wedge->factor");
        Wedge added;
        added.number = given.number != 0 ? given.number : static_cast<int>(beam.wedges.size()) + 1;
        added.kind = static_cast<Wedge::Kind>(given.kind);
        added.id = text_or_empty(given.id);
        added.angle_deg = given.angle_deg;
        added.orientation_deg = given.orientation_deg;
        if (given.factor != 0) added.factor = given.factor;
        beam.wedges.push_back(std::move(added));
    });
}

libdose_status libdose_plan_add_block(libdose_plan* plan, size_t beam_index, const libdose_block* block) {
    return guarded([&] {
        Beam& beam = beam_at(plan, beam_index);
        const libdose_block given = read_struct(block, "block");
        const double *x = &required(given.x_mm, "block->x_mm"), *y = &required(given.y_mm, "block->y_mm");
        if (given.point_count < 3) throw bad_input("fewer than three points", "block->point_count");
        for (size_t n = 0; n < given.point_count; ++n) {
            require_finite(x[n], "block->x_mm");
            require_finite(y[n], "block->y_mm");
        }
        for (const double value : {given.transmission, given.tray_distance_mm, given.thickness_mm})
            require_finite(value, "block");
        Block added;
        added.number = given.number != 0 ? given.number : static_cast<int>(beam.blocks.size()) + 1;
        added.name = text_or_empty(given.name);
        added.aperture = given.aperture != 0;
        added.divergent = given.parallel_sides == 0;
        added.transmission = given.transmission;
        added.tray_distance_mm = given.tray_distance_mm;
        added.thickness_mm = given.thickness_mm;
        added.source_side = given.source_side != 0;
        added.x_mm.assign(x, x + given.point_count);
        added.y_mm.assign(y, y + given.point_count);
        beam.blocks.push_back(std::move(added));
    });
}

libdose_status libdose_plan_add_bolus(libdose_plan* plan, size_t beam_index, int32_t structure_number,
                                      const char* id) {
    return guarded([&] {
        Beam& beam = beam_at(plan, beam_index);
        if (structure_number < 1)
            throw bad_input("the ROI number is " + std::to_string(structure_number), "structure_number");
        beam.boluses.push_back({structure_number, text_or_empty(id)});
    });
}

libdose_status libdose_plan_add_control_point(libdose_plan* plan, size_t beam_index,
                                              const libdose_control_point* point) {
    return guarded([&] {
        Beam& beam = beam_at(plan, beam_index);
        const libdose_control_point given = read_struct(point, "point");
        one_of(given.gantry_rotation, 3, "point->gantry_rotation");
        ControlPoint added;
        added.gantry_deg = given.gantry_deg;
        added.collimator_deg = given.collimator_deg;
        added.couch_deg = given.couch_deg;
        added.isocentre_mm = Vec3(given.isocentre_mm[0], given.isocentre_mm[1], given.isocentre_mm[2]);
        added.jaw_x = jaw(given.has_jaw_x, given.jaw_x_mm);
        added.jaw_y = jaw(given.has_jaw_y, given.jaw_y_mm);
        added.leaves = leaves_of(given, beam);
        added.wedge_in = wedges_in(given, beam);
        added.cumulative_weight = given.cumulative_weight;
        static_assert(static_cast<int>(Rotation::clockwise) == LIBDOSE_ROTATION_CLOCKWISE &&
                      static_cast<int>(Rotation::counter_clockwise) == LIBDOSE_ROTATION_COUNTER_CLOCKWISE);
        beam.gantry_rotation.reserve(beam.gantry_rotation.size() + 1);
        beam.control_points.push_back(std::move(added));
        beam.gantry_rotation.push_back(static_cast<Rotation>(given.gantry_rotation));
    });
}

libdose_status libdose_plan_check(const libdose_plan* plan) {
    return guarded([&] { handle(plan, "plan").plan.check(); });
}

libdose_status libdose_plan_beam_count(const libdose_plan* plan, size_t* count) {
    return guarded([&] { required(count, "count") = handle(plan, "plan").plan.beams.size(); });
}

libdose_status libdose_plan_beam(const libdose_plan* plan, size_t beam_index, libdose_beam* beam) {
    return guarded([&] {
        const Beam& found = item(handle(plan, "plan").plan.beams, beam_index, "beam_index");
        libdose_beam values{};
        values.name = found.name.c_str();
        values.machine = found.machine.c_str();
        values.manufacturer = found.manufacturer.c_str();
        values.fluence_mode = found.fluence_mode.c_str();
        values.nominal_energy_mv = found.nominal_energy_mv;
        values.meterset_mu = found.meterset_mu;
        values.source_axis_distance_mm = found.source_axis_distance_mm;
        values.final_cumulative_weight = found.final_cumulative_weight;
        values.number = found.number;
        values.tray_factor = found.tray_factor;
        values.tray_water_mm = found.tray_water_mm;
        values.control_point_count = static_cast<int32_t>(found.control_points.size());
        write_struct(beam, values, "beam");
    });
}

libdose_status libdose_plan_fractions(const libdose_plan* plan, int32_t* fractions) {
    return guarded([&] { required(fractions, "fractions") = handle(plan, "plan").plan.fractions; });
}

void libdose_plan_free(libdose_plan** plan) { free_handle(plan); }
