// The independent check of a plan.
#include "libdose/check/check.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "bindings.h"
#include "libdose/check/report.h"
#include "options.h"
#include "run.h"

namespace libdose::python {

using namespace nb::literals;

namespace {

/// `settings`: every field of libdose.Engine; `wanted`: the keywords of libdose.check().
check::CheckOptions check_options_of(const nb::dict& settings, const nb::dict& wanted) {
    check::CheckOptions options;
    options.protocol = check::read_protocol(nb::cast<std::string>(wanted["protocol"]),
                                            nb::cast<std::string>(wanted["site"]));
    options.engine = options_of(settings);
    options.model = nb::cast<std::string>(wanted["model"]);
    options.couch = nb::cast<std::string>(wanted["couch"]);
    options.couch_top_mm = nb::cast<std::optional<double>>(wanted["couch_top_mm"]);
    options.couch_lateral_mm = nb::cast<std::optional<double>>(wanted["couch_lateral_mm"]);
    options.attribution = nb::cast<bool>(wanted["attribution"]);
    return options;
}

check::Selection selection_of(const nb::dict& wanted) {
    check::Selection selection;
    selection.plan = nb::cast<std::string>(wanted["plan"]);
    selection.series = nb::cast<std::string>(wanted["series"]);
    selection.fraction_group = nb::cast<int>(wanted["fraction_group"]);
    selection.accepted = nb::cast<std::vector<std::string>>(wanted["accept"]);
    return selection;
}

}  // namespace

void bind_check(nb::module_& m) {
    m.def(
        "check",
        [](const std::vector<std::string>& paths, const nb::dict& settings, const nb::dict& wanted,
           const std::string& out, nb::handle progress) {
            check::CheckOptions options = check_options_of(settings, wanted);
            const check::Selection selection = selection_of(wanted);
            return run(progress, [&](const Report& report) {
                options.progress = report;
                const check::CheckInput input =
                    check::read_check_input({paths.begin(), paths.end()}, selection);
                const check::CheckResult result = check::check(input, options);
                if (!out.empty()) check::write_report(input, result, options, out);
                return check::report_json(input, result, options);
            });
        },
        "paths"_a, "settings"_a, "wanted"_a, "out"_a, "progress"_a.none());
    m.def("protocol_names", &check::protocol_names);
    m.def("protocol_sites", &check::protocol_sites, "protocol"_a);
}

}  // namespace libdose::python
