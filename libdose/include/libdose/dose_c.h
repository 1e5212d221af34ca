/* libdose for C and everything that can call C. docs/reference/c-abi.md has the rules and how to link from C,
 * C#, Delphi and Java.
 *
 * Units and frame: mm, DICOM patient coordinates (LPS: x to the patient's left, y posterior, z superior);
 * angles IEC 61217, degrees; Gy, MU, g/cm3, Hounsfield units. Volumes are [z][y][x], x fastest, size[0] *
 * size[1] * size[2] values; origin_mm is the CENTRE of voxel (0,0,0).
 *
 * Status: every function that can fail returns a libdose_status; LIBDOSE_OK is 0. The text of the last
 * failure on this thread is libdose_last_error(). Nothing is thrown, printed or aborted. What a function that
 * fails would have set is NULL or unchanged.
 *
 * Ownership: what comes out as `libdose_x**` belongs to the caller, who frees it with libdose_x_free(&x);
 * that sets the variable to NULL, so a second call does nothing. What goes in is copied (strings, points,
 * voxels) and may be freed after the call. A `const char*` or `const float*` that comes out belongs to its
 * handle and lives until the handle is changed or freed.
 *
 * Threads: any number of calls at a time, also with the same handles, as long as none of them changes or
 * frees a handle that another uses.
 *
 * Versions: a struct begins with `struct_size`. Call its init function with sizeof of the struct, which sets
 * that and the defaults, then set what you need. Later versions add members at the end; zero there means what
 * it meant before. A program that was built with an older header has shorter structs, which are as good. A
 * struct that is shorter than that of version 1.0 is LIBDOSE_BAD_INPUT, and so is a longer one with something
 * in the members that the library does not know. Text is UTF-8. */
#ifndef LIBDOSE_DOSE_C_H
#define LIBDOSE_DOSE_C_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define LIBDOSE_C_API __attribute__((visibility("default")))
#else
#define LIBDOSE_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this header. The major one is the SOVERSION of the library; the minor one counts additions. */
#define LIBDOSE_C_VERSION_MAJOR 1
#define LIBDOSE_C_VERSION_MINOR 2 /**< see LIBDOSE_C_VERSION_MAJOR */

/** Outcome of a call: one of the constants below. Numbers 2 to 4 are the exit codes of the `dose` command. */
typedef int32_t libdose_status;
enum {
    LIBDOSE_OK = 0,           /**< done */
    LIBDOSE_BAD_INPUT = 2,    /**< an argument, file or value that cannot be used */
    LIBDOSE_REFUSED_PLAN = 3, /**< a plan element that the engine cannot model */
    LIBDOSE_INTERNAL = 4,     /**< a broken invariant of the library itself: please report */
    LIBDOSE_CANCELLED = 5,    /**< the progress callback asked for it */
    LIBDOSE_OUT_OF_MEMORY = 6 /**< memory could not be had */
};

/** DICOM Patient Position (0018,5100). */
typedef int32_t libdose_patient_position;
enum {
    LIBDOSE_HFS = 0,  /**< head first, supine */
    LIBDOSE_HFP = 1,  /**< head first, prone */
    LIBDOSE_FFS = 2,  /**< feet first, supine */
    LIBDOSE_FFP = 3,  /**< feet first, prone */
    LIBDOSE_HFDR = 4, /**< head first, lying on the right side */
    LIBDOSE_HFDL = 5, /**< head first, lying on the left side */
    LIBDOSE_FFDR = 6, /**< feet first, lying on the right side */
    LIBDOSE_FFDL = 7  /**< feet first, lying on the left side */
};

/** Choices of libdose_options, libdose_control_point and libdose_dose_info. */
enum {
    LIBDOSE_COLLAPSED_CONE = 0, /**< algorithm */
    LIBDOSE_PENCIL_BEAM = 1,    /**< algorithm */

    LIBDOSE_QUALITY_STANDARD = 0, /**< quality */
    LIBDOSE_QUALITY_DRAFT = 1,    /**< quality */
    LIBDOSE_QUALITY_HIGH = 2,     /**< quality */

    LIBDOSE_TRANSPORT_AUTO = 0, /**< grouping: by an estimate of the cost */
    LIBDOSE_TRANSPORT_ONE = 1,  /**< grouping "shared": one transport for the whole plan */
    LIBDOSE_TRANSPORT_EACH = 2, /**< grouping "per-geometry": a transport for each geometry */

    LIBDOSE_BACKEND_CPU = 0,  /**< backend: the CPU */
    LIBDOSE_BACKEND_CUDA = 1, /**< backend: a CUDA device; bad input where there is none */
    LIBDOSE_BACKEND_AUTO =
        2, /**< backend: a CUDA device where there is one, else the CPU, and a note says why */

    LIBDOSE_TO_MEDIUM = 0, /**< dose to the local medium */
    LIBDOSE_TO_WATER = 1,  /**< dose to water by stopping-power ratios */

    LIBDOSE_LEAVES_AS_BUILT =
        0, /**< leaf_ends: rounded, with tongue and groove, from the designs that come with libdose */
    LIBDOSE_LEAVES_SHARP = 1, /**< leaf_ends: sharp, without tongue and groove */

    LIBDOSE_ROTATION_NONE = 0,      /**< gantry_rotation: the gantry stands until the next control point */
    LIBDOSE_ROTATION_CLOCKWISE = 1, /**< gantry_rotation */
    LIBDOSE_ROTATION_COUNTER_CLOCKWISE = 2, /**< gantry_rotation */

    LIBDOSE_WEDGE_PHYSICAL = 0,  /**< kind of a wedge: put in by hand */
    LIBDOSE_WEDGE_MOTORISED = 1, /**< kind of a wedge: driven in for a part of the MU */
    LIBDOSE_WEDGE_DYNAMIC = 2,   /**< kind of a wedge: a jaw that moves */

    LIBDOSE_SUMMATION_PLAN = 0,       /**< summation: the whole course, all fractions */
    LIBDOSE_SUMMATION_FRACTION = 1,   /**< summation: one fraction */
    LIBDOSE_SUMMATION_BEAM = 2,       /**< summation: one beam, one fraction */
    LIBDOSE_SUMMATION_MULTI_PLAN = 3, /**< summation: the whole courses of several plans */

    LIBDOSE_SUM_SAME_GRID = 0,   /**< grid of a sum: other grids are bad input */
    LIBDOSE_SUM_FIRST_GRID = 1,  /**< grid of a sum: that of the first dose; the others are interpolated, and
                                    bad input where they do not cover it */
    LIBDOSE_SUM_COMMON_GRID = 2, /**< grid of a sum: the voxels of the first dose's grid that all cover; the
                                   others are interpolated */

    LIBDOSE_HONOURED = 0, /**< verdict: it is in the dose */
    LIBDOSE_HARMLESS = 1, /**< verdict: it does not change the dose */
    LIBDOSE_ACCEPTED = 2, /**< verdict: not known; the user says that it does not change the dose */
    LIBDOSE_REFUSED = 3,  /**< verdict: it is not modelled, or not known */

    LIBDOSE_BEAM_MODELS = 0,  /**< kind of names: beam models, for libdose_models_use() */
    LIBDOSE_LEAF_DESIGNS = 1, /**< kind of names: leaf designs, for libdose_options.leaves */
    LIBDOSE_COUCHES = 2,      /**< kind of names: couches of the `dose` command */
    LIBDOSE_HU_CURVES = 3,    /**< kind of names: HU curves, for libdose_options.hu_curve_file */
    LIBDOSE_CUDA_DEVICES = 4  /**< kind of names: CUDA devices, name and memory; the index is
                                 libdose_options.device */
};

