/* What a caller can get wrong: a status and a clear text each, nothing set, nothing leaked, nothing crashed.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* setenv */
#endif
#include "phantom.h"

static void statuses(void) {
    CHECK(strcmp(libdose_status_text(LIBDOSE_CANCELLED), "cancelled") == 0);
    CHECK(strcmp(libdose_status_text(77), "unknown status") == 0);
    CHECK(libdose_c_version() == LIBDOSE_C_VERSION_MAJOR * 65536u + LIBDOSE_C_VERSION_MINOR);
    CHECK(strchr(libdose_version(), '.') != NULL);
    CHECK(strcmp(libdose_last_error(), "") == 0);
    char text[4096], little[2];
    size_t length = 0;
    CHECK(libdose_data_folder(NULL, 0, &length) == LIBDOSE_OK && length > 2);
    CHECK(libdose_data_folder(text, sizeof text, NULL) == LIBDOSE_OK && strlen(text) == length);
    CHECK_FAILS(libdose_data_folder(little, sizeof little, NULL), LIBDOSE_BAD_INPUT, "bytes");
    CHECK_FAILS(libdose_data_folder(NULL, 10, NULL), LIBDOSE_BAD_INPUT, "NULL [text]");
    /* A call that succeeds takes the text away. */
    CHECK(libdose_data_folder(text, sizeof text, NULL) == LIBDOSE_OK &&
          strcmp(libdose_last_error(), "") == 0);
}

static void free_again(void) {
    libdose_ct* ct = cube_ct();
    libdose_ct_free(&ct);
    CHECK(ct == NULL);
    libdose_ct_free(&ct);
    libdose_ct_free(NULL);
    libdose_structures_free(NULL);
    libdose_plan_free(NULL);
    libdose_models_free(NULL);
    libdose_devices_free(NULL);
    libdose_dose_free(NULL);
    libdose_gamma_free(NULL);
    libdose_dvh_free(NULL);
    /* A handle of another kind is neither used nor freed. */
    libdose_plan* plan = static_plan();
    libdose_ct* disguised = (libdose_ct*)plan;
    libdose_grid grid = cube_grid();
    CHECK_FAILS(libdose_ct_grid(disguised, &grid), LIBDOSE_BAD_INPUT,
                "not, or no longer, that of a CT image");
    libdose_ct_free(&disguised);
    CHECK(libdose_plan_check(plan) == LIBDOSE_OK);
    libdose_plan_free(&plan);
    libdose_options_init(NULL, sizeof(libdose_options));
}

static void struct_sizes(void) {
    struct {
        libdose_grid grid;
        double later; /* a member of a later version */
    } newer;
    int16_t hu[8] = {0};
    libdose_ct* ct = NULL;
    memset(&newer, 0x55, sizeof newer);
    libdose_grid_init(&newer.grid, sizeof newer);
    CHECK(newer.later == 0 && newer.grid.struct_size == sizeof newer);
    for (int a = 0; a < 3; ++a) {
        newer.grid.size[a] = 2;
        newer.grid.spacing_mm[a] = 1;
    }
    CHECK(libdose_ct_create_int16(&newer.grid, hu, 8, LIBDOSE_HFS, NULL, &ct) == LIBDOSE_OK);
    newer.later = 3;
    libdose_ct* other = NULL;
    CHECK_FAILS(libdose_ct_create_int16(&newer.grid, hu, 8, LIBDOSE_HFS, NULL, &other), LIBDOSE_BAD_INPUT,
                "does not know");
    /* What is written stays within the library's struct and leaves the caller's size. */
    CHECK(libdose_ct_grid(ct, &newer.grid) == LIBDOSE_OK && newer.later == 3 &&
          newer.grid.struct_size == sizeof newer && newer.grid.size[2] == 2);
    newer.grid.struct_size = 0;
    CHECK_FAILS(libdose_ct_create_int16(&newer.grid, hu, 8, LIBDOSE_HFS, NULL, &other), LIBDOSE_BAD_INPUT,
                "struct_size is 0");
    CHECK_FAILS(libdose_ct_grid(ct, &newer.grid), LIBDOSE_BAD_INPUT, "struct_size is 0");
    newer.grid.struct_size = (size_t)-1;
    CHECK_FAILS(libdose_ct_create_int16(&newer.grid, hu, 8, LIBDOSE_HFS, NULL, &other), LIBDOSE_BAD_INPUT,
                "struct_size is");
    CHECK(other == NULL);
    libdose_ct_free(&ct);
    /* An older caller's shorter struct is filled as far as it goes. */
    struct {
        libdose_options options;
    } canary;
    memset(&canary, 0x55, sizeof canary);
    libdose_options_init(&canary.options, offsetof(libdose_options, algorithm));
    CHECK(canary.options.grid_mm == 0.0 && canary.options.algorithm == 0x55555555);
}

