// Gamma index and dose-volume histograms of the C ABI.
#include <algorithm>

#include "capi/handles.h"
#include "libdose/comparable.h"
#include "libdose/dvh_metric.h"

using namespace libdose;
using namespace libdose::capi;

namespace {

template <class T>
void copy_out(const std::vector<T>& values, T* place, std::size_t count, const char* name) {
    require_count(count, values.size(), name);
    std::copy(values.begin(), values.end(), &required(place, name));
}

DvhOptions dvh_options(const libdose_dvh_options* options) {
    if (!options) return {};
    const libdose_dvh_options given = read_struct(options, "options");
    return {given.bin_width_gy, given.sampling_mm, given.threads};
}

void make_histogram(const libdose_dose* dose, const libdose_structures* structures, const char* name,
                    const DvhOptions& options, libdose_dvh** dvh) {
    Output<libdose_dvh> made(dvh, "dvh");
    const Dose& given = handle(dose, "dose").dose;
    const StructureSet& set = handle(structures, "structures").set;
    check_histogram(given, set);
    const StructureExpression region = parse_structure_expression(text_of(name, "structure_name"), set);
    check_histogram(given, region);
    made->histogram = dose_volume_histogram(given.gy, region, options);
    made.hand_over();
}

}  // namespace

void libdose_gamma_options_init(libdose_gamma_options* options, size_t struct_size) {
    const GammaOptions defaults;
    libdose_gamma_options values{};
    values.dose_percent = defaults.dose_percent;
    values.distance_mm = defaults.distance_mm;
    values.threshold_percent = defaults.threshold_percent;
    values.normalisation_gy = defaults.normalisation_gy;
    values.max_gamma = defaults.max_gamma;
    values.steps_per_distance = defaults.steps_per_distance;
    init_struct(options, struct_size, values);
}

void libdose_gamma_info_init(libdose_gamma_info* info, size_t struct_size) {
    init_struct(info, struct_size, libdose_gamma_info{});
}

libdose_status libdose_gamma_calculate(const libdose_dose* reference, const libdose_dose* evaluated,
                                       const libdose_gamma_options* options, libdose_gamma** gamma) {
    return guarded([&] {
        Output<libdose_gamma> made(gamma, "gamma");
        const Dose &left = handle(reference, "reference").dose, &right = handle(evaluated, "evaluated").dose;
        GammaOptions criteria;
        if (options) {
            const libdose_gamma_options given = read_struct(options, "options");
            criteria.dose_percent = given.dose_percent;
            criteria.distance_mm = given.distance_mm;
            criteria.threshold_percent = given.threshold_percent;
            criteria.normalisation_gy = given.normalisation_gy;
            criteria.max_gamma = given.max_gamma;
            criteria.local = given.local != 0;
            criteria.steps_per_distance = given.steps_per_distance;
            criteria.margin_mm = given.margin_mm;
            criteria.threads = given.threads;
        }
        made->result = gamma_index(left, right, criteria);
        made.hand_over();
    });
}

libdose_status libdose_gamma_get_info(const libdose_gamma* gamma, libdose_gamma_info* info) {
    return guarded([&] {
        const GammaResult& result = handle(gamma, "gamma").result;
        libdose_gamma_info values{};
        values.pass_rate_percent = result.pass_rate_percent;
        values.mean = result.mean;
        values.maximum = result.maximum;
        values.evaluated = result.evaluated;
        values.passed = result.passed;
        values.outside = result.outside;
        values.left_out = result.left_out;
        values.normalisation_gy = result.normalisation_gy;
        values.note_count = result.notes.size();
        write_struct(info, values, "info");
    });
}

libdose_status libdose_gamma_note(const libdose_gamma* gamma, size_t index, const char** note) {
    return guarded(
        [&] { required(note, "note") = item(handle(gamma, "gamma").result.notes, index, "index").c_str(); });
}

libdose_status libdose_gamma_copy(const libdose_gamma* gamma, float* values, size_t count) {
    return guarded([&] { copy_out(handle(gamma, "gamma").result.gamma.values, values, count, "values"); });
}

void libdose_gamma_free(libdose_gamma** gamma) { free_handle(gamma); }

void libdose_dvh_info_init(libdose_dvh_info* info, size_t struct_size) {
    init_struct(info, struct_size, libdose_dvh_info{});
}

