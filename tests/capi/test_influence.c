/* Influence matrices: columns, beamlets, doses, files, parts, cancelling. */
#include "phantom.h"

/* A 10 x 10 cm field of 50 mm beamlets: four, edges on multiples of 50 mm. */
static libdose_influence_options four(void) {
    libdose_influence_options influence;
    libdose_influence_options_init(&influence, sizeof influence);
    CHECK(influence.beamlet_mm == 5 && influence.margin_mm == 5 && influence.cutoff == 3e-4);
    influence.beamlet_mm = 50;
    influence.cutoff = 0;
    return influence;
}

static libdose_options coarse(void) {
    libdose_options options;
    libdose_options_init(&options, sizeof options);
    options.algorithm = LIBDOSE_PENCIL_BEAM;
    options.grid_mm = 6;
    return options;
}

typedef struct patient {
    libdose_ct* ct;
    libdose_structures* body;
    libdose_plan* plan; /* beams from above (100 MU) and from the left (50 MU) */
} patient;

static libdose_influence* matrix_of(const patient* p, const libdose_influence_options* influence) {
    const libdose_options options = coarse();
    libdose_influence* matrix = NULL;
    REQUIRE(libdose_influence_calculate(p->ct, p->body, p->plan, NULL, &options, influence, &matrix) ==
            LIBDOSE_OK);
    return matrix;
}

static libdose_influence_info info_of(const libdose_influence* matrix) {
    libdose_influence_info info;
    libdose_influence_info_init(&info, sizeof info);
    REQUIRE(libdose_influence_get_info(matrix, &info) == LIBDOSE_OK);
    return info;
}

/* Beam by beam, rows of v, then u; centres of the four squares at +-25 mm. */
static void beamlets(const patient* p, const libdose_influence* matrix) {
    const libdose_options options = coarse();
    const libdose_influence_options influence = four();
    size_t count = 0;
    CHECK(libdose_influence_beamlet_count(p->ct, p->body, p->plan, NULL, &options, &influence, &count) ==
              LIBDOSE_OK &&
          count == 8);
    const libdose_influence_info info = info_of(matrix);
    CHECK(info.beamlet_count == 8 && info.beamlet_mm == 50 && info.cutoff == 0 && !info.in_file);
    CHECK(info.medium == LIBDOSE_TO_MEDIUM && info.entry_count > 1000);
    for (int c = 0; c < 8; ++c) {
        libdose_beamlet beamlet;
        libdose_beamlet_init(&beamlet, sizeof beamlet);
        CHECK(libdose_influence_beamlet(matrix, (size_t)c, &beamlet) == LIBDOSE_OK);
        CHECK(beamlet.beam_index == c / 4 && beamlet.control_point == 0);
        CHECK(fabs(beamlet.u_mm - (c % 2 ? 25 : -25)) < 1e-9);
        CHECK(fabs(beamlet.v_mm - (c % 4 < 2 ? -25 : 25)) < 1e-9);
    }
    libdose_beamlet none;
    libdose_beamlet_init(&none, sizeof none);
    CHECK_FAILS(libdose_influence_beamlet(matrix, 8, &none), LIBDOSE_BAD_INPUT, "column");
}

/* Sums the columns by hand; libdose_influence_dose() and the calculation of the same fluence are held against
 * that. */
