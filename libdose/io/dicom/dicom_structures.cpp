// RT Structure Set Storage -> StructureSet: DICOM PS3.3 C.8.8.5, C.8.8.6 and C.8.8.8.
#include <algorithm>
#include <cctype>
#include <map>

#include "io/dicom/dicom_item.h"
#include "libdose/io/dicom.h"
#include "patient/contour_planes.h"

namespace libdose::io {
namespace {

const char* const structure_set_class = "1.2.840.10008.5.1.4.1.1.481.3";

bool is_area(const std::string& type) { return type == "CLOSED_PLANAR" || type == "CLOSEDPLANAR_XOR"; }

bool is_point_or_line(const std::string& type) {
    return type == "POINT" || type == "OPEN_PLANAR" || type == "OPEN_NONPLANAR";
}

bool same_points(const Contour& a, const Contour& b) { return a.points_mm == b.points_mm; }

class StructureReader {
public:
    explicit StructureReader(const DicomItem& root) : root_(root) {}

    StructureSet read() {
        const std::string sop_class = root_.text(DCM_SOPClassUID);
        if (sop_class != structure_set_class)
            throw bad_input("this is not an RT Structure Set but " +
                                std::string(dcmFindNameOfUID(sop_class.c_str(), sop_class.c_str())),
                            root_.at(DCM_SOPClassUID), "Give the file of an RT Structure Set");
        set_.sop_instance_uid = root_.text(DCM_SOPInstanceUID);
        set_.label = root_.text_or_empty(DCM_StructureSetLabel);
        set_.patient_id = root_.text_or_empty(DCM_PatientID);
        if (root_.items(DCM_ROIContourSequence, "item").empty())
            throw bad_input("a required sequence is missing, so no structure has contours",
                            root_.at(DCM_ROIContourSequence), "Export the structure set again");
        if (root_.items(DCM_RTROIObservationsSequence, "item").empty())
            throw bad_input(
                "a required sequence is missing, so the types of the structures are not known, nor which is "
                "the body (EXTERNAL)",
                root_.at(DCM_RTROIObservationsSequence),
                "Export the structure set again, with an observation for every structure");
        read_rois();
        read_contours();
        read_observations();
        choose_frame();
        for (Structure& structure : set_.structures)
            structure.frame_of_reference_uid = set_.frame_of_reference_uid;
        choose_series();
        find_plane_spacing();
        for (const Structure& structure : set_.structures) note_contours(structure);
        report_several_bodies();
        report_untyped_body();
        return std::move(set_);
    }

private:
    std::string place(const Structure& structure) const {
        return root_.place() + ", ROI " + std::to_string(structure.number) + " '" + structure.name + "'";
    }

    void note(const Structure& structure, const std::string& text) {
        set_.notes.push_back(place(structure) + ": " + text);
    }

    void read_rois() {
        for (const DicomItem& item : root_.items(DCM_StructureSetROISequence, "structure set ROI")) {
            Structure structure;
            structure.name = item.text_or_empty(DCM_ROIName);
            const DicomItem named = item.renamed(item.place() + " '" + structure.name + "'");
            structure.number = named.integer(DCM_ROINumber);
            if (!index_.emplace(structure.number, set_.structures.size()).second)
                throw bad_input("two ROIs have the number " + std::to_string(structure.number),
                                named.at(DCM_ROINumber));
            for (const Structure& other : set_.structures)
                if (other.name == structure.name)
                    note(structure, "has the same name as ROI " + std::to_string(other.number));
            frame_of_[structure.number] = named.text_or_empty(DCM_ReferencedFrameOfReferenceUID);
            set_.structures.push_back(std::move(structure));
        }
        if (set_.structures.empty())
            throw bad_input("the structure set holds no ROI", root_.at(DCM_StructureSetROISequence));
    }

    /// The ROI that an item is of; nullptr, with a note, for one that is not there: it was deleted and left
    /// the item behind.
    Structure* structure_of(const DicomItem& item, const char* what) {
        const int number = item.integer(DCM_ReferencedROINumber);
        const auto found = index_.find(number);
        if (found != index_.end()) return &set_.structures[found->second];
        set_.notes.push_back(item.at(DCM_ReferencedROINumber) + ": " + what +
                             " left out: there is no ROI with the number " + std::to_string(number));
        return nullptr;
    }

    void read_contours() {
        std::vector<int> seen;
        for (const DicomItem& item : root_.items(DCM_ROIContourSequence, "ROI contour")) {
            Structure* structure = structure_of(item, "contours");
            if (!structure) continue;
            if (std::find(seen.begin(), seen.end(), structure->number) != seen.end())
                throw bad_input("two sets of contours for one ROI", place(*structure));
            seen.push_back(structure->number);
            read_contours_of(*structure, item.renamed(place(*structure)));
        }
    }

