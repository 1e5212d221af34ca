// The parts of the integrity rows: each is one thing that is looked at.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libdose/check/check.h"

namespace libdose::check {

/// What integrity rows are made from.
struct IntegrityContext {
    const CheckInput& input;
    const CheckOptions& options;
    const BeamModelProvider& models;

    // Each throws bad_input, in words for a row NOT CHECKED, where the object is not there.
    const Plan& plan() const;
    const io::PlanFacts& plan_facts() const;
    const io::StructureFacts& structure_facts() const;
    const StructureSet& structures() const;
    const CtImage& ct() const;
    const Dose& planned() const;
    const Structure& body() const;
    /// The fraction group that is checked, as the plan states it.
    const io::FractionGroupFacts& fraction_group() const;
    /// targets_of() the protocol.
    std::vector<const Structure*> targets() const;
};

/// One thing that is looked at; an Error that `rows` throws is its row NOT CHECKED.
struct IntegrityPart {
    std::string id, name;
    std::function<std::vector<Row>(const IntegrityContext&, const Row& blank)> rows;
};

/// A row's verdict and reason; `blank` has section, id and name.
Row passed(Row blank, const std::string& planned = {}, const std::string& calculated = {});
Row judged(Row blank, Verdict verdict, const std::string& reason);

/// "60", "59.87": a number with at most so many decimals.
std::string decimal_text(double value, int decimals = 2);

std::vector<IntegrityPart> patient_parts();
std::vector<IntegrityPart> reference_parts();
std::vector<IntegrityPart> approval_parts();
std::vector<IntegrityPart> beam_parts();
std::vector<IntegrityPart> prescription_parts();
std::vector<IntegrityPart> dose_grid_parts();
std::vector<IntegrityPart> structure_parts();
std::vector<IntegrityPart> density_parts();
std::vector<IntegrityPart> model_parts();

}  // namespace libdose::check
