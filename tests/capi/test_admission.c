/* Before a calculation: verdicts on a plan, names of what there is, memory. */
#include "phantom.h"

static libdose_gate_entry entry_of(const libdose_gate* gate, size_t index) {
    libdose_gate_entry entry;
    libdose_gate_entry_init(&entry, sizeof entry);
    REQUIRE(libdose_gate_get(gate, index, &entry) == LIBDOSE_OK);
    return entry;
}

/* A beam of 6 MV has a model; one of 7 MV has none, and its verdict says so. The plan has both. */
static void beams(void) {
    libdose_plan* plan = static_plan();
    libdose_beam beam = field_beam(9, 100);
    beam.nominal_energy_mv = 7;
    size_t index = 0;
    REQUIRE(libdose_plan_add_beam(plan, &beam, &index) == LIBDOSE_OK);
    for (int n = 0; n < 2; ++n) {
        const libdose_control_point point = field_point(0, n);
        REQUIRE(libdose_plan_add_control_point(plan, index, &point) == LIBDOSE_OK);
    }
    libdose_gate* gate = NULL;
    size_t count = 0, refused = 0;
    REQUIRE(libdose_gate_admit(plan, NULL, NULL, &gate) == LIBDOSE_OK);
    CHECK(libdose_gate_count(gate, &count, &refused) == LIBDOSE_OK && count == 3 && refused == 1);
    const libdose_gate_entry first = entry_of(gate, 0), second = entry_of(gate, 1), last = entry_of(gate, 2);
    CHECK(first.verdict == LIBDOSE_HONOURED && first.beam == 1 && strstr(first.reason, "generic-6MV"));
    CHECK(second.verdict == LIBDOSE_HONOURED && second.beam == 2);
    CHECK(last.verdict == LIBDOSE_REFUSED && last.beam == 9 && strstr(last.reason, "7 MV"));
    CHECK(first.count == 1 && !*first.tag && !first.acceptable);
    libdose_gate_entry none;
    libdose_gate_entry_init(&none, sizeof none);
    CHECK_FAILS(libdose_gate_get(gate, 3, &none), LIBDOSE_BAD_INPUT, "index");
    libdose_gate_free(&gate);
    CHECK(!gate);
    /* With a model of another energy every beam is refused. */
    libdose_models* models = NULL;
    REQUIRE(libdose_models_create(&models) == LIBDOSE_OK);
    REQUIRE(libdose_models_use(models, 0, "generic-15MV") == LIBDOSE_OK);
    REQUIRE(libdose_gate_admit(plan, models, NULL, &gate) == LIBDOSE_OK);
    CHECK(libdose_gate_count(gate, NULL, &refused) == LIBDOSE_OK && refused == 3);
    libdose_gate_free(&gate);
    libdose_models_free(&models);
    libdose_options options;
    libdose_options_init(&options, sizeof options);
    options.leaves = "no-such-leaves";
    CHECK_FAILS(libdose_gate_admit(plan, NULL, &options, &gate), LIBDOSE_BAD_INPUT, "no-such-leaves");
    CHECK(!gate);
    libdose_plan_free(&plan);
}

/* Leaves that no design fits: refused, with sharp ends honoured. */
static void leaves(void) {
    libdose_plan* plan = NULL;
    const libdose_beam beam = field_beam(1, 100);
    REQUIRE(libdose_plan_create("leaves", 1, LIBDOSE_HFS, "1.2.3", &plan) == LIBDOSE_OK);
    REQUIRE(libdose_plan_add_beam(plan, &beam, NULL) == LIBDOSE_OK);
    const double edges[3] = {-37, 1, 39}, lower[2] = {-20, -20}, upper[2] = {20, 20};
    REQUIRE(libdose_plan_add_collimator(plan, 0, "MLCX", edges, 3) == LIBDOSE_OK);
    for (int n = 0; n < 2; ++n) {
        libdose_control_point point = field_point(0, n);
        point.leaf_lower_mm = lower;
        point.leaf_upper_mm = upper;
        point.leaf_pair_count = 2;
        REQUIRE(libdose_plan_add_control_point(plan, 0, &point) == LIBDOSE_OK);
    }
    libdose_options options;
    libdose_options_init(&options, sizeof options);
    libdose_gate* gate = NULL;
    REQUIRE(libdose_gate_admit(plan, NULL, &options, &gate) == LIBDOSE_OK);
    CHECK(entry_of(gate, 0).verdict == LIBDOSE_REFUSED);
    libdose_gate_free(&gate);
    options.leaf_ends = LIBDOSE_LEAVES_SHARP;
    REQUIRE(libdose_gate_admit(plan, NULL, &options, &gate) == LIBDOSE_OK);
    CHECK(entry_of(gate, 0).verdict == LIBDOSE_HONOURED);
    libdose_gate_free(&gate);
    libdose_plan_free(&plan);
}

