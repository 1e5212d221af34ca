/* A DICOM case through the C ABI equals the command's result; what is written is read again; gamma,
 * histogram, dose in the caller's grid. Usage: test_files CASE DOSE_OF_THE_COMMAND.h5 FOLDER */
#include "phantom.h"

static float* values_of(const libdose_dose* dose, size_t* count) {
    const float* gy = NULL;
    REQUIRE(libdose_dose_values(dose, &gy, count) == LIBDOSE_OK);
    float* copy = malloc(*count * sizeof *copy);
    REQUIRE(copy);
    memcpy(copy, gy, *count * sizeof *copy);
    return copy;
}

static int same_values(const libdose_dose* a, const libdose_dose* b) {
    const float *left = NULL, *right = NULL;
    size_t count = 0, other = 0;
    REQUIRE(libdose_dose_values(a, &left, &count) == LIBDOSE_OK &&
            libdose_dose_values(b, &right, &other) == LIBDOSE_OK);
    return count == other && memcmp(left, right, count * sizeof *left) == 0;
}

/* Figures by name equal those of the functions; half of the volume is D50; options, combinations and a mask
 * of everything. */
static void metrics(const libdose_dose* dose, const libdose_structures* structures, const libdose_dvh* dvh,
                    const libdose_dvh_info* info) {
    double one = 0, other = 0;
    const char* unit = NULL;
    CHECK(libdose_dvh_dose_at_volume_cm3(dvh, 0.1, &one) == LIBDOSE_OK &&
          libdose_dvh_metric(dvh, "D0.1cc", 0, &other, &unit) == LIBDOSE_OK);
    CHECK(one == other && one <= info->maximum_gy && one > info->mean_gy && strcmp(unit, "Gy") == 0);
    CHECK(libdose_dvh_dose_at_volume(dvh, 50, &one) == LIBDOSE_OK);
    CHECK(libdose_dvh_dose_at_volume_cm3(dvh, 0.5 * info->volume_cm3, &other) == LIBDOSE_OK &&
          fabs(one - other) < 1e-9);
    CHECK(libdose_dvh_volume_cm3_at_dose(dvh, one, &other) == LIBDOSE_OK &&
          fabs(other - 0.5 * info->volume_cm3) < 1e-4 * info->volume_cm3);
    CHECK(libdose_dvh_metric(dvh, "V50%[cm3]", 2 * one, &one, &unit) == LIBDOSE_OK && one == other &&
          strcmp(unit, "cm3") == 0);
    CHECK(libdose_dvh_metric(dvh, "Dmean", 0, &one, NULL) == LIBDOSE_OK && one == info->mean_gy);
    CHECK_FAILS(libdose_dvh_metric(dvh, "V95%", 0, &one, NULL), LIBDOSE_BAD_INPUT, "prescri");
    CHECK_FAILS(libdose_dvh_metric(dvh, "V95", 0, &one, NULL), LIBDOSE_BAD_INPUT, "not understood");
    CHECK_FAILS(libdose_dvh_dose_at_volume_cm3(dvh, 1e9, &one), LIBDOSE_BAD_INPUT, "of the structure");

    libdose_dvh* made = NULL;
    libdose_dvh_info result;
    libdose_dvh_info_init(&result, sizeof result);
    libdose_dvh_options options;
    libdose_dvh_options_init(&options, sizeof options);
    CHECK(libdose_dvh_calculate_with(dose, structures, "PTV", &options, &made) == LIBDOSE_OK &&
          libdose_dvh_get_info(made, &result) == LIBDOSE_OK);
    CHECK(result.mean_gy == info->mean_gy && result.bin_width_gy == info->bin_width_gy);
    libdose_dvh_free(&made);
    options.bin_width_gy = 0.1;
    options.sampling_mm = 2;
    options.threads = 1;
    CHECK(libdose_dvh_calculate_with(dose, structures, "BODY and PTV", &options, &made) == LIBDOSE_OK &&
          libdose_dvh_get_info(made, &result) == LIBDOSE_OK);
    CHECK(result.bin_width_gy == 0.1 &&
          fabs(result.volume_cm3 - info->volume_cm3) < 0.001 * info->volume_cm3);
    CHECK(fabs(result.mean_gy - info->mean_gy) < 0.01 * info->mean_gy);
    libdose_dvh_free(&made);
    options.sampling_mm = -1;
    CHECK_FAILS(libdose_dvh_calculate_with(dose, structures, "PTV", &options, &made), LIBDOSE_BAD_INPUT,
                "samples");
}

