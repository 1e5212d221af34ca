// RT Structure Set Storage -> StructureSet: DICOM PS3.3 C.8.8.5, C.8.8.6 and C.8.8.8.
#include <algorithm>
#include <map>

#include "analysis/contour_planes.h"
#include "io/dicom_item.h"
#include "libdose/io/dicom.h"

namespace libdose::io {
namespace {

const char* const structure_set_class = "1.2.840.10008.5.1.4.1.1.481.3";

bool is_area(const std::string& type) { return type == "CLOSED_PLANAR" || type == "CLOSEDPLANAR_XOR"; }

bool is_point_or_line(const std::string& type) { return type == "POINT" || type == "OPEN_PLANAR" || type == "OPEN_NONPLANAR"; }

bool same_points(const Contour& a, const Contour& b) { return a.points_mm == b.points_mm; }

class StructureReader {
public:
    explicit StructureReader(const DicomItem& root) : root_(root) {}

    StructureSet read() {
        const std::string sop_class = root_.text(DCM_SOPClassUID);
        if (sop_class != structure_set_class)
            throw bad_input("this is not an RT Structure Set but " + std::string(dcmFindNameOfUID(sop_class.c_str(), sop_class.c_str())),
                            root_.at(DCM_SOPClassUID), "Give the file of an RT Structure Set");
        set_.sop_instance_uid = root_.text(DCM_SOPInstanceUID);
        set_.label = root_.text_or_empty(DCM_StructureSetLabel);
        set_.patient_id = root_.text_or_empty(DCM_PatientID);
        // Without them every structure would be empty, or the body unknown.
        for (DcmTagKey tag : {DCM_ROIContourSequence, DCM_RTROIObservationsSequence})
            if (root_.items(tag, "item").empty()) throw bad_input("a required sequence is missing", root_.at(tag));
        read_rois();
        read_contours();
        read_observations();
        choose_frame();
        for (Structure& structure : set_.structures)
            structure.frame_of_reference_uid = set_.frame_of_reference_uid;
        choose_series();
        find_plane_spacing();
        for (const Structure& structure : set_.structures) report_gaps(structure);
        report_several_bodies();
        return std::move(set_);
    }

private:
    std::string place(const Structure& structure) const { return root_.place() + ", ROI " + std::to_string(structure.number) + " '" + structure.name + "'"; }

    void note(const Structure& structure, const std::string& text) { set_.notes.push_back(place(structure) + ": " + text); }

    void read_rois() {
        for (const DicomItem& item : root_.items(DCM_StructureSetROISequence, "structure set ROI")) {
            Structure structure;
            structure.name = item.text_or_empty(DCM_ROIName);
            const DicomItem named = item.renamed(item.place() + " '" + structure.name + "'");
            structure.number = named.integer(DCM_ROINumber);
            if (!index_.emplace(structure.number, set_.structures.size()).second)
                throw bad_input("two ROIs have the number " + std::to_string(structure.number), named.at(DCM_ROINumber));
            for (const Structure& other : set_.structures)
                if (other.name == structure.name) note(structure, "has the same name as ROI " + std::to_string(other.number));
            frame_of_[structure.number] = named.text_or_empty(DCM_ReferencedFrameOfReferenceUID);
            set_.structures.push_back(std::move(structure));
        }
        if (set_.structures.empty()) throw bad_input("the structure set holds no ROI", root_.at(DCM_StructureSetROISequence));
    }

    Structure& structure_of(const DicomItem& item) {
        const int number = item.integer(DCM_ReferencedROINumber);
        const auto found = index_.find(number);
        if (found == index_.end()) throw bad_input("there is no ROI with the number " + std::to_string(number), item.at(DCM_ReferencedROINumber));
        return set_.structures[found->second];
    }

    void read_contours() {
        std::vector<int> seen;
        for (const DicomItem& item : root_.items(DCM_ROIContourSequence, "ROI contour")) {
            Structure& structure = structure_of(item);
            if (std::find(seen.begin(), seen.end(), structure.number) != seen.end()) throw bad_input("two sets of contours for one ROI", place(structure));
            seen.push_back(structure.number);
            read_contours_of(structure, item.renamed(place(structure)));
        }
    }

    void read_contours_of(Structure& structure, const DicomItem& item) {
        std::size_t not_areas = 0, too_few = 0, repeated = 0;
        for (const DicomItem& contour : item.items(DCM_ContourSequence, "contour")) {
            const std::string type = contour.text(DCM_ContourGeometricType);
            if (is_point_or_line(type)) {
                ++not_areas;
                continue;
            }
            if (!is_area(type)) throw bad_input("the contour type " + type + " is not known", contour.at(DCM_ContourGeometricType));
            Contour one = read_contour(contour);
            if (one.points_mm.size() < 3)
                ++too_few;
            else if (is_repeated(structure, one))
                ++repeated;
            else
                structure.contours.push_back(std::move(one));
        }
        if (not_areas) note(structure, std::to_string(not_areas) + " contours left out: points or open lines, which enclose nothing");
        if (too_few) note(structure, std::to_string(too_few) + " contours left out: fewer than three points, which enclose nothing");
        if (repeated) note(structure, std::to_string(repeated) + " contours left out: the same contour is there already");
    }

