// Dose grid and fluence pixels that are fine enough for narrow openings (docs/theory/small-fields.md).
#pragma once

#include <string>

#include "fluence/fluence_map.h"
#include "libdose/engine.h"
#include "libdose/grid.h"

namespace libdose {

/// Spacing of the dose grid where no opening is narrow and none is stated, mm.
inline constexpr double usual_grid_mm = 2.5;
/// An opening is to be so many voxels wide; docs/theory/small-fields.md has the errors with fewer.
inline constexpr double voxels_across = 7;
/// Openings below this width are too narrow for the usual spacing, mm.
inline constexpr double narrow_opening_mm = voxels_across * usual_grid_mm;

/// Part of the largest fluence from which on a point counts as open.
inline constexpr float open_part = 0.1f;

/// Width of the narrowest opening that counts, mm on the isocentre plane; infinity for none. Openings are
/// what jaws, leaves and blocks together leave open over the whole beam: the parts of the plane that get at
/// least a tenth of the largest fluence and hang together. One that gets less than a tenth of the beam's
/// fluence does not count.
double narrowest_opening_mm(const Beam& beam, const HeadModel& head);

/// The same of the fluence of a map.
double narrowest_part_mm(const FluenceMap& map);

/// Side of the pixels of a beam's fluence maps, mm: 1, or 0.5 where its opening is narrow. Openings are not
/// looked for where nobody stated a spacing and the grid has the usual one: none is narrow.
double fluence_pixel_mm(const Beam& beam, const HeadModel& head, const Grid& grid, double stated_mm);

/// Spacing for a box of this volume, mm: the usual one, or so fine that the narrowest opening is seven voxels
/// wide. Not below 0.5, and not so fine that the box has more voxels than `most_voxels`.
double automatic_grid_mm(const Plan& plan, const BeamModelProvider& models, double box_mm3);
inline constexpr double most_voxels = 48e6;

/// Says that the grid is finer than usual for a narrow opening, or too coarse for one and by how much the
/// dose may be off; empty: neither. stated_mm: the spacing that was asked for; 0: none.
std::string small_field_note(const Plan& plan, const BeamModelProvider& models, const Grid& grid,
                             double stated_mm);

/// Says that the grid is too coarse for an opening so wide, and by how much the dose may be off; empty: it is
/// not.
std::string narrow_opening_note(const Beam& beam, double opening_mm, const Grid& grid);

}  // namespace libdose