/* All voxels of the dose as a mask. */
static void of_mask(const libdose_dose* dose, const libdose_dvh_info* info) {
    libdose_dvh* made = NULL;
    libdose_dvh_info result;
    libdose_dvh_info_init(&result, sizeof result);
    libdose_grid grid;
    libdose_grid_init(&grid, sizeof grid);
    REQUIRE(libdose_dose_grid(dose, &grid) == LIBDOSE_OK);
    size_t count = (size_t)grid.size[0] * (size_t)grid.size[1] * (size_t)grid.size[2];
    float* mask = malloc(count * sizeof *mask);
    REQUIRE(mask);
    for (size_t v = 0; v < count; ++v) mask[v] = 1;
    CHECK(libdose_dvh_calculate_mask(dose, NULL, mask, count, NULL, &made) == LIBDOSE_OK &&
          libdose_dvh_get_info(made, &result) == LIBDOSE_OK);
    double all = 1e-3 * grid.spacing_mm[0] * grid.spacing_mm[1] * grid.spacing_mm[2] * (double)count;
    CHECK(fabs(result.volume_cm3 - all) < 1e-6 * all && result.volume_outside_cm3 < 1e-6 * all &&
          result.minimum_gy <= info->minimum_gy);
    libdose_dvh_free(&made);
    CHECK_FAILS(libdose_dvh_calculate_mask(dose, &grid, mask, count - 1, NULL, &made), LIBDOSE_BAD_INPUT,
                "values are given");
    mask[0] = 2;
    CHECK_FAILS(libdose_dvh_calculate_mask(dose, &grid, mask, count, NULL, &made), LIBDOSE_BAD_INPUT,
                "between 0 and 1");
    free(mask);
}

/* Histograms of two doses, one 2 percent of the maximum higher everywhere. */
static void histograms(const libdose_dose* dose, const libdose_dose* raised,
                       const libdose_structures* structures, double maximum_gy) {
    libdose_dvh *low = NULL, *high = NULL;
    CHECK(libdose_dvh_calculate(dose, structures, "PTV", 0, &low) == LIBDOSE_OK);
    CHECK(libdose_dvh_calculate(raised, structures, "PTV", 0.005, &high) == LIBDOSE_OK);
    libdose_dvh_info a, b;
    libdose_dvh_info_init(&a, sizeof a);
    libdose_dvh_info_init(&b, sizeof b);
    CHECK(libdose_dvh_get_info(low, &a) == LIBDOSE_OK && libdose_dvh_get_info(high, &b) == LIBDOSE_OK);
    CHECK(a.bin_width_gy == 0.01 && b.bin_width_gy == 0.005 && a.volume_cm3 > 1 &&
          a.volume_cm3 == b.volume_cm3);
    CHECK(fabs(b.mean_gy - a.mean_gy - 0.02 * maximum_gy) < 1e-4 * maximum_gy);
    double* curve = malloc(a.bin_count * sizeof *curve);
    REQUIRE(curve);
    CHECK(libdose_dvh_copy(low, curve, a.bin_count) == LIBDOSE_OK);
    CHECK(fabs(curve[0] - a.volume_cm3) < 1e-9 * a.volume_cm3 && curve[a.bin_count - 1] == 0);
    CHECK_FAILS(libdose_dvh_copy(low, curve, 1), LIBDOSE_BAD_INPUT, "values are given");
    free(curve);
    double d95 = 0, v = 0;
    CHECK(libdose_dvh_dose_at_volume(low, 95, &d95) == LIBDOSE_OK && d95 >= a.minimum_gy && d95 <= a.mean_gy);
    CHECK(libdose_dvh_volume_at_dose(low, d95, &v) == LIBDOSE_OK && fabs(v - 95) < 0.01);
    CHECK_FAILS(libdose_dvh_dose_at_volume(low, 101, &d95), LIBDOSE_BAD_INPUT, "between 0 and 100");
    metrics(dose, structures, low, &a);
    of_mask(dose, &a);
    libdose_dvh_free(&low);
    libdose_dvh_free(&high);
}

