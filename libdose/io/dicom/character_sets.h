// The character sets of DICOM PS3.3 C.12.1.1.2 and their code extensions (PS3.5 6.1).
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/ofstd/ofchrenc.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libdose::io {

class CharacterSets {
public:
    struct Text {
        std::string utf8;
        std::string assumed;  ///< the encoding that was taken because the declared sets do not fit; empty
                              ///< when they do
    };

    /// `declared` is Specific Character Set (0008,0005), several values parted by "\".
    explicit CharacterSets(const std::string& declared);

    /// UTF-8 of a text. After a delimiter, a line end or a tab the first set is in force again.
    /// Text that the declared sets do not fit is taken as UTF-8 where it is, else as Windows-1252.
    Text decode(std::string_view bytes, std::string_view delimiters);

private:
    std::optional<std::string> convert(std::string_view bytes, const std::string& encoding);
    std::optional<std::string> decode_declared(std::string_view bytes, std::string_view delimiters);

    std::string whole_;  ///< encoding without code extensions (UTF-8, GBK, GB18030); empty: code extensions
    std::string first_;  ///< encoding of the bytes from 0x80 before any escape sequence; empty: there is none
    std::map<std::string, OFCharacterEncoding> encoders_;
};

}  // namespace libdose::io