typedef struct libdose_ct libdose_ct;                 /**< a CT image */
typedef struct libdose_structures libdose_structures; /**< a structure set */
typedef struct libdose_plan libdose_plan;             /**< a plan */
typedef struct libdose_models libdose_models;         /**< which beam model serves which beam */
typedef struct libdose_devices libdose_devices;       /**< CUDA devices that stay open */
typedef struct libdose_prepared libdose_prepared;     /**< a patient that is prepared for doses */
typedef struct libdose_fluence libdose_fluence;       /**< the fluence of a beam */
typedef struct libdose_dose libdose_dose;             /**< a dose distribution */
typedef struct libdose_influence libdose_influence;   /**< a dose influence matrix */
typedef struct libdose_gate libdose_gate;             /**< verdicts on a plan */
typedef struct libdose_names libdose_names;           /**< a list of names */
typedef struct libdose_gamma libdose_gamma;           /**< a gamma index distribution */
typedef struct libdose_dvh libdose_dvh;               /**< a dose-volume histogram */

/* ---- the library ---- */

/** Version of the library, "0.2.0". */
LIBDOSE_C_API const char* libdose_version(void);
/** Version of the C ABI that the library has: major * 65536 + minor. */
LIBDOSE_C_API uint32_t libdose_c_version(void);
/** Message of the last call that failed on this thread: what is wrong, where, what to do. Never NULL; ""
 * after a call that succeeded. Lives until the next call on this thread that returns a status. */
LIBDOSE_C_API const char* libdose_last_error(void);
/** A word for a status: "ok", "bad input", "refused plan", "internal error", "cancelled", "out of memory";
 * "unknown status" for anything else. */
LIBDOSE_C_API const char* libdose_status_text(libdose_status status);
/** Where beam models and materials are: LIBDOSE_DATA, or beside the program or the library. At most
 * `capacity` bytes with the final zero go to `text` (may be NULL with a capacity of 0); `length` (may be
 * NULL) becomes the length without it. A text that does not fit is LIBDOSE_BAD_INPUT. */
LIBDOSE_C_API libdose_status libdose_data_folder(char* text, size_t capacity, size_t* length);

/** What there is of a kind, in order: LIBDOSE_BEAM_MODELS, LIBDOSE_LEAF_DESIGNS, LIBDOSE_COUCHES and
 * LIBDOSE_HU_CURVES of the data folder, LIBDOSE_CUDA_DEVICES of the machine (none where there is none, or no
 * CUDA library). */
LIBDOSE_C_API libdose_status libdose_names_create(int32_t kind, libdose_names** names);
/** Number of names; 0 is no failure. */
LIBDOSE_C_API libdose_status libdose_names_count(const libdose_names* names, size_t* count);
/** A name. The text belongs to the list. */
LIBDOSE_C_API libdose_status libdose_names_get(const libdose_names* names, size_t index, const char** name);
LIBDOSE_C_API void libdose_names_free(libdose_names** names); /**< as libdose_ct_free() */

/* ---- grids ---- */

/** A regular grid along the patient's axes, all ascending. */
typedef struct libdose_grid {
    size_t struct_size;   /**< sizeof(libdose_grid) */
    int32_t size[3];      /**< voxels along x, y, z */
    double spacing_mm[3]; /**< > 0 */
    double origin_mm[3];  /**< centre of voxel (0,0,0), LPS */
} libdose_grid;
/** All zero but struct_size. `struct_size` is sizeof(libdose_grid), here and likewise below; NULL does
 * nothing. */
LIBDOSE_C_API void libdose_grid_init(libdose_grid* grid, size_t struct_size);

/* ---- CT ---- */

/** A CT from the caller's Hounsfield units, [z][y][x], `count` = voxels of the grid. `frame_of_reference_uid`
 * may be NULL: then it is not compared with that of plan and structures. */
LIBDOSE_C_API libdose_status libdose_ct_create_int16(const libdose_grid* grid, const int16_t* hu,
                                                     size_t count, libdose_patient_position position,
                                                     const char* frame_of_reference_uid, libdose_ct** ct);
/** The same from floats; NaN and infinity are LIBDOSE_BAD_INPUT. */
LIBDOSE_C_API libdose_status libdose_ct_create_float(const libdose_grid* grid, const float* hu, size_t count,
                                                     libdose_patient_position position,
                                                     const char* frame_of_reference_uid, libdose_ct** ct);
/** A CT series from its DICOM files. */
LIBDOSE_C_API libdose_status libdose_ct_read(const char* const* files, size_t file_count, libdose_ct** ct);
/** Grid of the CT. `grid->struct_size` must be set. */
LIBDOSE_C_API libdose_status libdose_ct_grid(const libdose_ct* ct, libdose_grid* grid);
/** Hounsfield units into the caller's buffer; `count` = voxels of the CT. */
LIBDOSE_C_API libdose_status libdose_ct_copy_hu(const libdose_ct* ct, float* hu, size_t count);
/** Number of notes: what the reader decided or repaired; of a CT from libdose_read_case() also what was
 * picked and why, and what was left out. */
LIBDOSE_C_API libdose_status libdose_ct_note_count(const libdose_ct* ct, size_t* count);
/** A note. The text belongs to the CT. */
LIBDOSE_C_API libdose_status libdose_ct_note(const libdose_ct* ct, size_t index, const char** note);
/** Frees and sets to NULL; NULL does nothing. So do all functions of this kind. */
LIBDOSE_C_API void libdose_ct_free(libdose_ct** ct);

/* ---- structures ---- */

/** Description of a structure; its contours are added one by one. */
typedef struct libdose_structure {
    size_t struct_size; /**< sizeof(libdose_structure) */
    const char* name;   /**< must not be NULL or empty */
    const char* type; /**< RT ROI Interpreted Type: EXTERNAL, PTV, ORGAN, SUPPORT, BOLUS, ...; may be NULL */
    const char* material; /**< material of a density override, a name of the material table; may be NULL */
    double relative_mass_density;     /**< override, water = 1; 0: none */
    double relative_electron_density; /**< override, water = 1; 0: none */
    double plane_spacing_mm;          /**< distance of the contour planes; 0: found from the contours */
    int32_t number;                   /**< ROI number; 0: one more than the largest so far */
    int32_t xor_contours; /**< not 0: CLOSEDPLANAR_XOR: inside is what an odd number of contours of a plane
                             encloses */
} libdose_structure;
/** All zero but struct_size. */
LIBDOSE_C_API void libdose_structure_init(libdose_structure* structure, size_t struct_size);

/** An empty structure set. `frame_of_reference_uid` may be NULL. */
LIBDOSE_C_API libdose_status libdose_structures_create(const char* frame_of_reference_uid,
                                                       libdose_structures** structures);
/** A structure set from an RTSTRUCT file. */
LIBDOSE_C_API libdose_status libdose_structures_read(const char* file, libdose_structures** structures);
/** Adds a structure; `index` (may be NULL) becomes its place in the set. Two of one name are
 * LIBDOSE_BAD_INPUT. */
LIBDOSE_C_API libdose_status libdose_structures_add(libdose_structures* structures,
                                                    const libdose_structure* structure, size_t* index);
/** Adds a closed polygon of one axial plane: x, y, z of each point one after another, mm LPS. At least three
 * points, one z. One within another is a hole, those that overlap are one area, a copy counts once (unless
 * xor_contours). */
LIBDOSE_C_API libdose_status libdose_structures_add_contour(libdose_structures* structures, size_t index,
                                                            const double* points_mm, size_t point_count);
/** Number of structures. */
LIBDOSE_C_API libdose_status libdose_structures_count(const libdose_structures* structures, size_t* count);
/** A structure as it was added or read. `structure->struct_size` must be set; the texts belong to the set. */
LIBDOSE_C_API libdose_status libdose_structures_get(const libdose_structures* structures, size_t index,
                                                    libdose_structure* structure);
