// RT Plan Storage -> Plan. Which beams are delivered, with which meterset, on a patient in which position.
#include <algorithm>

#include "io/dicom/dicom_plan_gate.h"
#include "io/dicom/dicom_plan_parts.h"
#include "libdose/io/dicom.h"

namespace libdose::io {
namespace {

const char* const rt_plan_class = "1.2.840.10008.5.1.4.1.1.481.5";
const char* const rt_ion_plan_class = "1.2.840.10008.5.1.4.1.1.481.8";

void require_photon_plan(const DicomItem& root) {
    const std::string sop_class = root.text(DCM_SOPClassUID);
    if (sop_class == rt_ion_plan_class)
        throw refused_plan("this is an RT Ion Plan: ion beams are not modelled", root.at(DCM_SOPClassUID));
    if (sop_class != rt_plan_class)
        throw bad_input("this is not an RT Plan but " +
                            std::string(dcmFindNameOfUID(sop_class.c_str(), sop_class.c_str())),
                        root.at(DCM_SOPClassUID), "Give the file of an RT Plan");
}

DicomItem choose_fraction_group(const DicomItem& root, int wanted) {
    const auto groups = root.items(DCM_FractionGroupSequence, "fraction group");
    if (groups.empty()) throw bad_input("the plan has no fraction group", root.at(DCM_FractionGroupSequence));
    if (wanted == 0 && groups.size() == 1) return groups.front();
    std::string listed;
    for (const DicomItem& group : groups) {
        const int number = group.integer(DCM_FractionGroupNumber);
        if (number == wanted && wanted != 0) return group;
        listed += (listed.empty() ? "" : ", ") + std::to_string(number);
    }
    if (wanted == 0)
        throw bad_input("the plan has several fraction groups: " + listed, root.at(DCM_FractionGroupSequence),
                        "Choose one of them");
    throw bad_input("the plan has no fraction group " + std::to_string(wanted) + ", only: " + listed,
                    root.at(DCM_FractionGroupSequence), "Choose one of them");
}

struct BeamReference {
    int number = 0;
    std::optional<double> meterset_mu, dose_gy;
    std::optional<Vec3> dose_point_mm;
};

/// The plan may say which dose per monitor unit its planning system assumes: PS3.3 C.8.8.13, since 2021.
void note_calibration(const DicomItem& reference, std::vector<std::string>& notes) {
    for (const DicomItem& item : reference.items(DCM_DoseCalibrationConditionsSequence, "calibration")) {
        const std::string ratio = item.text_or_empty(DCM_AbsorbedDoseToMetersetRatio);
        notes.push_back(item.place() + ": the planning system assumes " +
                        (ratio.empty() ? "a calibration of its own" : ratio + " Gy per MU") +
                        "; the calibration of the beam model is used");
    }
}

std::vector<BeamReference> read_references(const DicomItem& group, std::vector<std::string>& notes) {
    std::vector<BeamReference> references;
    for (const DicomItem& item : group.items(DCM_ReferencedBeamSequence, "referenced beam")) {
        BeamReference reference;
        reference.number = item.integer(DCM_ReferencedBeamNumber);
        for (const BeamReference& other : references)
            if (other.number == reference.number)
                throw bad_input("the beam " + std::to_string(reference.number) + " is referred to twice",
                                item.at(DCM_ReferencedBeamNumber));
        reference.meterset_mu = item.optional_number(DCM_BeamMeterset);
        if (reference.meterset_mu && *reference.meterset_mu < 0)
            throw bad_input("the meterset is negative", item.at(DCM_BeamMeterset));
        reference.dose_gy = item.optional_number(DCM_BeamDose);
        const bool physical = item.optional_text(DCM_BeamDoseType).value_or("PHYSICAL") == "PHYSICAL";
        const bool of_the_beam =
            item.optional_text(DCM_BeamDoseMeaning).value_or("BEAM_LEVEL") == "BEAM_LEVEL";
        if (reference.dose_gy && !(physical && of_the_beam)) {
            notes.push_back(item.place() +
                            ": its Beam Dose is not the physical dose of the beam alone and is not used");
            reference.dose_gy.reset();
        }
        if (!item.optional_numbers(DCM_RETIRED_BeamDoseSpecificationPoint).empty()) {
            const auto xyz = item.numbers(DCM_RETIRED_BeamDoseSpecificationPoint, 3);
            reference.dose_point_mm = Vec3(xyz[0], xyz[1], xyz[2]);
        }
        note_calibration(item, notes);
        references.push_back(reference);
    }
    if (const auto count = group.optional_integer(DCM_NumberOfBeams);
        count && *count != static_cast<int>(references.size()))
        throw bad_input("the fraction group says " + std::to_string(*count) + " beams and refers to " +
                            std::to_string(references.size()),
                        group.at(DCM_NumberOfBeams));
    if (references.empty())
        throw bad_input("the fraction group refers to no beam", group.at(DCM_ReferencedBeamSequence));
    return references;
}

/// Why a beam of the fraction group is not delivered; empty when it is. Throws for what could be either.
std::string why_left_out(const DicomItem& beam, const BeamReference& reference,
                         std::vector<std::string>& notes) {
    const std::string type = beam.optional_text(DCM_TreatmentDeliveryType).value_or("TREATMENT");
    if (type == "SETUP") return "a set-up beam";
    if (!reference.meterset_mu) return "no meterset in the fraction group";
    if (*reference.meterset_mu == 0) return "a meterset of 0";
    if (type == "CONTINUATION")
        notes.push_back(beam.place() +
                        ": continues an interrupted treatment; only what it still delivers is calculated");
    else if (type != "TREATMENT")
        throw refused_plan(
            "a beam of type " + type + " with a meterset: whether its dose counts cannot be told",
            beam.at(DCM_TreatmentDeliveryType), "Remove the beam or its meterset");
    return {};
}

std::string setup_position(const DicomItem& root, const std::optional<int>& number, const DicomItem& beam) {
    std::string position;
    for (const DicomItem& setup : root.items(DCM_PatientSetupSequence, "patient setup")) {
        if (number && setup.integer(DCM_PatientSetupNumber) != *number) continue;
        const std::string here = setup.text(DCM_PatientPosition);
        if (!position.empty() && here != position)
            throw refused_plan("the patient positions " + position + " and " + here + " are both possible",
                               beam.at(DCM_ReferencedPatientSetupNumber),
                               "The beam has to refer to one patient setup");
        position = here;
    }
    if (position.empty())
        throw refused_plan(number ? "there is no patient setup " + std::to_string(*number)
                                  : std::string("there is no patient setup"),
                           beam.at(DCM_ReferencedPatientSetupNumber),
                           "The patient position has to be in the plan");
    return position;
}

void note_harmless(const DicomItem& beam, std::vector<std::string>& notes) {
    if (const auto technique = beam.optional_text(DCM_HighDoseTechniqueType);
        technique && *technique != "NORMAL")
        notes.push_back(beam.place() + ": high-dose technique " + *technique +
                        ", calculated like any other beam");
}

std::string beam_place(const DicomItem& root, const DicomItem& beam) {
    return root.place() + ", beam " + std::to_string(beam.integer(DCM_BeamNumber)) + " '" +
           beam.text_or_empty(DCM_BeamName) + "'";
}

void require_monitor_units(const DicomItem& beam) {
    const std::string unit = beam.text(DCM_PrimaryDosimeterUnit);
    if (unit != "MU")
        throw refused_plan("the meterset is in " + unit + ": only MU are modelled",
                           beam.at(DCM_PrimaryDosimeterUnit));
}

class PlanReader {
public:
    /// With `collect` what is refused is listed in the gate and reading goes on; without, it throws.
    PlanReader(const DicomFile& file, int fraction_group, const std::vector<std::string>& accepted,
               bool collect)
        : root_(file.root()), wanted_group_(fraction_group), gate_(accepted), collect_(collect) {
        plan_.notes = file.notes();
    }

