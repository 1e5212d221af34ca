/* Doses of the caller: what they are, at points, added, compared; dose on a given grid; programs with an
 * older header. Values by hand. */
#include "phantom.h"

enum { voxels = 24 };

static libdose_grid small_grid(void) {
    libdose_grid grid;
    libdose_grid_init(&grid, sizeof grid);
    grid.size[0] = 4;
    grid.size[1] = 3;
    grid.size[2] = 2;
    for (int a = 0; a < 3; ++a) grid.spacing_mm[a] = 2;
    return grid;
}

static libdose_dose* flat(float gy, const char* frame) {
    const libdose_grid grid = small_grid();
    float values[voxels];
    for (int v = 0; v < voxels; ++v) values[v] = gy;
    libdose_dose* dose = NULL;
    REQUIRE(libdose_dose_create(&grid, values, voxels, frame, &dose) == LIBDOSE_OK);
    return dose;
}

static double first_value(const libdose_dose* dose) {
    const float* gy = NULL;
    REQUIRE(libdose_dose_values(dose, &gy, NULL) == LIBDOSE_OK);
    return (double)gy[0];
}

static libdose_dose_info info_of(const libdose_dose* dose) {
    libdose_dose_info info;
    libdose_dose_info_init(&info, sizeof info);
    REQUIRE(libdose_dose_get_info(dose, &info) == LIBDOSE_OK);
    return info;
}

static void kinds(void) {
    libdose_dose* dose = flat(2, "1.2.3");
    const char* text = NULL;
    CHECK(info_of(dose).fractions == 0 && info_of(dose).summation == LIBDOSE_SUMMATION_PLAN);
    CHECK(libdose_dose_type(dose, &text) == LIBDOSE_OK && strcmp(text, "PHYSICAL") == 0);
    CHECK(libdose_dose_frame(dose, &text) == LIBDOSE_OK && strcmp(text, "1.2.3") == 0);
    CHECK(libdose_dose_describe(dose, LIBDOSE_SUMMATION_FRACTION, 1, "PHYSICAL") == LIBDOSE_OK);
    CHECK(info_of(dose).fractions == 1 && info_of(dose).summation == LIBDOSE_SUMMATION_FRACTION);
    CHECK_FAILS(libdose_dose_describe(dose, 4, 1, "PHYSICAL"), LIBDOSE_BAD_INPUT, "summation");
    CHECK_FAILS(libdose_dose_describe(dose, 0, -1, "PHYSICAL"), LIBDOSE_BAD_INPUT, "fractions is -1");
    CHECK_FAILS(libdose_dose_describe(dose, 0, 1, "BED"), LIBDOSE_BAD_INPUT, "BED");
    CHECK_FAILS(libdose_dose_type(NULL, &text), LIBDOSE_BAD_INPUT, "dose");
    /* Voxels reach from -1 to 7 mm along x. */
    const double points[] = {3, 2, 1, -0.9, 2, 1, -1.1, 2, 1};
    double gy[3];
    CHECK(libdose_dose_at_points(dose, points, 3, gy) == LIBDOSE_OK && gy[0] == 2 && gy[1] == 2 &&
          isnan(gy[2]));
    CHECK(libdose_dose_at_points(dose, NULL, 0, NULL) == LIBDOSE_OK);
    CHECK_FAILS(libdose_dose_at_points(dose, NULL, 1, gy), LIBDOSE_BAD_INPUT, "points_mm");
    libdose_structures* structures = NULL;
    CHECK(libdose_structures_create("1.2.3", &structures) == LIBDOSE_OK);
    CHECK(libdose_structures_frame(structures, &text) == LIBDOSE_OK && strcmp(text, "1.2.3") == 0);
    libdose_structures_free(&structures);
    libdose_dose_free(&dose);
}

