// An item of a DICOM data set that knows where it stands, so that every error names file, place and tag.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libdose/error.h"

namespace libdose::io {

/// Text and numbers come without padding. "Absent" is a missing or an empty element. Every getter throws
/// bad_input where an element cannot be what it should be (not a number, not finite, a sequence instead of a
/// value).
class DicomItem {
public:
    DicomItem(DcmItem& item, std::string place) : item_(&item), place_(std::move(place)) {}

    std::optional<std::string> optional_text(DcmTagKey tag) const;
    std::string text(DcmTagKey tag) const;  ///< throws when absent
    std::string text_or_empty(DcmTagKey tag) const { return optional_text(tag).value_or(std::string()); }

    std::vector<double> optional_numbers(DcmTagKey tag) const;  ///< empty when absent
    std::vector<double> numbers(DcmTagKey tag,
                                std::size_t count) const;  ///< throws when absent or another count
    std::optional<double> optional_number(DcmTagKey tag) const;
    double number(DcmTagKey tag) const;
    std::optional<int> optional_integer(DcmTagKey tag) const;
    int integer(DcmTagKey tag) const;

    /// Items of a sequence; none when absent. Each is placed at "<place>, <name> <position from 1>".
    std::vector<DicomItem> items(DcmTagKey tag, const std::string& name) const;

    std::vector<DcmTagKey> tags() const;  ///< tags of the elements that hold something, without group lengths
    std::string shown(
        DcmTagKey tag) const;  ///< value in words, shortened; never throws for the sort of value

    DicomItem renamed(std::string place) const { return {*item_, std::move(place)}; }
    const std::string& place() const { return place_; }
    std::string at(DcmTagKey tag) const;  ///< "<place>, (gggg,eeee) Name"

private:
    DcmElement* find(DcmTagKey tag) const;
    Error absent(DcmTagKey tag) const;

    DcmItem* item_;
    std::string place_;
};

/// "(gggg,eeee) Name"
std::string tag_text(DcmTagKey tag);

/// DCMTK reports what it meets on the console as well; the library does not print, the caller gets the error.
/// Silent while any of these lives.
class QuietDcmtk {
public:
    QuietDcmtk();
    ~QuietDcmtk();
    QuietDcmtk(const QuietDcmtk&) = delete;
    QuietDcmtk& operator=(const QuietDcmtk&) = delete;
};

/// A DICOM file held in memory, its text in UTF-8 and its elements with the representation of the standard.
/// Throws bad_input when it cannot be read, is truncated or is not DICOM.
class DicomFile {
public:
    explicit DicomFile(const std::filesystem::path& file);
    DicomItem root() const;
    DcmDataset& dataset() const { return *format_->getDataset(); }
    const std::filesystem::path& path() const { return path_; }
    const std::vector<std::string>& notes() const { return notes_; }  ///< what had to be assumed to read it

private:
    QuietDcmtk quiet_;
    std::filesystem::path path_;
    std::unique_ptr<DcmFileFormat> format_;
    std::vector<std::string> notes_;
};

}  // namespace libdose::io
