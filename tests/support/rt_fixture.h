// Makes RT Plans and RT Structure Sets for tests. Values are text, as in the file, so that wrong ones can be
// made too; an empty text leaves the element out. `edit` hooks change what the knobs do not reach.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace libdose::test {

struct DeviceSpec {
    std::string type, pairs = "1", boundaries;
};

struct WedgeSpec {
    std::string number = "1", type = "STANDARD", id = "W30", angle = "30", factor = "0.5", orientation = "0";
    std::function<void(DcmItem&)> edit{};
};

/// A triangle with corners (0, 0), (40, 0), (0, 30) mm.
struct BlockSpec {
    std::string number = "1", name = "corner", type = "SHIELDING", divergence = "PRESENT",
                mounting = "PATIENT_SIDE";
    std::string tray_distance = "650", thickness = "80", transmission = "0.05", points = "3",
                data = "0\\0\\40\\0\\0\\30";
    std::function<void(DcmItem&)> edit{};
};

struct PointSpec {
    std::string weight;
    std::vector<std::pair<std::string, std::string>> positions;  ///< device type, positions
    std::vector<std::pair<std::string, std::string>> wedges;     ///< number of the wedge, position
    std::string gantry, collimator, couch, isocentre, energy, gantry_direction;
    std::function<void(DcmItem&)> edit;
};

struct BeamSpec {
    int number = 1;
    std::string name = "field";
    std::string radiation = "PHOTON", delivery = "TREATMENT", unit = "MU", axis_distance = "1000",
                setup = "1";
    std::string fluence_mode, fluence_mode_id;
    std::string final_weight = "1";
    std::string manufacturer, model;
    std::vector<DeviceSpec> devices;
    std::vector<WedgeSpec> wedges;
    std::vector<BlockSpec> blocks;
    std::vector<std::pair<std::string, std::string>> boluses;  ///< ROI number, ID
    std::vector<PointSpec> points;
    std::function<void(DcmItem&)> edit;
};

struct ReferenceSpec {
    int beam = 1;
    std::string meterset, dose, dose_point;
};

struct GroupSpec {
    int number = 1;
    std::string fractions = "20";
    std::vector<ReferenceSpec> references;
    std::function<void(DcmItem&)> edit;
};

struct PlanSpec {
    std::string sop_class = "1.2.840.10008.5.1.4.1.1.481.5";
    std::vector<BeamSpec> beams;
    std::vector<GroupSpec> groups;
    std::vector<std::pair<std::string, std::string>> setups{{"1", "HFS"}};  ///< number, position
    std::function<void(DcmItem&)> edit;
};

/// A static beam, gantry 90°: X jaws -50 … 40, Y jaws -30 … 20 mm, two control points, weights 0 and 1.
BeamSpec static_beam(int number, const std::string& name);
/// The same with a multileaf collimator MLCX of two pairs (boundaries -10, 0, 10), leaves -5|-6 and 7|8.
BeamSpec mlc_beam(int number, const std::string& name);
/// One group of all beams with 100 MU each.
PlanSpec plan_of(std::vector<BeamSpec> beams);

struct ContourSpec {
    std::string data, type = "CLOSED_PLANAR";
    std::string count;  ///< Number of Contour Points; empty: as many as the data
};

struct RoiSpec {
    int number = 1;
    std::string name = "roi", type = "ORGAN";
    std::vector<ContourSpec> contours;
    std::vector<std::pair<std::string, std::string>> properties;  ///< ROI Physical Property, value
    std::string frame = "1.2.3.4";
};

struct StructureSpec {
    std::string sop_class = "1.2.840.10008.5.1.4.1.1.481.3";
    std::vector<RoiSpec> rois;
    std::vector<std::string> series{"1.2.3.5"};
    std::string frame = "1.2.3.4";
    std::function<void(DcmItem&)> edit;
};

/// A square of 10 mm with a corner at (0, 0) in the plane z.
ContourSpec square_contour(double z);

/// Writes into a folder of the running test and returns the path.
std::filesystem::path write_plan(const PlanSpec& spec, E_TransferSyntax syntax = EXS_LittleEndianExplicit);
std::filesystem::path write_structures(const StructureSpec& spec,
                                       E_TransferSyntax syntax = EXS_LittleEndianExplicit);

/// Adds an empty item to a sequence.
DcmItem& add_item(DcmItem& parent, DcmTagKey sequence);
/// Puts a text unless it is empty.
void put(DcmItem& item, DcmTagKey tag, const std::string& value);

}  // namespace libdose::test
