// Whose plan it is, and the files that were read.
#include <fstream>
#include <sstream>

#include "check/report_parts.h"
#include "libdose/io/hdf5.h"

namespace libdose::check {

using nlohmann::json;

namespace {

std::string bytes_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream bytes;
    bytes << stream.rdbuf();
    return bytes.str();
}

json object_json(const io::DicomEntry& entry) {
    return {{"kind", entry.kind},
            {"uid", entry.sop_instance_uid},
            {"label", entry.label},
            {"date", entry.date},
            {"file", entry.file.filename()},
            {"files", 1},
            {"sha256", io::sha256(bytes_of(entry.file))}};
}

/// A series is one object; its hash is that of the hashes of its files.
json series_json(const std::vector<io::DicomEntry>& files) {
    std::string hashes;
    for (const io::DicomEntry& entry : files) hashes += io::sha256(bytes_of(entry.file));
    json object = object_json(files.front());
    object["uid"] = files.front().series_uid;
    object["files"] = files.size();
    object["file"] = "";
    object["sha256"] = io::sha256(hashes);
    return object;
}

json patient_of(const io::PatientFacts& patient) {
    return {
        {"id", patient.id}, {"name", patient.name}, {"birth_date", patient.birth_date}, {"sex", patient.sex}};
}

}  // namespace

json patient_json(const CheckInput& input) {
    if (input.plan_facts) return patient_of(input.plan_facts->patient);
    if (input.structure_facts) return patient_of(input.structure_facts->patient);
    if (input.ct)
        return {{"id", input.ct->patient_id},
                {"name", input.ct->patient_name},
                {"birth_date", input.ct->patient_birth_date},
                {"sex", input.ct->patient_sex}};
    return nullptr;
}

json plan_json(const CheckInput& input) {
    if (!input.plan_facts) return nullptr;
    const io::PlanFacts& facts = *input.plan_facts;
    json plan = {{"label", facts.label},
                 {"name", facts.name},
                 {"date", facts.date},
                 {"sop_instance_uid", facts.sop_instance_uid},
                 {"approval", facts.approval},
                 {"planning_system", facts.manufacturer + " " + facts.model + " " + facts.software}};
    plan["prescriptions"] = json::array();
    for (const io::Prescription& p : facts.prescriptions)
        if (p.target_dose_gy)
            plan["prescriptions"].push_back(
                {{"name", p.description}, {"dose_gy", number_json(*p.target_dose_gy)}});
    if (input.plan) {
        plan["fractions"] = input.plan->fractions;
        plan["fraction_group"] = input.plan->fraction_group;
        if (!input.plan->beams.empty()) plan["machine"] = input.plan->beams.front().machine;
    }
    return plan;
}

json objects_json(const CheckInput& input) {
    json objects = json::array();
    if (input.plan_file) objects.push_back(object_json(*input.plan_file));
    if (input.structures_file) objects.push_back(object_json(*input.structures_file));
    if (!input.ct_files.empty()) objects.push_back(series_json(input.ct_files));
    for (const io::DoseFacts& dose : input.dose_facts)
        objects.push_back({{"kind", "RTDOSE"},
                           {"uid", dose.sop_instance_uid},
                           {"label", dose.summation},
                           {"date", dose.date},
                           {"file", dose.file.filename()},
                           {"files", 1},
                           {"sha256", io::sha256(bytes_of(dose.file))}});
    return objects;
}

}  // namespace libdose::check
