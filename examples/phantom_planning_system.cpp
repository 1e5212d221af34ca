#include "phantom_planning_system.h"

#include <cmath>

#include "libdose/data.h"
#include "libdose/dvh.h"
#include "libdose/engine.h"
#include "libdose/io/dicom.h"
#include "libdose/io/model_store.h"
#include "phantom_anatomy.h"
#include "phantom_dicom.h"

namespace phantom {

void write_planned_dose(PlanDescription plan, int number, const std::filesystem::path& folder) {
    const libdose::io::DicomCase files =
        libdose::io::select_case(libdose::io::index_dicom({folder}), plan.label);
    std::vector<std::filesystem::path> slices;
    for (const libdose::io::DicomEntry& entry : files.ct) slices.push_back(entry.file);
    const libdose::CtImage ct = libdose::io::read_ct(slices);
    const libdose::StructureSet structures = libdose::io::read_structures(files.structures.front().file);
    const libdose::Plan read = libdose::io::read_plan(files.plan.front().file);

    libdose::EngineOptions options;
    options.quality = libdose::Quality::high;
    options.grouping = libdose::Grouping::per_geometry;
    options.grid_mm = 3;
    options.per_beam = true;
    libdose::io::ModelStore store;
    const libdose::CalculationResult result = libdose::calculate(
        ct, &structures, read,
        libdose::MaterialTable::read_csv(libdose::data_folder() / "materials" / "basis.csv"),
        [&](const libdose::Beam& beam) -> const libdose::BeamModel& { return store.for_beam(beam); },
        options);
    libdose::io::write_dose(result.plan, ct, folder / ("RD_" + plan.label + ".dcm"));

    for (std::size_t b = 0; b < plan.beams.size(); ++b)
        plan.beams[b].isocentre_gy = libdose::interpolate(result.beams[b].gy, isocentre());
    const double median_gy =
        libdose::dose_volume_histogram(result.plan.gy, structures.named(target_name, "phantom"))
            .dose_at_volume_percent(50);
    plan.prescription_gy = std::round(median_gy * 10) / 10;
    write_plan(plan, number, folder);
}

}  // namespace phantom
