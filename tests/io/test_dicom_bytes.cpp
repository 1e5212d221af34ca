// Elements stored as UN, and text in the character sets of DICOM: what archives, planning systems and
// scanners write.
#include <dcmtk/dcmdata/dcostrmb.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.h"
#include "io/dicom/character_sets.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "support/rt_fixture.h"
#include "support/temporary_folder.h"

using namespace libdose;
using namespace libdose::test;
using testing::Contains;
using testing::HasSubstr;

namespace {

/// The value of an element as a UN has it: encoded, without its tag and length.
std::string encoded_value(DcmElement& element, E_TransferSyntax syntax, E_EncodingType lengths) {
    std::vector<char> memory(1 << 20);
    DcmOutputBufferStream stream(memory.data(), static_cast<offile_off_t>(memory.size()));
    element.transferInit();
    EXPECT_TRUE(element.write(stream, syntax, lengths, nullptr).good());
    element.transferEnd();
    void* bytes = nullptr;
    offile_off_t length = 0;
    stream.flushBuffer(bytes, length);
    const std::string all(static_cast<const char*>(bytes), static_cast<std::size_t>(length));
    const bool long_header = DcmXfer(syntax).isExplicitVR() && element.ident() == EVR_SQ;
    const std::size_t header = long_header ? 12 : 8,
                      trailer = element.ident() == EVR_SQ && lengths == EET_UndefinedLength ? 8 : 0;
    return all.substr(header, all.size() - header - trailer);
}

void put_un(DcmItem& item, DcmTagKey tag, const std::string& value) {
    auto* element = new DcmOtherByteOtherWord(DcmTag(tag, EVR_UN));
    ASSERT_TRUE(element
                    ->putUint8Array(reinterpret_cast<const Uint8*>(value.data()),
                                    static_cast<unsigned long>(value.size()))
                    .good());
    ASSERT_TRUE(item.insert(element, true).good());
}

void store_as_un(DcmItem& item, DcmTagKey tag, E_TransferSyntax syntax = EXS_LittleEndianImplicit,
                 E_EncodingType lengths = EET_ExplicitLength) {
    DcmElement* element = nullptr;
    ASSERT_TRUE(item.findAndGetElement(tag, element).good()) << DcmTag(tag).getTagName();
    put_un(item, tag, encoded_value(*element, syntax, lengths));
}

DcmItem& first_of(DcmItem& item, DcmTagKey sequence) {
    DcmItem* inner = nullptr;
    EXPECT_TRUE(item.findAndGetSequenceItem(sequence, inner, 0).good());
    return *inner;
}

/// The values that static_beam() and plan_of() write.
void expect_plain(const Plan& plan) {
    ASSERT_EQ(plan.beams.size(), 1u);
    const Beam& beam = plan.beams[0];
    EXPECT_EQ(beam.meterset_mu, 100);
    EXPECT_EQ(plan.fractions, 20);
    ASSERT_EQ(beam.control_points.size(), 2u);
    EXPECT_EQ(beam.control_points[0].gantry_deg, 90);
    EXPECT_EQ(beam.control_points[0].jaw_x->lower_mm, -50);
    EXPECT_EQ(beam.control_points[0].jaw_x->upper_mm, 40);
    EXPECT_EQ(plan.position, PatientPosition::hfs);
    EXPECT_EQ(plan.referenced_structure_set_uid, "1.2.3.6");
}

Plan read_with(const std::function<void(DcmItem&)>& edit,
               E_TransferSyntax syntax = EXS_LittleEndianExplicit) {
    PlanSpec plan = plan_of({static_beam(1, "a")});
    plan.edit = edit;
    return io::read_plan(write_plan(plan, syntax));
}

const DcmTagKey plan_sequences[] = {DCM_BeamSequence, DCM_FractionGroupSequence, DCM_PatientSetupSequence,
                                    DCM_ReferencedStructureSetSequence};

std::string decoded(const std::string& declared, const std::string& bytes,
                    const std::string& delimiters = "\\") {
    const io::CharacterSets::Text text = io::CharacterSets(declared).decode(bytes, delimiters);
    EXPECT_EQ(text.assumed, "") << declared;
    return text.utf8;
}

}  // namespace