    static Contour read_contour(const DicomItem& item) {
        for (double offset : item.optional_numbers(DCM_RETIRED_ContourOffsetVector))
            if (offset != 0) throw bad_input("a contour that is shifted by an offset is not read", item.at(DCM_RETIRED_ContourOffsetVector));
        const auto values = item.optional_numbers(DCM_ContourData);
        if (values.empty()) throw bad_input("a required value is missing", item.at(DCM_ContourData));
        if (values.size() % 3 != 0) throw bad_input(std::to_string(values.size()) + " coordinates are not whole points of x, y, z", item.at(DCM_ContourData));
        const int declared = item.integer(DCM_NumberOfContourPoints);
        if (declared < 0 || static_cast<std::size_t>(declared) != values.size() / 3)
            throw bad_input("the contour says " + std::to_string(declared) + " points and holds " + std::to_string(values.size() / 3),
                            item.at(DCM_NumberOfContourPoints));
        Contour contour;
        contour.points_mm.reserve(values.size() / 3);
        for (std::size_t i = 0; i < values.size(); i += 3) contour.points_mm.emplace_back(values[i], values[i + 1], values[i + 2]);
        return contour;
    }

    /// By the even-odd rule a contour that is written twice would cancel itself.
    static bool is_repeated(const Structure& structure, const Contour& contour) {
        return std::any_of(structure.contours.begin(), structure.contours.end(), [&](const Contour& other) { return same_points(other, contour); });
    }

    void report_gaps(const Structure& structure) {
        for (const auto& [lower, upper] : named_stack(structure).gaps_mm)
            note(structure, "no contours between z = " + std::to_string(lower) + " and " + std::to_string(upper) + " mm: taken as separate pieces");
    }

    void report_several_bodies() {
        std::string names;
        int bodies = 0;
        for (const Structure& structure : set_.structures)
            if (structure.type == "EXTERNAL" && !structure.contours.empty()) {
                names += (bodies ? ", '" : "'") + structure.name + "'";
                ++bodies;
            }
        if (bodies > 1) set_.notes.push_back(root_.place() + ": several ROIs of type EXTERNAL, the first is the body: " + names);
    }

    /// An error of the geometry (contours that are not axial) by the name of the ROI.
    ContourStack named_stack(const Structure& structure) const {
        try {
            return stack_contours(structure, 0);
        } catch (const Error& error) {
            throw Error(error.kind(), error.problem(), place(structure), error.advice());
        }
    }

    void read_observations() {
        for (const DicomItem& item : root_.items(DCM_RTROIObservationsSequence, "ROI observation")) {
            Structure& structure = structure_of(item);
            if (const auto type = item.optional_text(DCM_RTROIInterpretedType)) {
                if (!structure.type.empty() && structure.type != *type)
                    throw bad_input("the ROI is both " + structure.type + " and " + *type, place(structure));
                structure.type = *type;
            }
            for (const DicomItem& property : item.renamed(place(structure)).items(DCM_ROIPhysicalPropertiesSequence, "property"))
                read_property(structure, property);
        }
    }

    void read_property(Structure& structure, const DicomItem& property) {
        const std::string name = property.text(DCM_ROIPhysicalProperty);
        std::optional<double>* value = name == "REL_MASS_DENSITY"   ? &structure.relative_mass_density
                                       : name == "REL_ELEC_DENSITY" ? &structure.relative_electron_density
                                                                    : nullptr;
        if (!value) {
            note(structure, "the physical property " + name + " " + property.text_or_empty(DCM_ROIPhysicalPropertyValue) +
                                " is not used: the material follows from the density");
            return;
        }
        const double given = property.number(DCM_ROIPhysicalPropertyValue);
        if (given < 0) throw bad_input("a density below 0", property.at(DCM_ROIPhysicalPropertyValue));
        if (*value && **value != given) throw bad_input("two values of " + name, property.at(DCM_ROIPhysicalPropertyValue));
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
                throw bad_input("its frame of reference " + frame + " is not that of '" + first_name + "', " + set_.frame_of_reference_uid, place(structure),
                                "Export the structures in the frame of the CT");
            }
        }
        if (!set_.frame_of_reference_uid.empty()) return;
        const auto frames = root_.items(DCM_ReferencedFrameOfReferenceSequence, "frame of reference");
        set_.frame_of_reference_uid = frames.size() == 1 ? frames.front().text_or_empty(DCM_FrameOfReferenceUID) : root_.text_or_empty(DCM_FrameOfReferenceUID);
    }

    void choose_series() {
        std::vector<std::string> series;
        for (const DicomItem& frame : root_.items(DCM_ReferencedFrameOfReferenceSequence, "frame of reference")) {
            if (frame.text_or_empty(DCM_FrameOfReferenceUID) != set_.frame_of_reference_uid) continue;
            for (const DicomItem& study : frame.items(DCM_RTReferencedStudySequence, "study"))
                for (const DicomItem& item : study.items(DCM_RTReferencedSeriesSequence, "series"))
                    if (const std::string uid = item.text(DCM_SeriesInstanceUID); std::find(series.begin(), series.end(), uid) == series.end())
                        series.push_back(uid);
        }
        if (series.size() == 1) set_.referenced_series_uid = series.front();
        if (series.size() > 1) set_.notes.push_back(root_.place() + ": refers to " + std::to_string(series.size()) + " series, so to none in particular");
    }

    /// The structure with the most planes shows the slices best.
    void find_plane_spacing() {
        std::size_t most = 1;
        double spacing_mm = 0;
        for (const Structure& structure : set_.structures) {
            const std::size_t planes = named_stack(structure).planes.size();
            if (planes <= most) continue;
            most = planes;
            spacing_mm = usual_plane_spacing_mm(structure);
        }
        for (Structure& structure : set_.structures) structure.plane_spacing_mm = spacing_mm;
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
    return StructureReader(root).read();
}

}  // namespace libdose::io
