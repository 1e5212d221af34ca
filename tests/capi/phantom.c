#include "phantom.h"

int failures = 0;

libdose_grid cube_grid(void) {
    libdose_grid grid;
    libdose_grid_init(&grid, sizeof grid);
    for (int a = 0; a < 3; ++a) {
        grid.size[a] = 80;
        grid.spacing_mm[a] = 4;
        grid.origin_mm[a] = -158;
    }
    return grid;
}

int16_t* cube_hu(void) {
    int16_t* hu = malloc(80 * 80 * 80 * sizeof *hu);
    REQUIRE(hu);
    for (int k = 0; k < 80; ++k)
        for (int j = 0; j < 80; ++j)
            for (int i = 0; i < 80; ++i) {
                const int inside =
                    abs(-158 + 4 * i) < 120 && abs(-158 + 4 * j) < 120 && abs(-158 + 4 * k) < 120;
                hu[(k * 80 + j) * 80 + i] = inside ? 0 : -1000;
            }
    return hu;
}

libdose_ct* cube_ct(void) {
    const libdose_grid grid = cube_grid();
    int16_t* hu = cube_hu();
    libdose_ct* ct = NULL;
    REQUIRE(libdose_ct_create_int16(&grid, hu, 80 * 80 * 80, LIBDOSE_HFS, "1.2.3", &ct) == LIBDOSE_OK);
    free(hu);
    return ct;
}

libdose_structures* cube_body(void) {
    libdose_structures* set = NULL;
    REQUIRE(libdose_structures_create("1.2.3", &set) == LIBDOSE_OK);
    libdose_structure body;
    libdose_structure_init(&body, sizeof body);
    body.name = "BODY";
    body.type = "EXTERNAL";
    size_t index = 99;
    REQUIRE(libdose_structures_add(set, &body, &index) == LIBDOSE_OK && index == 0);
    for (int k = 0; k < 80; ++k) {
        const double z = -158 + 4 * k;
        const double square[12] = {-120, -120, z, 120, -120, z, 120, 120, z, -120, 120, z};
        if (fabs(z) < 120) REQUIRE(libdose_structures_add_contour(set, index, square, 4) == LIBDOSE_OK);
    }
    return set;
}

libdose_beam field_beam(int number, double mu) {
    libdose_beam beam;
    libdose_beam_init(&beam, sizeof beam);
    beam.number = number;
    beam.nominal_energy_mv = 6;
    beam.meterset_mu = mu;
    return beam;
}

libdose_control_point field_point(double gantry_deg, double weight) {
    libdose_control_point point;
    libdose_control_point_init(&point, sizeof point);
    point.gantry_deg = gantry_deg;
    point.cumulative_weight = weight;
    point.has_jaw_x = point.has_jaw_y = 1;
    point.jaw_x_mm[0] = point.jaw_y_mm[0] = -50;
    point.jaw_x_mm[1] = point.jaw_y_mm[1] = 50;
    return point;
}

void add_field(libdose_plan* plan, int number, double gantry_deg, double mu) {
    const libdose_beam beam = field_beam(number, mu);
    size_t index = 99;
    REQUIRE(libdose_plan_add_beam(plan, &beam, &index) == LIBDOSE_OK);
    for (int n = 0; n < 2; ++n) {
        const libdose_control_point point = field_point(gantry_deg, n);
        REQUIRE(libdose_plan_add_control_point(plan, index, &point) == LIBDOSE_OK);
    }
}

libdose_plan* static_plan(void) {
    libdose_plan* plan = NULL;
    REQUIRE(libdose_plan_create("test", 2, LIBDOSE_HFS, "1.2.3", &plan) == LIBDOSE_OK);
    add_field(plan, 1, 0, 100);
    add_field(plan, 2, 90, 50);
    return plan;
}

libdose_plan* arc_plan(void) {
    libdose_plan* plan = NULL;
    REQUIRE(libdose_plan_create("arc", 2, LIBDOSE_HFS, "1.2.3", &plan) == LIBDOSE_OK);
    libdose_beam beam = field_beam(1, 80);
    beam.manufacturer = "Varian Medical Systems";
    size_t index = 99;
    REQUIRE(libdose_plan_add_beam(plan, &beam, &index) == LIBDOSE_OK);
    double edges[61], lower[60], upper[60];
    for (int i = 0; i <= 60; ++i)
        edges[i] = i <= 10 ? -200 + 10 * i : i <= 50 ? -100 + 5 * (i - 10) : 100 + 10 * (i - 50);
    REQUIRE(libdose_plan_add_collimator(plan, index, "MLCX", edges, 61) == LIBDOSE_OK);
    for (int n = 0; n < 3; ++n) {
        libdose_control_point point = field_point(n == 0 ? 350 : 4 * (n - 1), 0.5 * n);
        point.collimator_deg = 15;
        point.couch_deg = 5;
        point.isocentre_mm[0] = 3;
        point.isocentre_mm[1] = -2;
        point.isocentre_mm[2] = 1;
        point.gantry_rotation = LIBDOSE_ROTATION_CLOCKWISE;
        for (int l = 0; l < 60; ++l) {
            const int open = l >= 20 && l < 40;
            lower[l] = open ? -30 - 2 * n : 0;
            upper[l] = open ? 25 + 3 * n + l % 3 : 0;
        }
        point.leaf_lower_mm = lower;
        point.leaf_upper_mm = upper;
        point.leaf_pair_count = 60;
        REQUIRE(libdose_plan_add_control_point(plan, index, &point) == LIBDOSE_OK);
    }
    return plan;
}