static void images(void) {
    libdose_grid grid = cube_grid();
    grid.size[0] = grid.size[1] = grid.size[2] = 2;
    int16_t hu[8] = {0};
    float values[8] = {0};
    libdose_ct* ct = (libdose_ct*)&grid;
    CHECK_FAILS(libdose_ct_create_int16(NULL, hu, 8, LIBDOSE_HFS, NULL, &ct), LIBDOSE_BAD_INPUT,
                "NULL [grid]");
    CHECK(ct == NULL);
    CHECK_FAILS(libdose_ct_create_int16(&grid, NULL, 8, LIBDOSE_HFS, NULL, &ct), LIBDOSE_BAD_INPUT,
                "NULL [hu]");
    CHECK_FAILS(libdose_ct_create_int16(&grid, hu, 8, LIBDOSE_HFS, NULL, NULL), LIBDOSE_BAD_INPUT,
                "NULL [ct]");
    CHECK_FAILS(libdose_ct_create_int16(&grid, hu, 7, LIBDOSE_HFS, NULL, &ct), LIBDOSE_BAD_INPUT,
                "7 values are given where 8 are needed [hu]");
    CHECK_FAILS(libdose_ct_create_int16(&grid, hu, 8, 8, NULL, &ct), LIBDOSE_BAD_INPUT,
                "not one of 0 to 7 [position]");
    values[5] = NAN;
    CHECK_FAILS(libdose_ct_create_float(&grid, values, 8, LIBDOSE_HFS, NULL, &ct), LIBDOSE_BAD_INPUT,
                "voxel 5 is not a finite number");
    values[5] = INFINITY;
    CHECK_FAILS(libdose_ct_create_float(&grid, values, 8, LIBDOSE_HFS, NULL, &ct), LIBDOSE_BAD_INPUT,
                "voxel 5 is not a finite number");
    grid.spacing_mm[1] = 0;
    CHECK_FAILS(libdose_ct_create_int16(&grid, hu, 8, LIBDOSE_HFS, NULL, &ct), LIBDOSE_BAD_INPUT, "[grid]");
    grid.spacing_mm[1] = NAN;
    CHECK_FAILS(libdose_ct_create_int16(&grid, hu, 8, LIBDOSE_HFS, NULL, &ct), LIBDOSE_BAD_INPUT, "[grid]");
    grid.spacing_mm[1] = 1;
    grid.size[2] = -2;
    CHECK_FAILS(libdose_ct_create_int16(&grid, hu, 8, LIBDOSE_HFS, NULL, &ct), LIBDOSE_BAD_INPUT, "[grid]");
    grid.size[0] = grid.size[1] = grid.size[2] = INT32_MAX;
    CHECK_FAILS(libdose_ct_create_int16(&grid, hu, 8, LIBDOSE_HFS, NULL, &ct), LIBDOSE_BAD_INPUT, "10^12");
    CHECK_FAILS(libdose_ct_read(NULL, 1, &ct), LIBDOSE_BAD_INPUT, "NULL [files]");
    const char* nowhere[] = {"/nowhere/ct.dcm", NULL};
    CHECK_FAILS(libdose_ct_read(nowhere, 1, &ct), LIBDOSE_BAD_INPUT, "/nowhere/ct.dcm");
    CHECK_FAILS(libdose_ct_read(nowhere, 2, &ct), LIBDOSE_BAD_INPUT, "NULL [files]");
    CHECK_FAILS(libdose_ct_read(nowhere, 0, &ct), LIBDOSE_BAD_INPUT, "");
    CHECK(ct == NULL);
    ct = cube_ct();
    CHECK_FAILS(libdose_ct_copy_hu(ct, values, 8), LIBDOSE_BAD_INPUT,
                "8 values are given where 512000 are needed");
    CHECK_FAILS(libdose_ct_copy_hu(NULL, values, 8), LIBDOSE_BAD_INPUT, "NULL [ct]");
    libdose_ct_free(&ct);
}

