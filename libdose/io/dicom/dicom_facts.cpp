// Stub.
#include "libdose/io/dicom_facts.h"

namespace libdose::io {

PlanFacts read_plan_facts(const std::filesystem::path&) { return {}; }
StructureFacts read_structure_facts(const std::filesystem::path&) { return {}; }
DoseFacts read_dose_facts(const std::filesystem::path&) { return {}; }
CtFacts read_ct_facts(const std::filesystem::path&) { return {}; }

}  // namespace libdose::io