    void read_contours_of(Structure& structure, const DicomItem& item) {
        std::size_t not_areas = 0, too_few = 0, uncounted = 0, of_xor = 0;
        for (const DicomItem& contour : item.items(DCM_ContourSequence, "contour")) {
            const std::string type = contour.text_or_empty(DCM_ContourGeometricType);
            if (is_point_or_line(type)) {
                ++not_areas;
                continue;
            }
            Contour one = read_points(contour, uncounted);
            const bool empty = type.empty() && one.points_mm.empty();
            if (!is_area(type) && !empty)
                throw bad_input("the contour type \"" + type + "\" is not known",
                                contour.at(DCM_ContourGeometricType));
            if (one.points_mm.size() < 3) {
                ++too_few;
                continue;
            }
            if (type == "CLOSEDPLANAR_XOR") ++of_xor;
            structure.contours.push_back(std::move(one));
        }
        structure.xor_contours = of_xor > 0;
        if (not_areas)
            note(structure, std::to_string(not_areas) +
                                " contours left out: points or open lines, which enclose nothing");
        if (too_few)
            note(structure, std::to_string(too_few) +
                                " contours left out: fewer than three points, which enclose nothing");
        if (uncounted)
            note(structure,
                 std::to_string(uncounted) +
                     " contours do not say how many points they have (3006,0046): taken as they are");
        if (of_xor > 0 && of_xor < structure.contours.size())
            note(structure,
                 "some contours are of type CLOSEDPLANAR_XOR and some are not: all of the structure are "
                 "taken as CLOSEDPLANAR_XOR");
        if (!structure.xor_contours) remove_repeated(structure);
    }

    /// A contour that is written twice, point by point, is kept once.
    void remove_repeated(Structure& structure) {
        std::vector<Contour> kept;
        for (Contour& contour : structure.contours)
            if (std::none_of(kept.begin(), kept.end(),
                             [&](const Contour& other) { return same_points(other, contour); }))
                kept.push_back(std::move(contour));
        const std::size_t repeated = structure.contours.size() - kept.size();
        structure.contours = std::move(kept);
        if (repeated)
            note(structure,
                 std::to_string(repeated) + " contours left out: the same contour is there already");
    }

    /// Points of a contour; none where it has no data. Counts it where it does not say how many there are.
    static Contour read_points(const DicomItem& item, std::size_t& uncounted) {
        for (double offset : item.optional_numbers(DCM_RETIRED_ContourOffsetVector))
            if (offset != 0)
                throw bad_input("a contour that is shifted by an offset is not read",
                                item.at(DCM_RETIRED_ContourOffsetVector));
        const auto values = item.optional_numbers(DCM_ContourData);
        if (values.size() % 3 != 0)
            throw bad_input(std::to_string(values.size()) + " coordinates are not whole points of x, y, z",
                            item.at(DCM_ContourData));
        const auto declared = item.optional_integer(DCM_NumberOfContourPoints);
        if (!declared && !values.empty()) ++uncounted;
        if (declared && (*declared < 0 || static_cast<std::size_t>(*declared) != values.size() / 3))
            throw bad_input("the contour says " + std::to_string(*declared) + " points and holds " +
                                std::to_string(values.size() / 3),
                            item.at(DCM_NumberOfContourPoints));
        Contour contour;
        contour.points_mm.reserve(values.size() / 3);
        for (std::size_t i = 0; i < values.size(); i += 3)
            contour.points_mm.emplace_back(values[i], values[i + 1], values[i + 2]);
        return contour;
    }

    /// Summary of the contours of a structure. Those that are not axial are of no use, and harmless where
    /// the structure is not used.
    void note_contours(const Structure& structure) {
        try {
            for (const std::string& text : contour_notes(structure)) note(structure, text);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::bad_input) throw;
            note(structure, error.problem() + ": the structure cannot be used");
        }
    }

    void report_several_bodies() {
        std::string names;
        int bodies = 0;
        for (const Structure& structure : set_.structures)
            if (structure.type == "EXTERNAL" && !structure.contours.empty()) {
                names += (bodies ? ", '" : "'") + structure.name + "'";
                ++bodies;
            }
        if (bodies > 1)
            set_.notes.push_back(root_.place() +
                                 ": several ROIs of type EXTERNAL, the first is the body: " + names);
    }

