// A calculation in stages.
#include <utility>

#include "capi/request.h"
#include "libdose/data.h"
#include "libdose/io/provenance.h"
#include "libdose/prepared_patient.h"

using namespace libdose;
using namespace libdose::capi;

/// The models are the handle's own, so that those of the caller may be freed.
struct libdose_prepared {
    static constexpr const char* kind = "prepared patient";
    Tag tag{kind};
    libdose_models choice;
    std::unique_ptr<CalibratedModels> models;
    std::unique_ptr<PreparedPatient> patient;
    Provenance inputs;                         ///< UIDs and hash of the HU table
    std::vector<std::string> structure_notes;  ///< notes of the reader of the structure set

    Dose named(Dose dose) const {
        dose.provenance.hu_curve_hash = inputs.hu_curve_hash;
        dose.provenance.input_uids = inputs.input_uids;
        return dose;
    }
};

struct libdose_fluence {
    static constexpr const char* kind = "fluence";
    Tag tag{kind};
    std::unique_ptr<BeamFluence> fluence;
    std::vector<FluenceRaster> rasters;
};

namespace {

void set_axes(const Eigen::Matrix3d& axes, double* rows) {
    for (int r = 0; r < 3; ++r)
        for (int c = 0; c < 3; ++c) rows[3 * r + c] = axes(r, c);
}

FluenceRaster raster_of(const libdose_raster& given) {
    FluenceRaster raster;
    raster.isocentre_mm = Vec3(given.isocentre_mm[0], given.isocentre_mm[1], given.isocentre_mm[2]);
    for (int r = 0; r < 3; ++r)
        for (int c = 0; c < 3; ++c) raster.axes(r, c) = given.axes[3 * r + c];
    raster.source_axis_distance_mm = given.source_axis_distance_mm;
    raster.pixel_mm = given.pixel_mm;
    raster.size_u = given.size_u;
    raster.size_v = given.size_v;
    raster.lower_u_mm = given.lower_u_mm;
    raster.lower_v_mm = given.lower_v_mm;
    if (given.value_count > 0) {
        const float* values = &required(given.values, "rasters->values");
        raster.values.assign(values, values + given.value_count);
    }
    return raster;
}

/// `values` stay those of the raster.
libdose_raster raster_struct(const FluenceRaster& raster) {
    libdose_raster values{};
    for (int a = 0; a < 3; ++a) values.isocentre_mm[a] = raster.isocentre_mm[a];
    set_axes(raster.axes, values.axes);
    values.source_axis_distance_mm = raster.source_axis_distance_mm;
    values.pixel_mm = raster.pixel_mm;
    values.size_u = raster.size_u;
    values.size_v = raster.size_v;
    values.lower_u_mm = raster.lower_u_mm;
    values.lower_v_mm = raster.lower_v_mm;
    values.values = raster.values.data();
    values.value_count = raster.values.size();
    return values;
}

const Beam& beam_of(const libdose_plan* plan, size_t index) {
    return item(handle(plan, "plan").plan.beams, index, "beam_index");
}

}  // namespace

void libdose_raster_init(libdose_raster* raster, size_t struct_size) {
    libdose_raster values = raster_struct(FluenceRaster{});
    values.values = nullptr;
    set_axes(beam_axes(PatientPosition::hfs, 0, 0, 0), values.axes);
    init_struct(raster, struct_size, values);
}

libdose_status libdose_beam_axes(libdose_patient_position position, double gantry_deg, double collimator_deg,
                                 double couch_deg, double axes[9]) {
    return guarded([&] {
        double* place = &required(axes, "axes");
        require_finite(gantry_deg, "gantry_deg");
        require_finite(collimator_deg, "collimator_deg");
        require_finite(couch_deg, "couch_deg");
        set_axes(beam_axes(position_of(position), gantry_deg, collimator_deg, couch_deg), place);
    });
}