/* Whether a list has a name; the list is in order. */
static int has_name(int32_t kind, const char* wanted, size_t least) {
    libdose_names* names = NULL;
    size_t count = 0;
    int found = 0;
    REQUIRE(libdose_names_create(kind, &names) == LIBDOSE_OK);
    REQUIRE(libdose_names_count(names, &count) == LIBDOSE_OK);
    for (size_t n = 0; n < count; ++n) {
        const char* name = NULL;
        CHECK(libdose_names_get(names, n, &name) == LIBDOSE_OK && *name);
        found += wanted && strcmp(name, wanted) == 0;
    }
    const char* beyond = NULL;
    CHECK_FAILS(libdose_names_get(names, count, &beyond), LIBDOSE_BAD_INPUT, "index");
    libdose_names_free(&names);
    CHECK(!names && count >= least);
    return found;
}

/* Names of the files of libdose/data. */
static void lists(void) {
    CHECK(has_name(LIBDOSE_BEAM_MODELS, "generic-6MV", 6) == 1);
    CHECK(has_name(LIBDOSE_LEAF_DESIGNS, "varian-millennium-120", 5) == 1);
    CHECK(has_name(LIBDOSE_LEAF_DESIGNS, "tungsten", 5) == 0);
    CHECK(has_name(LIBDOSE_COUCHES, "elekta-ibeam", 3) == 1);
    CHECK(has_name(LIBDOSE_HU_CURVES, "water", 2) == 1);
    has_name(LIBDOSE_CUDA_DEVICES, NULL, 0);
    libdose_names* none = NULL;
    CHECK_FAILS(libdose_names_create(5, &none), LIBDOSE_BAD_INPUT, "kind");
    CHECK_FAILS(libdose_names_create(-1, &none), LIBDOSE_BAD_INPUT, "kind");
    CHECK(!none);
}

/* The estimate grows with the number of voxels: a dose of 2 mm has (5 / 2)^3 = 15.6 times those of 5 mm. What
 * does not depend on the grid (fluence, kernels) is in both, so that it may grow by less. */
static void memory(void) {
    libdose_ct* ct = cube_ct();
    libdose_structures* body = cube_body();
    libdose_plan* plan = static_plan();
    libdose_options options;
    libdose_options_init(&options, sizeof options);
    double coarse = 0, fine = 0, available = -1;
    options.grid_mm = 5;
    CHECK(libdose_estimate_memory(ct, body, plan, NULL, &options, &coarse, &available) == LIBDOSE_OK);
    options.grid_mm = 2;
    CHECK(libdose_estimate_memory(ct, body, plan, NULL, &options, &fine, NULL) == LIBDOSE_OK);
    CHECK(available > 0 && fine > 2 * coarse && fine < 16 * coarse);
    /* The CT alone has 80^3 voxels of 4 bytes. */
    CHECK(coarse > 80.0 * 80 * 80 * 4);
    CHECK_FAILS(libdose_estimate_memory(ct, body, NULL, NULL, NULL, &fine, NULL), LIBDOSE_BAD_INPUT, "plan");
    libdose_plan_free(&plan);
    libdose_structures_free(&body);
    libdose_ct_free(&ct);
}

int main(void) {
    beams();
    leaves();
    lists();
    memory();
    return failures != 0;
}
