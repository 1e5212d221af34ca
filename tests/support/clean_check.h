// A small case of a check, made in memory, that has nothing wrong: water, a body and a target, one beam, and
// a uniform planned dose. Tests change one thing of it.
#pragma once

#include <algorithm>

#include "check/integrity.h"
#include "libdose/beam_model.h"
#include "libdose/check/check.h"

namespace libdose::test {

/// A cuboid with its middle at x = y = 0, with contours every 10 mm from `first_z` to `last_z`.
inline Structure cuboid(int number, const std::string& name, const std::string& type, double half_mm,
                        double first_z, double last_z) {
    Structure structure;
    structure.number = number;
    structure.name = name;
    structure.type = type;
    structure.plane_spacing_mm = 10;
    structure.frame_of_reference_uid = "1.9";
    for (double z = first_z; z <= last_z; z += 10)
        structure.contours.push_back({{Vec3(-half_mm, -half_mm, z), Vec3(half_mm, -half_mm, z),
                                       Vec3(half_mm, half_mm, z), Vec3(-half_mm, half_mm, z)}});
    return structure;
}

/// Voxels of 10 mm with their centres from -half to half.
inline Grid centimetres(int half_x, int half_y, int half_z) {
    Grid grid;
    grid.size = {2 * half_x + 1, 2 * half_y + 1, 2 * half_z + 1};
    grid.spacing_mm = Vec3::Constant(10);
    grid.origin_mm = -10.0 * Vec3(half_x, half_y, half_z);
    return grid;
}

inline Plan clean_plan() {
    Plan plan;
    plan.label = "clean";
    plan.sop_instance_uid = "1.1";
    plan.frame_of_reference_uid = "1.9";
    plan.referenced_structure_set_uid = "1.2";
    plan.fractions = 30;
    Beam beam;
    beam.number = 1;
    beam.name = "field";
    beam.machine = "linac";
    beam.nominal_energy_mv = 6;
    beam.meterset_mu = 200;
    beam.dose_point_mm = Vec3::Zero();
    beam.dose_point_gy = 2;
    beam.control_points.resize(2);
    plan.beams = {beam};
    return plan;
}

inline io::PlanFacts clean_plan_facts(const io::PatientFacts& patient) {
    io::PlanFacts facts;
    facts.patient = patient;
    facts.sop_instance_uid = "1.1";
    facts.label = "clean";
    facts.approval = "APPROVED";
    facts.reviewer = "Physicist";
    facts.structure_set_uid = "1.2";
    facts.frame_of_reference_uid = "1.9";
    io::Prescription prescription;
    prescription.number = 1;
    prescription.description = "PTV";
    prescription.type = "TARGET";
    prescription.structure_number = 2;
    prescription.target_dose_gy = 60;
    facts.prescriptions = {prescription};
    io::FractionGroupFacts group;
    group.number = 1;
    group.fractions = 30;
    group.stated_beams = 1;
    group.beams = {1};
    group.beam_mu[1] = 200;
    group.beam_dose_gy[1] = 2;
    facts.fraction_groups = {group};
    facts.beam_types[1] = "TREATMENT";
    return facts;
}

/// Body of 160 x 160 x 110 mm, target of 40 x 40 x 50 mm, 60 Gy everywhere.
inline check::CheckInput clean_input() {
    const io::PatientFacts patient{"P1", "Test^Patient", "19600102", "F", "1.8"};
    check::CheckInput input;
    input.plan = clean_plan();
    input.plan_facts = clean_plan_facts(patient);
    input.structures.emplace();
    input.structures->sop_instance_uid = "1.2";
    input.structures->frame_of_reference_uid = "1.9";
    input.structures->structures = {cuboid(1, "BODY", "EXTERNAL", 80, -50, 50),
                                    cuboid(2, "PTV", "PTV", 20, -20, 20)};
    input.structure_facts.emplace();
    input.structure_facts->patient = patient;
    input.structure_facts->sop_instance_uid = "1.2";
    input.structure_facts->series_uids = {"1.3"};
    for (int k = 0; k < 11; ++k) {
        io::DicomEntry slice;
        slice.kind = "CT";
        slice.series_uid = "1.3";
        slice.sop_instance_uid = "1.3." + std::to_string(k + 1);
        input.ct_files.push_back(slice);
        input.structure_facts->series_images["1.3"].push_back(slice.sop_instance_uid);
    }
    input.ct_facts.emplace();
    input.ct_facts->patient = patient;
    input.ct_facts->series_uid = "1.3";
    input.ct_facts->frame_of_reference_uid = "1.9";
    input.ct.emplace();
    input.ct->hu = Volume<float>(centimetres(10, 10, 5), 0.0f);
    input.planned.emplace();
    input.planned->gy = Volume<float>(centimetres(10, 10, 8), 60.0f);
    input.planned->referenced_plan_uid = "1.1";
    input.planned->frame_of_reference_uid = "1.9";
    io::DoseFacts dose;
    dose.file = "RD.dcm";
    dose.patient = patient;
    dose.sop_instance_uid = "1.4";
    dose.plan_uid = "1.1";
    dose.structure_set_uid = "1.2";
    dose.frame_of_reference_uid = "1.9";
    input.dose_facts = {dose};
    return input;
}

inline check::CheckOptions clean_options() {
    check::CheckOptions options;
    options.protocol.prescription_percent = {2, 5, "the test"};
    return options;
}

/// Rows of an id.
inline std::vector<check::Row> rows_of(const std::vector<check::Row>& rows, const std::string& id) {
    std::vector<check::Row> found;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(found),
                 [&](const check::Row& row) { return row.id == id; });
    return found;
}

/// Integrity rows of an id, with a beam model that is generic.
inline std::vector<check::Row> integrity(const check::CheckInput& input, const check::CheckOptions& options) {
    BeamModel model;
    model.name = "generic 6 MV";
    return check::integrity_rows(input, options, [&](const Beam&) -> const BeamModel& { return model; });
}

/// The only row of an id; one named "absent" where there is none or more than one.
inline check::Row row_of(const check::CheckInput& input, const std::string& id,
                         const check::CheckOptions& options = clean_options()) {
    const std::vector<check::Row> found = rows_of(integrity(input, options), id);
    if (found.size() == 1) return found.front();
    check::Row absent;
    absent.name = "absent";
    absent.reason = std::to_string(found.size()) + " rows";
    return absent;
}

}  // namespace libdose::test