/** Frame of reference UID of the set, "" when it is not known. The text belongs to the set. */
LIBDOSE_C_API libdose_status libdose_structures_frame(const libdose_structures* structures,
                                                      const char** frame_of_reference_uid);
LIBDOSE_C_API void libdose_structures_free(libdose_structures** structures); /**< as libdose_ct_free() */

/* ---- plans ---- */

/** A beam of photons but for its control points. */
typedef struct libdose_beam {
    size_t struct_size;       /**< sizeof(libdose_beam) */
    const char* name;         /**< may be NULL */
    const char* machine;      /**< local name of the treatment machine; picks its beam model; may be NULL */
    const char* manufacturer; /**< manufacturer of the machine; tells leaf designs apart; may be NULL */
    const char* fluence_mode; /**< NULL or "STANDARD", or the FluenceModeID ("FFF", ...) */
    double nominal_energy_mv; /**< 6, 10, ... */
    double meterset_mu;       /**< MU of one fraction */
    double source_axis_distance_mm; /**< 1000 */
    double final_cumulative_weight; /**< cumulative weight of the last control point; 1 */
    int32_t number;                 /**< beam number; unique in the plan, above 0 */
    int32_t control_point_count;    /**< set by libdose_plan_beam(), not read */
    double tray_factor;             /**< transmission of the block tray; 0: 1, no tray */
    double tray_water_mm;           /**< water-equivalent thickness of the tray */
} libdose_beam;
/** Zero, but struct_size, a source-axis distance of 1000 mm and a final weight of 1. */
LIBDOSE_C_API void libdose_beam_init(libdose_beam* beam, size_t struct_size);

/** Where the machine is when `cumulative_weight` of the MU is given. Between control points everything moves
 * linearly with the MU. Device positions at the isocentre plane, mm, IEC beam-limiting-device frame. */
typedef struct libdose_control_point {
    size_t struct_size;          /**< sizeof(libdose_control_point) */
    double cumulative_weight;    /**< 0 in the first control point, ascending */
    double gantry_deg;           /**< IEC 61217 */
    double collimator_deg;       /**< IEC 61217 */
    double couch_deg;            /**< IEC 61217 */
    double isocentre_mm[3];      /**< LPS */
    double jaw_x_mm[2];          /**< lower and upper jaw; read when has_jaw_x */
    double jaw_y_mm[2];          /**< lower and upper jaw; read when has_jaw_y */
    const double* leaf_lower_mm; /**< leaf tips of the lower bank, the collimators of the beam one after
                                    another; NULL without collimators */
    const double* leaf_upper_mm; /**< leaf tips of the upper bank, likewise */
    size_t leaf_pair_count;      /**< leaf pairs of all collimators together */
    int32_t has_jaw_x;           /**< not 0: the beam has x jaws; the same in all control points */
    int32_t has_jaw_y;           /**< not 0: the beam has y jaws; the same in all control points */
    int32_t gantry_rotation;     /**< LIBDOSE_ROTATION_...: the way to the next control point */
    int32_t reserved;            /**< 0 */
    const int32_t* wedge_in;     /**< for each wedge of the beam: not 0: it is in; NULL without wedges */
    size_t wedge_count;          /**< wedges of the beam */
} libdose_control_point;
/** All zero but struct_size. */
LIBDOSE_C_API void libdose_control_point_init(libdose_control_point* point, size_t struct_size);

/** How a plan is read from DICOM. */
typedef struct libdose_plan_reading {
    size_t struct_size; /**< sizeof(libdose_plan_reading) */
    const char* plan; /**< libdose_read_case(): label or SOP Instance UID when there are several; else NULL */
    const char* const*
        accepted_tags; /**< unknown attributes that cannot change the dose, "300a,01a0"; may be NULL */
    size_t accepted_tag_count; /**< number of them */
    int32_t fraction_group;    /**< 0: the only one */
    int32_t reserved;          /**< 0 */
    const char* series; /**< libdose_read_case(): Series Instance UID of the CT when several fit; else NULL */
    int32_t
        without_structures; /**< libdose_read_case(): not 0: no structure set, whether there is one or not */
    int32_t reserved2;      /**< 0 */
} libdose_plan_reading;
/** All zero but struct_size. */
LIBDOSE_C_API void libdose_plan_reading_init(libdose_plan_reading* reading, size_t struct_size);

/** A plan without beams. `label` and `frame_of_reference_uid` may be NULL. */
LIBDOSE_C_API libdose_status libdose_plan_create(const char* label, int32_t fractions,
                                                 libdose_patient_position position,
                                                 const char* frame_of_reference_uid, libdose_plan** plan);
/** A plan from an RTPLAN file; what cannot be modelled is LIBDOSE_REFUSED_PLAN. `reading` may be NULL. */
LIBDOSE_C_API libdose_status libdose_plan_read(const char* file, const libdose_plan_reading* reading,
                                               libdose_plan** plan);
/** Adds a beam; `index` (may be NULL) becomes its place in the plan. */
LIBDOSE_C_API libdose_status libdose_plan_add_beam(libdose_plan* plan, const libdose_beam* beam,
                                                   size_t* index);
/** Adds a multileaf collimator to a beam that has no control points yet. `type`: as in DICOM, "MLCX" (leaves
 * move along x), "MLCY", "MLCX1", ... Boundaries ascend; there is one more than there are leaf pairs. */
LIBDOSE_C_API libdose_status libdose_plan_add_collimator(libdose_plan* plan, size_t beam_index,
                                                         const char* type, const double* leaf_boundaries_mm,
                                                         size_t boundary_count);
/** A wedge of a beam; its control points say when it is in. The beam model must hold one of this kind and
 * angle. */
typedef struct libdose_wedge {
    size_t struct_size; /**< sizeof(libdose_wedge) */
    const char* id;     /**< as in DICOM; may be NULL; tells the sides of a dynamic wedge apart ("EDW60IN") */
    double angle_deg;   /**< nominal */
    double orientation_deg; /**< from the beam-limiting-device frame to the wedge's, whose +y points to the
                               thin end */
    double factor;          /**< wedge factor of the planning system, shown beside ours, not used; 0: none */
    int32_t number;         /**< 0: one more than the wedges so far */
    int32_t kind;           /**< LIBDOSE_WEDGE_... */
} libdose_wedge;
/** All zero but struct_size. */
LIBDOSE_C_API void libdose_wedge_init(libdose_wedge* wedge, size_t struct_size);
/** Adds a wedge to a beam that has no control points yet. */
LIBDOSE_C_API libdose_status libdose_plan_add_wedge(libdose_plan* plan, size_t beam_index,
                                                    const libdose_wedge* wedge);

/** A block on a tray. */
typedef struct libdose_block {
    size_t struct_size; /**< sizeof(libdose_block) */
    const char* name;   /**< may be NULL */
    const double*
        x_mm; /**< outline as the source projects it on the isocentre plane, beam-limiting-device frame */
    const double* y_mm;      /**< likewise */
    size_t point_count;      /**< at least 3 */
    double transmission;     /**< transmission of its full thickness, 0 to 1 */
    double tray_distance_mm; /**< source to tray */
    double thickness_mm;     /**< > 0 */
    int32_t number;          /**< 0: one more than the blocks so far */
    int32_t aperture;        /**< not 0: open inside the outline and shielded outside; 0: shielded inside */
    int32_t parallel_sides;  /**< not 0: its sides are parallel to the beam's axis; 0: they follow the rays */
    int32_t source_side;     /**< not 0: on the tray's side that faces the source; 0: on the patient's */
} libdose_block;
/** All zero but struct_size. */
LIBDOSE_C_API void libdose_block_init(libdose_block* block, size_t struct_size);
/** Adds a block to a beam. */
LIBDOSE_C_API libdose_status libdose_plan_add_block(libdose_plan* plan, size_t beam_index,
                                                    const libdose_block* block);