    Plan read() {
        require_photon_plan(root_);
        gate_.plan(root_);
        stop_if_refused();
        read_identity();
        const DicomItem group = choose_fraction_group(root_, wanted_group_);
        gate_.fraction_group(group);
        stop_if_refused();
        plan_.fraction_group = group.integer(DCM_FractionGroupNumber);
        plan_.fractions = group.integer(DCM_NumberOfFractionsPlanned);
        if (plan_.fractions < 1)
            throw bad_input("the number of fractions is not positive",
                            group.at(DCM_NumberOfFractionsPlanned));
        index_beams();
        const auto references = read_references(group, plan_.notes);
        for (const BeamReference& reference : references) add_beam(reference, group);
        note_beams_of_other_groups(references);
        plan_.gate = gate_.entries();
        if (collect_) return std::move(plan_);
        gate_.require_all_accepted_found();
        if (plan_.beams.empty()) {
            std::string reasons;
            for (const std::string& note : plan_.notes) reasons += "; " + note;
            throw bad_input("the fraction group has no beam to deliver" + reasons,
                            group.at(DCM_ReferencedBeamSequence));
        }
        plan_.check();
        return std::move(plan_);
    }

private:
    void read_identity() {
        plan_.sop_class_uid = root_.text(DCM_SOPClassUID);
        plan_.sop_instance_uid = root_.text(DCM_SOPInstanceUID);
        plan_.label = root_.text_or_empty(DCM_RTPlanLabel);
        plan_.name = root_.text_or_empty(DCM_RTPlanName);
        plan_.patient_id = root_.text_or_empty(DCM_PatientID);
        plan_.frame_of_reference_uid = root_.text_or_empty(DCM_FrameOfReferenceUID);
        for (const DicomItem& item : root_.items(DCM_ReferencedStructureSetSequence, "structure set"))
            plan_.referenced_structure_set_uid = item.text(DCM_ReferencedSOPInstanceUID);
        const auto approval = root_.optional_text(DCM_ApprovalStatus);
        plan_.notes.push_back("approval status: " + approval.value_or("not given"));
        if (root_.text_or_empty(DCM_RTPlanGeometry) == "TREATMENT_DEVICE")
            plan_.notes.push_back(
                "the plan was made on the treatment device, without a patient's images (RT Plan Geometry)");
    }

