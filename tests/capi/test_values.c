/* Doses of the C ABI are those of C++, bit for bit; also from several threads at once, and after a
 * calculation that was cancelled. */
#include <pthread.h>

#include "phantom.h"

static libdose_ct* ct;
static libdose_structures* body;
static libdose_plan* plans[2];

static libdose_options options_of(const reference_case* wanted) {
    libdose_options options;
    libdose_options_init(&options, sizeof options);
    options.grid_mm = 5;
    options.algorithm = wanted->algorithm;
    options.quality = wanted->quality;
    options.transport = wanted->transport;
    options.dose_to = wanted->dose_to;
    options.threads = wanted->threads;
    options.per_beam = wanted->per_beam;
    options.hu_curve_file = wanted->hu_curve_file;
    return options;
}

/* 1 when the dose (of a beam; -1: the plan) is that of C++, on the same grid. */
static int equals_reference(const reference_case* wanted, const libdose_dose* dose, int beam) {
    size_t count = 0;
    int size[3];
    double origin_mm[3];
    float* expected = reference_dose(wanted, beam, &count, size, origin_mm);
    REQUIRE(expected);
    libdose_grid grid;
    libdose_grid_init(&grid, sizeof grid);
    REQUIRE(libdose_dose_grid(dose, &grid) == LIBDOSE_OK);
    int same = 1;
    for (int a = 0; a < 3; ++a)
        same =
            same && grid.size[a] == size[a] && grid.origin_mm[a] == origin_mm[a] && grid.spacing_mm[a] == 5;
    float* values = malloc(count * sizeof *values);
    REQUIRE(values);
    same = same && libdose_dose_copy(dose, values, count) == LIBDOSE_OK &&
           memcmp(values, expected, count * sizeof *values) == 0;
    const float* borrowed = NULL;
    size_t borrowed_count = 0;
    same = same && libdose_dose_values(dose, &borrowed, &borrowed_count) == LIBDOSE_OK &&
           borrowed_count == count && memcmp(borrowed, expected, count * sizeof *values) == 0;
    free(values);
    free(expected);
    return same;
}

static libdose_dose* calculated(const reference_case* wanted) {
    const libdose_options options = options_of(wanted);
    libdose_dose* dose = NULL;
    CHECK(libdose_calculate(ct, wanted->body ? body : NULL, plans[wanted->plan], NULL, &options, &dose) ==
          LIBDOSE_OK);
    REQUIRE(dose);
    return dose;
}

static void every_option(const char* hu_curve_file) {
    const reference_case cases[] = {
        {reference_static, LIBDOSE_COLLAPSED_CONE, LIBDOSE_QUALITY_DRAFT, LIBDOSE_TRANSPORT_AUTO,
         LIBDOSE_TO_MEDIUM, 0, 0, 1, NULL},
        {reference_static, LIBDOSE_COLLAPSED_CONE, LIBDOSE_QUALITY_STANDARD, LIBDOSE_TRANSPORT_ONE,
         LIBDOSE_TO_WATER, 1, 0, 1, NULL},
        {reference_static, LIBDOSE_PENCIL_BEAM, LIBDOSE_QUALITY_DRAFT, LIBDOSE_TRANSPORT_AUTO,
         LIBDOSE_TO_WATER, 2, 0, 0, NULL},
        {reference_arc, LIBDOSE_COLLAPSED_CONE, LIBDOSE_QUALITY_DRAFT, LIBDOSE_TRANSPORT_EACH,
         LIBDOSE_TO_MEDIUM, 2, 0, 1, NULL},
        {reference_arc, LIBDOSE_PENCIL_BEAM, LIBDOSE_QUALITY_HIGH, LIBDOSE_TRANSPORT_AUTO, LIBDOSE_TO_MEDIUM,
         1, 0, 1, hu_curve_file},
    };
    for (size_t n = 0; n < sizeof cases / sizeof *cases; ++n) {
        libdose_dose* dose = calculated(&cases[n]);
        CHECK(equals_reference(&cases[n], dose, -1));
        /* Each of the cases is another dose: an option that did not arrive would be noticed. */
        for (size_t other = 0; other < n; ++other) CHECK(!equals_reference(&cases[other], dose, -1));
        libdose_dose_free(&dose);
    }
}

static void per_beam(void) {
    const reference_case wanted = {
        reference_static, LIBDOSE_PENCIL_BEAM, LIBDOSE_QUALITY_DRAFT, 0, 0, 0, 1, 1, NULL};
    libdose_dose* dose = calculated(&wanted);
    libdose_dose_info info;
    libdose_dose_info_init(&info, sizeof info);
    CHECK(libdose_dose_get_info(dose, &info) == LIBDOSE_OK);
    CHECK(info.beam_count == 2 && info.summation == LIBDOSE_SUMMATION_PLAN && info.fractions == 2 &&
          info.medium == LIBDOSE_TO_MEDIUM);
    CHECK(info.note_count > 0 && info.maximum_gy > 0);
    const char* note = NULL;
    CHECK(libdose_dose_note(dose, 0, &note) == LIBDOSE_OK && note && *note);
    CHECK_FAILS(libdose_dose_note(dose, info.note_count, &note), LIBDOSE_BAD_INPUT, "there is no number");
    for (int b = 0; b < 2; ++b) {
        libdose_dose* beam = NULL;
        REQUIRE(libdose_dose_beam(dose, (size_t)b, &beam) == LIBDOSE_OK);
        CHECK(equals_reference(&wanted, beam, b));
        CHECK(libdose_dose_get_info(beam, &info) == LIBDOSE_OK && info.summation == LIBDOSE_SUMMATION_BEAM &&
              info.beam_number == b + 1);
        libdose_dose_free(&beam);
    }
    libdose_dose_free(&dose);
}