/** A structure of type BOLUS, by its ROI number, lies on the patient during a beam. `id` may be NULL. */
LIBDOSE_C_API libdose_status libdose_plan_add_bolus(libdose_plan* plan, size_t beam_index,
                                                    int32_t structure_number, const char* id);
/** Adds a control point behind those that the beam has. */
LIBDOSE_C_API libdose_status libdose_plan_add_control_point(libdose_plan* plan, size_t beam_index,
                                                            const libdose_control_point* point);
/** LIBDOSE_OK when the plan is complete (two control points a beam, finite numbers, weights that ascend,
 * leaves that do not cross, ...) and holds nothing that is not modelled (LIBDOSE_REFUSED_PLAN: a field that
 * nothing limits, a gantry that moves in no given direction, ...). libdose_calculate() checks the same. */
LIBDOSE_C_API libdose_status libdose_plan_check(const libdose_plan* plan);
/** Number of beams. */
LIBDOSE_C_API libdose_status libdose_plan_beam_count(const libdose_plan* plan, size_t* count);
/** A beam of the plan. `beam->struct_size` must be set; the texts belong to the plan. */
LIBDOSE_C_API libdose_status libdose_plan_beam(const libdose_plan* plan, size_t beam_index,
                                               libdose_beam* beam);
/** Number of fractions. */
LIBDOSE_C_API libdose_status libdose_plan_fractions(const libdose_plan* plan, int32_t* fractions);
LIBDOSE_C_API void libdose_plan_free(libdose_plan** plan); /**< as libdose_ct_free() */

/** Reads what belongs together from DICOM files and folders: the plan, the structure set and the CT that it
 * refers to, as `dose calc` does. An output that is NULL is not read. When the structure set is not there
 * that is LIBDOSE_BAD_INPUT, unless `structures` is NULL or `reading` says without_structures: then
 * `*structures` becomes NULL, and the whole CT counts as the patient. `reading` may be NULL. */
LIBDOSE_C_API libdose_status libdose_read_case(const char* const* paths, size_t path_count,
                                               const libdose_plan_reading* reading, libdose_ct** ct,
                                               libdose_structures** structures, libdose_plan** plan);

/* ---- beam models ---- */

/** A choice of beam models. As it is: for each beam the one of its energy, fluence mode and machine in the
 * data folder, or the generic one. */
LIBDOSE_C_API libdose_status libdose_models_create(libdose_models** models);
/** The model, by name (data folder) or file, for the beams of a number; 0: for every beam that has none of
 * its own. It must be of the beam's energy, fluence mode and machine, or the calculation is
 * LIBDOSE_REFUSED_PLAN. */
LIBDOSE_C_API libdose_status libdose_models_use(libdose_models* models, int32_t beam_number,
                                                const char* name_or_file);
/** Which model serves a beam of a plan: its name and the SHA-256 of its content (either may be NULL). The
 * texts belong to `models`. */
LIBDOSE_C_API libdose_status libdose_models_find(const libdose_models* models, const libdose_plan* plan,
                                                 size_t beam_index, const char** name, const char** hash);
LIBDOSE_C_API void libdose_models_free(libdose_models** models); /**< as libdose_ct_free() */

/* ---- calculation ---- */

/** Called with a fraction 0 to 1 and what is being done, in order, on the thread that called
 * libdose_calculate(), or any other function that has the options. Not 0 cancels. The calculation waits for
 * it, and other calculations of the process may, too: return soon, and do not calculate in it. */
typedef int (*libdose_progress)(void* user, double fraction, const char* stage);

/** Density or material of a structure. This struct does not grow. */
typedef struct libdose_override {
    const char* structure; /**< name */
    const char* material;  /**< name in the material table; NULL: composition goes by density */
    double density_g_cm3;  /**< 0: the usual density of the material */
} libdose_override;

/** CUDA devices that calculations have opened, with the memory that they took: they stay open from one
 * calculation to the next. Several threads may calculate with one at the same time; each has a device's
 * memory to itself while it does. Opens nothing by itself. */
LIBDOSE_C_API libdose_status libdose_devices_create(libdose_devices** devices);
LIBDOSE_C_API void libdose_devices_free(libdose_devices** devices); /**< as libdose_ct_free() */

/** Options of a calculation. */
typedef struct libdose_options {
    size_t struct_size;      /**< sizeof(libdose_options) */
    double grid_mm;          /**< spacing of the dose grid, 0.5 to 20; 0: 2.5, finer for narrow openings */
    double beam_margin_mm;   /**< the grid ends this far from the fields, or at the body; 100 */
    double sub_arc_deg;      /**< largest turn that one fluence map stands for; 2 */
    int32_t algorithm;       /**< LIBDOSE_COLLAPSED_CONE, LIBDOSE_PENCIL_BEAM */
    int32_t quality;         /**< LIBDOSE_QUALITY_... */
    int32_t transport;       /**< grouping of geometries: LIBDOSE_TRANSPORT_... (collapsed cone) */
    int32_t dose_to;         /**< LIBDOSE_TO_... */
    int32_t threads;         /**< 0: all cores */
    int32_t per_beam;        /**< not 0: also keep the dose of every beam */
    int32_t lateral_scaling; /**< pencil beam: not 0: kernels widen where the density is low; 1 */
    int32_t leaf_ends;       /**< LIBDOSE_LEAVES_... */
    int32_t backend;         /**< LIBDOSE_BACKEND_... */
    int32_t device;          /**< CUDA device, in the order in which CUDA counts them; 0 */
    const char* leaves; /**< name of the leaf design for every collimator of its boundaries; NULL: found from
                           the plan */
    const char* calibration_depth; /**< "maximum" or "10cm": where 1 cGy/MU holds; NULL: as the model says */
    const char* hu_curve_file; /**< "water", or CSV with the columns hu,density_g_cm3; NULL: the built-in one
                                  or hu_curve_hu */
    const double* hu_curve_hu; /**< HU curve of the caller, ascending; NULL: the built-in one */
    const double* hu_curve_density;    /**< g/cm3 at each of them */
    size_t hu_curve_count;             /**< number of points, at least two */
    const libdose_override* overrides; /**< densities and materials of structures; may be NULL */
    size_t override_count;             /**< number of them */
    libdose_progress progress;         /**< may be NULL */
    void* user;                        /**< first argument of progress */
    libdose_devices* devices;          /**< where a CUDA device stays open; NULL: it is closed at the end */
    const libdose_grid* grid; /**< the dose is on exactly this grid, whatever grid_mm and beam_margin_mm say;
                                 NULL: on one of its own */
    int32_t accept_gaps; /**< not 0: a body in which contour planes are missing is taken as it is; else it is
                            refused */
    int32_t reserved;    /**< 0 */
} libdose_options;
/** The defaults of the command: collapsed cone, standard quality, 2.5 mm (finer for narrow openings), dose to
 * medium. */
LIBDOSE_C_API void libdose_options_init(libdose_options* options, size_t struct_size);

/** Calculates the dose of a plan. `structures`, `models` and `options` may be NULL: the whole CT; models of
 * the data folder; defaults. The result is that of `dose calc` and does not depend on the number of threads,
 * bit for bit. */
LIBDOSE_C_API libdose_status libdose_calculate(const libdose_ct* ct, const libdose_structures* structures,
                                               const libdose_plan* plan, const libdose_models* models,
                                               const libdose_options* options, libdose_dose** dose);

/* ---- before a calculation ---- */