static void doses(const patient* p, const libdose_influence* matrix) {
    const double mu[8] = {10, 20, 30, 40, 5, 0, 15, 25};
    const int64_t* begin = NULL;
    const int32_t* voxel = NULL;
    const float *gy = NULL, *dose_gy = NULL;
    REQUIRE(libdose_influence_columns(matrix, &begin, &voxel, &gy) == LIBDOSE_OK);
    CHECK(begin[0] == 0 && (size_t)begin[8] == info_of(matrix).entry_count);
    libdose_grid grid;
    libdose_grid_init(&grid, sizeof grid);
    REQUIRE(libdose_influence_grid(matrix, &grid) == LIBDOSE_OK && grid.spacing_mm[0] == 6);
    const size_t voxels = (size_t)grid.size[0] * (size_t)grid.size[1] * (size_t)grid.size[2];
    double* sum = calloc(voxels, sizeof *sum);
    REQUIRE(sum);
    for (int c = 0; c < 8; ++c)
        for (int64_t n = begin[c]; n < begin[c + 1]; ++n) {
            CHECK(voxel[n] >= 0 && (size_t)voxel[n] < voxels && (n == begin[c] || voxel[n] > voxel[n - 1]));
            sum[voxel[n]] += mu[c] * (double)gy[n];
        }
    libdose_dose *dose = NULL, *forward = NULL;
    size_t count = 0;
    REQUIRE(libdose_influence_dose(matrix, mu, 8, &dose) == LIBDOSE_OK);
    REQUIRE(libdose_dose_values(dose, &dose_gy, &count) == LIBDOSE_OK && count == voxels);
    double most = 0;
    for (size_t v = 0; v < voxels; ++v) {
        CHECK(fabs(dose_gy[v] - sum[v]) <= 1e-6 * sum[v]);
        if (sum[v] > most) most = sum[v];
    }
    libdose_dose_info info;
    libdose_dose_info_init(&info, sizeof info);
    CHECK(libdose_dose_get_info(dose, &info) == LIBDOSE_OK && info.fractions == 1);
    CHECK(info.summation == LIBDOSE_SUMMATION_FRACTION && fabs(info.maximum_gy - most) < 1e-6 * most);
    const libdose_options options = coarse();
    const libdose_influence_options influence = four();
    REQUIRE(libdose_calculate_beamlets(p->ct, p->body, p->plan, NULL, &options, &influence, mu, 8,
                                       &forward) == LIBDOSE_OK);
    /* Far from a beamlet the pencil beam draws voxels: single ones are noisy, sums are right on average
     * (docs/theory/influence.md, which has 1 %). */
    const float* forward_gy = NULL;
    double drawn = 0, calculated = 0;
    REQUIRE(libdose_dose_values(forward, &forward_gy, &count) == LIBDOSE_OK && count == voxels);
    for (size_t v = 0; v < voxels; ++v) {
        drawn += dose_gy[v];
        calculated += forward_gy[v];
    }
    CHECK(calculated > 0 && fabs(drawn / calculated - 1) < 0.01);
    CHECK_FAILS(libdose_influence_dose(matrix, mu, 7, &dose), LIBDOSE_BAD_INPUT, "7 weights are given for 8");
    CHECK_FAILS(libdose_influence_dose(matrix, NULL, 8, &dose), LIBDOSE_BAD_INPUT, "weights_mu");
    libdose_dose_free(&forward);
    libdose_dose_free(&dose);
    free(sum);
}

/* Where a beamlet shines: head first supine, gantry 0, u is to the patient's left (+x), v to the head (+z).
 */
static void places(const libdose_influence* matrix) {
    for (int c = 0; c < 4; ++c) {
        double mu[8] = {0};
        mu[c] = 100;
        libdose_dose* dose = NULL;
        REQUIRE(libdose_influence_dose(matrix, mu, 8, &dose) == LIBDOSE_OK);
        for (int q = 0; q < 4; ++q) {
            const double point[3] = {q % 2 ? 25 : -25, 0, q < 2 ? -25 : 25};
            double gy = -1;
            CHECK(libdose_dose_at(dose, point, &gy) == LIBDOSE_OK);
            CHECK(q == c ? gy > 0.5 : gy < 0.1);
        }
        libdose_dose_free(&dose);
    }
}

/* Copies of columns 2 to 4 are those of the whole; a file of parts has the same bits. */
static void copies(const libdose_influence* matrix, const int64_t* begin, const int32_t* voxel,
                   const float* gy) {
    size_t count = 0;
    int64_t first_begin[4];
    CHECK(libdose_influence_copy_columns(matrix, 2, 5, first_begin, NULL, NULL, 0, &count) == LIBDOSE_OK);
    CHECK((int64_t)count == begin[5] - begin[2]);
    for (int c = 0; c < 4; ++c) CHECK(first_begin[c] == begin[2 + c] - begin[2]);
    int32_t* rows = malloc(count * sizeof *rows);
    float* values = malloc(count * sizeof *values);
    REQUIRE(rows && values);
    CHECK(libdose_influence_copy_columns(matrix, 2, 5, first_begin, rows, values, count, NULL) == LIBDOSE_OK);
    CHECK(memcmp(rows, voxel + begin[2], count * sizeof *rows) == 0);
    CHECK(memcmp(values, gy + begin[2], count * sizeof *values) == 0);
    CHECK_FAILS(libdose_influence_copy_columns(matrix, 2, 5, first_begin, rows, values, count - 1, NULL),
                LIBDOSE_BAD_INPUT, "capacity");
    CHECK_FAILS(libdose_influence_copy_columns(matrix, 2, 9, first_begin, rows, values, count, NULL),
                LIBDOSE_BAD_INPUT, "of 8");
    free(rows);
    free(values);
}