static void structure_sets(void) {
    libdose_structures* set = cube_body();
    libdose_structure body;
    libdose_structure_init(&body, sizeof body);
    CHECK_FAILS(libdose_structures_add(set, &body, NULL), LIBDOSE_BAD_INPUT, "NULL [structure->name]");
    body.name = "";
    CHECK_FAILS(libdose_structures_add(set, &body, NULL), LIBDOSE_BAD_INPUT, "empty [structure->name]");
    body.name = "BODY";
    CHECK_FAILS(libdose_structures_add(set, &body, NULL), LIBDOSE_BAD_INPUT, "already");
    body.name = "PTV";
    body.number = 1;
    CHECK_FAILS(libdose_structures_add(set, &body, NULL), LIBDOSE_BAD_INPUT, "number 1 already");
    body.number = 0;
    body.relative_mass_density = NAN;
    CHECK_FAILS(libdose_structures_add(set, &body, NULL), LIBDOSE_BAD_INPUT, "relative_mass_density");
    body.relative_mass_density = 0;
    body.plane_spacing_mm = -1;
    CHECK_FAILS(libdose_structures_add(set, &body, NULL), LIBDOSE_BAD_INPUT, "plane_spacing_mm");
    body.plane_spacing_mm = 0;
    size_t index = 0, count = 0;
    CHECK(libdose_structures_add(set, &body, &index) == LIBDOSE_OK && index == 1);
    CHECK(libdose_structures_count(set, &count) == LIBDOSE_OK && count == 2);
    CHECK(libdose_structures_get(set, 1, &body) == LIBDOSE_OK && strcmp(body.name, "PTV") == 0 &&
          body.number == 2);
    const double tilted[9] = {0, 0, 0, 1, 0, 0, 1, 1, 1}, broken[9] = {0, 0, 0, 1, NAN, 0, 1, 1, 0};
    CHECK_FAILS(libdose_structures_add_contour(set, 2, tilted, 3), LIBDOSE_BAD_INPUT, "no number 2 among 2");
    CHECK_FAILS(libdose_structures_add_contour(set, 1, tilted, 3), LIBDOSE_BAD_INPUT, "axial plane");
    CHECK_FAILS(libdose_structures_add_contour(set, 1, broken, 3), LIBDOSE_BAD_INPUT, "not a finite number");
    CHECK_FAILS(libdose_structures_add_contour(set, 1, tilted, 2), LIBDOSE_BAD_INPUT, "contour of 2 points");
    CHECK_FAILS(libdose_structures_add_contour(set, 1, NULL, 3), LIBDOSE_BAD_INPUT, "NULL [points_mm]");
    CHECK_FAILS(libdose_structures_read("/nowhere/rs.dcm", &set), LIBDOSE_BAD_INPUT, "/nowhere/rs.dcm");
    CHECK(set == NULL);
}

