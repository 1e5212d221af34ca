// The independent check of a plan.
#include "libdose/check/check.h"

#include <limits>

#include "capi/handles.h"
#include "capi/reading.h"
#include "capi/request.h"
#include "libdose/check/report.h"

using namespace libdose;
using namespace libdose::capi;

struct libdose_check {
    static constexpr const char* kind = "check";
    Tag tag{kind};
    check::Verdict verdict = check::Verdict::not_checked;
    std::vector<check::Row> rows;
    std::string json;
};

namespace {

check::CheckOptions check_options(const libdose_check_options& given, const libdose_options& engine) {
    check::CheckOptions options;
    options.protocol =
        check::read_protocol(given.protocol ? given.protocol : "default", text_or_empty(given.site));
    options.engine = engine_options(engine);
    options.model = text_or_empty(given.model);
    options.couch = text_or_empty(given.couch);
    options.attribution = given.without_attribution == 0;
    return options;
}

check::Selection selection(const libdose_check_options& given) {
    const PlanReading reading(given.reading);
    return {reading.plan, reading.series, reading.fraction_group, reading.accepted};
}

/// The texts stay those of the row.
libdose_check_row row_struct(const check::Row& row) {
    static_assert(static_cast<int>(check::Verdict::pass) == LIBDOSE_PASS &&
                  static_cast<int>(check::Verdict::look) == LIBDOSE_LOOK &&
                  static_cast<int>(check::Verdict::not_checked) == LIBDOSE_NOT_CHECKED &&
                  static_cast<int>(check::Verdict::fail) == LIBDOSE_FAIL);
    libdose_check_row values{};
    values.section = row.section.c_str();
    values.id = row.id.c_str();
    values.name = row.name.c_str();
    values.subject = row.subject.c_str();
    values.reason = row.reason.c_str();
    values.planned = row.planned.c_str();
    values.calculated = row.calculated.c_str();
    values.limit = row.limit.c_str();
    values.source = row.source.c_str();
    values.unit = row.unit.c_str();
    values.value = row.value.value_or(std::numeric_limits<double>::quiet_NaN());
    values.verdict = static_cast<libdose_verdict>(row.verdict);
    return values;
}

}  // namespace

void libdose_check_options_init(libdose_check_options* options, size_t struct_size) {
    init_struct(options, struct_size, libdose_check_options{});
}
void libdose_check_row_init(libdose_check_row* row, size_t struct_size) {
    init_struct(row, struct_size, libdose_check_row{});
}

libdose_status libdose_check_files(const char* const* paths, size_t count,
                                   const libdose_check_options* options, libdose_check** out) {
    return guarded([&] {
        Output<libdose_check> made(out, "check");
        const libdose_check_options given =
            options ? read_struct(options, "options") : libdose_check_options{};
        const libdose_options engine = options_or_defaults(given.engine);
        check::CheckOptions how = check_options(given, engine);
        const std::vector<std::string> files = texts_of(paths, count, "paths");
        const check::Selection chosen = selection(given);
        run_reporting(engine.progress, engine.user, [&](const ProgressCallback& progress) {
            how.progress = progress;
            const check::CheckInput input = check::read_check_input({files.begin(), files.end()}, chosen);
            const check::CheckResult result = check::check(input, how);
            if (given.out) check::write_report(input, result, how, given.out);
            made->verdict = result.verdict;
            made->rows = result.rows;
            made->json = check::report_json(input, result, how);
        });
        made.hand_over();
    });
}

libdose_status libdose_check_verdict(const libdose_check* check, libdose_verdict* verdict) {
    return guarded(
        [&] { required(verdict, "verdict") = static_cast<libdose_verdict>(handle(check, "check").verdict); });
}

libdose_status libdose_check_count(const libdose_check* check, size_t* count) {
    return guarded([&] { required(count, "count") = handle(check, "check").rows.size(); });
}

libdose_status libdose_check_get(const libdose_check* check, size_t index, libdose_check_row* row) {
    return guarded(
        [&] { write_struct(row, row_struct(item(handle(check, "check").rows, index, "index")), "row"); });
}

libdose_status libdose_check_json(const libdose_check* check, const char** json) {
    return guarded([&] { required(json, "json") = handle(check, "check").json.c_str(); });
}

void libdose_check_free(libdose_check** check) { free_handle(check); }
