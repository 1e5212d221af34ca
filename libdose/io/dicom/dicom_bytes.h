// DICOM elements from bytes in memory: whole or cut short, known or stored as UN, in any character set.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <filesystem>
#include <string>

namespace libdose::io {

/// Whether a file ends within a sequence. DCMTK takes the end of the file as the end of every open sequence.
bool is_cut_short(const std::filesystem::path& file, E_TransferSyntax syntax);

/// Gives every element that is stored as UN (by an archive that did not know its tag) the value
/// representation that the standard has for it, at every level. A content that cannot be read stays UN;
/// private elements stay as they are.
void recover_unknown(DcmItem& item);

/// Turns every text of a data set into UTF-8, at every level. Returns what had to be assumed for it, in
/// words; empty when every text follows its Specific Character Set.
std::string turn_into_utf8(DcmItem& dataset);

}  // namespace libdose::io
