/* The same calculations through C++, for the tests of the C ABI. */
#ifndef LIBDOSE_TESTS_CAPI_REFERENCE_H
#define LIBDOSE_TESTS_CAPI_REFERENCE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { reference_static, reference_arc }; /* two static fields; three control points of an arc with leaves */

typedef struct reference_case {
    int plan, algorithm, quality, transport, dose_to, threads, per_beam, body;
    const char* hu_curve_file; /* or NULL */
} reference_case;

/* Dose of the plan on the water cube with a 5 mm grid; the caller frees. `beam` -1: the plan, else the dose
 * of that beam. NULL: it failed. */
float* reference_dose(const reference_case* wanted, int beam, size_t* count, int size[3],
                      double origin_mm[3]);

#ifdef __cplusplus
}
#endif
#endif