TEST(UnknownElements, SequencesAreReadWithEveryKindOfLength) {
    for (const E_EncodingType lengths : {EET_ExplicitLength, EET_UndefinedLength})
        for (const E_TransferSyntax content : {EXS_LittleEndianImplicit, EXS_LittleEndianExplicit})
            for (const DcmTagKey& tag : plan_sequences)
                expect_plain(read_with([&](DcmItem& root) { store_as_un(root, tag, content, lengths); }));
    expect_plain(read_with([&](DcmItem& root) {
        for (const DcmTagKey& tag : plan_sequences) store_as_un(root, tag);
    }));
}

TEST(UnknownElements, SequencesAndValuesAreReadAtEveryLevel) {
    expect_plain(read_with([](DcmItem& root) {
        DcmItem& beam = first_of(root, DCM_BeamSequence);
        DcmItem& point = first_of(beam, DCM_ControlPointSequence);
        DcmItem& device = first_of(point, DCM_BeamLimitingDevicePositionSequence);
        store_as_un(device, DCM_LeafJawPositions);                   // DS
        store_as_un(beam, DCM_BeamNumber);                           // IS
        store_as_un(beam, DCM_BeamName);                             // LO
        store_as_un(beam, DCM_RadiationType);                        // CS
        store_as_un(point, DCM_BeamLimitingDevicePositionSequence);  // SQ with a UN within
        store_as_un(beam, DCM_ControlPointSequence);
        store_as_un(root, DCM_SOPInstanceUID);  // UI
    }));
}

TEST(UnknownElements, BinaryNumbersAreRead) {
    BeamSpec beam = static_beam(1, "a");
    beam.points[0].edit = [](DcmItem& point) {
        point.putAndInsertFloat32(DCM_TableTopPitchAngle, 0);
        store_as_un(point, DCM_TableTopPitchAngle);
    };
    EXPECT_EQ(io::read_plan(write_plan(plan_of({beam}))).beams.size(), 1u);
    beam.points[0].edit = [](DcmItem& point) {
        point.putAndInsertFloat32(DCM_TableTopPitchAngle, 3);
        store_as_un(point, DCM_TableTopPitchAngle);
    };
    EXPECT_THAT(message_of([&] { io::read_plan(write_plan(plan_of({beam}))); }), HasSubstr("the value is 3"));
}

TEST(UnknownElements, TextIsInTheCharacterSetOfTheFile) {
    const Plan plan = read_with([](DcmItem& root) {
        put(root, DCM_SpecificCharacterSet, "ISO_IR 100");
        put_un(root, DCM_RTPlanLabel,
               "Gr\xf6\xdf"
               "e ");
    });
    EXPECT_EQ(plan.label, "Größe");
    EXPECT_THAT(plan.notes, testing::Not(Contains(HasSubstr("read as"))));
}

TEST(UnknownElements, WhatTheStandardAddedLaterIsFoundToo) {
    // (3008,00a1) is younger than DCMTK 3.6.7: implicit files keep it as UN, explicit ones as a sequence.
    const auto enhanced = [](DcmItem& root) {
        DcmItem& beam = first_of(root, DCM_BeamSequence);
        put_un(beam, {0x3008, 0x00a1}, std::string("\xfe\xff\x00\xe0\x00\x00\x00\x00", 8));
    };
    for (const E_TransferSyntax syntax : {EXS_LittleEndianExplicit, EXS_LittleEndianImplicit})
        EXPECT_THAT(message_of([&] { read_with(enhanced, syntax); }), HasSubstr("enhanced form"));
}

TEST(UnknownElements, PrivateOnesStayAsTheyAre) {
    expect_plain(read_with([](DcmItem& root) {
        root.putAndInsertString(DcmTag(0x3253, 0x0010, EVR_LO), "A MAKER");
        put_un(root, {0x3253, 0x1000}, std::string("\xfe\xff\x00\xe0\xff\xff\xff\x7f??", 10));
    }));
}

