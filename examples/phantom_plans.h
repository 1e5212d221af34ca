// Plans for the phantom's target, 6 MV: static fields, sliding window, one arc with a 120-leaf multileaf
// collimator; fields with wedges, a field with a bolus; an arc of a machine with two layers of leaves and no
// jaws.
#pragma once

#include <string>
#include <vector>

namespace phantom {

struct Point {
    double gantry_deg = 0, collimator_deg = 0, weight = 0;
    std::vector<double> x_jaws, y_jaws;  ///< lower, upper, mm; empty: as in the control point before
    std::vector<std::vector<double>>
        leaves;  ///< per collimator: all of the lower bank, then all of the upper
};

struct Collimator {
    std::string type;                   ///< as in DICOM
    std::vector<double> boundaries_mm;  ///< leaf pairs + 1
};

struct PlanWedge {
    std::string type, id;  ///< as in DICOM
    double angle_deg = 0, orientation_deg = 0;
};

struct PlanBeam {
    std::string name;
    double meterset_mu = 0;
    bool dynamic = false, arc = false;
    std::vector<Point> points;
    std::vector<Collimator> collimators = millennium();
    std::string x_jaws = "ASYMX", y_jaws = "ASYMY";  ///< as in DICOM
    bool flattening_filter = true, bolus = false;
    std::vector<PlanWedge> wedges = {};
    double isocentre_gy = 0;  ///< Beam Dose at the isocentre, one fraction; 0: not stated

    static std::vector<Collimator> millennium();  ///< 120 leaves
};

struct PlanDescription {
    std::string label, name;
    int fractions = 30;
    std::vector<PlanBeam> beams;
    double prescription_gy = 0;  ///< of the target, whole course; 0: not stated, and not approved
};

std::vector<PlanDescription> plans();

}  // namespace phantom