/** One verdict on a plan. */
typedef struct libdose_gate_entry {
    size_t struct_size; /**< sizeof(libdose_gate_entry) */
    const char* tag;    /**< "(300a,00d0)"; "" where it is no single attribute */
    const char* name;   /**< of the attribute: "NumberOfWedges"; "" where it is none */
    const char* where;  /**< place in the file: of the first that is refused, or of the first; may be "" */
    const char* value;  /**< of the attribute; may be "" */
    const char* reason; /**< why; for a beam that is honoured: its beam model; may be "" */
    size_t count;       /**< how often it stands there */
    int32_t verdict;    /**< LIBDOSE_HONOURED, LIBDOSE_HARMLESS, LIBDOSE_ACCEPTED, LIBDOSE_REFUSED */
    int32_t beam;       /**< number of the beam; 0: the plan as a whole */
    int32_t acceptable; /**< not 0: refused because it is not known; libdose_plan_reading.accepted_tags may
                           hold its tag */
    int32_t reserved;   /**< 0 */
} libdose_gate_entry;
/** All zero but struct_size. */
LIBDOSE_C_API void libdose_gate_entry_init(libdose_gate_entry* entry, size_t struct_size);

/** The verdict on every attribute of an RTPLAN file. What libdose_plan_read() refuses is an entry here, no
 * failure; a file of another kind (ion plans) is LIBDOSE_REFUSED_PLAN. Of `reading`, which may be NULL,
 * fraction_group and accepted_tags count. */
LIBDOSE_C_API libdose_status libdose_gate_read(const char* file, const libdose_plan_reading* reading,
                                               libdose_gate** gate);
/** One entry for each beam of a plan, in order: honoured, or refused with the reason (no beam model for it,
 * leaves that no design fits, a wedge that the model does not hold). `models` and `options` may be NULL; of
 * the options leaves and leaf_ends count. Nothing is calculated. */
LIBDOSE_C_API libdose_status libdose_gate_admit(const libdose_plan* plan, const libdose_models* models,
                                                const libdose_options* options, libdose_gate** gate);
/** Number of entries, and of those that are refused; either may be NULL. */
LIBDOSE_C_API libdose_status libdose_gate_count(const libdose_gate* gate, size_t* count, size_t* refused);
/** An entry. `entry->struct_size` must be set; the texts belong to the gate. */
LIBDOSE_C_API libdose_status libdose_gate_get(const libdose_gate* gate, size_t index,
                                              libdose_gate_entry* entry);
LIBDOSE_C_API void libdose_gate_free(libdose_gate** gate); /**< as libdose_ct_free() */

/** Memory (bytes) that libdose_calculate() needs with these arguments, and what this machine has (0: the
 * system does not say). An estimate; either may be NULL. */
LIBDOSE_C_API libdose_status libdose_estimate_memory(const libdose_ct* ct,
                                                     const libdose_structures* structures,
                                                     const libdose_plan* plan, const libdose_models* models,
                                                     const libdose_options* options, double* needed_bytes,
                                                     double* available_bytes);

/* ---- a calculation in stages ---- */

/** Photon fluence of one geometry in the isocentre plane, beam-limiting-device frame. */
typedef struct libdose_raster {
    size_t struct_size;     /**< sizeof(libdose_raster) */
    double isocentre_mm[3]; /**< LPS */
    double axes[9];         /**< 3 x 3 by rows; columns: u, v, from the isocentre to the source; LPS */
    double source_axis_distance_mm; /**< 1000 */
    double pixel_mm;                /**< 1 */
    double lower_u_mm;              /**< lower corner of the first pixel */
    double lower_v_mm;              /**< lower corner of the first pixel */
    const float* values;            /**< [v][u], MU times fluence; 1 per MU is the open field on the axis */
    size_t value_count;             /**< size_u * size_v */
    int32_t size_u;                 /**< pixels along u */
    int32_t size_v;                 /**< pixels along v */
} libdose_raster;
/** Zero, but struct_size, a source-axis distance of 1000 mm, pixels of 1 mm and the axes of gantry 0, HFS. */
LIBDOSE_C_API void libdose_raster_init(libdose_raster* raster, size_t struct_size);
/** The axes of angles (IEC 61217, degrees): nine numbers by rows, for libdose_raster. */
LIBDOSE_C_API libdose_status libdose_beam_axes(libdose_patient_position position, double gantry_deg,
                                               double collimator_deg, double couch_deg, double axes[9]);

/** Prepares a patient for many doses: density on the dose grid of the plan, on the backend. Arguments as for
 * libdose_calculate(); they are copied. One thread at a time may use a prepared patient. */
LIBDOSE_C_API libdose_status libdose_prepare(const libdose_ct* ct, const libdose_structures* structures,
                                             const libdose_plan* plan, const libdose_models* models,
                                             const libdose_options* options, libdose_prepared** prepared);
/** Grid of its doses. `grid->struct_size` must be set. */
LIBDOSE_C_API libdose_status libdose_prepared_grid(const libdose_prepared* prepared, libdose_grid* grid);
/** Fluence of a beam of a plan: the one that the patient was prepared for, or another with changed beams. A
 * beam whose field leaves the grid is LIBDOSE_BAD_INPUT: prepare the patient again. */
LIBDOSE_C_API libdose_status libdose_fluence_of_beam(const libdose_prepared* prepared,
                                                     const libdose_plan* plan, size_t beam_index,
                                                     libdose_fluence** fluence);
/** The caller's own fluence, with the beam model and the boluses of a beam, without contaminating electrons.
 */
LIBDOSE_C_API libdose_status libdose_fluence_of_rasters(const libdose_prepared* prepared,
                                                        const libdose_plan* plan, size_t beam_index,
                                                        const libdose_raster* rasters, size_t raster_count,
                                                        libdose_fluence** fluence);
/** Number of rasters: one of a static beam, one for each sub-arc of an arc. */
LIBDOSE_C_API libdose_status libdose_fluence_raster_count(const libdose_fluence* fluence, size_t* count);
/** A raster. `raster->struct_size` must be set; the values belong to the fluence. */
LIBDOSE_C_API libdose_status libdose_fluence_raster(const libdose_fluence* fluence, size_t index,
                                                    libdose_raster* raster);
LIBDOSE_C_API void libdose_fluence_free(libdose_fluence** fluence); /**< as libdose_ct_free() */
/** Dose of one fraction of a fluence that this patient made. `progress` may be NULL; `user` is handed to it.
 */
LIBDOSE_C_API libdose_status libdose_prepared_dose(libdose_prepared* prepared, const libdose_fluence* fluence,
                                                   libdose_progress progress, void* user,
                                                   libdose_dose** dose);
/** Dose of the plan that the patient was prepared for, as libdose_calculate() has it, bit for bit. */
LIBDOSE_C_API libdose_status libdose_prepared_calculate(libdose_prepared* prepared, libdose_progress progress,
                                                        void* user, libdose_dose** dose);
LIBDOSE_C_API void libdose_prepared_free(libdose_prepared** prepared); /**< as libdose_ct_free() */

/* ---- influence matrices ---- */

/** Which beamlets an influence matrix has, and what of it is kept. */
typedef struct libdose_influence_options {
    size_t struct_size;  /**< sizeof(libdose_influence_options) */
    double beamlet_mm;   /**< side of the squares in the isocentre plane; 5 */
    double margin_mm;    /**< of the target: beamlets that come this near to it count; 5 */
    double cutoff;       /**< part of a beamlet's largest dose, 0 to 0.1: a smaller value is kept with the
                            probability value / limit, and then as the limit; 0: what was calculated is kept
                            (far from a beamlet the pencil beam calculates some of the voxels only, with as
                            many times their dose); 3e-4 */
    double memory_bytes; /**< largest matrix in memory; 0: half of what the system has free */
    size_t first;        /**< columns first to last - 1 of all; 0, 0: all */
    size_t last;         /**< see first */
    const char* target;  /**< name of a structure that the beamlets see; NULL: those whose middle lies in the
                            opening of jaws and leaves */
    const char* file;    /**< HDF5 file that takes a matrix larger than memory_bytes; NULL: that is
                            LIBDOSE_BAD_INPUT */
} libdose_influence_options;
/** The defaults above. */
LIBDOSE_C_API void libdose_influence_options_init(libdose_influence_options* options, size_t struct_size);