TEST(UnknownElements, AContentThatIsCutIsAnErrorAndNotAPlanOfFewerBeams) {
    PlanSpec two = plan_of({static_beam(1, "a"), static_beam(2, "b")});
    std::size_t size = 0;
    const auto read_first = [&](std::size_t left_out) {
        two.edit = [&](DcmItem& root) {
            DcmElement* beams = nullptr;
            ASSERT_TRUE(root.findAndGetElement(DCM_BeamSequence, beams).good());
            std::string value = encoded_value(*beams, EXS_LittleEndianImplicit, EET_UndefinedLength);
            size = value.size();
            value.resize(size - left_out);
            put_un(root, DCM_BeamSequence, value);
        };
        return io::read_plan(write_plan(two));
    };
    EXPECT_EQ(read_first(0).beams.size(), 2u);
    // 8: the end of the last item; 200: within the last beam; two thirds: within the first.
    for (const std::size_t left_out : {std::size_t{8}, std::size_t{200}, 2 * size / 3})
        EXPECT_THAT(message_of([&] { read_first(left_out); }),
                    testing::AllOf(HasSubstr("stored as UN"), HasSubstr("(300a,00b0)"), HasSubstr(".dcm")));
}

TEST(UnknownElements, StructureSetsAreRead) {
    StructureSpec spec;
    RoiSpec roi;
    roi.name = "box";
    roi.contours = {square_contour(0), square_contour(3)};
    spec.rois = {roi};
    spec.edit = [](DcmItem& root) {
        DcmItem& contours = first_of(root, DCM_ROIContourSequence);
        store_as_un(first_of(contours, DCM_ContourSequence), DCM_ContourData);
        for (const DcmTagKey& tag : {DCM_StructureSetROISequence, DCM_ROIContourSequence,
                                     DCM_RTROIObservationsSequence, DCM_ReferencedFrameOfReferenceSequence})
            store_as_un(root, tag);
    };
    const StructureSet set = io::read_structures(write_structures(spec));
    ASSERT_EQ(set.structures.size(), 1u);
    EXPECT_EQ(set.structures[0].name, "box");
    EXPECT_EQ(set.structures[0].contours.size(), 2u);
    EXPECT_EQ(set.frame_of_reference_uid, "1.2.3.4");
}

// Bytes by the code tables of the sets.
TEST(CharacterSets, SingleSets) {
    EXPECT_EQ(decoded("", "PLAN"), "PLAN");
    EXPECT_EQ(decoded("ISO_IR 6", "PLAN"), "PLAN");
    EXPECT_EQ(decoded("ISO_IR 100",
                      "Pr\xe4op_Gr\xf6\xdf"
                      "e"),
              "Präop_Größe");
    EXPECT_EQ(decoded("ISO_IR 101", "\xe8"), "č");
    EXPECT_EQ(decoded("ISO_IR 109", "\xe6"), "ĉ");
    EXPECT_EQ(decoded("ISO_IR 110", "\xe6"), "æ");
    EXPECT_EQ(decoded("ISO_IR 144", "\xbb\xd8"), "Ли");
    EXPECT_EQ(decoded("ISO_IR 127", "\xc7"), "ا");
    EXPECT_EQ(decoded("ISO_IR 126", "\xc1"), "Α");
    EXPECT_EQ(decoded("ISO_IR 138", "\xe0"), "א");
    EXPECT_EQ(decoded("ISO_IR 148", "\xfd"), "ı");
    EXPECT_EQ(decoded("ISO_IR 203", "\xa4"), "€");
    EXPECT_EQ(decoded("ISO_IR 166", "\xa1"), "ก");
    EXPECT_EQ(decoded("ISO_IR 13", "\xd4\xcf\xc0\xde"), "ﾔﾏﾀﾞ");
    EXPECT_EQ(decoded("ISO_IR 192", "肺"), "肺");
    EXPECT_EQ(decoded("GB18030", "\xd7\xf3\xb7\xce"), "左肺");
    EXPECT_EQ(decoded("GBK", "\xd7\xf3\xb7\xce"), "左肺");
    EXPECT_EQ(decoded("GBK",
                      "\x81\x5c"
                      "1"),
              "乗1")
        << "the second byte is a backslash";
}

