#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "io/dicom/dicom_plan_rules.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "support/rt_fixture.h"

using namespace libdose;
using namespace libdose::test;
using testing::HasSubstr;
using Verdict = GateEntry::Verdict;

namespace {

const GateEntry* find(const std::vector<GateEntry>& entries, int beam, const std::string& tag) {
    for (const GateEntry& e : entries)
        if (e.beam == beam && e.tag == tag) return &e;
    return nullptr;
}

std::string message_of(const std::function<void()>& act, ErrorKind kind) {
    try {
        act();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
}

/// 300a,0999 does not exist in the standard: what an engine that is older than the standard meets.
const DcmTagKey from_the_future(0x300a, 0x0999);

BeamSpec beam_with(DcmTagKey tag) {
    BeamSpec beam = static_beam(3, "new");
    beam.edit = [tag](DcmItem& item) {
        auto* element = new DcmLongString(DcmTag(tag, EVR_LO));
        element->putString("thicker");
        item.insert(element, true);
    };
    return beam;
}

}  // namespace

TEST(PlanGate, ListsEveryAttributeOfADeliveredBeam) {
    const auto entries = io::gate_plan(write_plan(plan_of({mlc_beam(7, "a")})));
    for (const char* tag :
         {"(300a,00c0)", "(300a,00b4)", "(300a,011e)", "(300a,011c)", "(300a,00be)", "(300a,0134)"}) {
        const GateEntry* e = find(entries, 7, tag);
        ASSERT_NE(e, nullptr) << tag;
        EXPECT_EQ(e->verdict, Verdict::honoured) << tag;
    }
    // In both control points, and twice in the first: x jaws, y jaws and leaves.
    EXPECT_EQ(find(entries, 7, "(300a,0134)")->count, 2u);
    EXPECT_EQ(find(entries, 7, "(300a,011c)")->count, 3u);
    EXPECT_EQ(find(entries, 7, "(300a,00d0)")->verdict, Verdict::honoured)
        << "0 wedges: the reader has seen it";
    EXPECT_EQ(find(entries, 7, "(300a,00f0)")->verdict, Verdict::honoured);
    EXPECT_EQ(find(entries, 7, "(300a,00e0)")->verdict, Verdict::harmless);
    EXPECT_EQ(find(entries, 0, "(0010,0020)")->verdict, Verdict::harmless);
    EXPECT_EQ(find(entries, 0, "(0010,0020)")->value, "") << "who the patient is does not belong in results";
    EXPECT_EQ(find(entries, 7, "(300a,00c2)")->value, "") << "nor free text";
    EXPECT_EQ(find(entries, 7, "(300a,00e0)")->value, "0");
    for (const GateEntry& e : entries) EXPECT_NE(e.verdict, Verdict::refused) << e.text();
}

TEST(PlanGate, TheGateTravelsWithThePlan) {
    const Plan plan = io::read_plan(write_plan(plan_of({static_beam(7, "a")})));
    EXPECT_FALSE(plan.gate.empty());
    EXPECT_EQ(find(plan.gate, 7, "(300a,011e)")->text(),
              "honoured, beam 7, (300a,011e) GantryAngle = 90: gantry angle");
}

TEST(PlanGate, UnknownAttributesAreRefusedUntilAccepted) {
    const auto file = write_plan(plan_of({beam_with(from_the_future)}));
    const std::string message = message_of([&] { io::read_plan(file); }, ErrorKind::refused_plan);
    for (const char* word : {"(300a,0999)", "beam 3 'new'", "--accept 300a,0999"})
        EXPECT_THAT(message, HasSubstr(word));
    const auto entries = io::gate_plan(file);
    ASSERT_NE(find(entries, 3, "(300a,0999)"), nullptr);
    EXPECT_EQ(find(entries, 3, "(300a,0999)")->verdict, Verdict::refused);
    EXPECT_TRUE(find(entries, 3, "(300a,0999)")->acceptable);
    for (const char* tag : {"300a,0999", "(300A,0999)"}) {
        const Plan plan = io::read_plan(file, 0, {tag});
        EXPECT_EQ(find(plan.gate, 3, "(300a,0999)")->verdict, Verdict::accepted);
    }
}

TEST(PlanGate, UnknownAttributesAreFoundWhereverTheyStand) {
    const auto with = [](DcmItem& item) {
        put(item, DCM_BlockName, "odd");
    };  // known to DICOM, but not there
    const DcmTagKey sequences[] = {DCM_FractionGroupSequence, DCM_PatientSetupSequence, DCM_BeamSequence};
    for (const DcmTagKey& sequence : sequences) {
        PlanSpec plan = plan_of({static_beam(1, "a")});
        plan.edit = [&](DcmItem& root) {
            DcmItem* item = nullptr;
            ASSERT_TRUE(root.findAndGetSequenceItem(sequence, item, 0).good());
            with(*item);
        };
        EXPECT_THAT(message_of([&] { io::read_plan(write_plan(plan)); }, ErrorKind::refused_plan),
                    HasSubstr("(300a,00fe)"));
    }
    BeamSpec accessories = static_beam(1, "a");
    const auto odd = [&](DcmItem& item) { put(item, DCM_CompensatorNumber, "1"); };  // not of these sequences
    accessories.wedges = {{}};
    accessories.points[0].wedges = {{"1", "IN"}};
    accessories.blocks = {{}};
    accessories.boluses = {{"5", ""}};
    EXPECT_EQ(io::read_plan(write_plan(plan_of({accessories}))).beams.size(), 1u);
    for (const DcmTagKey& sequence : {DCM_WedgeSequence, DCM_BlockSequence, DCM_ReferencedBolusSequence}) {
        accessories.edit = [&](DcmItem& item) {
            DcmItem* first = nullptr;
            ASSERT_TRUE(item.findAndGetSequenceItem(sequence, first, 0).good());
            odd(*first);
        };
        EXPECT_THAT(
            message_of([&] { io::read_plan(write_plan(plan_of({accessories}))); }, ErrorKind::refused_plan),
            HasSubstr("(300a,00e4)"));
    }
    accessories.edit = nullptr;
    accessories.points[0].edit = [&](DcmItem& point) {
        DcmItem* first = nullptr;
        ASSERT_TRUE(point.findAndGetSequenceItem(DCM_WedgePositionSequence, first, 0).good());
        odd(*first);
    };
    EXPECT_THAT(
        message_of([&] { io::read_plan(write_plan(plan_of({accessories}))); }, ErrorKind::refused_plan),
        HasSubstr("wedge position 1, (300a,00e4)"));
    BeamSpec beam = mlc_beam(1, "a");
    beam.points[1].edit = [&](DcmItem& point) {
        with(add_item(point, DCM_BeamLimitingDevicePositionSequence));
    };
    EXPECT_THAT(message_of([&] { io::read_plan(write_plan(plan_of({beam}))); }, ErrorKind::refused_plan),
                HasSubstr("device position 1, (300a,00fe)"));
    PlanSpec plan = plan_of({static_beam(1, "a")});
    plan.edit = with;
    EXPECT_THAT(message_of([&] { io::read_plan(write_plan(plan)); }, ErrorKind::refused_plan),
                HasSubstr("(300a,00fe)"));
}

TEST(PlanGate, OnlyWhatIsUnknownCanBeAccepted) {
    BeamSpec beam = static_beam(1, "a");
    beam.edit = [](DcmItem& item) { put(item, DCM_NumberOfCompensators, "1"); };
    const auto file = write_plan(plan_of({beam}));
    EXPECT_THAT(message_of([&] { io::read_plan(file, 0, {"300a,00e0"}); }, ErrorKind::refused_plan),
                HasSubstr("compensators are not modelled"));
    // An older libdose did not know (300a,00c2); a newer one need not be told. Neither may be told what is
    // honoured, or not there.
    const auto plain = write_plan(plan_of({static_beam(1, "a")}));
    EXPECT_EQ(find(io::read_plan(plain, 0, {"300a,00c2"}).gate, 1, "(300a,00c2)")->verdict,
              Verdict::harmless);
    EXPECT_THAT(message_of([&] { io::read_plan(plain, 0, {"300a,011e"}); }, ErrorKind::bad_input),
                HasSubstr("(300a,011e)"));
    EXPECT_THAT(message_of([&] { io::read_plan(plain, 0, {"300a,0999"}); }, ErrorKind::bad_input),
                HasSubstr("(300a,0999)"));
    for (const char* text : {"wedge", "300a", "300a,09999", "300a-0999"})
        EXPECT_THAT(message_of([&] { io::read_plan(plain, 0, {text}); }, ErrorKind::bad_input),
                    HasSubstr(text));
}

TEST(PlanGate, ListsWhatIsWrongWithEveryBeamAtOnce) {
    BeamSpec compensator = static_beam(1, "a"), electrons = static_beam(2, "b"), wedge = static_beam(3, "c"),
             fine = static_beam(4, "d"), setup = static_beam(5, "e");
    compensator.edit = [](DcmItem& item) { put(item, DCM_NumberOfCompensators, "1"); };
    electrons.radiation = "ELECTRON";
    wedge.wedges = {{"1", "PARTIAL_STANDARD"}};
    wedge.points[0].wedges = {{"1", "IN"}};
    setup.delivery = "SETUP";
    const auto entries = io::gate_plan(write_plan(plan_of({compensator, electrons, wedge, fine, setup})));
    std::set<int> refused;
    for (const GateEntry& e : entries)
        if (e.verdict == Verdict::refused) refused.insert(e.beam);
    EXPECT_EQ(refused, (std::set<int>{1, 2, 3}));
    bool left_out = false;
    for (const GateEntry& e : entries)
        left_out = left_out || (e.beam == 5 && e.reason.find("set-up beam") != std::string::npos);
    EXPECT_TRUE(left_out);
}

TEST(PlanGate, PrivateAttributesAreListedAndHarmless) {
    BeamSpec beam = static_beam(1, "a");
    beam.edit = [](DcmItem& item) {
        item.putAndInsertString(DcmTag(0x3253, 0x0010, EVR_LO), "A MAKER");
        item.putAndInsertString(DcmTag(0x3253, 0x1000, EVR_LO), "x");
    };
    const Plan plan = io::read_plan(write_plan(plan_of({beam})));
    ASSERT_NE(find(plan.gate, 1, "(3253,1000)"), nullptr);
    EXPECT_EQ(find(plan.gate, 1, "(3253,1000)")->verdict, Verdict::harmless);
}

TEST(PlanGate, ShieldingDevicesAndTheEnhancedFormAreRefused) {
    PlanSpec shielded = plan_of({static_beam(1, "a")});
    shielded.edit = [](DcmItem& root) {
        DcmItem* setup = nullptr;
        ASSERT_TRUE(root.findAndGetSequenceItem(DCM_PatientSetupSequence, setup, 0).good());
        add_item(*setup, DCM_ShieldingDeviceSequence);
    };
    EXPECT_THAT(message_of([&] { io::read_plan(write_plan(shielded)); }, ErrorKind::refused_plan),
                HasSubstr("shielding devices"));
    BeamSpec enhanced = static_beam(1, "a");
    enhanced.edit = [](DcmItem& item) { item.putAndInsertString(DcmTag(0x3008, 0x00a3, EVR_CS), "YES"); };
    EXPECT_THAT(message_of([&] { io::read_plan(write_plan(plan_of({enhanced}))); }, ErrorKind::refused_plan),
                HasSubstr("enhanced form"));
    enhanced.edit = [](DcmItem& item) { item.putAndInsertString(DcmTag(0x3008, 0x00a3, EVR_CS), "NO"); };
    EXPECT_EQ(io::read_plan(write_plan(plan_of({enhanced}))).beams.size(), 1u);
}

TEST(PlanGate, AccessoriesAreHonouredWithWhatSurroundsThem) {
    BeamSpec beam = static_beam(1, "a");
    beam.manufacturer = "A Maker";
    beam.wedges = {{}};
    beam.wedges[0].edit = [](DcmItem& item) {
        for (const DcmTagKey& tag :
             {DCM_SourceToWedgeTrayDistance, DCM_EffectiveWedgeAngle, DCM_AccessoryCode})
            put(item, tag, "30");
    };
    beam.points[0].wedges = {{"1", "IN"}};
    beam.blocks = {{}};
    beam.blocks[0].edit = [](DcmItem& item) {
        for (const DcmTagKey& tag : {DCM_MaterialID, DCM_BlockTrayID, DCM_TrayAccessoryCode,
                                     DCM_AccessoryCode, DCM_NumberOfBlockSlabItems})
            put(item, tag, "1");
        put(add_item(item, DCM_BlockSlabSequence), DCM_BlockSlabNumber, "1");
    };
    beam.boluses = {{"5", "flab"}};
    beam.edit = [](DcmItem& item) {
        DcmItem* bolus = nullptr;
        ASSERT_TRUE(item.findAndGetSequenceItem(DCM_ReferencedBolusSequence, bolus, 0).good());
        put(*bolus, DCM_BolusDescription, "wet");
        put(*bolus, DCM_AccessoryCode, "7");
    };
    const Plan plan = io::read_plan(write_plan(plan_of({beam})));
    for (const char* tag : {"(0008,0070)", "(300a,00d1)", "(300a,00d5)", "(300a,00d8)", "(300a,0118)",
                            "(300c,00c0)", "(300a,00f4)", "(300a,0106)", "(300c,00b0)", "(3006,0084)"}) {
        ASSERT_NE(find(plan.gate, 1, tag), nullptr) << tag;
        EXPECT_EQ(find(plan.gate, 1, tag)->verdict, Verdict::honoured) << tag;
    }
    for (const char* tag : {"(300a,00d6)", "(300a,00da)", "(300a,00de)", "(300a,00f9)", "(300a,00e1)",
                            "(300a,0441)", "(300a,00dd)", "(300a,00fe)"}) {
        ASSERT_NE(find(plan.gate, 1, tag), nullptr) << tag;
        EXPECT_EQ(find(plan.gate, 1, tag)->verdict, Verdict::harmless) << tag;
    }
}

TEST(PlanGate, MachinesThatAreNotModelledAreRefusedByName) {
    const std::pair<const char*, const char*> machines[] = {{"TomoTherapy Incorporated", "TomoTherapy"},
                                                            {"Hi-Art", "TomoTherapy"},
                                                            {"HI ART II", "TomoTherapy"},
                                                            {"HiArt", "TomoTherapy"},
                                                            {"Radixact X9", "TomoTherapy"},
                                                            {"CyberKnife M6", "CyberKnife"},
                                                            {"Accuray Inc.", "Accuray"},
                                                            {"ViewRay Technologies", "MRIdian"},
                                                            {"MRIdian", "MRIdian"},
                                                            {"Elekta Unity", "Unity"},
                                                            {"MR-linac", "MR-linac"},
                                                            {"MR Linac", "MR-linac"},
                                                            {"MRLinac", "MR-linac"},
                                                            {"Gamma Knife Icon", "Gamma Knife"},
                                                            {"GammaKnife", "Gamma Knife"},
                                                            {"GammaPlan", "Gamma Knife"},
                                                            {"Leksell", "Gamma Knife"},
                                                            {"Perfexion", "Gamma Knife"}};
    for (const auto& [text, kind] : machines) {
        BeamSpec by_model = static_beam(3, "odd"), by_maker = by_model;
        by_model.model = by_maker.manufacturer = text;
        EXPECT_THAT(
            message_of([&] { io::read_plan(write_plan(plan_of({by_model}))); }, ErrorKind::refused_plan),
            testing::AllOf(HasSubstr(text), HasSubstr(kind), HasSubstr("beam 3 'odd', (0008,1090)")));
        EXPECT_THAT(
            message_of([&] { io::read_plan(write_plan(plan_of({by_maker}))); }, ErrorKind::refused_plan),
            testing::AllOf(HasSubstr(kind), HasSubstr("beam 3 'odd', (0008,0070)")));
        PlanSpec by_file = plan_of({static_beam(3, "plain")});
        by_file.edit = [t = text](DcmItem& root) { put(root, DCM_ManufacturerModelName, t); };
        EXPECT_THAT(message_of([&] { io::read_plan(write_plan(by_file)); }, ErrorKind::refused_plan),
                    testing::AllOf(HasSubstr("planning system"), HasSubstr(kind), HasSubstr("(0008,1090)")));
    }
    for (const char* text : {"TrueBeam", "Halcyon", "Ethos", "Versa HD", "Community Linac", "Impunity"}) {
        BeamSpec beam = static_beam(3, "plain");
        beam.model = text;
        EXPECT_EQ(io::read_plan(write_plan(plan_of({beam}))).beams[0].machine_model, text);
    }
}

TEST(PlanGate, ABeamThatIsRefusedByItsMachineIsListed) {
    BeamSpec beam = static_beam(3, "odd");
    beam.model = "CyberKnife";
    bool found = false;
    for (const GateEntry& e : io::gate_plan(write_plan(plan_of({beam}))))
        found = found || (e.beam == 3 && e.verdict == Verdict::refused &&
                          e.reason.find("CyberKnife") != std::string::npos);
    EXPECT_TRUE(found);
}

TEST(PlanGate, OtherSourceAxisDistancesAreRefused) {
    for (const char* distance : {"994", "1005.5", "800", "850", "1435"}) {
        BeamSpec beam = static_beam(3, "odd");
        beam.axis_distance = distance;
        EXPECT_THAT(
            message_of([&] { io::read_plan(write_plan(plan_of({beam}))); }, ErrorKind::refused_plan),
            testing::AllOf(HasSubstr(distance), HasSubstr("C-arm"), HasSubstr("beam 3 'odd', (300a,00b4)")));
    }
    for (const char* distance : {"995", "1000", "1005"}) {
        BeamSpec beam = static_beam(3, "plain");
        beam.axis_distance = distance;
        EXPECT_EQ(io::read_plan(write_plan(plan_of({beam}))).beams[0].source_axis_distance_mm,
                  std::stod(distance));
    }
}

namespace {

/// Finds or makes the first item of a path below the root.
DcmItem& item_at(DcmItem& root, const std::vector<DcmTagKey>& path) {
    DcmItem* item = &root;
    for (const DcmTagKey& sequence : path)
        EXPECT_TRUE(item->findOrCreateSequenceItem(sequence, item, 0).good());
    return *item;
}

DcmItem* with_code() {
    auto* item = new DcmItem;
    put(*item, DCM_CodeMeaning, "something");
    return item;
}

/// Something of the right representation; a sequence gets an item with a code.
void put_any(DcmItem& item, DcmTagKey tag) {
    const DcmEVR vr = DcmTag(tag).getEVR();
    if (vr == EVR_SQ || vr == EVR_UNKNOWN)  // younger than DCMTK
        EXPECT_TRUE(item.insertSequenceItem(DcmTag(tag, EVR_SQ), with_code()).good());
    else if (vr == EVR_FD)
        EXPECT_TRUE(item.putAndInsertFloat64(tag, 900).good());
    else if (vr == EVR_FL)
        EXPECT_TRUE(item.putAndInsertFloat32(tag, 900).good());
    else if (vr == EVR_US)
        EXPECT_TRUE(item.putAndInsertUint16(tag, 1).good());
    else if (vr == EVR_OB)
        EXPECT_TRUE(item.putAndInsertUint8Array(tag, reinterpret_cast<const Uint8*>("\0\0\0\0"), 4).good());
    else
        put(item, tag,
            vr == EVR_UI   ? "1.2.3"
            : vr == EVR_DA ? "20260101"
            : vr == EVR_TM ? "080000"
            : vr == EVR_CS ? "YES"
                           : "1");
}

using Path = std::vector<DcmTagKey>;
const Path in_plan{}, in_group{DCM_FractionGroupSequence},
    in_reference{DCM_FractionGroupSequence, DCM_ReferencedBeamSequence}, in_setup{DCM_PatientSetupSequence},
    in_beam{DCM_BeamSequence}, in_device{DCM_BeamSequence, DCM_BeamLimitingDeviceSequence},
    in_point{DCM_BeamSequence, DCM_ControlPointSequence};

Plan read_plan_with(const Path& path, const std::function<void(DcmItem&)>& edit) {
    PlanSpec plan = plan_of({static_beam(1, "a")});
    plan.edit = [&](DcmItem& root) { edit(item_at(root, path)); };
    return io::read_plan(write_plan(plan));
}

/// PS3.3 A.20, edition 2024e: every attribute of the modules of an RT Plan that had no row, and retired ones
/// of old plans.
const std::pair<Path, std::vector<DcmTagKey>> harmless_attributes[] = {
    {in_plan, {{0x0028, 0x0301}, {0x0028, 0x0302}, {0x0028, 0x0303}, {0x0042, 0x0010}, {0x0042, 0x0013},
               {0x0070, 0x030b}, {0x2200, 0x0005}, {0x4ffe, 0x0001}, {0x3010, 0x0077}, {0x3010, 0x0078},
               {0x3010, 0x0089}, {0x3010, 0x0033}, {0x3010, 0x0034}, {0x3010, 0x0035}, {0x3010, 0x0036},
               {0x3010, 0x0037}, {0x3010, 0x0038}, {0x300a, 0x0700}, {0x300c, 0x0080}, {0x0012, 0x0062},
               {0x0012, 0x0063}, {0x0012, 0x0064}, {0x0040, 0x0244}, {0x0018, 0x100a}, {0x0050, 0x0020},
               {0x0008, 0x0109}, {0x0010, 0x4000}, {0x0100, 0x0410}, {0x0400, 0x0561}, {0xfffa, 0xfffa},
               {0xfffc, 0xfffc}, {0x300a, 0x000b}}},
    {in_group,
     {{0x0008, 0x1156},
      {0x300c, 0x0080},
      {0x300c, 0x0050},
      {0x300a, 0x008b},
      {0x300a, 0x0072},
      {0x3010, 0x0034}}},
    {in_reference,
     {{0x300a, 0x00c5},
      {0x300a, 0x065a},
      {0x300c, 0x0120},
      {0x300c, 0x0123},
      {0x300a, 0x0083},
      {0x300a, 0x0088},
      {0x300a, 0x0089},
      {0x300a, 0x008a},
      {0x300a, 0x008c},
      {0x300a, 0x008d},
      {0x300a, 0x008e},
      {0x300a, 0x008f},
      {0x300a, 0x0091},
      {0x300a, 0x0092},
      {0x300a, 0x0093},
      {0x300a, 0x0094},
      {0x300a, 0x0131},
      {0x300c, 0x0050}}},
    {in_setup,
     {{0x300a, 0x079f},
      {0x300a, 0x0352},
      {0x300a, 0x0354},
      {0x300a, 0x0410},
      {0x3010, 0x0033},
      {0x300a, 0x01b4}}},
    {in_beam,
     {{0x300a, 0x0054},
      {0x3010, 0x0033},
      {0x3010, 0x0038},
      {0x3010, 0x0080},
      {0x300a, 0x0016},
      {0x0008, 0x0080},
      {0x0008, 0x1041},
      {0x0018, 0x1000},
      {0x0018, 0x100a},
      {0x0018, 0x1204},
      {0x0050, 0x0021},
      {0x300a, 0x00c4},
      {0x300c, 0x0050},
      {0x300c, 0x0080},
      {0x300c, 0x00a0},
      {0x300a, 0x0352},
      {0x300a, 0x0083}}},
    {in_device, {{0x300a, 0x00ba}, {0x300a, 0x00bb}, {0x0018, 0x1000}, {0x3010, 0x0034}}},
    {in_point,
     {{0x300a, 0x0132},
      {0x300a, 0x0133},
      {0x300a, 0x012e},
      {0x300a, 0x0130},
      {0x300a, 0x010c},
      {0x300a, 0x0115},
      {0x300a, 0x035a},
      {0x300c, 0x0050},
      {0x300c, 0x0080},
      {0x300a, 0x0054},
      {0x3010, 0x0034}}},
};

}  // namespace

TEST(PlanGate, StandardAttributesThatCannotChangeTheDoseAreHarmless) {
    for (const auto& [path, tags] : harmless_attributes)
        for (const DcmTagKey& tag : tags) {
            const Plan plan = read_plan_with(path, [&](DcmItem& item) { put_any(item, tag); });
            bool harmless = false;
            const std::string text = io::tag_text(tag).substr(0, 11);
            for (const GateEntry& e : plan.gate)
                harmless = harmless || (e.tag == text && e.verdict == Verdict::harmless);
            EXPECT_TRUE(harmless) << io::tag_text(tag);
        }
}

TEST(PlanGate, TheCalibrationOfThePlanningSystemIsNoted) {
    const Plan plan = read_plan_with(in_reference, [](DcmItem& item) {
        EXPECT_TRUE(add_item(item, {0x300c, 0x0120}).putAndInsertFloat64({0x300c, 0x0121}, 0.01).good());
    });
    EXPECT_THAT(plan.notes,
                testing::Contains(testing::AllOf(HasSubstr("0.01 Gy per MU"), HasSubstr("beam model"))));
}

TEST(PlanGate, AnglesOfWholeTurnsTurnNothing) {
    for (const DcmTagKey& tag : {DcmTagKey(0x300a, 0x0140), DcmTagKey(0x300a, 0x0144),
                                 DcmTagKey(0x300a, 0x014a), DcmTagKey(0x300a, 0x0125)}) {
        const auto with = [&](const char* angle) {
            return [=](DcmItem& item) {
                if (DcmTag(tag).getEVR() == EVR_FL)
                    item.putAndInsertFloat32(tag, std::stof(angle));
                else
                    put(item, tag, angle);
            };
        };
        for (const char* angle : {"0", "-0.0", "360", "720", "1e-7", "359.995", "0.009", "-0.005"})
            EXPECT_EQ(read_plan_with(in_point, with(angle)).beams.size(), 1u)
                << io::tag_text(tag) << " " << angle;
        for (const char* angle : {"0.02", "359.9", "-0.1", "3", "180", "90"})
            EXPECT_THAT(message_of([&] { read_plan_with(in_point, with(angle)); }, ErrorKind::refused_plan),
                        HasSubstr("not modelled"))
                << angle;
    }
}

TEST(PlanGate, WhatIonPlansHaveIsRefusedUnlessThereIsNone) {
    for (const DcmTagKey& count :
         {DcmTagKey(0x300a, 0x0312), DcmTagKey(0x300a, 0x0330), DcmTagKey(0x300a, 0x0340)}) {
        EXPECT_EQ(read_plan_with(in_beam, [&](DcmItem& item) { put(item, count, "0"); }).beams.size(), 1u);
        EXPECT_THAT(
            message_of([&] { read_plan_with(in_beam, [&](DcmItem& item) { put(item, count, "1"); }); },
                       ErrorKind::refused_plan),
            HasSubstr("ion"));
    }
    for (const DcmTagKey& devices : {DcmTagKey(0x300a, 0x030c), DcmTagKey(0x300a, 0x0314),
                                     DcmTagKey(0x300a, 0x0332), DcmTagKey(0x300a, 0x0342)})
        EXPECT_THAT(
            message_of([&] { read_plan_with(in_beam, [&](DcmItem& item) { put_any(item, devices); }); },
                       ErrorKind::refused_plan),
            HasSubstr("ion"));
    EXPECT_EQ(read_plan_with(in_beam, [](DcmItem& item) { put(item, DCM_PatientSupportType, "TABLE"); })
                  .beams.size(),
              1u);
    EXPECT_THAT(message_of(
                    [] {
                        read_plan_with(in_beam,
                                       [](DcmItem& item) { put(item, DCM_PatientSupportType, "CHAIR"); });
                    },
                    ErrorKind::refused_plan),
                HasSubstr("CHAIR"));
}

TEST(PlanGate, RulesAreWrittenOnce) {
    using io::Place;
    for (const Place place :
         {Place::plan, Place::fraction_group, Place::referenced_beam, Place::patient_setup, Place::beam,
          Place::limiting_device, Place::control_point, Place::device_position, Place::fluence_mode,
          Place::wedge, Place::wedge_position, Place::block, Place::bolus}) {
        std::set<std::pair<unsigned, unsigned>> seen;
        const auto in_a_range = [](const DcmTagKey& tag) {
            for (const io::GateRange& range : io::gate_ranges())
                if (range.group == tag.getGroup() && range.first <= tag.getElement() &&
                    tag.getElement() <= range.last)
                    return true;
            return false;
        };
        for (const io::GateRule& rule : io::gate_rules(place)) {
            EXPECT_TRUE(seen.insert({rule.tag.getGroup(), rule.tag.getElement()}).second)
                << io::tag_text(rule.tag);
            EXPECT_FALSE(rule.rule == io::Rule::harmless && in_a_range(rule.tag))
                << io::tag_text(rule.tag) << " is harmless in all places";
            // Enhanced devices, preparation of the patient: after DCMTK 3.6.7.
            const bool young = rule.tag.getGroup() == 0x3008 || rule.tag == DcmTagKey(0x300a, 0x079f);
            EXPECT_TRUE(young ||
                        std::string(DcmTag(rule.tag).getTagName()).find("Unknown") == std::string::npos)
                << io::tag_text(rule.tag) << ": mistyped?";
        }
    }
}
