#include "io/dicom/dicom_item.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <string_view>

#include "base/utf8.h"
#include "io/dicom/dicom_bytes.h"

namespace libdose::io {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view padding(" \0\t\r\n", 5);
    const auto first = text.find_first_not_of(padding);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(padding) - first + 1);
}

/// The raw text of an element; of one that stayed UN, its bytes.
std::optional<std::string> raw_text(DcmElement& element) {
    if (element.ident() == EVR_UN) {
        Uint8* bytes = nullptr;
        if (element.getUint8Array(bytes).bad()) return std::nullopt;
        return std::string(reinterpret_cast<const char*>(bytes), element.getLength());
    }
    char* direct = nullptr;  // getOFStringArray() takes quadratic time in the number of values
    if (element.getString(direct).good()) return std::string(direct ? direct : "");
    OFString text;
    if (element.getOFStringArray(text).bad()) return std::nullopt;
    return std::string(text.c_str(), text.length());
}

}  // namespace

std::string tag_text(DcmTagKey tag) {
    char code[16];
    std::snprintf(code, sizeof code, "(%04x,%04x)", static_cast<unsigned>(tag.getGroup()),
                  static_cast<unsigned>(tag.getElement()));
    return std::string(code) + " " + DcmTag(tag).getTagName();
}

std::string DicomItem::at(DcmTagKey tag) const { return place_ + ", " + tag_text(tag); }

DcmElement* DicomItem::find(DcmTagKey tag) const {
    DcmElement* element = nullptr;
    return item_->findAndGetElement(tag, element).good() && element && element->getLength() > 0 ? element
                                                                                                : nullptr;
}

Error DicomItem::absent(DcmTagKey tag) const { return bad_input("a required value is missing", at(tag)); }

std::optional<std::string> DicomItem::optional_text(DcmTagKey tag) const {
    DcmElement* element = find(tag);
    if (!element) return std::nullopt;
    const auto raw = raw_text(*element);
    if (!raw) throw bad_input("the element does not hold text", at(tag));
    const std::string_view text = trimmed(*raw);
    if (text.empty()) return std::nullopt;
    return std::string(text);
}

std::string DicomItem::text(DcmTagKey tag) const {
    auto value = optional_text(tag);
    if (!value) throw absent(tag);
    return *value;
}

std::vector<double> DicomItem::optional_numbers(DcmTagKey tag) const {
    const auto all = optional_text(tag);
    std::vector<double> values;
    if (!all) return values;
    for (std::size_t begin = 0; begin <= all->size();) {
        const auto end = std::min(all->find('\\', begin), all->size());
        std::string_view one = trimmed(std::string_view(*all).substr(begin, end - begin));
        const std::string_view as_written = one;
        if (one.size() > 1 && one.front() == '+' && one[1] != '-') one.remove_prefix(1);
        double value = 0;
        const auto [stop, error] = std::from_chars(one.data(), one.data() + one.size(), value);
        if (error != std::errc() || stop != one.data() + one.size() || !std::isfinite(value))
            throw bad_input("'" + std::string(as_written.substr(0, 32)) + "' is not a finite number",
                            at(tag));
        values.push_back(value);
        begin = end + 1;
    }
    return values;
}

std::vector<double> DicomItem::numbers(DcmTagKey tag, std::size_t count) const {
    auto values = optional_numbers(tag);
    if (values.empty()) throw absent(tag);
    if (values.size() != count)
        throw bad_input(std::to_string(values.size()) + " values where " + std::to_string(count) + " belong",
                        at(tag));
    return values;
}

std::optional<double> DicomItem::optional_number(DcmTagKey tag) const {
    const auto values = optional_numbers(tag);
    if (values.empty()) return std::nullopt;
    if (values.size() != 1)
        throw bad_input(std::to_string(values.size()) + " values where 1 belongs", at(tag));
    return values.front();
}

double DicomItem::number(DcmTagKey tag) const {
    const auto value = optional_number(tag);
    if (!value) throw absent(tag);
    return *value;
}

std::optional<int> DicomItem::optional_integer(DcmTagKey tag) const {
    const auto value = optional_number(tag);
    if (!value) return std::nullopt;
    if (*value != std::floor(*value) || std::abs(*value) > 2147483647.0)
        throw bad_input("the value is not a whole number", at(tag));
    return static_cast<int>(*value);
}