/* A matrix in a file gives the bits of the one in memory. */
static void same_dose(const libdose_influence* whole, const libdose_influence* read) {
    const double mu[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    libdose_dose *one = NULL, *other = NULL;
    const float *x = NULL, *y = NULL;
    size_t n = 0, m = 0;
    REQUIRE(libdose_influence_dose(whole, mu, 8, &one) == LIBDOSE_OK);
    REQUIRE(libdose_influence_dose(read, mu, 8, &other) == LIBDOSE_OK);
    REQUIRE(libdose_dose_values(one, &x, &n) == LIBDOSE_OK &&
            libdose_dose_values(other, &y, &m) == LIBDOSE_OK);
    CHECK(n == m && memcmp(x, y, n * sizeof *x) == 0);
    libdose_dose_free(&one);
    libdose_dose_free(&other);
}

static void files(const patient* p, const libdose_influence* whole, const char* folder) {
    char file[1000], joined[1000];
    snprintf(file, sizeof file, "%s/capi_influence.h5", folder);
    snprintf(joined, sizeof joined, "%s/capi_influence_joined.h5", folder);
    const int64_t* begin = NULL;
    const int32_t* voxel = NULL;
    const float* gy = NULL;
    REQUIRE(libdose_influence_columns(whole, &begin, &voxel, &gy) == LIBDOSE_OK);
    copies(whole, begin, voxel, gy);
    libdose_influence *read = NULL, *parts[2] = {NULL, NULL};
    REQUIRE(libdose_influence_write(whole, file) == LIBDOSE_OK);
    REQUIRE(libdose_influence_read(file, &read) == LIBDOSE_OK);
    CHECK(info_of(read).in_file && info_of(read).entry_count == info_of(whole).entry_count);
    copies(read, begin, voxel, gy);
    CHECK_FAILS(libdose_influence_columns(read, &begin, &voxel, &gy), LIBDOSE_BAD_INPUT, "in a file");
    same_dose(whole, read);
    libdose_influence_free(&read);
    CHECK(!read);
    libdose_influence_options influence = four();
    influence.last = 3;
    parts[0] = matrix_of(p, &influence);
    influence.first = 3;
    influence.last = 8;
    parts[1] = matrix_of(p, &influence);
    CHECK(info_of(parts[0]).beamlet_count == 3 && info_of(parts[1]).beamlet_count == 5);
    REQUIRE(libdose_influence_join((const libdose_influence* const*)parts, 2, joined) == LIBDOSE_OK);
    REQUIRE(libdose_influence_read(joined, &read) == LIBDOSE_OK);
    copies(read, begin, voxel, gy);
    libdose_influence_free(&parts[1]);
    /* Another cutoff is another calculation. */
    influence.cutoff = 1e-3;
    parts[1] = matrix_of(p, &influence);
    CHECK_FAILS(libdose_influence_join((const libdose_influence* const*)parts, 2, joined), LIBDOSE_BAD_INPUT,
                "not of one calculation");
    /* Too large for the memory: refused, or in a file. */
    const libdose_options options = coarse();
    libdose_influence* none = NULL;
    influence = four();
    influence.memory_bytes = 1000;
    CHECK_FAILS(libdose_influence_calculate(p->ct, p->body, p->plan, NULL, &options, &influence, &none),
                LIBDOSE_BAD_INPUT, "larger than");
    CHECK(!none);
    influence.file = file;
    none = matrix_of(p, &influence);
    CHECK(info_of(none).in_file && info_of(none).entry_count == info_of(whole).entry_count);
    libdose_influence_free(&none);
    libdose_influence_free(&read);
    libdose_influence_free(&parts[0]);
    libdose_influence_free(&parts[1]);
    remove(file);
    remove(joined);
}

static int stop(void* user, double fraction, const char* stage) {
    (void)fraction;
    (void)stage;
    ++*(int*)user;
    return 1;
}

static void refused(const patient* p) {
    libdose_options options = coarse();
    libdose_influence_options influence = four();
    libdose_influence* none = NULL;
    int calls = 0;
    options.progress = stop;
    options.user = &calls;
    CHECK_FAILS(libdose_influence_calculate(p->ct, p->body, p->plan, NULL, &options, &influence, &none),
                LIBDOSE_CANCELLED, "");
    CHECK(calls > 0 && !none);
    options = coarse();
    influence.target = "GTV";
    CHECK_FAILS(libdose_influence_calculate(p->ct, p->body, p->plan, NULL, &options, &influence, &none),
                LIBDOSE_BAD_INPUT, "GTV");
    influence = four();
    influence.beamlet_mm = NAN;
    CHECK_FAILS(libdose_influence_calculate(p->ct, p->body, p->plan, NULL, &options, &influence, &none),
                LIBDOSE_BAD_INPUT, "influence->beamlet_mm");
    influence = four();
    influence.first = 3;
    influence.last = 3;
    CHECK_FAILS(libdose_influence_calculate(p->ct, p->body, p->plan, NULL, &options, &influence, &none),
                LIBDOSE_BAD_INPUT, "first, last");
    const libdose_grid grid = cube_grid();
    options.grid = &grid;
    CHECK_FAILS(libdose_influence_calculate(p->ct, p->body, p->plan, NULL, &options, NULL, &none),
                LIBDOSE_BAD_INPUT, "grid of their own");
    CHECK(!none);
}

int main(int argc, char** argv) {
    REQUIRE(argc == 2);
    patient p = {cube_ct(), cube_body(), static_plan()};
    const libdose_influence_options influence = four();
    libdose_influence* matrix = matrix_of(&p, &influence);
    beamlets(&p, matrix);
    doses(&p, matrix);
    places(matrix);
    files(&p, matrix, argv[1]);
    refused(&p);
    libdose_influence_free(&matrix);
    libdose_plan_free(&p.plan);
    libdose_structures_free(&p.body);
    libdose_ct_free(&p.ct);
    return failures != 0;
}
