// DICOM PS3.3 A.20 (RT Plan IOD, edition 2024e) and C.8.8.9 to C.8.8.16, with retired attributes of old
// plans. To honour, allow or refuse one more attribute, add a row and its case in
// tests/io/test_dicom_plan_gate.cpp.
#include "io/dicom/dicom_plan_rules.h"

#include <algorithm>
#include <array>

namespace libdose::io {

namespace {

const char* const names = "names or describes";
const char* const prescription = "prescription: the dose is calculated, not scaled to it";
const char* const for_verification = "set-up and verification";
const char* const recorded_dose = "a dose of the planning system, at most compared with";
const char* const tolerances = "tolerances of the treatment machine";
const char* const calibration = "calibration of the planning system, noted: that of the beam model counts";
const char* const tray = "a tray attenuates the beam and is not modelled";

const GateRule plan_rules[] = {
    {{0x0008, 0x0070},
     Rule::by_reader,
     "planning system: refused when it is one of a machine that is not modelled"},
    {{0x0008, 0x1090},
     Rule::by_reader,
     "planning system: refused when it is one of a machine that is not modelled"},
    {{0x300a, 0x0002}, Rule::harmless, names},
    {{0x300a, 0x0003}, Rule::harmless, names},
    {{0x300a, 0x0004}, Rule::harmless, names},
    {{0x300a, 0x0006}, Rule::harmless, names},
    {{0x300a, 0x0007}, Rule::harmless, names},
    {{0x300a, 0x0009}, Rule::harmless, names},
    {{0x300a, 0x000a}, Rule::harmless, "intent: noted by the planner"},
    {{0x300a, 0x000b}, Rule::harmless, names},
    {{0x300a, 0x000c}, Rule::honoured, "geometry: noted when it is the treatment device"},
    {{0x300a, 0x000e}, Rule::harmless, prescription},
    {{0x300a, 0x0010}, Rule::harmless, prescription},
    {{0x300a, 0x0040}, Rule::harmless, tolerances},
    {{0x300a, 0x0070}, Rule::honoured, "fraction group"},
    {{0x300a, 0x00a0}, Rule::refused_above_zero, "brachytherapy is not modelled"},
    {{0x300a, 0x00b0}, Rule::honoured, "beams"},
    {{0x300a, 0x0180}, Rule::honoured, "patient set-up"},
    {{0x300a, 0x0230}, Rule::refused_with_items, "brachytherapy is not modelled"},
    {{0x300a, 0x03a2}, Rule::refused_with_items, "ion beams are not modelled"},
    {{0x300a, 0x0700}, Rule::harmless, "treatment session for which the plan is meant"},
    {{0x300c, 0x0002}, Rule::harmless, "related plans"},
    {{0x300c, 0x0060}, Rule::honoured, "structure set"},
    {{0x300e, 0x0002}, Rule::honoured, "approval: noted"},
    {{0x300e, 0x0004}, Rule::harmless, "approval"},
    {{0x300e, 0x0005}, Rule::harmless, "approval"},
    {{0x300e, 0x0008}, Rule::harmless, "approval"},
};

const GateRule fraction_group_rules[] = {
    {{0x300a, 0x0071}, Rule::honoured, "number of the fraction group"},
    {{0x300a, 0x0072}, Rule::harmless, names},
    {{0x300a, 0x0078}, Rule::honoured, "fractions"},
    {{0x300a, 0x0079}, Rule::harmless, "timing of the fractions"},
    {{0x300a, 0x007a}, Rule::harmless, "timing of the fractions"},
    {{0x300a, 0x007b}, Rule::harmless, "timing of the fractions"},
    {{0x300a, 0x0080}, Rule::honoured, "number of beams"},
    {{0x300a, 0x00a0}, Rule::refused_above_zero, "brachytherapy is not modelled"},
    {{0x300c, 0x0004}, Rule::honoured, "referenced beams"},
    {{0x300c, 0x000a}, Rule::refused_with_items, "brachytherapy is not modelled"},
};

const GateRule referenced_beam_rules[] = {
    {{0x300a, 0x0082}, Rule::honoured, "dose point"},
    {{0x300a, 0x0084}, Rule::honoured, "beam dose: shown beside the calculated one"},
    {{0x300a, 0x0086}, Rule::honoured, "monitor units"},
    {{0x300a, 0x008b}, Rule::honoured, "meaning of the beam dose"},
    {{0x300a, 0x0090}, Rule::honoured, "type of the beam dose"},
    {{0x300a, 0x00c5}, Rule::harmless, "limit of the delivery's duration: dose goes by monitor units"},
    {{0x300a, 0x065a}, Rule::harmless, "commissioning of the planning system: that of the beam model counts"},
    {{0x300c, 0x0006}, Rule::honoured, "number of the beam"},
    {{0x300c, 0x0120}, Rule::harmless, calibration},
    {{0x300c, 0x0123}, Rule::harmless, calibration},
};

const GateRule patient_setup_rules[] = {
    {{0x0018, 0x5100}, Rule::honoured, "patient position"},
    {{0x300a, 0x0182}, Rule::honoured, "number of the set-up"},
    {{0x300a, 0x0183}, Rule::harmless, names},
    {{0x300a, 0x0184}, Rule::harmless, "text beside the patient position, which is required"},
    {{0x300a, 0x0190}, Rule::harmless, "fixation: attenuates as the CT and SUPPORT structures show it"},
    {{0x300a, 0x01a0}, Rule::refused_with_items, "shielding devices are not modelled"},
    {{0x300a, 0x01b0}, Rule::harmless, for_verification},
    {{0x300a, 0x01b2}, Rule::harmless, for_verification},
    {{0x300a, 0x01b4}, Rule::harmless, for_verification},
    {{0x300a, 0x01d0}, Rule::harmless, for_verification},
    {{0x300a, 0x01d2}, Rule::harmless, for_verification},
    {{0x300a, 0x01d4}, Rule::harmless, for_verification},
    {{0x300a, 0x01d6}, Rule::harmless, for_verification},
    {{0x300a, 0x0352}, Rule::harmless, names},
    {{0x300a, 0x0354}, Rule::harmless, names},
    {{0x300a, 0x0401}, Rule::harmless, for_verification},
    {{0x300a, 0x0410}, Rule::harmless, "respiratory motion: the dose is that of the CT given"},
    {{0x300a, 0x079f}, Rule::harmless, "preparation of the patient: the dose is that of the CT given"},
};

const GateRule beam_rules[] = {
    {{0x0008, 0x0070}, Rule::by_reader, "maker of the machine: some are refused"},
    {{0x0008, 0x1090}, Rule::by_reader, "model of the machine: some are refused"},
    {{0x3002, 0x0050}, Rule::honoured, "fluence mode"},
    {{0x3008, 0x00a1}, Rule::refused_with_items, "beam limiting devices in the enhanced form are not read"},
    {{0x3008, 0x00a3}, Rule::refused_if_yes, "beam limiting devices in the enhanced form are not read"},
    {{0x300a, 0x00b2},
     Rule::harmless,
     "treatment machine: its name picks the beam model where there is one of it, else the generic one"},
    {{0x300a, 0x00b3}, Rule::by_reader, "unit of the meterset: MU, all else is refused"},
    {{0x300a, 0x00b4}, Rule::by_reader, "source-axis distance: refused unless 1000 mm"},
    {{0x300a, 0x00b6}, Rule::honoured, "jaws and multileaf collimators"},
    {{0x300a, 0x00c0}, Rule::honoured, "number of the beam"},
    {{0x300a, 0x00c2}, Rule::harmless, names},
    {{0x300a, 0x00c3}, Rule::harmless, names},
    {{0x300a, 0x00c4}, Rule::harmless, "static or dynamic: the control points say it"},
    {{0x300a, 0x00c6}, Rule::by_reader, "radiation type: photons, all else is refused"},
    {{0x300a, 0x00c7}, Rule::harmless, "high-dose technique: noted"},
    {{0x300a, 0x00c8}, Rule::harmless, for_verification},
    {{0x300a, 0x00ca}, Rule::harmless, for_verification},
    {{0x300a, 0x00cc}, Rule::harmless, for_verification},
    {{0x300a, 0x00ce}, Rule::by_reader, "delivery type: decides whether the beam counts"},
    {{0x300a, 0x00d0}, Rule::honoured, "number of wedges"},
    {{0x300a, 0x00d1}, Rule::by_reader, "wedges"},
    {{0x300a, 0x00d7}, Rule::by_reader, "trays of wedges"},
    {{0x300a, 0x00e0}, Rule::refused_above_zero, "compensators are not modelled"},
    {{0x300a, 0x00e2}, Rule::refused_unless_one, tray},
    {{0x300a, 0x00e3}, Rule::refused_with_items, "compensators are not modelled"},
    {{0x300a, 0x00ed}, Rule::by_reader, "number of boluses of this beam"},
    {{0x300a, 0x00f0}, Rule::honoured, "number of blocks"},
    {{0x300a, 0x00f2}, Rule::honoured, "what comes through the trays of blocks"},
    {{0x300a, 0x00f3}, Rule::honoured, "trays of blocks: thickness, of use where there is no factor"},
    {{0x300a, 0x00f4}, Rule::by_reader, "blocks"},
    {{0x300a, 0x0107}, Rule::refused_with_items, "applicators and cones are not modelled"},
    {{0x300a, 0x010e}, Rule::honoured, "final weight"},
    {{0x300a, 0x0110}, Rule::honoured, "number of control points"},
    {{0x300a, 0x0111}, Rule::honoured, "control points"},
    {{0x300a, 0x030a}, Rule::by_reader, "virtual source: refused unless it is the source-axis distance"},
    {{0x300a, 0x030c}, Rule::refused_with_items, "ion beams are not modelled"},
    {{0x300a, 0x0312}, Rule::refused_above_zero, "ion beams are not modelled"},
    {{0x300a, 0x0314}, Rule::refused_with_items, "ion beams are not modelled"},
    {{0x300a, 0x0330}, Rule::refused_above_zero, "ion beams are not modelled"},
    {{0x300a, 0x0332}, Rule::refused_with_items, "ion beams are not modelled"},
    {{0x300a, 0x0340}, Rule::refused_above_zero, "ion beams are not modelled"},
    {{0x300a, 0x0342}, Rule::refused_with_items, "ion beams are not modelled"},
    {{0x300a, 0x0350}, Rule::by_reader, "support of the patient: a chair is refused"},
    {{0x300a, 0x0352}, Rule::harmless, names},
    {{0x300a, 0x0354}, Rule::harmless, names},
    {{0x300a, 0x0420}, Rule::refused_with_items, "what the accessory does to the beam is not known"},
    {{0x300c, 0x0040}, Rule::harmless, for_verification},
    {{0x300c, 0x0042}, Rule::harmless, for_verification},
    {{0x300c, 0x006a}, Rule::honoured, "patient set-up of the beam"},
    {{0x300c, 0x00b0}, Rule::honoured, "boluses of this beam"},
};

const GateRule limiting_device_rules[] = {
    {{0x300a, 0x00b8}, Rule::honoured, "device type"},
    {{0x300a, 0x00ba}, Rule::harmless, "distance of the device: positions are given at the isocentre"},
    {{0x300a, 0x00bb}, Rule::harmless, "distance of the device: positions are given at the isocentre"},
    {{0x300a, 0x00bc}, Rule::honoured, "number of pairs"},
    {{0x300a, 0x00be}, Rule::honoured, "leaf boundaries"},
};

const GateRule control_point_rules[] = {
    {{0x3008, 0x00a2}, Rule::refused_with_items, "beam limiting devices in the enhanced form are not read"},
    {{0x300a, 0x0112}, Rule::honoured, "index"},
    {{0x300a, 0x0114}, Rule::by_reader, "energy: one a beam"},
    {{0x300a, 0x0115}, Rule::harmless, "dose rate: dose goes by monitor units"},
    {{0x300a, 0x0116}, Rule::by_reader, "wedge positions"},
    {{0x300a, 0x011a}, Rule::honoured, "positions of jaws and leaves"},
    {{0x300a, 0x011e}, Rule::honoured, "gantry angle"},
    {{0x300a, 0x011f}, Rule::by_reader, "gantry rotation"},
    {{0x300a, 0x0120}, Rule::honoured, "collimator angle"},
    {{0x300a, 0x0121}, Rule::by_reader, "collimator rotation: refused by the longer way"},
    {{0x300a, 0x0122}, Rule::honoured, "couch angle"},
    {{0x300a, 0x0123}, Rule::by_reader, "couch rotation: refused by the longer way"},
    {{0x300a, 0x0124}, Rule::harmless, "distance of an eccentric axis, about which nothing may turn"},
    {{0x300a, 0x0125},
     Rule::refused_unless_no_turn,
     "an eccentric rotation of the table top is not modelled"},
    {{0x300a, 0x0126}, Rule::harmless, "direction of a rotation that is refused unless it turns nothing"},
    {{0x300a, 0x0128},
     Rule::by_reader,
     "table position: refused when it moves within the beam; the isocentre places the patient"},
    {{0x300a, 0x0129},
     Rule::by_reader,
     "table position: refused when it moves within the beam; the isocentre places the patient"},
    {{0x300a, 0x012a},
     Rule::by_reader,
     "table position: refused when it moves within the beam; the isocentre places the patient"},
    {{0x300a, 0x012c}, Rule::honoured, "isocentre"},
    {{0x300a, 0x0134}, Rule::honoured, "cumulative weight"},
    {{0x300a, 0x0140}, Rule::refused_unless_no_turn, "a pitched table top is not modelled"},
    {{0x300a, 0x0142}, Rule::harmless, "direction of a rotation that is refused unless it turns nothing"},
    {{0x300a, 0x0144}, Rule::refused_unless_no_turn, "a rolled table top is not modelled"},
    {{0x300a, 0x0146}, Rule::harmless, "direction of a rotation that is refused unless it turns nothing"},
    {{0x300a, 0x014a}, Rule::refused_unless_no_turn, "a pitched gantry is not modelled"},
    {{0x300a, 0x014c}, Rule::harmless, "direction of a rotation that is refused unless it turns nothing"},
    {{0x300a, 0x035a}, Rule::harmless, "dose rate: dose goes by monitor units"},
};

const GateRule device_position_rules[] = {
    {{0x300a, 0x00b8}, Rule::honoured, "device type"},
    {{0x300a, 0x011c}, Rule::honoured, "positions"},
};

const GateRule fluence_mode_rules[] = {
    {{0x3002, 0x0051}, Rule::honoured, "flattened or not"},
    {{0x3002, 0x0052}, Rule::honoured, "kind of what is not STANDARD"},
};

const GateRule wedge_rules[] = {
    {{0x300a, 0x00d2}, Rule::honoured, "number of the wedge"},
    {{0x300a, 0x00d3}, Rule::by_reader, "kind of the wedge: the partial ones are refused"},
    {{0x300a, 0x00d4}, Rule::honoured, "wedge: found by it in the beam model"},
    {{0x300a, 0x00d5}, Rule::honoured, "angle of the wedge"},
    {{0x300a, 0x00d6}, Rule::harmless, "wedge factor of the planning system, at most compared with"},
    {{0x300a, 0x00d8}, Rule::by_reader, "direction of the wedge"},
    {{0x300a, 0x00d9}, Rule::harmless, "distance of the wedge tray: in the beam model"},
    {{0x300a, 0x00da}, Rule::harmless, "distance of the wedge tray: in the beam model"},
    {{0x300a, 0x00de}, Rule::harmless, "angle of open and wedged parts together: the control points say it"},
    {{0x300a, 0x00f9}, Rule::harmless, names},
};

const GateRule wedge_position_rules[] = {
    {{0x300a, 0x0118}, Rule::by_reader, "wedge position: IN or OUT"},
    {{0x300c, 0x00c0}, Rule::honoured, "number of the wedge"},
};

const GateRule block_rules[] = {
    {{0x300a, 0x00e1}, Rule::harmless, "material of the block: its transmission is required"},
    {{0x300a, 0x00f5}, Rule::harmless, names},
    {{0x300a, 0x00f6}, Rule::honoured, "distance of the block tray"},
    {{0x300a, 0x00f7}, Rule::harmless, "distance of the block tray: that from the source counts"},
    {{0x300a, 0x00f8}, Rule::by_reader, "aperture or shielding"},
    {{0x300a, 0x00f9}, Rule::harmless, names},
    {{0x300a, 0x00fa}, Rule::by_reader, "sides of the block: divergent or parallel"},
    {{0x300a, 0x00fb}, Rule::by_reader, "side of the tray"},
    {{0x300a, 0x00fc}, Rule::honoured, "number of the block"},
    {{0x300a, 0x00fe}, Rule::harmless, names},
    {{0x300a, 0x0100}, Rule::honoured, "thickness of the block"},
    {{0x300a, 0x0102}, Rule::by_reader, "transmission of the block"},
    {{0x300a, 0x0104}, Rule::honoured, "number of points of the outline"},
    {{0x300a, 0x0106}, Rule::honoured, "outline of the block"},
    {{0x300a, 0x0355}, Rule::harmless, names},
    {{0x300a, 0x0440},
     Rule::harmless,
     "slabs of the block: thickness and transmission are those of all of them"},
    {{0x300a, 0x0441},
     Rule::harmless,
     "slabs of the block: thickness and transmission are those of all of them"},
};

const GateRule bolus_rules[] = {
    {{0x3006, 0x0084}, Rule::honoured, "structure of the bolus"},
    {{0x300a, 0x00dc}, Rule::harmless, names},
    {{0x300a, 0x00dd}, Rule::harmless, names},
    {{0x300a, 0x00f9}, Rule::harmless, names},
};

/// Without what a rule of the place says.
const GateRange ranges_of_all_places[] = {
    {0x0008, 0x0000, 0xffff, "says who, when or with which equipment, or names what is meant"},
    {0x0050, 0x0020, 0x0021, names},
    {0x300a, 0x0012, 0x0014, prescription},
    {0x300a, 0x0016, 0x002d, prescription},
    {0x300a, 0x0042, 0x0053, tolerances},
    {0x300a, 0x0054, 0x0054, for_verification},
    {0x300a, 0x0055, 0x0055, "related plans"},
    {0x300a, 0x0083, 0x0083, recorded_dose},
    {0x300a, 0x0088, 0x008f, recorded_dose},
    {0x300a, 0x0091, 0x0094, recorded_dose},
    {0x300a, 0x010c, 0x010c, prescription},
    {0x300a, 0x012e, 0x0133, "surface: found on the CT"},
    {0x300a, 0x0402, 0x0402, names},
    {0x300c, 0x0050, 0x0051, prescription},
    {0x300c, 0x0055, 0x0055, prescription},
    {0x300c, 0x0080, 0x0080, recorded_dose},
    {0x300c, 0x00a0, 0x00a0, tolerances},
    {0x3010, 0x0001, 0x0005, "biological effect: the physical dose is calculated"},
    {0x3010, 0x0006, 0x0019, "volumes of which the prescription speaks"},
    {0x3010, 0x0033, 0x0038, names},
    {0x3010, 0x003a, 0x003c, prescription},
    {0x3010, 0x003e, 0x0042, prescription},
    {0x3010, 0x0077, 0x0078, names},
    {0x3010, 0x0080, 0x0080, "technique: the control points say it"},
    {0x3010, 0x0089, 0x0089, names},
};

}  // namespace

std::span<const GateRule> gate_rules(Place place) {
    switch (place) {
        case Place::plan:
            return plan_rules;
        case Place::fraction_group:
            return fraction_group_rules;
        case Place::referenced_beam:
            return referenced_beam_rules;
        case Place::patient_setup:
            return patient_setup_rules;
        case Place::beam:
            return beam_rules;
        case Place::limiting_device:
            return limiting_device_rules;
        case Place::control_point:
            return control_point_rules;
        case Place::device_position:
            return device_position_rules;
        case Place::fluence_mode:
            return fluence_mode_rules;
        case Place::wedge:
            return wedge_rules;
        case Place::wedge_position:
            return wedge_position_rules;
        case Place::block:
            return block_rules;
        case Place::bolus:
            return bolus_rules;
    }
    return {};
}

std::span<const GateRange> gate_ranges() { return ranges_of_all_places; }

const char* harmless_group(Place place, unsigned group) {
    // Patient, study, series, equipment, clinical trial, request, documents, display, media, signatures,
    // padding.
    constexpr std::array<unsigned, 19> administrative{0x0002, 0x0010, 0x0012, 0x0018, 0x0020, 0x0032, 0x0038,
                                                      0x0040, 0x0042, 0x0050, 0x0070, 0x0088, 0x0100, 0x0400,
                                                      0x2200, 0x4008, 0x4ffe, 0xfffa, 0xfffc};
    const bool listed =
        std::find(administrative.begin(), administrative.end(), group) != administrative.end();
    const bool of_a_machine = (place == Place::beam || place == Place::limiting_device) && group == 0x0018;
    if (of_a_machine || (place == Place::plan && listed)) return "says who, when or with which equipment";
    // De-identifiers leave what they did in this group.
    if (place == Place::plan && group == 0x0028) return "describes pixels, of which a plan has none";
    if (group == 0xfffa) return "digital signature";
    return nullptr;
}

}  // namespace libdose::io