static void analysis(const libdose_dose* dose, const libdose_structures* structures) {
    /* Raised by 2 percent of its maximum everywhere: gamma at 3 %/2 mm passes, at 1 %/0.1 mm it fails where
     * the dose is flat. */
    libdose_grid grid;
    libdose_grid_init(&grid, sizeof grid);
    REQUIRE(libdose_dose_grid(dose, &grid) == LIBDOSE_OK);
    libdose_dose_info info;
    libdose_dose_info_init(&info, sizeof info);
    REQUIRE(libdose_dose_get_info(dose, &info) == LIBDOSE_OK);
    size_t count = 0;
    float* gy = values_of(dose, &count);
    for (size_t v = 0; v < count; ++v) gy[v] += (float)(0.02 * info.maximum_gy);
    libdose_dose* raised = NULL;
    REQUIRE(libdose_dose_create(&grid, gy, count, NULL, &raised) == LIBDOSE_OK);
    libdose_gamma* gamma = NULL;
    CHECK(libdose_gamma_calculate(dose, raised, NULL, &gamma) == LIBDOSE_OK);
    libdose_gamma_info result;
    libdose_gamma_info_init(&result, sizeof result);
    CHECK(libdose_gamma_get_info(gamma, &result) == LIBDOSE_OK && result.pass_rate_percent == 100 &&
          result.passed == result.evaluated && result.outside == 0);
    CHECK(result.maximum <= 2.0 / 3 + 1e-3);
    CHECK(libdose_gamma_copy(gamma, gy, count) == LIBDOSE_OK);
    size_t evaluated = 0;
    for (size_t v = 0; v < count; ++v) evaluated += !isnan(gy[v]);
    CHECK(evaluated == result.evaluated && evaluated < count);
    CHECK_FAILS(libdose_gamma_copy(gamma, gy, count - 1), LIBDOSE_BAD_INPUT, "values are given");
    libdose_gamma_free(&gamma);
    libdose_gamma_options strict;
    libdose_gamma_options_init(&strict, sizeof strict);
    strict.dose_percent = 1;
    strict.distance_mm = 0.1;
    CHECK(libdose_gamma_calculate(dose, raised, &strict, &gamma) == LIBDOSE_OK);
    CHECK(libdose_gamma_get_info(gamma, &result) == LIBDOSE_OK && result.pass_rate_percent < 50);
    libdose_gamma_free(&gamma);

    histograms(dose, raised, structures, info.maximum_gy);
    libdose_dose_free(&raised);
    free(gy);
}

