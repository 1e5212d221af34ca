/* The independent check of a plan. Usage: test_check CASE WORK. CASE: the phantom with its RTDOSE. */
#include "phantom.h"

static libdose_check_row row_of(const libdose_check* check, size_t index) {
    libdose_check_row row;
    libdose_check_row_init(&row, sizeof row);
    REQUIRE(libdose_check_get(check, index, &row) == LIBDOSE_OK);
    return row;
}

static int never(void* user, double fraction, const char* stage) {
    (void)user;
    (void)fraction;
    (void)stage;
    return 1;
}

/* A clean plan passes, row by row, and its report is written. */
static void clean(const char* folder, const char* out) {
    libdose_check_options options;
    libdose_check_options_init(&options, sizeof options);
    options.out = out;
    libdose_check* check = NULL;
    REQUIRE(libdose_check_files(&folder, 1, &options, &check) == LIBDOSE_OK);
    libdose_verdict verdict = LIBDOSE_FAIL;
    size_t count = 0;
    CHECK(libdose_check_verdict(check, &verdict) == LIBDOSE_OK && verdict == LIBDOSE_PASS);
    REQUIRE(libdose_check_count(check, &count) == LIBDOSE_OK && count > 30);
    int gammas = 0;
    for (size_t i = 0; i < count; ++i) {
        const libdose_check_row row = row_of(check, i);
        CHECK(row.verdict == LIBDOSE_PASS && *row.name);
        if (strcmp(row.id, "gamma") == 0) {
            ++gammas;
            CHECK(row.value > 99 && row.value <= 100 && strcmp(row.unit, "%") == 0 && *row.source);
        }
    }
    CHECK(gammas == 1);
    const char* json = NULL;
    CHECK(libdose_check_json(check, &json) == LIBDOSE_OK && strstr(json, "\"verdict\": \"PASS\""));
    libdose_check_row none;
    libdose_check_row_init(&none, sizeof none);
    CHECK_FAILS(libdose_check_get(check, count, &none), LIBDOSE_BAD_INPUT, "index");
    libdose_check_free(&check);
    CHECK(!check);
    char file[1024];
    snprintf(file, sizeof file, "%s/check.html", out);
    FILE* page = fopen(file, "rb");
    CHECK(page);
    if (page) fclose(page);
}

/* What cannot be used is said; a callback can stop it. */
static void refused(const char* folder) {
    libdose_check_options options;
    libdose_check_options_init(&options, sizeof options);
    libdose_check* check = NULL;
    options.protocol = "nowhere";
    CHECK_FAILS(libdose_check_files(&folder, 1, &options, &check), LIBDOSE_BAD_INPUT, "nowhere");
    CHECK(!check);
    options.protocol = NULL;
    const char* absent = "/no/such/folder";
    CHECK_FAILS(libdose_check_files(&absent, 1, &options, &check), LIBDOSE_BAD_INPUT, "/no/such/folder");
    libdose_options engine;
    libdose_options_init(&engine, sizeof engine);
    engine.progress = never;
    options.engine = &engine;
    CHECK(libdose_check_files(&folder, 1, &options, &check) == LIBDOSE_CANCELLED && !check);
}

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    clean(argv[1], argv[2]);
    refused(argv[1]);
    return failures != 0;
}
