// The DICOM files of a small case of a check: ten CT slices, a structure set, a plan of one beam, a dose.
// Tests change, add and remove files.
#pragma once

#include <functional>

#include "libdose/check/input.h"
#include "support/ct_fixture.h"
#include "support/rt_fixture.h"
#include "support/temporary_folder.h"

namespace libdose::test {

inline const char* const plan_uid = "1.2.3.41";

/// What the dose says of itself; empty plan: it refers to none.
struct DoseSpec {
    std::string file = "RD.dcm", uid = "1.2.3.51", plan = plan_uid;
    DoseSummation summation = DoseSummation::plan;
    int beam = 0;
    float gy = 40;
};

class CheckFiles {
public:
    CheckFiles() {
        for (int k = 0; k < 10; ++k) write_ct_slice(k);
        StructureSpec set;
        set.rois = {{1, "BODY", "EXTERNAL", {}, {}}, {2, "PTV", "PTV", {}, {}}};
        for (int k = 0; k < 10; ++k) {
            set.rois[0].contours.push_back(square_contour(3 * k));
            if (k > 2 && k < 7) set.rois[1].contours.push_back(square_contour(3 * k));
        }
        set.frame = frame;
        set.series = {};
        for (RoiSpec& roi : set.rois) roi.frame = frame;
        set.edit = [](DcmItem& root) {
            put(root, DCM_SOPInstanceUID, "1.2.3.6");
            DcmItem* reference = nullptr;
            root.findAndGetSequenceItem(DCM_ReferencedFrameOfReferenceSequence, reference);
            DcmItem* study = nullptr;
            reference->findAndGetSequenceItem(DCM_RTReferencedStudySequence, study);
            DcmItem& series = add_item(*study, DCM_RTReferencedSeriesSequence);
            put(series, DCM_SeriesInstanceUID, "1.2.3.4");
            for (int k = 0; k < 10; ++k)
                put(add_item(series, DCM_ContourImageSequence), DCM_ReferencedSOPInstanceUID, slice_uid(k));
        };
        move_in(write_structures(set), "RS.dcm");
        write_plan_file();
    }

    static constexpr const char* frame = "1.2.3.9";  ///< as the CT fixture has it
    static std::string slice_uid(int k) { return "1.2.3.4." + std::to_string(k + 1); }

    std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
    void remove(const std::string& name) const { std::filesystem::remove(folder_ / name); }

    /// Slice k at z = 3 k mm. `change`: last word on the data set.
    void write_ct_slice(int k, const std::function<void(DcmDataset&)>& change = {}) const {
        CtOptions options;
        options.change = [&](DcmDataset& d) {
            d.putAndInsertString(DCM_SOPInstanceUID, slice_uid(k).c_str());
            if (change) change(d);
        };
        write_slice(folder_ / ("CT" + std::to_string(k) + ".dcm"), 3 * k, options);
    }

    void write_plan_file(const std::string& name = "RP.dcm", const std::function<void(DcmItem&)>& edit = {},
                         std::vector<BeamSpec> beams = {static_beam(1, "field")}) const {
        PlanSpec plan = plan_of(std::move(beams));
        plan.edit = [&](DcmItem& root) {
            put(root, DCM_SOPInstanceUID, plan_uid);
            put(root, DCM_FrameOfReferenceUID, frame);
            if (edit) edit(root);
        };
        move_in(write_plan(plan), name);
    }

    void write_dose_file(const DoseSpec& spec = {}) const {
        Dose dose;
        dose.gy.grid = {{6, 6, 12}, Vec3::Constant(3), Vec3(-3, -3, -3)};
        dose.gy.values.assign(dose.gy.grid.voxel_count(), spec.gy);
        dose.summation = spec.summation;
        dose.beam_number = spec.beam;
        dose.frame_of_reference_uid = frame;
        dose.referenced_plan_uid = spec.plan;
        dose.referenced_plan_class_uid = UID_RTPlanStorage;
        CtImage patient;
        patient.patient_id = "P1";
        patient.study_uid = "1.2.3";
        io::write_dose(dose, patient, folder_ / spec.file);
    }

    check::CheckInput read(const check::Selection& selection = {}) const {
        return check::read_check_input({folder_.path()}, selection);
    }

private:
    void move_in(const std::filesystem::path& file, const std::string& name) const {
        std::filesystem::copy_file(file, folder_ / name, std::filesystem::copy_options::overwrite_existing);
    }

    TemporaryFolder folder_;
};

}  // namespace libdose::test