static void own_grid(const libdose_dose* dose) {
    /* Two voxels of the dose's grid and the point half way between them: the mean. A voxel far outside: 0. */
    libdose_grid grid, two;
    libdose_grid_init(&grid, sizeof grid);
    REQUIRE(libdose_dose_grid(dose, &grid) == LIBDOSE_OK);
    two = grid;
    const int middle[3] = {grid.size[0] / 2, grid.size[1] / 2, grid.size[2] / 2};
    for (int a = 0; a < 3; ++a) {
        two.size[a] = 1;
        two.origin_mm[a] = grid.origin_mm[a] + middle[a] * grid.spacing_mm[a];
    }
    two.size[0] = 3;
    two.spacing_mm[0] = grid.spacing_mm[0] / 2;
    float out[3] = {-1, -1, -1};
    const float* gy = NULL;
    CHECK(libdose_dose_values(dose, &gy, NULL) == LIBDOSE_OK);
    const float* at = gy +
                      ((size_t)middle[2] * (size_t)grid.size[1] + (size_t)middle[1]) * (size_t)grid.size[0] +
                      (size_t)middle[0];
    CHECK(libdose_dose_copy_on_grid(dose, &two, out, 3) == LIBDOSE_OK);
    CHECK(at[0] > 0 && fabsf(out[0] - at[0]) < 1e-5f * at[0] && fabsf(out[2] - at[1]) < 1e-5f * at[0] &&
          fabsf(out[1] - 0.5f * (at[0] + at[1])) < 1e-5f * at[0]);
    double here = 0;
    CHECK(libdose_dose_at(dose, two.origin_mm, &here) == LIBDOSE_OK &&
          fabs(here - (double)out[0]) < 1e-6 * here);
    two.origin_mm[0] = 1e5;
    CHECK(libdose_dose_copy_on_grid(dose, &two, out, 3) == LIBDOSE_OK && out[0] == 0 && out[1] == 0 &&
          out[2] == 0);
    CHECK_FAILS(libdose_dose_copy_on_grid(dose, &two, out, 2), LIBDOSE_BAD_INPUT,
                "2 values are given where 3 are needed");
}

/* The verdicts on a plan file that can be calculated; the phantom's beams have 6 MV. */
static void gate_of_file(const char* folder) {
    char file[4096];
    snprintf(file, sizeof file, "%s/RP_sliding-window.dcm", folder);
    libdose_gate* gate = NULL;
    size_t count = 0, refused = 1, energies = 0;
    REQUIRE(libdose_gate_read(file, NULL, &gate) == LIBDOSE_OK);
    CHECK(libdose_gate_count(gate, &count, &refused) == LIBDOSE_OK && count > 20 && refused == 0);
    for (size_t n = 0; n < count; ++n) {
        libdose_gate_entry entry;
        libdose_gate_entry_init(&entry, sizeof entry);
        REQUIRE(libdose_gate_get(gate, n, &entry) == LIBDOSE_OK);
        CHECK(entry.verdict == LIBDOSE_HONOURED || entry.verdict == LIBDOSE_HARMLESS);
        if (strcmp(entry.tag, "(300a,0114)") != 0) continue;
        ++energies;
        CHECK(strcmp(entry.name, "NominalBeamEnergy") == 0 && strcmp(entry.value, "6") == 0 &&
              entry.beam > 0);
    }
    CHECK(energies > 0);
    libdose_gate_free(&gate);
    libdose_plan_reading reading;
    libdose_plan_reading_init(&reading, sizeof reading);
    reading.fraction_group = 7;
    CHECK_FAILS(libdose_gate_read(file, &reading, &gate), LIBDOSE_BAD_INPUT, "fraction group");
    CHECK_FAILS(libdose_gate_read("/nowhere/rp.dcm", NULL, &gate), LIBDOSE_BAD_INPUT, "/nowhere/rp.dcm");
    CHECK(!gate);
}

/* Ways to read a case. */
static void readings(const char* const* paths) {
    libdose_plan_reading reading;
    libdose_plan_reading_init(&reading, sizeof reading);
    const char* tags[] = {"300a,01a0"};
    reading.accepted_tags = tags;
    reading.accepted_tag_count = 1;
    libdose_plan* other = NULL;
    libdose_structures* left_out = (libdose_structures*)&reading; /* whatever it was, it becomes NULL */
    CHECK_FAILS(libdose_read_case(paths, 1, &reading, NULL, NULL, &other), LIBDOSE_BAD_INPUT, "300a,01a0");
    libdose_plan_reading_init(&reading, sizeof reading);
    reading.without_structures = 1;
    CHECK(libdose_read_case(paths, 1, &reading, NULL, &left_out, NULL) == LIBDOSE_OK && left_out == NULL);
    reading.plan = "no such plan";
    CHECK_FAILS(libdose_read_case(paths, 1, &reading, NULL, NULL, &other), LIBDOSE_BAD_INPUT, "no such plan");
    CHECK(other == NULL);
    libdose_plan_reading_init(&reading, sizeof reading);
    reading.series = "1.2.3.no.such.series";
    CHECK_FAILS(libdose_read_case(paths, 1, &reading, NULL, NULL, &other), LIBDOSE_BAD_INPUT,
                "no CT series 1.2.3.no.such.series");
    /* A program with the header of before has a shorter struct. */
    reading.struct_size = offsetof(libdose_plan_reading, series);
    CHECK(libdose_read_case(paths, 1, &reading, NULL, NULL, &other) == LIBDOSE_OK);
    libdose_plan_free(&other);
}

