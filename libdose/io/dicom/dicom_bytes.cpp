#include "io/dicom/dicom_bytes.h"

#include <dcmtk/dcmdata/dcistrmb.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "io/dicom/character_sets.h"
#include "io/dicom/dicom_item.h"

namespace libdose::io {
namespace {

// DCMTK takes the end of the file as the end of every open sequence, so that a file cut between two items
// would read as a whole one with fewer beams or contours. A mark behind the last byte shows it: in a whole
// file it is an element of the data set itself, in a cut one it lands inside the open sequence.
const DcmTagKey end_mark(0xfffb, 0x0010);
const char* const end_mark_text = "END MARK";

std::string encoded_end_mark(const DcmXfer& encoding) {
    std::string mark =
        encoding.isLittleEndian() ? std::string("\xfb\xff\x10\x00", 4) : std::string("\xff\xfb\x00\x10", 4);
    const std::string length =
        encoding.isLittleEndian() ? std::string("\x08\x00", 2) : std::string("\x00\x08", 2);
    mark += encoding.isExplicitVR() ? "LO" + length : length + std::string("\x00\x00", 2);
    return mark + end_mark_text;
}

/// Reads bytes into an object. False when they cannot be read, or end within one of its sequences. `whole` is
/// the data set of the object.
bool read_whole(DcmObject& object, DcmItem& whole, std::string bytes, E_TransferSyntax as,
                E_TransferSyntax syntax) {
    bytes += encoded_end_mark(DcmXfer(syntax));
    DcmInputBufferStream buffer;
    buffer.setBuffer(bytes.data(), static_cast<offile_off_t>(bytes.size()));
    buffer.setEos();
    object.transferInit();
    const OFCondition status = object.read(buffer, as, EGL_noChange, DCM_MaxReadLength);
    object.transferEnd();
    DcmElement* element = nullptr;
    OFString text;
    return status.good() && whole.findAndGetElement(end_mark, element).good() &&
           element->getOFString(text, 0).good() && text == end_mark_text;
}

}  // namespace

bool is_cut_short(const std::filesystem::path& file, E_TransferSyntax syntax) {
    if (DcmXfer(syntax).getStreamCompression() != ESC_none) return false;  // the decompressor knows its end
    std::ifstream stream(file, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    DcmFileFormat marked;
    return !read_whole(marked, *marked.getDataset(), std::move(bytes), EXS_Unknown, syntax);
}

namespace {

std::string little_endian(unsigned long value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xff);
    return text;
}

/// An element with these bytes as its value, in little endian. Null when they are not its value.
std::unique_ptr<DcmElement> element_of(const DcmTagKey& tag, const std::string& value,
                                       E_TransferSyntax syntax) {
    std::string bytes = little_endian(tag.getGroup(), 2) + little_endian(tag.getElement(), 2);
    if (DcmXfer(syntax).isExplicitVR()) bytes += std::string("SQ\0\0", 4);
    bytes += little_endian(value.size(), 4) + value;
    DcmDataset dataset;
    if (!read_whole(dataset, dataset, std::move(bytes), syntax, syntax)) return nullptr;
    return std::unique_ptr<DcmElement>(dataset.remove(tag));
}

/// PS3.5 6.2.2: the content of a UN is in implicit VR, little endian, whatever the file is. Some writers keep
/// explicit VR.
std::unique_ptr<DcmElement> sequence_of(const DcmTagKey& tag, const std::string& value) {
    constexpr std::size_t representation = 12;  // after the header of the first item and a tag
    const auto is_letter = [&](std::size_t i) {
        return i < value.size() && value[i] >= 'A' && value[i] <= 'Z';
    };
    const bool explicit_too = is_letter(representation) && is_letter(representation + 1);
    for (const E_TransferSyntax syntax : {EXS_LittleEndianImplicit, EXS_LittleEndianExplicit}) {
        if (syntax == EXS_LittleEndianExplicit && !explicit_too) continue;
        const auto read =
            element_of(DCM_BeamSequence, value, syntax);  // any sequence: DCMTK may not know this one
        auto* items = dynamic_cast<DcmSequenceOfItems*>(read.get());
        if (!items) continue;
        auto sequence = std::make_unique<DcmSequenceOfItems>(DcmTag(tag, EVR_SQ));
        while (items->card() > 0) sequence->append(items->remove(0ul));
        return sequence;
    }
    return nullptr;
}

/// Null when the element is what it should be, or its content cannot be read.
std::unique_ptr<DcmElement> recovered(DcmElement& element) {
    const DcmTagKey tag = element.getTag().getXTag();
    const DcmEVR stored = element.getVR();
    const bool unknown = stored == EVR_UN || stored == EVR_UNKNOWN;  // the latter in implicit files
    if (!(unknown || stored == EVR_OB || stored == EVR_OW) || tag.getGroup() % 2 == 1 ||
        element.getLength() == 0)
        return nullptr;
    const DcmEVR known = DcmTag(tag).getEVR();
    if (!unknown && known != EVR_SQ) return nullptr;
    Uint8* value = nullptr;
    if (element.getUint8Array(value).bad() || !value) return nullptr;
    const std::string content(reinterpret_cast<const char*>(value), element.getLength());
    if (known == EVR_SQ || content.starts_with(std::string("\xfe\xff\x00\xe0", 4)))
        return sequence_of(tag, content);
    return known == EVR_UN || known == EVR_UNKNOWN ? nullptr
                                                   : element_of(tag, content, EXS_LittleEndianImplicit);
}

std::vector<DcmElement*> elements_of(DcmItem& item) {
    std::vector<DcmElement*> elements;
    for (unsigned long i = 0; i < item.card(); ++i)
        if (DcmElement* element = item.getElement(i)) elements.push_back(element);
    return elements;
}

template <class Act>
void for_each_item(DcmElement& element, Act act) {
    if (auto* sequence = dynamic_cast<DcmSequenceOfItems*>(&element))
        for (unsigned long i = 0; i < sequence->card(); ++i) act(*sequence->getItem(i));
}

class TextTurner {
public:
    void turn(DcmItem& item, CharacterSets& sets, const std::string& declared) {
        for (DcmElement* element : elements_of(item)) {
            if (element->isAffectedBySpecificCharacterSet()) turn_element(*element, sets, declared);
            for_each_item(*element, [&](DcmItem& inner) { turn_item(inner, sets, declared); });
        }
    }

    std::string assumption;

private:
    /// An item may have character sets of its own.
    void turn_item(DcmItem& item, CharacterSets& outer, const std::string& outer_declared) {
        OFString declared;
        if (!item.tagExistsWithValue(DCM_SpecificCharacterSet)) return turn(item, outer, outer_declared);
        item.findAndGetOFStringArray(DCM_SpecificCharacterSet, declared);
        CharacterSets own(declared.c_str());
        turn(item, own, declared.c_str());
        item.putAndInsertString(DCM_SpecificCharacterSet, "ISO_IR 192");
    }

    void turn_element(DcmElement& element, CharacterSets& sets, const std::string& declared) {
        char* bytes = nullptr;
        Uint32 length = 0;
        if (element.getString(bytes, length).bad() || !bytes) return;
        const DcmEVR vr = element.ident();
        const char* const delimiters = vr == EVR_PN                                   ? "\\^="
                                       : vr == EVR_ST || vr == EVR_LT || vr == EVR_UT ? ""
                                                                                      : "\\";
        const std::string before(bytes, length);
        const CharacterSets::Text text = sets.decode(before, delimiters);
        if (text.utf8 != before) element.putString(text.utf8.data(), static_cast<Uint32>(text.utf8.size()));
        if (text.assumed.empty() || !assumption.empty()) return;
        const DcmTagKey tag = element.getTag().getXTag();
        const bool of_the_plan =
            tag.getGroup() >= 0x3000 && vr != EVR_PN;  // names of patients do not belong in notes
        assumption =
            (declared.empty() ? std::string("text beyond ASCII without a Specific Character Set (0008,0005)")
                              : "text that is not in its Specific Character Set (0008,0005) " + declared) +
            " is read as " + text.assumed + ": " + (of_the_plan ? "'" + text.utf8 + "' in " : std::string()) +
            tag_text(tag);
    }
};

}  // namespace

void recover_unknown(DcmItem& item) {
    for (DcmElement* element : elements_of(item)) {
        auto known = recovered(*element);
        if (known && item.insert(known.get(), true).good()) element = known.release();
        for_each_item(*element, recover_unknown);
    }
}

std::string turn_into_utf8(DcmItem& dataset) {
    OFString declared;
    dataset.findAndGetOFStringArray(DCM_SpecificCharacterSet, declared);
    CharacterSets sets(declared.c_str());
    TextTurner turner;
    turner.turn(dataset, sets, declared.c_str());
    if (!declared.empty()) dataset.putAndInsertString(DCM_SpecificCharacterSet, "ISO_IR 192");
    return turner.assumption;
}

}  // namespace libdose::io
