// How a plan is read, as the caller of the C ABI says it.
#pragma once

#include "capi/handles.h"

namespace libdose::capi {

struct PlanReading {
    explicit PlanReading(const libdose_plan_reading* given) {
        if (!given) return;
        const libdose_plan_reading values = read_struct(given, "reading");
        plan = text_or_empty(values.plan);
        series = text_or_empty(values.series);
        accepted = texts_of(values.accepted_tags, values.accepted_tag_count, "reading->accepted_tags");
        if (values.fraction_group < 0)
            throw bad_input("the fraction group is negative", "reading->fraction_group");
        fraction_group = values.fraction_group;
        without_structures = values.without_structures != 0;
    }
    std::string plan, series;
    std::vector<std::string> accepted;
    int fraction_group = 0;
    bool without_structures = false;
};

}  // namespace libdose::capi
