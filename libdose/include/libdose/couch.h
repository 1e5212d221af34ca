// Models of treatment couches: what lies under the patient when the CT was taken on another table.
// docs/reference/couch.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "libdose/ct_image.h"
#include "libdose/structure.h"

namespace libdose {

/// One material of a couch. Outline in the couch's cross-section, mm: x from the middle, positive to the
/// right as seen from the foot of the couch towards the gantry; y from the top surface, positive downwards.
struct CouchPart {
    std::string name;      ///< "shell"
    std::string material;  ///< name in the material table; empty: composition goes by density
    double density_g_cm3 = 0;
    std::vector<double> x_mm, y_mm;  ///< closed polygon
};

/// The same cross-section all along. A later part replaces an earlier one: a shell is the outer outline, its
/// core comes after it.
struct CouchModel {
    std::string name;
    std::vector<CouchPart> parts;

    /// CSV with the header part,material,density_g_cm3,x_mm,y_mm, one corner a row, the rows of a part
    /// together. Throws bad_input.
    static CouchModel read_csv(const std::filesystem::path& file);
    void check() const;  ///< throws bad_input: no part, densities, polygons of fewer than three points or
                         ///< above the top surface, …
    double lowest_x_mm() const;
    double highest_x_mm() const;
    /// Mass per area (g/cm²) that a vertical ray at x passes.
    double path_g_cm2(double x_mm) const;
};

/// A couch of data_folder() / "couches" by its name, or a file. Throws bad_input with the list of names.
CouchModel read_couch(const std::string& name_or_file);
std::vector<std::string> couch_names();  ///< those of the data folder, in order

/// A couch as structures.
struct CouchStructures {
    std::vector<Structure>
        structures;              ///< type SUPPORT, named "Couch <part>", with densities; without numbers
    double outside_percent = 0;  ///< part of the couch's cross-section that lies beyond the CT and is cut off
};

/// Contours of the couch on every CT slice with its centre between two z, cut to the CT. Throws bad_input for
/// a lying or unknown patient position (decubitus) and for a couch wholly beyond the CT. `top_mm`: LPS y of
/// the surface that the patient lies on. `centre_x_mm`: LPS x of the couch's middle.
CouchStructures couch_structures(const CouchModel& couch, const CtImage& ct, PatientPosition position,
                                 double top_mm, double centre_x_mm, double lowest_z_mm, double highest_z_mm);

/// Where a couch was put.
struct CouchPlacement {
    double top_mm = 0, centre_x_mm = 0;  ///< LPS
    std::vector<std::string> notes;
};

/// Adds a couch along the whole CT to the structures, below the body: on the side of LPS +y for a supine
/// patient, −y for a prone one. Without `top_mm` it touches the lowest point of the structure of type
/// EXTERNAL. Throws bad_input without such a structure, when there is a structure of type SUPPORT already,
/// for a decubitus position, and when the couch is not under the body or more than 10 mm inside it.
CouchPlacement insert_couch(StructureSet& structures, const CtImage& ct, PatientPosition position,
                            const CouchModel& couch, std::optional<double> top_mm = {},
                            double centre_x_mm = 0);

}  // namespace libdose
