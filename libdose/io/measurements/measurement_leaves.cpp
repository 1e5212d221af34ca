// Fields that leaves shape: which leaves, within which jaws. docs/reference/measurements.md.
#include "io/measurements/measurement_text.h"
#include "libdose/error.h"

namespace libdose::io {

bool state_leaves(MeasuredCurve& base, const Statements& stated, const std::string& stem, SetBuilder& builder,
                  const std::string& file) {
    if (base.kind == CurveKind::leaf_gap) {
        if (stated.jaws_mm || stated.leaf_opening_mm)
            throw bad_input("jaws or an opening of the leaves are stated of gaps", file,
                            "State the jaws of gaps as \"# field: 100 x 100 mm\"; the table has the gaps");
        return true;
    }
    const auto leaves = stated.keys.find("leaves");
    if (leaves == stated.keys.end()) {
        if (stated.jaws_mm || stated.leaf_opening_mm || stated.unity_of_leaves.value_or(false))
            throw bad_input("jaws or an opening of leaves are stated, the leaves are not", file,
                            "Add a line such as \"# leaves: varian-millennium-120\"; dose model list has the "
                            "names. A field of the jaws is \"# field: 100 x 100 mm\"");
        if (!stated.leaf_field && ("_" + stem + "_").find("_mlc_") == std::string::npos) return true;
        builder.set.notes.push_back(file +
                                    ": shaped by leaves that no lines \"# leaves: …\", \"# jaws: …\" and \"# "
                                    "leaf opening: …\" state, passed over");
        return false;
    }
    if (!stated.jaws_mm)
        throw bad_input("the jaws about the leaves are not stated", file,
                        "Add a line such as \"# jaws: 100 x 100 mm\"");
    if (stated.side_x_mm)
        throw bad_input("a field is stated beside the jaws and the leaves", file,
                        "State both openings: \"# jaws: …\" and \"# leaf opening: …\"");
    if (base.kind == CurveKind::output_factor && !stated.unity_of_leaves)
        throw bad_input(
            "the file does not state whether the field whose output factor is 1 is one of leaves or of jaws",
            file,
            "Add \"# normalisation: leaves 100 x 100 mm = 1\" (in the same jaws), or \"jaws 100 x 100 mm = "
            "1\" (the leaves out of the field)");
    if (base.kind == CurveKind::output_factor && stated.leaf_opening_mm)
        throw bad_input("the opening of the leaves is stated by a comment", file,
                        "Output factors have it in the table: leaf_mm, or leaf_x_mm and leaf_y_mm");
    base.leaves = leaves->second;
    base.jaw_x_mm = stated.jaws_mm->first;
    base.jaw_y_mm = stated.jaws_mm->second;
    base.unity_of_leaves = stated.unity_of_leaves.value_or(false);
    return true;
}

}  // namespace libdose::io