static void plans(void) {
    libdose_plan* plan = NULL;
    CHECK_FAILS(libdose_plan_create("x", 0, LIBDOSE_HFS, NULL, &plan), LIBDOSE_BAD_INPUT,
                "number of fractions is 0");
    CHECK_FAILS(libdose_plan_create("x", 1, -1, NULL, &plan), LIBDOSE_BAD_INPUT, "[position]");
    CHECK(plan == NULL && libdose_plan_create(NULL, 1, LIBDOSE_HFS, NULL, &plan) == LIBDOSE_OK);
    CHECK_FAILS(libdose_plan_check(plan), LIBDOSE_BAD_INPUT, "no beam");
    libdose_beam beam = field_beam(0, 100);
    CHECK_FAILS(libdose_plan_add_beam(plan, &beam, NULL), LIBDOSE_BAD_INPUT, "beam number is 0");
    beam = field_beam(1, NAN);
    CHECK_FAILS(libdose_plan_add_beam(plan, &beam, NULL), LIBDOSE_BAD_INPUT, "[beam->meterset_mu]");
    beam = field_beam(1, 100);
    beam.nominal_energy_mv = 0;
    CHECK_FAILS(libdose_plan_add_beam(plan, &beam, NULL), LIBDOSE_BAD_INPUT, "[beam->nominal_energy_mv]");
    beam = field_beam(1, 100);
    CHECK_FAILS(libdose_plan_add_beam(plan, NULL, NULL), LIBDOSE_BAD_INPUT, "NULL [beam]");
    CHECK(libdose_plan_add_beam(plan, &beam, NULL) == LIBDOSE_OK);
    CHECK_FAILS(libdose_plan_add_beam(plan, &beam, NULL), LIBDOSE_BAD_INPUT, "number 1 already");
    CHECK_FAILS(libdose_plan_check(plan), LIBDOSE_BAD_INPUT, "fewer than two control points");
    const double edges[3] = {-10, 0, 10}, folded[3] = {-10, 5, 0}, lower[2] = {-5, -5}, upper[2] = {5, 5},
                 crossed[2] = {5, -9};
    CHECK_FAILS(libdose_plan_add_collimator(plan, 0, "MLC", edges, 3), LIBDOSE_BAD_INPUT,
                "unknown collimator type \"MLC\"");
    CHECK_FAILS(libdose_plan_add_collimator(plan, 0, "MLCX", folded, 3), LIBDOSE_BAD_INPUT, "do not ascend");
    CHECK_FAILS(libdose_plan_add_collimator(plan, 0, "MLCX", edges, 1), LIBDOSE_BAD_INPUT,
                "fewer than two leaf boundaries");
    CHECK_FAILS(libdose_plan_add_collimator(plan, 7, "MLCX", edges, 3), LIBDOSE_BAD_INPUT, "[beam_index]");
    CHECK(libdose_plan_add_collimator(plan, 0, "MLCX", edges, 3) == LIBDOSE_OK);
    libdose_control_point point = field_point(0, 0);
    CHECK_FAILS(libdose_plan_add_control_point(plan, 0, &point), LIBDOSE_BAD_INPUT,
                "0 values are given where 2 are needed");
    point.leaf_pair_count = 2;
    CHECK_FAILS(libdose_plan_add_control_point(plan, 0, &point), LIBDOSE_BAD_INPUT,
                "NULL [point->leaf_lower_mm]");
    point.leaf_lower_mm = lower;
    point.leaf_upper_mm = upper;
    point.gantry_rotation = 3;
    CHECK_FAILS(libdose_plan_add_control_point(plan, 0, &point), LIBDOSE_BAD_INPUT,
                "[point->gantry_rotation]");
    point.gantry_rotation = LIBDOSE_ROTATION_NONE;
    CHECK(libdose_plan_add_control_point(plan, 0, &point) == LIBDOSE_OK);
    CHECK_FAILS(libdose_plan_add_collimator(plan, 0, "MLCX", edges, 3), LIBDOSE_BAD_INPUT,
                "has control points already");
    point.cumulative_weight = 1;
    point.leaf_upper_mm = crossed;
    CHECK(libdose_plan_add_control_point(plan, 0, &point) == LIBDOSE_OK);
    CHECK_FAILS(libdose_plan_check(plan), LIBDOSE_BAD_INPUT, "the leaves cross");
    size_t count = 0;
    CHECK(libdose_plan_beam_count(plan, &count) == LIBDOSE_OK && count == 1);
    CHECK(libdose_plan_beam(plan, 0, &beam) == LIBDOSE_OK && beam.control_point_count == 2 &&
          strcmp(beam.fluence_mode, "STANDARD") == 0);
    libdose_plan_free(&plan);
    CHECK_FAILS(libdose_plan_read("/nowhere/rp.dcm", NULL, &plan), LIBDOSE_BAD_INPUT, "/nowhere/rp.dcm");
    CHECK_FAILS(libdose_plan_read(NULL, NULL, &plan), LIBDOSE_BAD_INPUT, "NULL [file]");
    CHECK_FAILS(libdose_read_case(NULL, 0, NULL, NULL, NULL, &plan), LIBDOSE_BAD_INPUT, "no file or folder");
}

