// From the words of CT pixels to Hounsfield units: Bits Stored, the sign, padding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/dicom/dicom_item.h"

namespace libdose::io {

/// Findings on the pixels of a series so far, slice after slice.
struct CtPixelReport {
    std::size_t padded = 0;          ///< pixels outside the reconstructed image: air
    std::size_t padding_within = 0;  ///< pixels of a padding value denser than air, within the image
    std::size_t tissue = 0;          ///< pixels denser than air, those of padding within the image included
    std::size_t sign_lost = 0;       ///< pixels of an unsigned image that are negative numbers
    std::string padding_place;       ///< place of the padding value that is found within the image
    double padding_hu = 0;
    std::string extended_place,
        bare_place;  ///< where negative pixels have their sign in all 16 bits; only in Bits Stored

    /// Throws bad_input when Bits Stored cannot be right, or when a padding value would take a part of the
    /// body; else adds notes.
    void finish(std::vector<std::string>& notes) const;
};

/// How the 16-bit pixels of one file are read.
class CtPixels {
public:
    /// Throws bad_input for what is not 16-bit MONOCHROME2.
    explicit CtPixels(const DicomItem& root);

    /// Hounsfield units of a frame, [row][column]; padding outside the image becomes -1000. Throws bad_input
    /// for a value beyond Bits Stored, and for one that no CT has.
    std::vector<float> hu(const std::uint16_t* words, int rows, int columns, double slope, double intercept,
                          CtPixelReport& report) const;

private:
    struct Value {
        int number = 0;
        bool padding = false;
    };
    Value value_of(std::uint16_t word, CtPixelReport& report) const;
    double with_sign(int number, double slope, double intercept, CtPixelReport& report) const;
    bool is_padding(int number) const {
        return padding_ && number >= padding_->first && number <= padding_->second;
    }
    /// A number of this file from 16 bits, whatever sign they were declared with.
    int number_of(int bits) const;

    DicomItem root_;
    int stored_ = 16;
    bool signed_ = false;
    std::uint32_t mask_ = 0xffff, overlays_ = 0;  ///< bits of the value; bits of overlays above it
    std::optional<std::pair<int, int>> padding_;  ///< lowest and highest padding value
};

}  // namespace libdose::io
