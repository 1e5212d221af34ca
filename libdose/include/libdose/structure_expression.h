// Structures that a user names: one by its name or number, or several combined by Boolean operations.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libdose/structure.h"

namespace libdose {

/// How two structures become one.
enum class StructureOperation {
    none,       ///< one structure as it is
    unite,      ///< in A or in B
    intersect,  ///< in A and in B
    subtract    ///< in A, not in B
};

/// One structure, or a Boolean combination of two expressions.
struct StructureExpression {
    std::string name;  ///< what results are called: the structure's name, or the expression as it was written
    StructureOperation operation = StructureOperation::none;
    Structure structure;                              ///< of operation none
    std::shared_ptr<const StructureExpression> a, b;  ///< of the other operations

    StructureExpression() = default;
    explicit StructureExpression(Structure one) : name(one.name), structure(std::move(one)) {}
    StructureExpression(StructureOperation op, StructureExpression first, StructureExpression second);

    /// The structures that it names, from left to right.
    std::vector<const Structure*> structures() const;
    /// ROI number of a single structure; 0 for a combination.
    int number() const { return operation == StructureOperation::none ? structure.number : 0; }
};

/// "PTV", "#12", "LUNG_L or LUNG_R", "PTV_60 and LUNGS", "BODY minus (PTV or GTV)". Names with such words,
/// brackets or quotes stand in double quotes, a quote within twice; a text that is a structure's name is that
/// structure. Different operations in a row need brackets. Throws bad_input as StructureSet::named(), and for
/// a text that cannot be understood.
StructureExpression parse_structure_expression(const std::string& text, const StructureSet& set);

}  // namespace libdose
