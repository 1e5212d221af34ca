// Lesson 2: a DICOM plan on its CT, written as RTDOSE and HDF5. Usage: 02_dicom_plan FOLDER [PLAN [OUT]]
#include <libdose/data.h>
#include <libdose/dvh.h>
#include <libdose/engine.h>
#include <libdose/error.h>
#include <libdose/io/dicom.h>
#include <libdose/io/hdf5.h>
#include <libdose/io/model_store.h>
#include <libdose/io/provenance.h>

#include <cstdio>

using namespace libdose;

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s FOLDER [PLAN [OUT]]\n", argv[0]);
        return 2;
    }
    try {
        // What belongs together, by the references between the files.
        const io::DicomCase found = io::select_case(io::index_dicom({argv[1]}), argc > 2 ? argv[2] : "");
        const Plan plan = io::read_plan(found.plan.front().file);  // throws for what the engine cannot model
        std::vector<std::filesystem::path> slices;
        for (const io::DicomEntry& entry : found.ct) slices.push_back(entry.file);
        const CtImage ct = io::read_ct(slices);
        const StructureSet structures = io::read_structures(found.structures.front().file);

        EngineOptions options;
        options.grid_mm = 5;
        options.quality = Quality::draft;
        io::ModelStore models;  // the beam model of each beam's energy and machine
        CalculationResult result = calculate(
            ct, &structures, plan, MaterialTable::read_csv(data_folder() / "materials" / "basis.csv"),
            [&](const Beam& beam) -> const BeamModel& { return models.for_beam(beam); }, options);
        io::add_inputs(result.plan.provenance, options.hu_curve, ct, &structures, plan);

        std::printf("plan %s: %zu beams, %d fractions\n", plan.label.c_str(), plan.beams.size(),
                    plan.fractions);
        for (const Structure& structure : structures.structures) {
            if (structure.type != "PTV") continue;
            const DoseVolumeHistogram h = dose_volume_histogram(result.plan.gy, structure);
            std::printf("%s: %.1f cm3, mean %.2f Gy, D95 %.2f Gy\n", h.structure.c_str(), h.volume_cm3,
                        h.mean_gy, h.dose_at_volume_percent(95));
        }
        if (argc > 3) {
            const std::filesystem::path out = argv[3];
            io::write_dose(result.plan, ct, out / "plan.dcm");
            io::write_doses_hdf5(result.plan, {}, out / "dose.h5");
            std::printf("written: plan.dcm, dose.h5\n");
        }
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return error.kind() == ErrorKind::refused_plan ? 3 : 2;
    }
    return 0;
}
