// Structures (regions of interest) as contours and as voxel coverage.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libdose/grid.h"

namespace libdose {

/// One closed polygon of a structure.
struct Contour {
    std::vector<Vec3> points_mm;  ///< closed polygon in one axial plane, LPS
};

/// A region of interest.
struct Structure {
    int number = 0;
    std::string name;
    std::string type;  ///< RT ROI Interpreted Type: EXTERNAL, PTV, ORGAN, SUPPORT, BOLUS, …; may be empty
    std::vector<Contour> contours;
    bool xor_contours =
        false;  ///< type CLOSEDPLANAR_XOR: inside is what an odd number of contours of a plane encloses
    /// Usual distance of the contour planes of the whole set; used where one or two planes do not tell. 0:
    /// unknown.
    double plane_spacing_mm = 0;
    std::optional<double> relative_mass_density;      ///< override, water = 1
    std::optional<double> relative_electron_density;  ///< override, water = 1
    std::string
        material;  ///< of an override, by its name in the material table; empty: composition goes by density
    std::string frame_of_reference_uid;  ///< that of its set; may be empty
};

/// The structures of a patient.
struct StructureSet {
    std::string sop_instance_uid, frame_of_reference_uid, label, patient_id;
    std::string referenced_series_uid;  ///< CT series that the contours were drawn on; may be empty
    std::vector<Structure> structures;
    std::vector<std::string> notes;

    /// By name, or by number as "#12"; nullptr if absent, the first with contours where several have it.
    const Structure* find(const std::string& name) const;
    /// The same for a name that a user gave. Throws bad_input, with `where`, when no structure has it, or
    /// several with contours.
    const Structure& named(const std::string& name, const std::string& where) const;
    const Structure* external() const;  ///< first of type EXTERNAL with contours, nullptr if none
};

/// Fraction 0…1 of every voxel that lies inside the structure. In the plane: exact area. A contour within
/// another is a hole, one within a hole an island; contours that overlap are one area; a copy of a contour
/// counts once. Each contour by itself goes by the even-odd rule (so key-holes are holes), and so do all of a
/// plane together with xor_contours. Along z: a contour reaches half way to its neighbouring contour planes;
/// at the ends half of the structure's own usual plane spacing; a distance above 1.5 x the usual one is a gap
/// (docs/reference/structures.md). A single plane is as thick as plane_spacing_mm, or the grid's spacing
/// along z where that is 0. A structure without contours covers nothing. Throws bad_input on contours that
/// are not axial or not finite.
Volume<float> coverage_mask(const Structure& structure, const Grid& grid);

/// Notes for the user on how coverage_mask() takes the contours: copies that are left out, parts that
/// overlap, contours that cross themselves, missing planes. Throws what coverage_mask() does.
std::vector<std::string> contour_notes(const Structure& structure);

}  // namespace libdose
