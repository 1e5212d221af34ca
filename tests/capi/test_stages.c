/* A calculation in stages: what is prepared once gives what libdose_calculate() gives. */
#include "phantom.h"

static libdose_options coarse(void) {
    libdose_options options;
    libdose_options_init(&options, sizeof options);
    options.grid_mm = 5;
    options.quality = LIBDOSE_QUALITY_DRAFT;
    options.beam_margin_mm = 1000;
    options.per_beam = 1;
    return options;
}

static void same_values(const libdose_dose* a, const libdose_dose* b) {
    const float *x = NULL, *y = NULL;
    size_t n = 0, m = 0;
    REQUIRE(libdose_dose_values(a, &x, &n) == LIBDOSE_OK && libdose_dose_values(b, &y, &m) == LIBDOSE_OK);
    CHECK(n == m && n > 1000 && memcmp(x, y, n * sizeof *x) == 0);
}

static int stop(void* user, double fraction, const char* stage) {
    (void)fraction;
    (void)stage;
    ++*(int*)user;
    return 1;
}

static void as_calculate(libdose_prepared* patient, const libdose_plan* plan, const libdose_dose* whole) {
    libdose_dose *again = NULL, *of_plan = NULL, *dose = NULL;
    libdose_fluence* fluence = NULL;
    REQUIRE(libdose_prepared_calculate(patient, NULL, NULL, &again) == LIBDOSE_OK);
    same_values(again, whole);
    REQUIRE(libdose_dose_beam(whole, 0, &of_plan) == LIBDOSE_OK);
    REQUIRE(libdose_fluence_of_beam(patient, plan, 0, &fluence) == LIBDOSE_OK);
    REQUIRE(libdose_prepared_dose(patient, fluence, NULL, NULL, &dose) == LIBDOSE_OK);
    same_values(dose, of_plan);
    int calls = 0;
    libdose_dose* none = NULL;
    CHECK_FAILS(libdose_prepared_dose(patient, fluence, stop, &calls, &none), LIBDOSE_CANCELLED, "");
    CHECK(calls > 0 && !none);
    libdose_fluence_free(&fluence);
    libdose_dose_free(&again);
    libdose_dose_free(&of_plan);
    libdose_dose_free(&dose);
}

static double largest(const libdose_dose* dose) {
    const float* gy = NULL;
    size_t count = 0;
    REQUIRE(libdose_dose_values(dose, &gy, &count) == LIBDOSE_OK);
    float most = 0;
    for (size_t v = 0; v < count; ++v)
        if (gy[v] > most) most = gy[v];
    return most;
}

static double dose_of_raster(libdose_prepared* patient, const libdose_plan* plan,
                             const libdose_raster* raster) {
    libdose_fluence* fluence = NULL;
    libdose_dose* dose = NULL;
    REQUIRE(libdose_fluence_of_rasters(patient, plan, 0, raster, 1, &fluence) == LIBDOSE_OK);
    REQUIRE(libdose_prepared_dose(patient, fluence, NULL, NULL, &dose) == LIBDOSE_OK);
    const double most = largest(dose);
    libdose_fluence_free(&fluence);
    libdose_dose_free(&dose);
    return most;
}

static void own_fluence(libdose_prepared* patient, const libdose_plan* plan) {
    static float values[40 * 40];
    for (int n = 0; n < 40 * 40; ++n) values[n] = 100;
    libdose_raster raster;
    libdose_raster_init(&raster, sizeof raster);
    raster.lower_u_mm = raster.lower_v_mm = -20;
    raster.size_u = raster.size_v = 40;
    raster.values = values;
    raster.value_count = 40 * 40;
    CHECK(libdose_beam_axes(LIBDOSE_HFS, 0, 0, 0, raster.axes) == LIBDOSE_OK);
    /* Gantry 0, head first supine: the source is anterior, -y; u is to the patient's left. */
    CHECK(fabs(raster.axes[0] - 1) < 1e-12 && fabs(raster.axes[5] + 1) < 1e-12);
    const double once = dose_of_raster(patient, plan, &raster);
    for (int n = 0; n < 40 * 40; ++n) values[n] = 300;
    CHECK(fabs(dose_of_raster(patient, plan, &raster) / once - 3) < 1e-3);
    libdose_fluence* fluence = NULL;
    raster.value_count = 3;
    CHECK_FAILS(libdose_fluence_of_rasters(patient, plan, 0, &raster, 1, &fluence), LIBDOSE_BAD_INPUT,
                "values are given");
    CHECK_FAILS(libdose_fluence_of_rasters(patient, plan, 0, &raster, 0, &fluence), LIBDOSE_BAD_INPUT,
                "no raster");
    CHECK_FAILS(libdose_fluence_of_rasters(patient, plan, 7, &raster, 1, &fluence), LIBDOSE_BAD_INPUT, "7");
    CHECK(!fluence);
}

static void rasters(libdose_prepared* patient, const libdose_plan* plan) {
    libdose_fluence* fluence = NULL;
    size_t count = 0;
    libdose_raster raster;
    libdose_raster_init(&raster, sizeof raster);
    REQUIRE(libdose_fluence_of_beam(patient, plan, 0, &fluence) == LIBDOSE_OK);
    CHECK(libdose_fluence_raster_count(fluence, &count) == LIBDOSE_OK && count == 1);
    CHECK(libdose_fluence_raster(fluence, 0, &raster) == LIBDOSE_OK);
    CHECK(raster.value_count == (size_t)raster.size_u * (size_t)raster.size_v && raster.values);
    CHECK_FAILS(libdose_fluence_raster(fluence, 1, &raster), LIBDOSE_BAD_INPUT, "index");
    libdose_fluence_free(&fluence);
    CHECK(!fluence);
}

int main(void) {
    libdose_ct* ct = cube_ct();
    libdose_structures* body = cube_body();
    libdose_plan* plan = static_plan();
    libdose_prepared* patient = NULL;
    libdose_dose* whole = NULL;
    const libdose_options options = coarse();
    REQUIRE(libdose_calculate(ct, body, plan, NULL, &options, &whole) == LIBDOSE_OK);
    REQUIRE(libdose_prepare(ct, body, plan, NULL, &options, &patient) == LIBDOSE_OK);
    /* What went in was copied. */
    libdose_ct_free(&ct);
    libdose_structures_free(&body);
    libdose_grid grid;
    libdose_grid_init(&grid, sizeof grid);
    CHECK(libdose_prepared_grid(patient, &grid) == LIBDOSE_OK && grid.size[0] > 10);
    as_calculate(patient, plan, whole);
    rasters(patient, plan);
    own_fluence(patient, plan);
    libdose_prepared* none = NULL;
    CHECK_FAILS(libdose_prepare(NULL, NULL, plan, NULL, NULL, &none), LIBDOSE_BAD_INPUT, "ct");
    CHECK(!none);
    libdose_prepared_free(&patient);
    CHECK(!patient);
    libdose_dose_free(&whole);
    libdose_plan_free(&plan);
    return failures != 0;
}
