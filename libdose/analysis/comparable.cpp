#include "libdose/comparable.h"

#include "libdose/error.h"

namespace libdose {
namespace {

/// Name of the dose in a message.
std::string named(const Dose& dose) {
    std::string text = to_string(dose.summation) + " dose";
    if (!dose.sop_instance_uid.empty()) text += " " + dose.sop_instance_uid;
    return text;
}

std::string fractions_text(const Dose& dose) {
    return (dose.fractions ? std::to_string(*dose.fractions) : "an unknown number of") + " fractions";
}

bool known_and_different(const std::string& one, const std::string& other) {
    return !one.empty() && !other.empty() && one != other;
}

std::string patient_note(const std::string& one, const std::string& other, const char* what) {
    return "the patient IDs differ: " + one + " and " + other + "; check that " + what + " belong together";
}

}  // namespace

void check_same_frame(const std::string& one, const std::string& other, const std::string& what,
                      const std::string& where) {
    if (!known_and_different(one, other)) return;
    throw bad_input(what + " have different frames of reference",
                    where.empty() ? one + " and " + other : where,
                    "Both must be of the same scan; register and export them again");
}

void check_physical(const Dose& dose, const std::string& purpose) {
    if (dose.type == "PHYSICAL") return;
    const std::string meaning = dose.type == "ERROR"       ? " (a difference of doses)"
                                : dose.type == "EFFECTIVE" ? " (a biological dose)"
                                                           : "";
    throw bad_input("the dose type is " + dose.type + meaning + ", not PHYSICAL " + purpose,
                    named(dose) + ", (3004,0004) Dose Type", "Export the physical dose");
}

std::vector<std::string> check_comparable(const Dose& reference, const Dose& evaluated) {
    const std::string where = named(reference) + " and " + named(evaluated);
    check_same_frame(reference.frame_of_reference_uid, evaluated.frame_of_reference_uid, "the two doses");
    for (const Dose* dose : {&reference, &evaluated}) check_physical(*dose, "to be compared");
    std::vector<std::string> notes;
    if (is_whole_course(reference) != is_whole_course(evaluated) ||
        (!is_whole_course(reference) && reference.summation != evaluated.summation))
        throw bad_input("a dose of summation type " + to_string(reference.summation) +
                            " is compared with one of " + to_string(evaluated.summation),
                        where + ", (3004,000a) Dose Summation Type",
                        "Compare whole courses, or like with like; `dose sum FILE --fractions N` multiplies "
                        "the dose of one fraction by their number");
    if (!is_whole_course(reference) && reference.fractions && evaluated.fractions &&
        *reference.fractions != *evaluated.fractions)
        throw bad_input(
            "the doses include " + fractions_text(reference) + " and " + fractions_text(evaluated), where,
            "Multiply the dose of one fraction by their number first");
    if (!is_whole_course(reference) && reference.fractions.has_value() != evaluated.fractions.has_value())
        notes.push_back("the reference includes " + fractions_text(reference) + ", the evaluated dose " +
                        fractions_text(evaluated) + ": check that both are of as many");
    if (reference.summation != evaluated.summation)
        notes.push_back("a " + to_string(reference.summation) + " dose is compared with a " +
                        to_string(evaluated.summation) + " dose: both are whole courses");
    if (known_and_different(reference.patient_id, evaluated.patient_id))
        notes.push_back(patient_note(reference.patient_id, evaluated.patient_id, "the doses"));
    return notes;
}

void check_histogram(const Dose& dose) {
    check_physical(dose, "for a dose-volume histogram");
    if (dose.plane)
        throw bad_input("the dose is one plane without a thickness: it has no volume",
                        named(dose) + ", (0018,0050) Slice Thickness", "Export the dose of the whole volume");
}

void check_histogram(const Dose& dose, const Structure& structure) {
    check_same_frame(dose.frame_of_reference_uid, structure.frame_of_reference_uid,
                     "the dose and the structure \"" + structure.name + "\"");
    check_histogram(dose);
}

void check_histogram(const Dose& dose, const StructureExpression& region) {
    for (const Structure* structure : region.structures()) check_histogram(dose, *structure);
}

std::vector<std::string> check_histogram(const Dose& dose, const StructureSet& structures) {
    check_same_frame(dose.frame_of_reference_uid, structures.frame_of_reference_uid,
                     "the dose and the structure set");
    check_histogram(dose);
    std::vector<std::string> notes;
    if (known_and_different(dose.patient_id, structures.patient_id))
        notes.push_back(patient_note(dose.patient_id, structures.patient_id, "dose and structures"));
    return notes;
}

}  // namespace libdose