/* What is refused in DICOM is refused by hand: a full turn or none, and a field that nothing limits. */
static void refused_plans(void) {
    libdose_plan* plan = NULL;
    libdose_beam beam;
    libdose_control_point point;
    for (int unlimited = 0; unlimited < 2; ++unlimited) {
        CHECK(libdose_plan_create("x", 1, LIBDOSE_HFS, NULL, &plan) == LIBDOSE_OK);
        beam = field_beam(1, 100);
        CHECK(libdose_plan_add_beam(plan, &beam, NULL) == LIBDOSE_OK);
        for (int n = 0; n < 2; ++n) {
            point = field_point(unlimited ? 0 : 360.0 * n, n);
            if (unlimited)
                point.has_jaw_y = 0;
            else
                point.gantry_rotation = LIBDOSE_ROTATION_CLOCKWISE;
            CHECK(libdose_plan_add_control_point(plan, 0, &point) == LIBDOSE_OK);
        }
        CHECK_FAILS(libdose_plan_check(plan), LIBDOSE_REFUSED_PLAN,
                    unlimited ? "not limited in both directions" : "a full turn or none");
        libdose_plan_free(&plan);
    }
    plan = static_plan();
    point = field_point(NAN, 2);
    CHECK(libdose_plan_add_control_point(plan, 0, &point) == LIBDOSE_OK);
    CHECK_FAILS(libdose_plan_check(plan), LIBDOSE_BAD_INPUT, "an angle is not finite");
    libdose_plan_free(&plan);
}

#define FRESH() libdose_options_init(&options, sizeof options)
#define CALCULATE() libdose_calculate(ct, NULL, plan, models, &options, &dose)

/* Arguments, grid and devices. */
static void arguments(const libdose_ct* ct, const libdose_plan* plan) {
    libdose_models* models = NULL;
    libdose_dose* dose = (libdose_dose*)&models;
    libdose_options options;
    FRESH();
    CHECK_FAILS(libdose_calculate(NULL, NULL, plan, NULL, &options, &dose), LIBDOSE_BAD_INPUT, "NULL [ct]");
    CHECK(dose == NULL);
    CHECK_FAILS(libdose_calculate(ct, NULL, NULL, NULL, &options, &dose), LIBDOSE_BAD_INPUT, "NULL [plan]");
    CHECK_FAILS(libdose_calculate(ct, NULL, plan, NULL, &options, NULL), LIBDOSE_BAD_INPUT, "NULL [dose]");
    FRESH();
    options.grid_mm = NAN;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->grid_mm]");
    FRESH();
    options.grid_mm = 0.1;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "not between 0.5 and 20");
    FRESH();
    options.backend = 3;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->backend]");
    FRESH();
    options.device = -1;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->device]");
    /* Open devices: without a library there is nothing to open; another handle is none. */
    libdose_devices* devices = NULL;
    CHECK(libdose_devices_create(&devices) == LIBDOSE_OK);
    setenv("LIBDOSE_CUDA_LIBRARY", "/nowhere/libdose_cuda.so", 1);
    FRESH();
    options.backend = LIBDOSE_BACKEND_CUDA;
    options.devices = devices;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "/nowhere/libdose_cuda.so");
    options.devices = (libdose_devices*)(uintptr_t)plan;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->devices]");
    unsetenv("LIBDOSE_CUDA_LIBRARY");
    libdose_devices_free(&devices);
    CHECK(devices == NULL);
}

/* Numbers that are no choice, and values out of range. */
static void choices(const libdose_ct* ct, const libdose_plan* plan) {
    libdose_models* models = NULL;
    libdose_dose* dose = NULL;
    libdose_options options;
    FRESH();
    options.algorithm = 2;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->algorithm]");
    FRESH();
    options.quality = -1;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->quality]");
    FRESH();
    options.transport = 3;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->transport]");
    FRESH();
    options.dose_to = 2;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->dose_to]");
    FRESH();
    options.threads = -1;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->threads]");
    FRESH();
    options.sub_arc_deg = INFINITY;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->sub_arc_deg]");
    FRESH();
    options.beam_margin_mm = -1;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->beam_margin_mm]");
    FRESH();
    options.leaf_ends = 2;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "[options->leaf_ends]");
    FRESH();
    options.leaf_ends = LIBDOSE_LEAVES_SHARP;
    options.leaves = "varian-hd120";
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "sharp ends too");
    FRESH();
    options.leaves = "no-such-leaves";
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "no-such-leaves");
    CHECK(dose == NULL);
}