    /// Without types nothing is the body; a name may tell which was meant to be.
    void report_untyped_body() {
        if (set_.external()) return;
        const auto is_body_name = [](std::string name) {
            std::transform(name.begin(), name.end(), name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
            for (const char* known : {"body", "external", "skin", "patient", "outline", "outer contour"})
                if (name.rfind(known, 0) == 0) return true;
            return false;
        };
        for (const Structure& structure : set_.structures)
            if (structure.type.empty() && !structure.contours.empty() && is_body_name(structure.name))
                note(structure,
                     "has no type: if it is the body, give it the type EXTERNAL; without it the whole CT is "
                     "calculated");
    }

    void read_observations() {
        for (const DicomItem& item : root_.items(DCM_RTROIObservationsSequence, "ROI observation")) {
            Structure* structure = structure_of(item, "observation");
            if (!structure) continue;
            if (const auto type = item.optional_text(DCM_RTROIInterpretedType)) {
                if (!structure->type.empty() && structure->type != *type)
                    throw bad_input("the ROI is both " + structure->type + " and " + *type,
                                    place(*structure));
                structure->type = *type;
            }
            for (const DicomItem& property :
                 item.renamed(place(*structure)).items(DCM_ROIPhysicalPropertiesSequence, "property"))
                read_property(*structure, property);
        }
    }

    void read_property(Structure& structure, const DicomItem& property) {
        const std::string name = property.text(DCM_ROIPhysicalProperty);
        std::optional<double>* value = name == "REL_MASS_DENSITY"   ? &structure.relative_mass_density
                                       : name == "REL_ELEC_DENSITY" ? &structure.relative_electron_density
                                                                    : nullptr;
        if (!value) {
            note(structure, "the physical property " + name + " " +
                                property.text_or_empty(DCM_ROIPhysicalPropertyValue) +
                                " is not used: the material follows from the density");
            return;
        }
        const double given = property.number(DCM_ROIPhysicalPropertyValue);
        if (given < 0) throw bad_input("a density below 0", property.at(DCM_ROIPhysicalPropertyValue));
        if (*value && **value != given)
            throw bad_input("two values of " + name, property.at(DCM_ROIPhysicalPropertyValue));
        *value = given;
    }

    /// All contours have to be in one frame of reference: that of the CT.
    void choose_frame() {
        std::string first_name;
        for (const Structure& structure : set_.structures) {
            const std::string& frame = frame_of_[structure.number];
            if (structure.contours.empty() || frame.empty()) continue;
            if (set_.frame_of_reference_uid.empty()) {
                set_.frame_of_reference_uid = frame;
                first_name = structure.name;
            } else if (frame != set_.frame_of_reference_uid) {
                throw bad_input("its frame of reference " + frame + " is not that of '" + first_name + "', " +
                                    set_.frame_of_reference_uid,
                                place(structure), "Export the structures in the frame of the CT");
            }
        }
        if (!set_.frame_of_reference_uid.empty()) return;
        const auto frames = root_.items(DCM_ReferencedFrameOfReferenceSequence, "frame of reference");
        set_.frame_of_reference_uid = frames.size() == 1
                                          ? frames.front().text_or_empty(DCM_FrameOfReferenceUID)
                                          : root_.text_or_empty(DCM_FrameOfReferenceUID);
    }

    void choose_series() {
        std::vector<std::string> series;
        for (const DicomItem& frame :
             root_.items(DCM_ReferencedFrameOfReferenceSequence, "frame of reference")) {
            if (frame.text_or_empty(DCM_FrameOfReferenceUID) != set_.frame_of_reference_uid) continue;
            for (const DicomItem& study : frame.items(DCM_RTReferencedStudySequence, "study"))
                for (const DicomItem& item : study.items(DCM_RTReferencedSeriesSequence, "series"))
                    if (const std::string uid = item.text(DCM_SeriesInstanceUID);
                        std::find(series.begin(), series.end(), uid) == series.end())
                        series.push_back(uid);
        }
        if (series.size() == 1) set_.referenced_series_uid = series.front();
        if (series.size() > 1)
            set_.notes.push_back(root_.place() + ": refers to " + std::to_string(series.size()) +
                                 " series, so to none in particular");
    }

    /// The structure with the most planes shows the slices best.
    void find_plane_spacing() {
        std::size_t most = 1;
        double spacing_mm = 0;
        for (const Structure& structure : set_.structures) {
            const std::size_t planes = plane_count(structure);
            if (planes <= most) continue;
            most = planes;
            spacing_mm = usual_plane_spacing_mm(structure);
        }
        for (Structure& structure : set_.structures) structure.plane_spacing_mm = spacing_mm;
    }

    /// 0 where the contours are not axial.
    static std::size_t plane_count(const Structure& structure) {
        try {
            return stack_contours(structure, 0).planes.size();
        } catch (const Error&) {
            return 0;
        }
    }

    const DicomItem& root_;
    StructureSet set_;
    std::map<int, std::size_t> index_;
    std::map<int, std::string> frame_of_;
};

}  // namespace

StructureSet read_structures(const std::filesystem::path& file) {
    const DicomFile dicom(file);
    const DicomItem root = dicom.root();
    StructureSet set = StructureReader(root).read();
    set.notes.insert(set.notes.begin(), dicom.notes().begin(), dicom.notes().end());
    return set;
}

}  // namespace libdose::io
