/* Wedges, blocks and boluses of plans by hand. */
#include "phantom.h"

static libdose_options coarse(void) {
    libdose_options options;
    libdose_options_init(&options, sizeof options);
    options.grid_mm = 5;
    options.quality = LIBDOSE_QUALITY_DRAFT;
    return options;
}

/* A beam from above without control points. */
static libdose_plan* one_beam(void) {
    libdose_plan* plan = NULL;
    const libdose_beam beam = field_beam(1, 100);
    REQUIRE(libdose_plan_create("modifiers", 1, LIBDOSE_HFS, "1.2.3", &plan) == LIBDOSE_OK);
    REQUIRE(libdose_plan_add_beam(plan, &beam, NULL) == LIBDOSE_OK);
    return plan;
}

static void add_points(libdose_plan* plan, const int32_t* wedge_in, size_t wedges) {
    for (int n = 0; n < 2; ++n) {
        libdose_control_point point = field_point(0, n);
        point.wedge_in = wedge_in;
        point.wedge_count = wedges;
        REQUIRE(libdose_plan_add_control_point(plan, 0, &point) == LIBDOSE_OK);
    }
}

/* Gy at x, 100 mm deep (or as deep as said) in the water cube. */
static double dose_at(const libdose_structures* body, const libdose_plan* plan, double x_mm,
                      double depth_mm) {
    libdose_ct* ct = cube_ct();
    libdose_dose* dose = NULL;
    const libdose_options options = coarse();
    const double point[3] = {x_mm, depth_mm - 120, 0};
    double gy = -1;
    REQUIRE(libdose_calculate(ct, body, plan, NULL, &options, &dose) == LIBDOSE_OK);
    REQUIRE(libdose_dose_at(dose, point, &gy) == LIBDOSE_OK);
    libdose_dose_free(&dose);
    libdose_ct_free(&ct);
    return gy;
}

static double open_dose(const libdose_structures* body, double x_mm, double depth_mm) {
    libdose_plan* plan = one_beam();
    add_points(plan, NULL, 0);
    const double gy = dose_at(body, plan, x_mm, depth_mm);
    libdose_plan_free(&plan);
    return gy;
}

/* A wedge of 60 degrees: turned by 270 degrees, its thin end (its +y) points along +x. */
static void wedge(const libdose_structures* body) {
    libdose_plan* plan = one_beam();
    libdose_wedge w;
    libdose_wedge_init(&w, sizeof w);
    w.angle_deg = 60;
    w.orientation_deg = 270;
    w.kind = LIBDOSE_WEDGE_PHYSICAL;
    CHECK(libdose_plan_add_wedge(plan, 0, &w) == LIBDOSE_OK);
    libdose_control_point point = field_point(0, 0);
    CHECK_FAILS(libdose_plan_add_control_point(plan, 0, &point), LIBDOSE_BAD_INPUT, "wedge_count");
    point.wedge_count = 1;
    CHECK_FAILS(libdose_plan_add_control_point(plan, 0, &point), LIBDOSE_BAD_INPUT, "wedge_in");
    const int32_t in = 1;
    add_points(plan, &in, 1);
    CHECK_FAILS(libdose_plan_add_wedge(plan, 0, &w), LIBDOSE_BAD_INPUT, "control points");
    const double thin = dose_at(body, plan, 35, 100), thick = dose_at(body, plan, -35, 100);
    CHECK(thin > 1.5 * thick);
    CHECK(thin < open_dose(body, 35, 100));
    libdose_plan_free(&plan);
}

/* A block over x < 0 with a transmission of 3 %: there scatter and transmission are left. */
static void block(const libdose_structures* body) {
    libdose_plan* plan = one_beam();
    const double x[] = {-60, 0, 0, -60}, y[] = {-60, -60, 60, 60};
    libdose_block b;
    libdose_block_init(&b, sizeof b);
    b.x_mm = x;
    b.y_mm = y;
    b.point_count = 2;
    CHECK_FAILS(libdose_plan_add_block(plan, 0, &b), LIBDOSE_BAD_INPUT, "three points");
    b.point_count = 4;
    b.transmission = 0.03;
    b.tray_distance_mm = 650;
    b.thickness_mm = 75;
    CHECK(libdose_plan_add_block(plan, 0, &b) == LIBDOSE_OK);
    add_points(plan, NULL, 0);
    CHECK(dose_at(body, plan, -30, 100) < 0.2 * open_dose(body, -30, 100));
    CHECK(dose_at(body, plan, 30, 100) > 0.85 * open_dose(body, 30, 100));
    libdose_plan_free(&plan);
}

/* The tray takes its part of every dose. */
static void tray(const libdose_structures* body) {
    libdose_plan* plan = NULL;
    libdose_beam beam = field_beam(1, 100), back;
    beam.tray_factor = 0.9;
    REQUIRE(libdose_plan_create("tray", 1, LIBDOSE_HFS, "1.2.3", &plan) == LIBDOSE_OK);
    REQUIRE(libdose_plan_add_beam(plan, &beam, NULL) == LIBDOSE_OK);
    libdose_beam_init(&back, sizeof back);
    CHECK(libdose_plan_beam(plan, 0, &back) == LIBDOSE_OK && back.tray_factor == 0.9);
    add_points(plan, NULL, 0);
    CHECK(fabs(dose_at(body, plan, 0, 100) / open_dose(body, 0, 100) - 0.9) < 2e-3);
    libdose_plan_free(&plan);
}

/* 15 mm of water on the surface: 5 mm deep the dose has built up. */
static void bolus(void) {
    libdose_structures* set = cube_body();
    libdose_structure s;
    libdose_structure_init(&s, sizeof s);
    s.name = "BOLUS";
    s.type = "BOLUS";
    s.number = 7;
    s.relative_mass_density = 1;
    size_t index = 0;
    REQUIRE(libdose_structures_add(set, &s, &index) == LIBDOSE_OK);
    for (int n = 0; n < 30; ++n) {
        const double z = -58 + 4 * n;
        const double points[] = {-60, -135, z, 60, -135, z, 60, -120, z, -60, -120, z};
        REQUIRE(libdose_structures_add_contour(set, index, points, 4) == LIBDOSE_OK);
    }
    libdose_plan* plan = one_beam();
    CHECK_FAILS(libdose_plan_add_bolus(plan, 0, 0, NULL), LIBDOSE_BAD_INPUT, "ROI number");
    CHECK(libdose_plan_add_bolus(plan, 0, 7, "flab") == LIBDOSE_OK);
    add_points(plan, NULL, 0);
    CHECK(dose_at(set, plan, 0, 2.5) > 1.2 * open_dose(set, 0, 2.5));
    libdose_plan_free(&plan);
    libdose_structures_free(&set);
}

int main(void) {
    libdose_structures* body = cube_body();
    wedge(body);
    block(body);
    tray(body);
    bolus();
    libdose_structures_free(&body);
    return failures != 0;
}