void libdose_dvh_options_init(libdose_dvh_options* options, size_t struct_size) {
    init_struct(options, struct_size, libdose_dvh_options{});
}

libdose_status libdose_dvh_calculate(const libdose_dose* dose, const libdose_structures* structures,
                                     const char* structure_name, double bin_width_gy, libdose_dvh** dvh) {
    return guarded([&] {
        make_histogram(dose, structures, structure_name, DvhOptions{bin_width_gy, 0, 0}, dvh);
    });
}

libdose_status libdose_dvh_calculate_with(const libdose_dose* dose, const libdose_structures* structures,
                                          const char* structure_name, const libdose_dvh_options* options,
                                          libdose_dvh** dvh) {
    return guarded([&] { make_histogram(dose, structures, structure_name, dvh_options(options), dvh); });
}

libdose_status libdose_dvh_calculate_mask(const libdose_dose* dose, const libdose_grid* grid,
                                          const float* coverage, size_t count,
                                          const libdose_dvh_options* options, libdose_dvh** dvh) {
    return guarded([&] {
        Output<libdose_dvh> made(dvh, "dvh");
        const Dose& given = handle(dose, "dose").dose;
        Volume<float> mask(grid ? grid_of(grid, "grid") : given.gy.grid);
        require_count(count, mask.values.size(), "coverage");
        std::copy_n(&required(coverage, "coverage"), count, mask.values.begin());
        check_histogram(given);
        made->histogram = dose_volume_histogram(given.gy, mask, "mask", dvh_options(options));
        made.hand_over();
    });
}

libdose_status libdose_dvh_get_info(const libdose_dvh* dvh, libdose_dvh_info* info) {
    return guarded([&] {
        const DoseVolumeHistogram& h = handle(dvh, "dvh").histogram;
        libdose_dvh_info values{};
        values.volume_cm3 = h.volume_cm3;
        values.volume_outside_cm3 = h.volume_outside_cm3;
        values.minimum_gy = h.minimum_gy;
        values.maximum_gy = h.maximum_gy;
        values.mean_gy = h.mean_gy;
        values.bin_width_gy = h.bin_width_gy;
        values.bin_count = h.cumulative_cm3.size();
        write_struct(info, values, "info");
    });
}

libdose_status libdose_dvh_copy(const libdose_dvh* dvh, double* cumulative_cm3, size_t count) {
    return guarded([&] {
        copy_out(handle(dvh, "dvh").histogram.cumulative_cm3, cumulative_cm3, count, "cumulative_cm3");
    });
}

libdose_status libdose_dvh_dose_at_volume(const libdose_dvh* dvh, double volume_percent, double* gy) {
    return guarded(
        [&] { required(gy, "gy") = handle(dvh, "dvh").histogram.dose_at_volume_percent(volume_percent); });
}

libdose_status libdose_dvh_volume_at_dose(const libdose_dvh* dvh, double dose_gy, double* volume_percent) {
    return guarded([&] {
        required(volume_percent, "volume_percent") =
            handle(dvh, "dvh").histogram.volume_percent_at_dose(dose_gy);
    });
}

libdose_status libdose_dvh_dose_at_volume_cm3(const libdose_dvh* dvh, double volume_cm3, double* gy) {
    return guarded([&] { required(gy, "gy") = handle(dvh, "dvh").histogram.dose_at_volume_cm3(volume_cm3); });
}

libdose_status libdose_dvh_volume_cm3_at_dose(const libdose_dvh* dvh, double dose_gy, double* volume_cm3) {
    return guarded([&] {
        required(volume_cm3, "volume_cm3") = handle(dvh, "dvh").histogram.volume_cm3_at_dose(dose_gy);
    });
}

libdose_status libdose_dvh_metric(const libdose_dvh* dvh, const char* metric, double prescription_gy,
                                  double* value, const char** unit) {
    return guarded([&] {
        const DvhMetric parsed = parse_dvh_metric(text_of(metric, "metric"));
        required(value, "value") = parsed.value(handle(dvh, "dvh").histogram, prescription_gy);
        if (unit) *unit = parsed.unit();
    });
}

void libdose_dvh_free(libdose_dvh** dvh) { free_handle(dvh); }