/* A dose is the same in RTDOSE and in HDF5. */
static void written(const libdose_dose* dose, const libdose_ct* ct, const char* folder) {
    libdose_dose* again = NULL;
    char file[4096];
    snprintf(file, sizeof file, "%s/capi.dcm", folder);
    CHECK(libdose_dose_write_dicom(dose, ct, file) == LIBDOSE_OK);
    CHECK(libdose_dose_read(file, &again) == LIBDOSE_OK);
    size_t count = 0, read = 0;
    const float *gy = NULL, *from_file = NULL;
    CHECK(libdose_dose_values(dose, &gy, &count) == LIBDOSE_OK &&
          libdose_dose_values(again, &from_file, &read) == LIBDOSE_OK && read == count);
    libdose_dose_info info;
    libdose_dose_info_init(&info, sizeof info);
    CHECK(libdose_dose_get_info(dose, &info) == LIBDOSE_OK);
    /* Integers of 32 bits, scaled: the largest dose over 2^32 apart, and the rounding of a float. */
    for (size_t v = 0; v < count; ++v)
        if (fabs((double)gy[v] - (double)from_file[v]) > 1e-6 * info.maximum_gy) {
            CHECK(!"the dose of the RTDOSE is another");
            break;
        }
    libdose_dose_free(&again);
    snprintf(file, sizeof file, "%s/capi.h5", folder);
    CHECK(libdose_dose_write_hdf5(dose, file) == LIBDOSE_OK);
    CHECK(libdose_dose_read(file, &again) == LIBDOSE_OK && same_values(dose, again));
    libdose_dose_free(&again);
}

int main(int argc, char** argv) {
    REQUIRE(argc == 4);
    const char* paths[] = {argv[1]};
    libdose_ct* ct = NULL;
    libdose_structures* structures = NULL;
    libdose_plan* plan = NULL;
    REQUIRE(libdose_read_case(paths, 1, NULL, &ct, &structures, &plan) == LIBDOSE_OK);
    REQUIRE(ct && structures && plan);
    int32_t fractions = 0;
    CHECK(libdose_plan_fractions(plan, &fractions) == LIBDOSE_OK && fractions >= 1);
    readings(paths);
    gate_of_file(argv[1]);

    /* The notes begin with what was picked. */
    size_t notes = 0;
    const char* note = NULL;
    CHECK(libdose_ct_note_count(ct, &notes) == LIBDOSE_OK && notes >= 3);
    CHECK(libdose_ct_note(ct, 0, &note) == LIBDOSE_OK && strncmp(note, "plan: ", 6) == 0);
    CHECK_FAILS(libdose_ct_note(ct, notes, &note), LIBDOSE_BAD_INPUT, "index");

    libdose_options options;
    libdose_options_init(&options, sizeof options);
    options.grid_mm = 6;
    options.quality = LIBDOSE_QUALITY_DRAFT;
    options.per_beam = 1;
    libdose_dose *dose = NULL, *command = NULL;
    REQUIRE(libdose_calculate(ct, structures, plan, NULL, &options, &dose) == LIBDOSE_OK);
    REQUIRE(libdose_dose_read(argv[2], &command) == LIBDOSE_OK);
    CHECK(same_values(dose, command));
    written(dose, ct, argv[3]);
    analysis(dose, structures);
    own_grid(dose);
    libdose_dose_free(&dose);
    libdose_dose_free(&command);
    libdose_plan_free(&plan);
    libdose_structures_free(&structures);
    libdose_ct_free(&ct);
    printf("%d checks failed\n", failures);
    return failures != 0;
}
