// The parts that read_plan() is made of.
#pragma once

#include <string>
#include <vector>

#include "io/dicom/dicom_item.h"
#include "libdose/plan.h"

namespace libdose::io {

/// Number, name, machine, energy, fluence mode, distances, collimators, control points and accessories. The
/// item's place names the beam. MU and dose point are the caller's, from the fraction group.
Beam read_beam(const DicomItem& item, std::vector<std::string>& notes);

/// Wedges and where they are in the control points, blocks, trays and boluses. The control points have been
/// read.
void read_accessories(const DicomItem& item, Beam& beam, std::vector<std::string>& notes);

/// Wedges of a beam whose control points have been read.
void read_wedges(const DicomItem& item, Beam& beam, std::vector<std::string>& notes);

/// Types of jaws of which another pair of the same axis has the positions; noted.
std::vector<std::string> jaws_declared_in_vain(const DicomItem& beam, std::vector<std::string>& notes);

/// Throws refused_plan for a machine that is known by its name, or that of its planning system, not to be
/// modelled.
void refuse_unmodelled_machine(const DicomItem& root, const DicomItem& beam);

/// Throws bad_input unless a number of accessories is that of the items which describe them.
void require_count(const DicomItem& beam, DcmTagKey count, std::size_t items, const std::string& what);

}  // namespace libdose::io
