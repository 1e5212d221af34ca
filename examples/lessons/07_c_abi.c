/* Lesson 7: the same from C: own Hounsfield units, a plan by hand, progress, the dose in an own buffer,
 * gamma. */
#include <libdose/dose_c.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends with libdose's text when a call fails. */
static void ok(libdose_status status) {
    if (status == LIBDOSE_OK) return;
    fprintf(stderr, "%s: %s\n", libdose_status_text(status), libdose_last_error());
    exit(1);
}

/* 30 cm of water, voxels of 5 mm; its front surface at y = 0. */
static libdose_ct* water(void) {
    enum { n = 64 };
    libdose_grid grid;
    libdose_grid_init(&grid, sizeof grid);
    for (int a = 0; a < 3; ++a) {
        grid.size[a] = n;
        grid.spacing_mm[a] = 5;
        grid.origin_mm[a] = -157.5;
    }
    grid.origin_mm[1] = -7.5;
    int16_t* hu = malloc(n * n * n * sizeof *hu);
    if (!hu) exit(1);
    for (int k = 0; k < n; ++k)
        for (int j = 0; j < n; ++j)
            for (int i = 0; i < n; ++i)
                hu[(k * n + j) * n + i] = (i > 1 && i < 62 && j > 1 && j < 62 && k > 1 && k < 62) ? 0 : -1000;
    libdose_ct* ct = NULL;
    ok(libdose_ct_create_int16(&grid, hu, n * n * n, LIBDOSE_HFS, NULL, &ct));
    free(hu); /* copied */
    return ct;
}

static libdose_plan* field(void) {
    libdose_plan* plan = NULL;
    ok(libdose_plan_create("lesson", 1, LIBDOSE_HFS, NULL, &plan));
    libdose_beam beam;
    libdose_beam_init(&beam, sizeof beam);
    beam.number = 1;
    beam.nominal_energy_mv = 6;
    beam.meterset_mu = 100;
    size_t index;
    ok(libdose_plan_add_beam(plan, &beam, &index));
    for (int end = 0; end < 2; ++end) {
        libdose_control_point point;
        libdose_control_point_init(&point, sizeof point);
        point.cumulative_weight = end;
        point.has_jaw_x = point.has_jaw_y = 1;
        point.jaw_x_mm[0] = point.jaw_y_mm[0] = -50;
        point.jaw_x_mm[1] = point.jaw_y_mm[1] = 50;
        ok(libdose_plan_add_control_point(plan, index, &point));
    }
    return plan;
}

static int progress(void* calls, double fraction, const char* stage) {
    (void)fraction, (void)stage;
    ++*(int*)calls;
    return 0; /* anything else cancels */
}

int main(void) {
    printf("libdose %s, C ABI %u.%u\n", libdose_version(), libdose_c_version() >> 16,
           libdose_c_version() & 0xffff);
    libdose_ct* ct = water();
    libdose_plan* plan = field();

    int calls = 0;
    libdose_options options;
    libdose_options_init(&options, sizeof options);
    options.grid_mm = 5;
    options.progress = progress;
    options.user = &calls;
    libdose_dose *cone = NULL, *pencil = NULL;
    ok(libdose_calculate(ct, NULL, plan, NULL, &options, &cone));
    options.algorithm = LIBDOSE_PENCIL_BEAM;
    ok(libdose_calculate(ct, NULL, plan, NULL, &options, &pencil));
    printf("progress was called %s\n", calls > 2 ? "many times" : "hardly");

    /* Along the axis, into a buffer of ours on a grid of ours. */
    libdose_grid axis;
    libdose_grid_init(&axis, sizeof axis);
    axis.size[0] = axis.size[2] = 1;
    axis.size[1] = 4;
    axis.spacing_mm[0] = axis.spacing_mm[2] = 1;
    axis.spacing_mm[1] = 50;
    axis.origin_mm[1] = 50;
    float gy[4];
    ok(libdose_dose_copy_on_grid(cone, &axis, gy, 4));
    for (int n = 0; n < 4; ++n) printf("  %3d mm deep: %.3f Gy\n", 50 * (n + 1), (double)gy[n]);

    libdose_gamma* gamma = NULL;
    libdose_gamma_info agreement;
    libdose_gamma_info_init(&agreement, sizeof agreement);
    ok(libdose_gamma_calculate(cone, pencil, NULL, &gamma)); /* 3 %, 2 mm */
    ok(libdose_gamma_get_info(gamma, &agreement));
    printf("pencil beam against collapsed cone, 3 %%/2 mm: %.1f %% of %llu voxels pass\n",
           agreement.pass_rate_percent, (unsigned long long)agreement.evaluated);

    /* What cannot be used is a status and a text. */
    options.grid_mm = -1;
    libdose_dose* none = NULL;
    const libdose_status status = libdose_calculate(ct, NULL, plan, NULL, &options, &none);
    printf("%s: %s\n", libdose_status_text(status), libdose_last_error());

    libdose_gamma_free(&gamma);
    libdose_dose_free(&pencil);
    libdose_dose_free(&cone);
    libdose_plan_free(&plan);
    libdose_ct_free(&ct);
    return 0;
}