static void sums(void) {
    libdose_dose *a = flat(2, "1.2.3"), *b = flat(3, "1.2.3"), *elsewhere = flat(3, "9"), *sum = NULL;
    const libdose_dose* both[] = {a, b};
    const double weights[] = {1, -1};
    CHECK(libdose_dose_sum(both, NULL, 2, LIBDOSE_SUM_SAME_GRID, &sum) == LIBDOSE_OK &&
          first_value(sum) == 5);
    libdose_dose_free(&sum);
    CHECK(libdose_dose_sum(both, weights, 2, LIBDOSE_SUM_FIRST_GRID, &sum) == LIBDOSE_OK &&
          first_value(sum) == -1);
    const char* type = NULL;
    CHECK(libdose_dose_type(sum, &type) == LIBDOSE_OK && strcmp(type, "ERROR") == 0);
    /* A difference is not compared. */
    libdose_gamma* gamma = NULL;
    CHECK_FAILS(libdose_gamma_calculate(a, sum, NULL, &gamma), LIBDOSE_BAD_INPUT, "(3004,0004)");
    libdose_dose_free(&sum);
    const libdose_dose* apart[] = {a, elsewhere};
    CHECK_FAILS(libdose_dose_sum(apart, NULL, 2, LIBDOSE_SUM_SAME_GRID, &sum), LIBDOSE_BAD_INPUT,
                "frames of reference");
    CHECK_FAILS(libdose_dose_sum(both, NULL, 2, 3, &sum), LIBDOSE_BAD_INPUT, "grid");
    CHECK_FAILS(libdose_dose_sum(both, NULL, 0, 0, &sum), LIBDOSE_BAD_INPUT, "no dose");
    CHECK_FAILS(libdose_dose_sum(NULL, NULL, 2, 0, &sum), LIBDOSE_BAD_INPUT, "doses");
    CHECK_FAILS(libdose_dose_whole_course(a, 30, &sum), LIBDOSE_BAD_INPUT, "whole course already");
    CHECK(libdose_dose_describe(a, LIBDOSE_SUMMATION_FRACTION, 0, "PHYSICAL") == LIBDOSE_OK);
    CHECK_FAILS(libdose_gamma_calculate(a, b, NULL, &gamma), LIBDOSE_BAD_INPUT, "FRACTION");
    CHECK(libdose_dose_whole_course(a, 30, &sum) == LIBDOSE_OK && first_value(sum) == 60 &&
          info_of(sum).fractions == 30);
    libdose_dose_free(&sum);
    libdose_dose_free(&a);
    libdose_dose_free(&b);
    libdose_dose_free(&elsewhere);
}

static void gammas(void) {
    libdose_dose *reference = flat(2, NULL), *evaluated = flat(2, NULL);
    libdose_gamma_options options;
    libdose_gamma_options_init(&options, sizeof options);
    options.margin_mm = 1.5;
    options.threads = 1;
    options.normalisation_gy = 4;
    libdose_gamma* gamma = NULL;
    REQUIRE(libdose_gamma_calculate(reference, evaluated, &options, &gamma) ==
            LIBDOSE_BAD_INPUT); /* 4 mm along z: every centre is 1 mm from a face */
    options.margin_mm = 0.5;
    REQUIRE(libdose_gamma_calculate(reference, evaluated, &options, &gamma) == LIBDOSE_OK);
    libdose_gamma_info info;
    libdose_gamma_info_init(&info, sizeof info);
    CHECK(libdose_gamma_get_info(gamma, &info) == LIBDOSE_OK && info.evaluated == voxels &&
          info.left_out == 0);
    CHECK(info.normalisation_gy == 4 && info.note_count == 0);
    const char* note = NULL;
    CHECK_FAILS(libdose_gamma_note(gamma, 0, &note), LIBDOSE_BAD_INPUT, "there is no number");
    /* A program with the header of version 1.0: shorter structs. */
    struct {
        libdose_gamma_info info;
    } old;
    memset(&old, 7, sizeof old);
    old.info.struct_size = offsetof(libdose_gamma_info, left_out);
    CHECK(libdose_gamma_get_info(gamma, &old.info) == LIBDOSE_OK && old.info.evaluated == voxels);
    CHECK(old.info.left_out == 0x0707070707070707u &&
          old.info.struct_size == offsetof(libdose_gamma_info, left_out));
    libdose_gamma_free(&gamma);
    options.struct_size = offsetof(libdose_gamma_options, margin_mm);
    options.margin_mm = -5; /* beyond the end of the old struct */
    CHECK(libdose_gamma_calculate(reference, evaluated, &options, &gamma) == LIBDOSE_OK);
    libdose_gamma_free(&gamma);
    libdose_dose_free(&reference);
    libdose_dose_free(&evaluated);
}

static void given_grid(void) {
    libdose_ct* ct = cube_ct();
    libdose_structures* body = cube_body();
    libdose_plan* plan = static_plan();
    libdose_grid grid;
    libdose_grid_init(&grid, sizeof grid);
    for (int a = 0; a < 3; ++a) {
        grid.size[a] = 5 + a;
        grid.spacing_mm[a] = 4 + a;
        grid.origin_mm[a] = -8;
    }
    libdose_options options;
    libdose_options_init(&options, sizeof options);
    options.algorithm = LIBDOSE_PENCIL_BEAM;
    options.quality = LIBDOSE_QUALITY_DRAFT;
    options.grid = &grid;
    libdose_dose* dose = NULL;
    REQUIRE(libdose_calculate(ct, body, plan, NULL, &options, &dose) == LIBDOSE_OK);
    libdose_grid actual;
    libdose_grid_init(&actual, sizeof actual);
    CHECK(libdose_dose_grid(dose, &actual) == LIBDOSE_OK && memcmp(&actual, &grid, sizeof grid) == 0);
    CHECK(first_value(dose) > 0);
    libdose_dose_free(&dose);
    grid.spacing_mm[0] = 0;
    CHECK_FAILS(libdose_calculate(ct, body, plan, NULL, &options, &dose), LIBDOSE_BAD_INPUT, "options->grid");
    libdose_plan_free(&plan);
    libdose_structures_free(&body);
    libdose_ct_free(&ct);
}

int main(void) {
    kinds();
    sums();
    gammas();
    given_grid();
    printf("%d checks failed\n", failures);
    return failures != 0;
}