int DicomItem::integer(DcmTagKey tag) const {
    const auto value = optional_integer(tag);
    if (!value) throw absent(tag);
    return *value;
}

std::vector<DicomItem> DicomItem::items(DcmTagKey tag, const std::string& name) const {
    std::vector<DicomItem> result;
    DcmElement* element = nullptr;
    if (item_->findAndGetElement(tag, element).bad() || !element) return result;
    auto* sequence = dynamic_cast<DcmSequenceOfItems*>(element);
    if (!sequence) {
        if (element->getLength() == 0) return result;
        throw bad_input(element->getVR() == EVR_UN || element->getVR() == EVR_UNKNOWN
                            ? "the sequence is stored as UN, and its content cannot be read"
                            : "the element is not a sequence",
                        at(tag), "Export the file again");
    }
    for (unsigned long i = 0; i < sequence->card(); ++i)
        result.emplace_back(*sequence->getItem(i), place_ + ", " + name + " " + std::to_string(i + 1));
    return result;
}

std::vector<DcmTagKey> DicomItem::tags() const {
    std::vector<DcmTagKey> result;
    for (unsigned long i = 0; i < item_->card(); ++i) {
        DcmElement* element = item_->getElement(i);
        if (element && element->getLength() > 0 && element->getTag().getElement() != 0)
            result.emplace_back(element->getTag().getXTag());
    }
    return result;
}

std::string DicomItem::shown(DcmTagKey tag) const {
    constexpr std::size_t longest = 40;
    DcmElement* element = find(tag);
    if (!element) return "empty";
    if (auto* sequence = dynamic_cast<DcmSequenceOfItems*>(element))
        return std::to_string(sequence->card()) + " item(s)";
    const auto raw = raw_text(*element);
    if (!raw) return std::to_string(element->getLength()) + " bytes";
    const std::string text(trimmed(*raw));
    if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
        return std::to_string(element->getLength()) + " bytes";
    const std::string beginning = first_characters(text, longest);
    return beginning.size() == text.size() ? text : first_characters(text, longest - 3) + "...";
}

namespace {
std::mutex quiet_mutex;
int quiet_count = 0;
OFLogger::LogLevel level_before = OFLogger::WARN_LOG_LEVEL;
}  // namespace

QuietDcmtk::QuietDcmtk() {
    const std::lock_guard lock(quiet_mutex);
    if (quiet_count++ > 0) return;
    level_before = static_cast<OFLogger::LogLevel>(DCM_dcmdataLogger.getChainedLogLevel());
    DCM_dcmdataLogger.setLogLevel(OFLogger::OFF_LOG_LEVEL);
}

QuietDcmtk::~QuietDcmtk() {
    const std::lock_guard lock(quiet_mutex);
    if (--quiet_count == 0) DCM_dcmdataLogger.setLogLevel(level_before);
}

DicomFile::DicomFile(const std::filesystem::path& file)
    : path_(file), format_(std::make_unique<DcmFileFormat>()) {
    if (!std::filesystem::is_regular_file(file)) throw bad_input("there is no such file", file.string());
    OFCondition status = format_->loadFile(file.c_str());
    if (status.good()) status = format_->loadAllDataIntoMemory();
    if (status.bad())
        throw bad_input(std::string("the file cannot be read as DICOM: ") + status.text(), file.string(),
                        "It may be truncated or not DICOM; export it again");
    if (format_->getDataset()->card() == 0)
        throw bad_input("the file holds no DICOM data", file.string(),
                        "It may be truncated; export it again");
    if (is_cut_short(file, format_->getDataset()->getOriginalXfer()))
        throw bad_input("the file ends within a sequence", file.string(), "It is truncated; export it again");
    recover_unknown(*format_->getDataset());
    if (const std::string assumed = turn_into_utf8(*format_->getDataset()); !assumed.empty())
        notes_.push_back(root().place() + ": " + assumed);
}

DicomItem DicomFile::root() const { return {*format_->getDataset(), valid_utf8(path_.filename().string())}; }

}  // namespace libdose::io