TEST(CharacterSets, CodeExtensions) {
    EXPECT_EQ(decoded("\\ISO 2022 IR 87", "\x1b$B;3ED\x1b(B^"), "山田^");
    EXPECT_EQ(decoded("ISO 2022 IR 13\\ISO 2022 IR 87",
                      "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J", "\\^="),
              "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎");  // PS3.5 H.3.2
    EXPECT_EQ(decoded("\\ISO 2022 IR 159", "\x1b$(D\x30\x21\x1b(B!"), "丂!");
    EXPECT_EQ(decoded("\\ISO 2022 IR 149", "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", "\\^="),
              "Hong^Gildong=洪^吉洞");  // PS3.5 I.2
    EXPECT_EQ(decoded("\\ISO 2022 IR 58", "\x1b$)A\xd7\xf3\xb7\xce"), "左肺");
    EXPECT_EQ(decoded("ISO 2022 IR 100\\ISO 2022 IR 144", "\xe4 \x1b-L\xbb\\\xe4"), "ä Л\\ä")
        << "a new value begins with the first set";
    EXPECT_EQ(decoded("ISO 2022 IR 6\\ISO 2022 IR 126", "a\x1b-F\xc1"), "aΑ");
}

TEST(CharacterSets, TermsAsTheyAreMisspelt) {
    for (const char* term :
         {"ISO-IR 100", "ISO_IR_100", "ISO IR 100", "iso_ir 100", "ISO 2022 IR 100", "ISO_IR 100 "})
        EXPECT_EQ(decoded(term, "\xe4"), "ä") << term;
    for (const char* term : {"UTF-8", "UTF8", "ISO_IR_192", "ISO_IR 100\\ISO_IR 192"})
        EXPECT_EQ(decoded(term, "肺"), "肺") << term;
    EXPECT_EQ(decoded("ISO 2022 IR 87", "\x1b$BGY\x1b(B"), "肺") << "without the empty first value";
    EXPECT_EQ(decoded("ISO 2022 IR 149", "\xb1\xe8"), "김") << "without its escape sequence";
}

TEST(CharacterSets, TextThatDoesNotFitIsReadAndSaidSo) {
    const auto assumed = [](const std::string& declared, const std::string& bytes) {
        const auto text = io::CharacterSets(declared).decode(bytes, "\\");
        EXPECT_TRUE(is_utf8(text.utf8)) << declared;
        return text.utf8 + " " + text.assumed;
    };
    EXPECT_EQ(assumed("", "PL\xc4N"), "PLÄN Windows-1252");
    EXPECT_EQ(assumed("", "PLÄN"), "PLÄN UTF-8");
    EXPECT_EQ(assumed("ISO_IR 192", "PL\xc4N"), "PLÄN Windows-1252");
    EXPECT_EQ(assumed("ISO_IR 999", "PL\xc4N"), "PLÄN Windows-1252");
    EXPECT_EQ(assumed("", "a\x81\xff\x1b$B"), "a��?$B Windows-1252") << "bytes that mean nothing are seen";
    EXPECT_EQ(assumed("GB18030", "\xd7"), "× Windows-1252");
}

TEST(Text, BytesThatAreNoUtf8AreReplaced) {
    EXPECT_EQ(valid_utf8("Plän 肺 😀"), "Plän 肺 😀");
    EXPECT_EQ(valid_utf8("Pl\xe4n"), "Pl�n");
    EXPECT_EQ(valid_utf8("\xc3"), "�");
    EXPECT_EQ(valid_utf8("\xc0\x80"), "��") << "longer than needed";
    EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "���") << "half of a pair";
    EXPECT_EQ(first_characters("Größe", 3), "Grö");
    EXPECT_EQ(first_characters("Grö", 9), "Grö");
}