    void index_beams() {
        for (const DicomItem& item : root_.items(DCM_BeamSequence, "beam")) {
            DicomItem beam = item.renamed(beam_place(root_, item));
            const int number = beam.integer(DCM_BeamNumber);
            if (find(number))
                throw bad_input("two beams have the number " + std::to_string(number),
                                beam.at(DCM_BeamNumber));
            beams_.emplace_back(number, beam);
        }
    }

    const DicomItem* find(int number) const {
        for (const auto& [n, beam] : beams_)
            if (n == number) return &beam;
        return nullptr;
    }

    void add_beam(const BeamReference& reference, const DicomItem& group) {
        const DicomItem* item = find(reference.number);
        if (!item)
            throw bad_input("the fraction group refers to a beam " + std::to_string(reference.number) +
                                " that the plan does not hold",
                            group.at(DCM_ReferencedBeamSequence));
        try {
            if (const std::string reason = why_left_out(*item, reference, plan_.notes); !reason.empty()) {
                plan_.notes.push_back(item->place() + ": left out, " + reason);
                gate_.left_out(reference.number, item->place(), reason);
            } else {
                read_delivered(*item, reference);
            }
        } catch (const Error& error) {
            if (!collect_ || error.kind() != ErrorKind::refused_plan) throw;
            gate_.refused_by_reader(reference.number, error.what());
        }
    }

    void read_delivered(const DicomItem& item, const BeamReference& reference) {
        refuse_radiation_type(item);
        refuse_unmodelled_machine(
            root_, item);  // before the gate: its name says more than what it has of unknown attributes
        gate_.beam(item, reference.number);
        stop_if_refused();
        refuse_by_meaning(item);
        require_monitor_units(item);
        read_position(item);
        note_harmless(item, plan_.notes);
        Beam beam = read_beam(item, plan_.notes);
        beam.meterset_mu = *reference.meterset_mu;
        beam.dose_point_gy = reference.dose_gy;
        beam.dose_point_mm = reference.dose_point_mm;
        check(beam);
        plan_.beams.push_back(std::move(beam));
    }

    /// Beam::check(), with the file before the beam.
    void check(const Beam& beam) const {
        try {
            beam.check();
        } catch (const Error& error) {
            throw Error(error.kind(), error.problem(), root_.place() + ", " + error.where(), error.advice());
        }
    }

    void stop_if_refused() const {
        if (!collect_) gate_.require_open();
    }

    void read_position(const DicomItem& beam) {
        const std::string text =
            setup_position(root_, beam.optional_integer(DCM_ReferencedPatientSetupNumber), beam);
        PatientPosition position = PatientPosition::hfs;
        try {
            position = patient_position_from_string(text);
        } catch (const Error&) {
            throw refused_plan("the patient position " + text + " is not modelled",
                               beam.at(DCM_PatientPosition));
        }
        if (!plan_.beams.empty() && position != plan_.position)
            throw refused_plan("the patient position " + text + " differs from that of the other beams",
                               beam.at(DCM_PatientPosition),
                               "All beams of a plan have to be for one position");
        plan_.position = position;
    }

    void note_beams_of_other_groups(const std::vector<BeamReference>& references) {
        for (const auto& [number, beam] : beams_) {
            const bool used = std::any_of(references.begin(), references.end(),
                                          [n = number](const BeamReference& r) { return r.number == n; });
            if (!used)
                plan_.notes.push_back(beam.place() + ": left out, not in fraction group " +
                                      std::to_string(plan_.fraction_group));
        }
    }

    DicomItem root_;
    int wanted_group_;
    PlanGate gate_;
    bool collect_;
    Plan plan_;
    std::vector<std::pair<int, DicomItem>> beams_;
};

}  // namespace

Plan read_plan(const std::filesystem::path& file, int fraction_group,
               const std::vector<std::string>& accepted) {
    const DicomFile dicom(file);
    return PlanReader(dicom, fraction_group, accepted, false).read();
}

std::vector<GateEntry> gate_plan(const std::filesystem::path& file, int fraction_group,
                                 const std::vector<std::string>& accepted) {
    const DicomFile dicom(file);
    return PlanReader(dicom, fraction_group, accepted, true).read().gate;
}

}  // namespace libdose::io