/* ---- several threads at once ---- */

typedef struct job {
    reference_case wanted;
    libdose_dose* dose;
    libdose_status failed; /* of a call that must fail in this thread with this thread's text */
    int text_is_own;
} job;

static void* work(void* argument) {
    job* mine = argument;
    const libdose_options options = options_of(&mine->wanted);
    for (int round = 0; round < 3; ++round) {
        libdose_dose_free(&mine->dose);
        if (libdose_calculate(ct, body, plans[mine->wanted.plan], NULL, &options, &mine->dose) != LIBDOSE_OK)
            return NULL;
    }
    char name[32];
    snprintf(name, sizeof name, "model-of-%p", (void*)mine);
    libdose_models* models = NULL;
    libdose_models_create(&models);
    mine->failed = libdose_models_use(models, 0, name);
    mine->text_is_own = strstr(libdose_last_error(), name) != NULL;
    libdose_models_free(&models);
    return NULL;
}

static void several_threads(void) {
    enum { count = 6 };
    job jobs[count];
    pthread_t threads[count];
    for (int n = 0; n < count; ++n) {
        const reference_case wanted = {n % 2 ? reference_arc : reference_static,
                                       n % 3 ? LIBDOSE_PENCIL_BEAM : LIBDOSE_COLLAPSED_CONE,
                                       LIBDOSE_QUALITY_DRAFT,
                                       LIBDOSE_TRANSPORT_AUTO,
                                       0,
                                       1 + n % 2,
                                       0,
                                       1,
                                       NULL};
        jobs[n] = (job){wanted, NULL, LIBDOSE_OK, 0};
        REQUIRE(pthread_create(&threads[n], NULL, work, &jobs[n]) == 0);
    }
    for (int n = 0; n < count; ++n) REQUIRE(pthread_join(threads[n], NULL) == 0);
    for (int n = 0; n < count; ++n) {
        REQUIRE(jobs[n].dose);
        CHECK(equals_reference(&jobs[n].wanted, jobs[n].dose, -1));
        CHECK(jobs[n].failed == LIBDOSE_BAD_INPUT && jobs[n].text_is_own);
        libdose_dose_free(&jobs[n].dose);
    }
}

/* ---- progress and cancelling ---- */

typedef struct watch {
    int calls, stop_at, out_of_order, inside;
    double last;
    pthread_t host; /* the thread that called */
} watch;

static int watched(void* user, double fraction, const char* stage) {
    watch* w = user;
    if (w->inside++ || !pthread_equal(w->host, pthread_self()) || !stage || !*stage || fraction < w->last ||
        fraction < 0 || fraction > 1)
        w->out_of_order = 1;
    w->last = fraction;
    --w->inside;
    return ++w->calls == w->stop_at;
}

static void cancelling(void) {
    /* Draft: 64 directions a beam; one transport for the plan is another code path, and the pencil beam a
     * third. */
    const reference_case cases[] = {
        {reference_static, LIBDOSE_COLLAPSED_CONE, LIBDOSE_QUALITY_DRAFT, LIBDOSE_TRANSPORT_EACH, 0, 2, 0, 1,
         NULL},
        {reference_arc, LIBDOSE_COLLAPSED_CONE, LIBDOSE_QUALITY_DRAFT, LIBDOSE_TRANSPORT_ONE, 0, 2, 0, 1,
         NULL},
        {reference_arc, LIBDOSE_PENCIL_BEAM, LIBDOSE_QUALITY_DRAFT, LIBDOSE_TRANSPORT_AUTO, 0, 2, 0, 1, NULL},
    };
    for (size_t n = 0; n < sizeof cases / sizeof *cases; ++n) {
        libdose_options options = options_of(&cases[n]);
        watch all = {0};
        all.host = pthread_self();
        options.progress = watched;
        options.user = &all;
        libdose_dose* dose = NULL;
        CHECK(libdose_calculate(ct, body, plans[cases[n].plan], NULL, &options, &dose) == LIBDOSE_OK);
        CHECK(all.last == 1 && all.calls >= 4 && !all.out_of_order);
        libdose_dose_free(&dose);
        const int stops[] = {1, 2, all.calls / 2, all.calls};
        for (size_t s = 0; s < sizeof stops / sizeof *stops; ++s) {
            watch w = {0};
            w.stop_at = stops[s];
            w.host = pthread_self();
            options.user = &w;
            dose = (libdose_dose*)&w;
            CHECK_FAILS(libdose_calculate(ct, body, plans[cases[n].plan], NULL, &options, &dose),
                        LIBDOSE_CANCELLED, "cancelled");
            CHECK(dose == NULL && w.calls == stops[s] && !w.out_of_order);
        }
        /* Nothing is left behind: the next calculation is right. */
        dose = calculated(&cases[n]);
        CHECK(equals_reference(&cases[n], dose, -1));
        libdose_dose_free(&dose);
    }
}

int main(int argc, char** argv) {
    REQUIRE(argc == 3);
    ct = cube_ct();
    body = cube_body();
    plans[reference_static] = static_plan();
    plans[reference_arc] = arc_plan();
    if (strcmp(argv[1], "options") == 0)
        every_option(argv[2]);
    else if (strcmp(argv[1], "per-beam") == 0)
        per_beam();
    else if (strcmp(argv[1], "threads") == 0)
        several_threads();
    else if (strcmp(argv[1], "cancel") == 0)
        cancelling();
    else
        REQUIRE(0);
    libdose_plan_free(&plans[0]);
    libdose_plan_free(&plans[1]);
    libdose_structures_free(&body);
    libdose_ct_free(&ct);
    printf("%d checks failed\n", failures);
    return failures != 0;
}