libdose_status libdose_prepare(const libdose_ct* ct, const libdose_structures* structures,
                               const libdose_plan* plan, const libdose_models* models,
                               const libdose_options* options, libdose_prepared** prepared) {
    return guarded([&] {
        Output<libdose_prepared> made(prepared, "prepared");
        const CtImage& image = handle(ct, "ct").image;
        const StructureSet* set = structures ? &handle(structures, "structures").set : nullptr;
        const Plan& planned = handle(plan, "plan").plan;
        const libdose_options given = options_or_defaults(options);
        EngineOptions engine = engine_options(given);
        if (models) made->choice.chosen = handle(models, "models").chosen;
        made->models = std::make_unique<CalibratedModels>(made->choice, given.calibration_depth);
        const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
        CalibratedModels* chosen = made->models.get();
        run_reporting(given.progress, given.user, [&](const ProgressCallback& progress) {
            engine.progress = progress;
            made->patient = std::make_unique<PreparedPatient>(
                image, set, planned, materials,
                [chosen](const Beam& beam) -> const BeamModel& { return chosen->of(beam); }, engine);
        });
        io::add_inputs(made->inputs, engine.hu_curve, image, set, planned);
        if (set) made->structure_notes = set->notes;
        made.hand_over();
    });
}

libdose_status libdose_prepared_grid(const libdose_prepared* prepared, libdose_grid* grid) {
    return guarded(
        [&] { write_struct(grid, grid_struct(handle(prepared, "prepared").patient->grid()), "grid"); });
}

libdose_status libdose_fluence_of_beam(const libdose_prepared* prepared, const libdose_plan* plan,
                                       size_t beam_index, libdose_fluence** fluence) {
    return guarded([&] {
        Output<libdose_fluence> made(fluence, "fluence");
        const PreparedPatient& patient = *handle(prepared, "prepared").patient;
        made->fluence = std::make_unique<BeamFluence>(patient.fluence(beam_of(plan, beam_index)));
        made->rasters = made->fluence->rasters();
        made.hand_over();
    });
}

libdose_status libdose_fluence_of_rasters(const libdose_prepared* prepared, const libdose_plan* plan,
                                          size_t beam_index, const libdose_raster* rasters,
                                          size_t raster_count, libdose_fluence** fluence) {
    return guarded([&] {
        Output<libdose_fluence> made(fluence, "fluence");
        const PreparedPatient& patient = *handle(prepared, "prepared").patient;
        const auto* bytes = reinterpret_cast<const unsigned char*>(&required(rasters, "rasters"));
        if (raster_count == 0) throw bad_input("there is no raster", "raster_count");
        // The caller's struct may be longer or shorter than this library's.
        const std::size_t step = rasters->struct_size;
        for (std::size_t n = 0; n < raster_count; ++n) {
            const auto* one = reinterpret_cast<const libdose_raster*>(bytes + n * step);
            made->rasters.push_back(raster_of(read_struct(one, "rasters")));
        }
        made->fluence =
            std::make_unique<BeamFluence>(patient.fluence(made->rasters, beam_of(plan, beam_index)));
        made.hand_over();
    });
}

libdose_status libdose_fluence_raster_count(const libdose_fluence* fluence, size_t* count) {
    return guarded([&] { required(count, "count") = handle(fluence, "fluence").rasters.size(); });
}

libdose_status libdose_fluence_raster(const libdose_fluence* fluence, size_t index, libdose_raster* raster) {
    return guarded([&] {
        write_struct(raster, raster_struct(item(handle(fluence, "fluence").rasters, index, "index")),
                     "raster");
    });
}

void libdose_fluence_free(libdose_fluence** fluence) { free_handle(fluence); }

libdose_status libdose_prepared_dose(libdose_prepared* prepared, const libdose_fluence* fluence,
                                     libdose_progress progress, void* user, libdose_dose** dose) {
    return guarded([&] {
        Output<libdose_dose> made(dose, "dose");
        libdose_prepared& patient = handle(prepared, "prepared");
        const BeamFluence& given = *handle(fluence, "fluence").fluence;
        run_reporting(progress, user, [&](const ProgressCallback& report) {
            made->dose = patient.named(patient.patient->dose(given, report));
        });
        made->notes = given.notes();
        made.hand_over();
    });
}

libdose_status libdose_prepared_calculate(libdose_prepared* prepared, libdose_progress progress, void* user,
                                          libdose_dose** dose) {
    return guarded([&] {
        Output<libdose_dose> made(dose, "dose");
        libdose_prepared& patient = handle(prepared, "prepared");
        CalculationResult result;
        run_reporting(progress, user,
                      [&](const ProgressCallback& report) { result = patient.patient->calculate(report); });
        made->dose = patient.named(std::move(result.plan));
        for (Dose& beam : result.beams) made->beams.push_back(patient.named(std::move(beam)));
        made->notes = patient.structure_notes;
        made->notes.insert(made->notes.end(), result.notes.begin(), result.notes.end());
        made.hand_over();
    });
}

void libdose_prepared_free(libdose_prepared** prepared) { free_handle(prepared); }
