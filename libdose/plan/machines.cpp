// Machines whose beams are not what the engine models, by the names that they have in plans.
#include <array>
#include <cctype>

#include "base/text.h"
#include "plan/plan_meaning.h"

namespace libdose {
namespace {

/// To refuse one more machine, add its name in lower case and a case in tests/io/test_dicom_plan_gate.cpp.
struct Machine {
    const char* name;  ///< how a word of manufacturer or model begins
    const char* kind;
};
constexpr std::array machines{
    Machine{"tomotherapy", "TomoTherapy"}, Machine{"hi-art", "TomoTherapy"},
    Machine{"hi art", "TomoTherapy"},      Machine{"hiart", "TomoTherapy"},
    Machine{"radixact", "TomoTherapy"},    Machine{"cyberknife", "CyberKnife"},
    Machine{"accuray", "Accuray"},         Machine{"viewray", "MRIdian"},
    Machine{"mridian", "MRIdian"},         Machine{"unity", "Unity"},
    Machine{"mr-linac", "MR-linac"},       Machine{"mr linac", "MR-linac"},
    Machine{"mrlinac", "MR-linac"},        Machine{"gamma knife", "Gamma Knife"},
    Machine{"gammaknife", "Gamma Knife"},  Machine{"gammaplan", "Gamma Knife"},
    Machine{"leksell", "Gamma Knife"},     Machine{"perfexion", "Gamma Knife"},
};

}  // namespace

const char* unmodelled_machine(const std::string& name) {
    const std::string lower = lower_case(name);
    for (const Machine& machine : machines)
        for (auto at = lower.find(machine.name); at != std::string::npos;
             at = lower.find(machine.name, at + 1))
            // A word begins so: "Elekta Unity" has a unity, a "community" has not.
            if (at == 0 || !std::isalpha(static_cast<unsigned char>(lower[at - 1]))) return machine.kind;
    return nullptr;
}

}  // namespace libdose