/* Calibration depth, HU curves and overrides. */
static void densities(const libdose_ct* ct, const libdose_plan* plan) {
    libdose_models* models = NULL;
    libdose_dose* dose = NULL;
    libdose_options options;
    FRESH();
    options.calibration_depth = "5cm";
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "unknown depth \"5cm\"");
    FRESH();
    options.hu_curve_file = "/nowhere/curve.csv";
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "/nowhere/curve.csv");
    const double hu[2] = {-1000, 1000}, falling[2] = {1000, -1000}, density[2] = {0.001, 2};
    FRESH();
    options.hu_curve_count = 2;
    options.hu_curve_hu = hu;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "NULL [options->hu_curve_density]");
    options.hu_curve_density = density;
    options.hu_curve_hu = falling;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "");
    const libdose_override nothing = {"BODY", NULL, 0}, unknown = {"BODY", "unobtainium", 0};
    FRESH();
    options.override_count = 1;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "NULL [options->overrides]");
    options.overrides = &nothing;
    CHECK_FAILS(CALCULATE(), LIBDOSE_BAD_INPUT, "neither a density nor a material");
    libdose_structures* body = cube_body();
    options.overrides = &unknown;
    CHECK_FAILS(libdose_calculate(ct, body, plan, NULL, &options, &dose), LIBDOSE_BAD_INPUT, "unobtainium");
    libdose_structures_free(&body);
    CHECK(dose == NULL);
}

/* Models: unknown, of another energy, and which one serves a beam. */
static void beam_models(const libdose_ct* ct, const libdose_plan* plan) {
    libdose_models* models = NULL;
    libdose_dose* dose = NULL;
    libdose_options options;
    FRESH();
    CHECK(libdose_models_create(&models) == LIBDOSE_OK);
    CHECK_FAILS(libdose_models_use(models, 0, "generic-7MV"), LIBDOSE_BAD_INPUT, "generic-6MV");
    CHECK_FAILS(libdose_models_use(models, -1, "generic-6MV"), LIBDOSE_BAD_INPUT, "[beam_number]");
    const char *name = NULL, *hash = NULL;
    CHECK(libdose_models_find(models, plan, 0, &name, &hash) == LIBDOSE_OK &&
          strcmp(name, "generic-6MV") == 0 && strlen(hash) == 64);
    CHECK(libdose_models_use(models, 2, "generic-10MV") == LIBDOSE_OK);
    CHECK(libdose_models_find(models, plan, 0, &name, NULL) == LIBDOSE_OK &&
          strcmp(name, "generic-6MV") == 0);
    CHECK_FAILS(libdose_models_find(models, plan, 1, &name, NULL), LIBDOSE_REFUSED_PLAN, "generic-10MV");
    CHECK_FAILS(CALCULATE(), LIBDOSE_REFUSED_PLAN, "beam 2");
    libdose_models_free(&models);
    CHECK(dose == NULL);
}

/* A plan of another patient position, and one of another frame of reference. */
static void other_plans(const libdose_ct* ct) {
    libdose_dose* dose = NULL;
    libdose_options options;
    FRESH();
    libdose_plan* other = NULL;
    CHECK(libdose_plan_create("prone", 1, LIBDOSE_HFP, NULL, &other) == LIBDOSE_OK);
    add_field(other, 1, 0, 100);
    CHECK_FAILS(libdose_calculate(ct, NULL, other, NULL, &options, &dose), LIBDOSE_BAD_INPUT,
                "patient position HFP");
    libdose_plan_free(&other);
    CHECK(libdose_plan_create("frame", 1, LIBDOSE_HFS, "9.9", &other) == LIBDOSE_OK);
    add_field(other, 1, 0, 100);
    CHECK_FAILS(libdose_calculate(ct, NULL, other, NULL, &options, &dose), LIBDOSE_BAD_INPUT,
                "different frames of reference");
    libdose_plan_free(&other);
    CHECK(dose == NULL);
}