/** Number of beamlets of a plan: what `first` and `last` count. `options` and `influence` may be NULL. */
LIBDOSE_C_API libdose_status libdose_influence_beamlet_count(
    const libdose_ct* ct, const libdose_structures* structures, const libdose_plan* plan,
    const libdose_models* models, const libdose_options* options, const libdose_influence_options* influence,
    size_t* count);
/** The dose of every beamlet of a plan: Gy of one fraction for each MU of the beamlet. Arguments as for
 * libdose_calculate(), with its progress and its ways to cancel; `influence` may be NULL. The beamlets have a
 * grid of their own: a `grid` in the options is LIBDOSE_BAD_INPUT. Blocks and dynamic wedges are
 * LIBDOSE_REFUSED_PLAN. */
LIBDOSE_C_API libdose_status libdose_influence_calculate(
    const libdose_ct* ct, const libdose_structures* structures, const libdose_plan* plan,
    const libdose_models* models, const libdose_options* options, const libdose_influence_options* influence,
    libdose_influence** matrix);
/** A matrix in its HDF5 file; columns are read when they are asked for. */
LIBDOSE_C_API libdose_status libdose_influence_read(const char* file, libdose_influence** matrix);
/** Writes HDF5. */
LIBDOSE_C_API libdose_status libdose_influence_write(const libdose_influence* matrix, const char* file);
/** Writes parts of one calculation (first, last), in order, as one file, to be read. Parts of different
 * calculations are LIBDOSE_BAD_INPUT. */
LIBDOSE_C_API libdose_status libdose_influence_join(const libdose_influence* const* parts, size_t part_count,
                                                    const char* file);

/** What a matrix is. */
typedef struct libdose_influence_info {
    size_t struct_size;   /**< sizeof(libdose_influence_info) */
    size_t beamlet_count; /**< columns */
    size_t entry_count;   /**< values that are kept */
    size_t note_count;    /**< notes of its calculation */
    double beamlet_mm;    /**< side of a beamlet */
    double cutoff;        /**< as it was asked for */
    int32_t medium;       /**< LIBDOSE_TO_MEDIUM or LIBDOSE_TO_WATER */
    int32_t in_file;      /**< not 0: the columns are in a file */
} libdose_influence_info;
/** All zero but struct_size. */
LIBDOSE_C_API void libdose_influence_info_init(libdose_influence_info* info, size_t struct_size);
/** What it is. `info->struct_size` must be set. */
LIBDOSE_C_API libdose_status libdose_influence_get_info(const libdose_influence* matrix,
                                                        libdose_influence_info* info);
/** Grid of the rows: row (k * size[1] + j) * size[0] + i is voxel (i, j, k). `grid->struct_size` must be set.
 */
LIBDOSE_C_API libdose_status libdose_influence_grid(const libdose_influence* matrix, libdose_grid* grid);
/** What the user should know of it. The text belongs to the matrix. */
LIBDOSE_C_API libdose_status libdose_influence_note(const libdose_influence* matrix, size_t index,
                                                    const char** note);

/** The beamlet of a column. */
typedef struct libdose_beamlet {
    size_t struct_size;    /**< sizeof(libdose_beamlet) */
    double u_mm;           /**< centre, beam-limiting-device frame, isocentre plane */
    double v_mm;           /**< centre, beam-limiting-device frame, isocentre plane */
    int32_t beam_index;    /**< of the plan */
    int32_t control_point; /**< index of the control point whose geometry it has */
} libdose_beamlet;
/** All zero but struct_size. */
LIBDOSE_C_API void libdose_beamlet_init(libdose_beamlet* beamlet, size_t struct_size);
/** The beamlet of a column. `beamlet->struct_size` must be set. */
LIBDOSE_C_API libdose_status libdose_influence_beamlet(const libdose_influence* matrix, size_t column,
                                                       libdose_beamlet* beamlet);

/** All columns without a copy, compressed by column: `begin` has beamlet_count + 1 values; column c has the
 * entries begin[c] to begin[c + 1] - 1 of `voxel` (row, ascending in a column) and `gy` (Gy per MU, one
 * fraction), entry_count values each. They belong to the matrix. LIBDOSE_BAD_INPUT where they are in a file:
 * copy them in parts. */
LIBDOSE_C_API libdose_status libdose_influence_columns(const libdose_influence* matrix, const int64_t** begin,
                                                       const int32_t** voxel, const float** gy);
/** Columns first to last - 1 into the caller's buffers: `begin` of last - first + 1 values, from 0; `voxel`
 * and `gy` of `capacity` values. `count` (may be NULL) becomes the number of entries. With a capacity of 0
 * only `count` and, where it is not NULL, `begin` are set; else a capacity below `count` is
 * LIBDOSE_BAD_INPUT. */
LIBDOSE_C_API libdose_status libdose_influence_copy_columns(const libdose_influence* matrix, size_t first,
                                                            size_t last, int64_t* begin, int32_t* voxel,
                                                            float* gy, size_t capacity, size_t* count);
/** Dose of one fraction: the matrix times the MU of every beamlet, `count` = beamlet_count values. */
LIBDOSE_C_API libdose_status libdose_influence_dose(const libdose_influence* matrix, const double* weights_mu,
                                                    size_t count, libdose_dose** dose);
/** Dose of one fraction of the fluence that the beamlets make with these MU, calculated as that of any
 * fluence: what libdose_influence_dose() comes near to. `count` = all beamlets of the plan. */
LIBDOSE_C_API libdose_status libdose_calculate_beamlets(
    const libdose_ct* ct, const libdose_structures* structures, const libdose_plan* plan,
    const libdose_models* models, const libdose_options* options, const libdose_influence_options* influence,
    const double* weights_mu, size_t count, libdose_dose** dose);
LIBDOSE_C_API void libdose_influence_free(libdose_influence** matrix); /**< as libdose_ct_free() */

/* ---- dose ---- */

/** Summary of a dose. */
typedef struct libdose_dose_info {
    size_t struct_size;  /**< sizeof(libdose_dose_info) */
    double maximum_gy;   /**< largest value */
    size_t beam_count;   /**< doses of single beams that it holds (per_beam) */
    size_t note_count;   /**< notes of its calculation */
    int32_t summation;   /**< LIBDOSE_SUMMATION_... */
    int32_t medium;      /**< LIBDOSE_TO_MEDIUM or LIBDOSE_TO_WATER */
    int32_t beam_number; /**< beam number of the dose of a beam; else 0 */
    int32_t fractions;   /**< that the values include; 0: not known (an RTDOSE does not say) */
} libdose_dose_info;
/** All zero but struct_size. */
LIBDOSE_C_API void libdose_dose_info_init(libdose_dose_info* info, size_t struct_size);

/** A dose from the caller's values (Gy, [z][y][x], finite), to compare it. `frame_of_reference_uid` may be
 * NULL. */
LIBDOSE_C_API libdose_status libdose_dose_create(const libdose_grid* grid, const float* gy, size_t count,
                                                 const char* frame_of_reference_uid, libdose_dose** dose);