TEST(Text, LabelsInEveryCharacterSetAreUtf8) {
    const std::tuple<const char*, const char*, const char*> labels[] = {
        {"ISO_IR 100", "Pr\xe4op", "Präop"},
        {"ISO_IR 192", "Präop", "Präop"},
        {"GB18030", "\xd7\xf3\xb7\xce", "左肺"},
        {"\\ISO 2022 IR 87", "\x1b$BGY\x1b(B", "肺"}};
    for (const auto& [set, bytes, text] : labels) {
        PlanSpec spec = plan_of({static_beam(1, bytes)});
        spec.edit = [&](DcmItem& root) {
            put(root, DCM_SpecificCharacterSet, set);
            put(root, DCM_RTPlanLabel, bytes);
        };
        const auto file = write_plan(spec);
        EXPECT_EQ(io::read_plan(file).label, text);
        EXPECT_EQ(io::read_plan(file).beams[0].name, text);
        const io::DicomIndex index = io::index_dicom({file});
        ASSERT_EQ(index.entries.size(), 1u);
        EXPECT_EQ(index.entries[0].label, text) << "what --plan is compared with";
    }
}

TEST(Text, AnItemMayHaveCharacterSetsOfItsOwn) {
    const Plan plan = read_with([](DcmItem& root) {
        put(root, DCM_SpecificCharacterSet, "ISO_IR 100");
        put(root, DCM_RTPlanLabel, "Pr\xe4op");
        DcmItem& beam = first_of(root, DCM_BeamSequence);
        put(beam, DCM_SpecificCharacterSet, "GB18030");
        put(beam, DCM_BeamName, "\xd7\xf3\xb7\xce");
    });
    EXPECT_EQ(plan.label, "Präop");
    EXPECT_EQ(plan.beams[0].name, "左肺");
}

TEST(Text, WithoutACharacterSetItIsReadWithANote) {
    const Plan plan = read_with([](DcmItem& root) { put(root, DCM_RTPlanLabel, "PL\xc4N"); });
    EXPECT_EQ(plan.label, "PLÄN");
    EXPECT_THAT(plan.notes, Contains(testing::AllOf(HasSubstr("Windows-1252"), HasSubstr("'PLÄN'"),
                                                    HasSubstr("(300a,0002)"))));
    StructureSpec spec;
    RoiSpec roi;
    roi.name = "PT\xfc";
    roi.contours = {square_contour(0), square_contour(3)};
    spec.rois = {roi};
    const StructureSet set = io::read_structures(write_structures(spec));
    EXPECT_EQ(set.structures[0].name, "PTü");
    EXPECT_THAT(set.notes, Contains(HasSubstr("Windows-1252")));
    // Who the patient is does not belong in notes.
    const Plan named = read_with([](DcmItem& root) { put(root, DCM_PatientName, "M\xfcller"); });
    EXPECT_THAT(named.notes,
                Contains(testing::AllOf(HasSubstr("(0010,0010)"), testing::Not(HasSubstr("ller")))));
}

TEST(Text, ErrorsAndNotesOfFilesWithOddNamesAreUtf8) {
    TemporaryFolder folder;
    const auto file = folder / "Pl\xe4n.dcm";
    PlanSpec spec = plan_of({static_beam(1, "a")});
    std::filesystem::copy_file(write_plan(spec), file);
    EXPECT_EQ(io::read_plan(file).beams.size(), 1u);
    spec.edit = [](DcmItem& root) { put(root, DCM_BlockName, "odd"); };
    std::filesystem::copy_file(write_plan(spec), file, std::filesystem::copy_options::overwrite_existing);
    const std::string message = message_of([&] { io::read_plan(file); });
    EXPECT_TRUE(is_utf8(message)) << message;
    EXPECT_THAT(message, HasSubstr("Pl�n.dcm"));
}
