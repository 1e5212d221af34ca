// Three plans for the phantom's target: static fields, sliding window, one arc. 120-leaf multileaf collimator, 6 MV.
#pragma once

#include <string>
#include <vector>

namespace phantom {

struct Point {
    double gantry_deg = 0, collimator_deg = 0, weight = 0;
    std::vector<double> x_jaws, y_jaws;  ///< lower, upper, mm; empty: as in the control point before
    std::vector<double> leaves;          ///< 60 of the lower bank, 60 of the upper
};

struct PlanBeam {
    std::string name;
    double meterset_mu = 0;
    bool dynamic = false, arc = false;
    std::vector<Point> points;
};

struct PlanDescription {
    std::string label, name;
    int fractions = 30;
    std::vector<PlanBeam> beams;
};

std::vector<double> leaf_boundaries();  ///< 61 values, mm
std::vector<PlanDescription> plans();

}  // namespace phantom