/** A dose from RTDOSE, or from HDF5 of libdose (a name that ends in .h5 or .hdf5). */
LIBDOSE_C_API libdose_status libdose_dose_read(const char* file, libdose_dose** dose);
/** Summary. `info->struct_size` must be set. */
LIBDOSE_C_API libdose_status libdose_dose_get_info(const libdose_dose* dose, libdose_dose_info* info);
/** Its grid. `grid->struct_size` must be set. */
LIBDOSE_C_API libdose_status libdose_dose_grid(const libdose_dose* dose, libdose_grid* grid);
/** Its values (Gy, [z][y][x]) without a copy; they belong to the dose. `count` may be NULL. */
LIBDOSE_C_API libdose_status libdose_dose_values(const libdose_dose* dose, const float** gy, size_t* count);
/** Its values into the caller's buffer; `count` = voxels of its grid. */
LIBDOSE_C_API libdose_status libdose_dose_copy(const libdose_dose* dose, float* gy, size_t count);
/** The dose at the voxel centres of the caller's grid, trilinear, 0 outside; `count` = voxels of that grid.
 */
LIBDOSE_C_API libdose_status libdose_dose_copy_on_grid(const libdose_dose* dose, const libdose_grid* grid,
                                                       float* gy, size_t count);
/** The dose at a point (x, y, z, mm LPS), trilinear, 0 outside. */
LIBDOSE_C_API libdose_status libdose_dose_at(const libdose_dose* dose, const double point_mm[3], double* gy);
/** The dose at many points, x, y, z of each one after another, mm LPS: trilinear, NaN outside the voxels of
 * the dose. `gy`: `point_count` values. */
LIBDOSE_C_API libdose_status libdose_dose_at_points(const libdose_dose* dose, const double* points_mm,
                                                    size_t point_count, double* gy);
/** DICOM Dose Type: "PHYSICAL", "EFFECTIVE", or "ERROR" for a difference. The text belongs to the dose. */
LIBDOSE_C_API libdose_status libdose_dose_type(const libdose_dose* dose, const char** type);
/** Frame of reference UID, "" when it is not known. The text belongs to the dose. */
LIBDOSE_C_API libdose_status libdose_dose_frame(const libdose_dose* dose,
                                                const char** frame_of_reference_uid);
/** Says what the dose of the caller is: LIBDOSE_SUMMATION_..., fractions that its values include (0: not
 * known), and its DICOM Dose Type. Negative values are LIBDOSE_BAD_INPUT when it is written with another type
 * than ERROR. */
LIBDOSE_C_API libdose_status libdose_dose_describe(libdose_dose* dose, int32_t summation, int32_t fractions,
                                                   const char* type);
/** Sum of doses times their weights (NULL: 1 each); weights 1, -1 make a difference, of type ERROR. Keeps
 * frame of reference, fractions and provenance. `grid`: LIBDOSE_SUM_... . Other frames of reference, patients
 * or summations are LIBDOSE_BAD_INPUT. */
LIBDOSE_C_API libdose_status libdose_dose_sum(const libdose_dose* const* doses, const double* weights,
                                              size_t dose_count, int32_t grid, libdose_dose** sum);
/** The dose of all fractions from that of one fraction. */
LIBDOSE_C_API libdose_status libdose_dose_whole_course(const libdose_dose* dose, int32_t fractions,
                                                       libdose_dose** course);
/** A copy of the dose of one beam. */
LIBDOSE_C_API libdose_status libdose_dose_beam(const libdose_dose* dose, size_t index, libdose_dose** beam);
/** Note for the user: structures, densities, grid, models. The text belongs to the dose. */
LIBDOSE_C_API libdose_status libdose_dose_note(const libdose_dose* dose, size_t index, const char** note);
/** Writes an RT Dose Storage object; patient and study are those of the CT. */
LIBDOSE_C_API libdose_status libdose_dose_write_dicom(const libdose_dose* dose, const libdose_ct* ct,
                                                      const char* file);
/** Writes HDF5 with the same content, and the doses of the beams that it holds. */
LIBDOSE_C_API libdose_status libdose_dose_write_hdf5(const libdose_dose* dose, const char* file);
LIBDOSE_C_API void libdose_dose_free(libdose_dose** dose); /**< as libdose_ct_free() */

/* ---- gamma index ---- */

/** Criteria of a gamma index. */
typedef struct libdose_gamma_options {
    size_t struct_size;  /**< sizeof(libdose_gamma_options) */
    double dose_percent; /**< percent of the normalisation, or of the local reference dose; 3 */
    double distance_mm;  /**< distance to agreement; 2 */
    double
        threshold_percent; /**< reference voxels below this part of the normalisation are not evaluated; 10 */
    double normalisation_gy;    /**< 0: maximum of the reference */
    double max_gamma;           /**< values above are reported as this; 2 */
    int32_t local;              /**< not 0: percent of the local reference dose */
    int32_t steps_per_distance; /**< search step = distance / steps; 10 */
    double margin_mm; /**< above 0: voxels outside the evaluated grid, or this near to its faces, are left
                         out; 0: outside fails */
    int32_t threads;  /**< 0: all cores */
    int32_t reserved; /**< 0 */
} libdose_gamma_options;
/** The defaults above. */
LIBDOSE_C_API void libdose_gamma_options_init(libdose_gamma_options* options, size_t struct_size);

/** Summary of a gamma index. */
typedef struct libdose_gamma_info {
    size_t struct_size;       /**< sizeof(libdose_gamma_info) */
    double pass_rate_percent; /**< 100 * passed / evaluated */
    double mean;              /**< over the evaluated voxels */
    double maximum;           /**< at most max_gamma */
    uint64_t evaluated;       /**< voxels of the reference */
    uint64_t passed;          /**< evaluated voxels that passed */
    uint64_t outside;         /**< evaluated voxels that the evaluated dose does not cover: failed */
    uint64_t left_out;        /**< voxels that the margin leaves out: not evaluated */
    double normalisation_gy;  /**< dose of 100 % */
    size_t note_count;        /**< notes on the two doses */
} libdose_gamma_info;
/** All zero but struct_size. */
LIBDOSE_C_API void libdose_gamma_info_init(libdose_gamma_info* info, size_t struct_size);

/** Gamma index of `evaluated` on the grid of `reference`. `options` may be NULL. Doses of different frames of
 * reference, of different summations (one fraction against the whole course) or that are not PHYSICAL are
 * LIBDOSE_BAD_INPUT. */
LIBDOSE_C_API libdose_status libdose_gamma_calculate(const libdose_dose* reference,
                                                     const libdose_dose* evaluated,
                                                     const libdose_gamma_options* options,
                                                     libdose_gamma** gamma);
/** Summary. `info->struct_size` must be set. */
LIBDOSE_C_API libdose_status libdose_gamma_get_info(const libdose_gamma* gamma, libdose_gamma_info* info);
/** Note for the user on the two doses. The text belongs to the gamma index. */
LIBDOSE_C_API libdose_status libdose_gamma_note(const libdose_gamma* gamma, size_t index, const char** note);
/** Gamma of each voxel of the reference into the caller's buffer, [z][y][x]; NaN where it was not evaluated.
 */
LIBDOSE_C_API libdose_status libdose_gamma_copy(const libdose_gamma* gamma, float* values, size_t count);
LIBDOSE_C_API void libdose_gamma_free(libdose_gamma** gamma); /**< as libdose_ct_free() */

/* ---- dose-volume histograms ---- */

/** Summary of a dose-volume histogram. */
typedef struct libdose_dvh_info {
    size_t struct_size;        /**< sizeof(libdose_dvh_info) */
    double volume_cm3;         /**< volume of the structure */
    double volume_outside_cm3; /**< part of it outside the dose grid */
    double minimum_gy;         /**< within the dose grid, as the two below */
    double maximum_gy;         /**< largest dose */
    double mean_gy;            /**< mean dose */
    double bin_width_gy;       /**< bin width of the cumulative histogram */
    size_t bin_count;          /**< number of its bins */
} libdose_dvh_info;
/** All zero but struct_size. */
LIBDOSE_C_API void libdose_dvh_info_init(libdose_dvh_info* info, size_t struct_size);

