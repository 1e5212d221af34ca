/* The water cube and the plans of reference.cpp, through the C ABI; and the checks of the C tests. */
#ifndef LIBDOSE_TESTS_CAPI_PHANTOM_H
#define LIBDOSE_TESTS_CAPI_PHANTOM_H

#include <libdose/dose_c.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

extern int failures;

/* Counts what is not so; the text of the last failed call is beside it. */
#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            printf("%s:%d: not so: %s (last error: %s)\n", __FILE__, __LINE__, #condition, \
                   libdose_last_error());                                                  \
            ++failures;                                                                    \
        }                                                                                  \
    } while (0)
/* For what the rest of a test needs. */
#define REQUIRE(condition)                                                                            \
    do {                                                                                              \
        if (!(condition)) {                                                                           \
            printf("%s:%d: needed and not so: %s (last error: %s)\n", __FILE__, __LINE__, #condition, \
                   libdose_last_error());                                                             \
            exit(1);                                                                                  \
        }                                                                                             \
    } while (0)
/* A status and a part of its text. */
#define CHECK_FAILS(call, status, part)                                                                     \
    do {                                                                                                    \
        const libdose_status given = (call);                                                                \
        if (given != (status) || !strstr(libdose_last_error(), part)) {                                     \
            printf("%s:%d: %s gives status %d \"%s\", expected %d and \"%s\"\n", __FILE__, __LINE__, #call, \
                   (int)given, libdose_last_error(), (int)(status), part);                                  \
            ++failures;                                                                                     \
        }                                                                                                   \
    } while (0)

libdose_grid cube_grid(void); /* 80 x 80 x 80 voxels of 4 mm around the origin */
int16_t* cube_hu(void);    /* water within 120 mm of the origin along each axis, air elsewhere; to be freed */
libdose_ct* cube_ct(void); /* both */
libdose_structures* cube_body(void);                                 /* BODY, EXTERNAL */
libdose_beam field_beam(int number, double mu);                      /* 6 MV */
libdose_control_point field_point(double gantry_deg, double weight); /* 10 x 10 cm, isocentre at the origin */
void add_field(libdose_plan* plan, int number, double gantry_deg, double mu);
libdose_plan* static_plan(void);
libdose_plan* arc_plan(void);

#endif