static void calculations(void) {
    libdose_ct* ct = cube_ct();
    libdose_plan* plan = static_plan();
    arguments(ct, plan);
    choices(ct, plan);
    densities(ct, plan);
    beam_models(ct, plan);
    other_plans(ct);
    libdose_plan_free(&plan);
    libdose_ct_free(&ct);
}

static void doses(void) {
    libdose_grid grid = cube_grid();
    grid.size[0] = grid.size[1] = grid.size[2] = 2;
    float gy[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    libdose_dose *dose = NULL, *other = NULL;
    gy[3] = NAN;
    CHECK_FAILS(libdose_dose_create(&grid, gy, 8, NULL, &dose), LIBDOSE_BAD_INPUT,
                "voxel 3 is not a finite number");
    gy[3] = 1;
    CHECK_FAILS(libdose_dose_create(&grid, gy, 9, NULL, &dose), LIBDOSE_BAD_INPUT,
                "9 values are given where 8 are needed");
    CHECK(dose == NULL && libdose_dose_create(&grid, gy, 8, "1.2.3", &dose) == LIBDOSE_OK);
    CHECK(libdose_dose_create(&grid, gy, 8, "9.9", &other) == LIBDOSE_OK);
    libdose_gamma* gamma = NULL;
    CHECK_FAILS(libdose_gamma_calculate(dose, other, NULL, &gamma), LIBDOSE_BAD_INPUT,
                "different frames of reference");
    libdose_gamma_options criteria;
    libdose_gamma_options_init(&criteria, sizeof criteria);
    criteria.distance_mm = NAN;
    CHECK_FAILS(libdose_gamma_calculate(dose, dose, &criteria, &gamma), LIBDOSE_BAD_INPUT,
                "must be positive");
    CHECK_FAILS(libdose_gamma_calculate(dose, NULL, NULL, &gamma), LIBDOSE_BAD_INPUT, "NULL [evaluated]");
    CHECK(gamma == NULL);
    libdose_structures* body = cube_body();
    libdose_dvh* dvh = NULL;
    CHECK_FAILS(libdose_dvh_calculate(dose, body, "PTV", 0, &dvh), LIBDOSE_BAD_INPUT, "Structures: BODY");
    CHECK_FAILS(libdose_dvh_calculate(dose, body, "BODY", NAN, &dvh), LIBDOSE_BAD_INPUT, "bin width");
    CHECK_FAILS(libdose_dvh_calculate(other, body, "BODY", 0, &dvh), LIBDOSE_BAD_INPUT,
                "different frames of reference");
    libdose_structures_free(&body);
    const double nowhere[3] = {NAN, 0, 0};
    double value = 7;
    CHECK_FAILS(libdose_dose_at(dose, nowhere, &value), LIBDOSE_BAD_INPUT, "[point_mm]");
    CHECK_FAILS(libdose_dose_at(dose, NULL, &value), LIBDOSE_BAD_INPUT, "NULL [point_mm]");
    CHECK(value == 7);
    CHECK_FAILS(libdose_dose_beam(dose, 0, &other), LIBDOSE_BAD_INPUT, "no number 0 among 0");
    CHECK_FAILS(libdose_dose_read("/nowhere/dose.h5", &other), LIBDOSE_BAD_INPUT, "/nowhere/dose.h5");
    CHECK_FAILS(libdose_dose_write_hdf5(dose, "/nowhere/dose.h5"), LIBDOSE_BAD_INPUT, "/nowhere");
    CHECK_FAILS(libdose_dose_write_dicom(dose, NULL, "/nowhere/dose.dcm"), LIBDOSE_BAD_INPUT, "NULL [ct]");
    libdose_dose_free(&dose);
}

int main(void) {
    statuses();
    free_again();
    struct_sizes();
    images();
    structure_sets();
    plans();
    refused_plans();
    calculations();
    doses();
    printf("%d checks failed\n", failures);
    return failures != 0;
}