/** How finely a histogram is made. */
typedef struct libdose_dvh_options {
    size_t struct_size;  /**< sizeof(libdose_dvh_options) */
    double bin_width_gy; /**< of the cumulative curve; 0: 0.01 Gy, or less where the maximum is below 1 Gy. No
                            other figure depends on it */
    double sampling_mm;  /**< about the distance of the dose samples; 0: by the structure's volume */
    int32_t threads;     /**< 0: all cores */
    int32_t reserved;    /**< 0 */
} libdose_dvh_options;
/** The defaults above, all 0. */
LIBDOSE_C_API void libdose_dvh_options_init(libdose_dvh_options* options, size_t struct_size);

/** Histogram of a structure by its name, by its ROI number ("#12"), or of a combination: "LUNG_L or LUNG_R",
 * "BODY minus (PTV or GTV)" (docs/theory/dvh.md). A name that several structures have is LIBDOSE_BAD_INPUT.
 * `bin_width_gy` 0: as in libdose_dvh_options. */
LIBDOSE_C_API libdose_status libdose_dvh_calculate(const libdose_dose* dose,
                                                   const libdose_structures* structures,
                                                   const char* structure_name, double bin_width_gy,
                                                   libdose_dvh** dvh);
/** The same with options, which may be NULL. */
LIBDOSE_C_API libdose_status libdose_dvh_calculate_with(const libdose_dose* dose,
                                                        const libdose_structures* structures,
                                                        const char* structure_name,
                                                        const libdose_dvh_options* options,
                                                        libdose_dvh** dvh);
/** Histogram of a mask: the covered fraction 0 ... 1 of each voxel of `grid`, [z][y][x], in the dose's frame.
 * `grid` NULL: that of the dose. `options` may be NULL. */
LIBDOSE_C_API libdose_status libdose_dvh_calculate_mask(const libdose_dose* dose, const libdose_grid* grid,
                                                        const float* coverage, size_t count,
                                                        const libdose_dvh_options* options,
                                                        libdose_dvh** dvh);
/** Summary. `info->struct_size` must be set. */
LIBDOSE_C_API libdose_status libdose_dvh_get_info(const libdose_dvh* dvh, libdose_dvh_info* info);
/** Volume (cm3) that receives at least i * bin_width_gy, into the caller's buffer of bin_count values. */
LIBDOSE_C_API libdose_status libdose_dvh_copy(const libdose_dvh* dvh, double* cumulative_cm3, size_t count);
/** D95 is the dose (Gy) at a volume of 95 percent. */
LIBDOSE_C_API libdose_status libdose_dvh_dose_at_volume(const libdose_dvh* dvh, double volume_percent,
                                                        double* gy);
/** V20 is the volume (percent) at a dose of 20 Gy. */
LIBDOSE_C_API libdose_status libdose_dvh_volume_at_dose(const libdose_dvh* dvh, double dose_gy,
                                                        double* volume_percent);
/** D0.1cc is the dose (Gy) at a volume of 0.1 cm3, which must not be above that of the structure. */
LIBDOSE_C_API libdose_status libdose_dvh_dose_at_volume_cm3(const libdose_dvh* dvh, double volume_cm3,
                                                            double* gy);
/** The volume (cm3) at a dose. */
LIBDOSE_C_API libdose_status libdose_dvh_volume_cm3_at_dose(const libdose_dvh* dvh, double dose_gy,
                                                            double* volume_cm3);
/** A figure by its name: "D95%", "D0.1cc", "V20Gy", "V20Gy[cm3]", "V95%", "Dmean", ... (docs/theory/dvh.md).
 * `prescription_gy` is what V95% and D95%[%] refer to; 0 where no metric needs it. `unit` (may be NULL)
 * becomes "Gy", "%" or "cm3", which lives as long as the library. */
LIBDOSE_C_API libdose_status libdose_dvh_metric(const libdose_dvh* dvh, const char* metric,
                                                double prescription_gy, double* value, const char** unit);
LIBDOSE_C_API void libdose_dvh_free(libdose_dvh** dvh); /**< as libdose_ct_free() */

/* ---- The independent check of a plan ---------------------------------------------------------------------
 */

/** Verdict of a check and of its rows, ascending: the worst decides. */
typedef int32_t libdose_verdict;
enum {
    LIBDOSE_PASS = 0,        /**< within its limits */
    LIBDOSE_LOOK = 1,        /**< somebody has to look */
    LIBDOSE_NOT_CHECKED = 2, /**< could not be evaluated; never a pass */
    LIBDOSE_FAIL = 3         /**< beyond its limits */
};

typedef struct libdose_check libdose_check; /**< what a check found */

/** How a plan is checked. NULL or zero: the default. */
typedef struct libdose_check_options {
    size_t struct_size;   /**< sizeof(libdose_check_options) */
    const char* protocol; /**< name or JSON file of criteria and limits; "default" */
    const char* site;     /**< section of the protocol for a site */
    const char* model;    /**< beam model for every beam: name or file; by energy and machine */
    const char* couch;    /**< couch under the body; none */
    const char* out;      /**< folder for the report; none is written */
    const libdose_plan_reading* reading; /**< which plan, series and fraction group; accepted tags */
    const libdose_options* engine;       /**< how the dose is calculated, and progress */
    int32_t without_attribution;         /**< 1: the cause of a difference is not looked for */
    int32_t reserved;                    /**< 0 */
} libdose_check_options;

/** A row of a check. Texts are "" where there is nothing to say, and live as long as the check. */
typedef struct libdose_check_row {
    size_t struct_size;      /**< sizeof(libdose_check_row) */
    const char* section;     /**< "integrity", "dose", "gamma" */
    const char* id;          /**< stable name: "isocentre-in-body" */
    const char* name;        /**< for people */
    const char* subject;     /**< structure, beam or object */
    const char* reason;      /**< why it is not PASS */
    const char* planned;     /**< of the planning system, with unit */
    const char* calculated;  /**< of libdose, with unit */
    const char* limit;       /**< what the value is held against */
    const char* source;      /**< where the limit is from */
    const char* unit;        /**< of the value */
    double value;            /**< NaN: there is none */
    libdose_verdict verdict; /**< of this row */
    int32_t reserved;        /**< 0 */
} libdose_check_row;

/** Sets the size and the defaults. */
LIBDOSE_C_API void libdose_check_options_init(libdose_check_options* options, size_t struct_size);
/** Sets the size; everything else is zero. */
LIBDOSE_C_API void libdose_check_row_init(libdose_check_row* row, size_t struct_size);
/** Reads a plan with its CT, structures and RTDOSE from `count` files or folders, recalculates it, judges it,
 * and writes the report where `out` is given. What is missing is a row NOT CHECKED. Bad input: paths without
 * DICOM, a protocol that breaks its rules, a folder that cannot be written. */
LIBDOSE_C_API libdose_status libdose_check_files(const char* const* paths, size_t count,
                                                 const libdose_check_options* options, libdose_check** check);
/** The worst verdict of the rows. */
LIBDOSE_C_API libdose_status libdose_check_verdict(const libdose_check* check, libdose_verdict* verdict);
/** Number of rows. */
LIBDOSE_C_API libdose_status libdose_check_count(const libdose_check* check, size_t* count);
/** Row `index`, from 0. */
LIBDOSE_C_API libdose_status libdose_check_get(const libdose_check* check, size_t index,
                                               libdose_check_row* row);
/** Everything as JSON, as check.json has it (docs/reference/check-json.md). Lives as long as the check. */
LIBDOSE_C_API libdose_status libdose_check_json(const libdose_check* check, const char** json);
LIBDOSE_C_API void libdose_check_free(libdose_check** check); /**< as libdose_ct_free() */

#ifdef __cplusplus
}
#endif

#endif
