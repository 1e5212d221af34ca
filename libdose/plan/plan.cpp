#include "libdose/plan.h"

#include <algorithm>
#include <cmath>

#include "libdose/error.h"
#include "plan/plan_meaning.h"

namespace libdose {
namespace {

constexpr double weight_tolerance = 1e-6;  // of the final weight: rounding of decimal strings

class BeamCheck {
public:
    explicit BeamCheck(const Beam& beam) : beam_(beam) {}

    void run() const {
        require(std::isfinite(beam_.nominal_energy_mv) && beam_.nominal_energy_mv > 0,
                "the nominal energy is not positive");
        require(!beam_.fluence_mode.empty(), "the fluence mode is empty");
        require(std::isfinite(beam_.meterset_mu) && beam_.meterset_mu >= 0,
                "the meterset is not a number of at least 0");
        require(std::isfinite(beam_.source_axis_distance_mm) && beam_.source_axis_distance_mm > 0,
                "the source-axis distance is not positive");
        require(std::isfinite(beam_.final_cumulative_weight) && beam_.final_cumulative_weight > 0,
                "the final cumulative meterset weight is not positive");
        require(!beam_.dose_point_mm || beam_.dose_point_mm->allFinite(), "the dose point is not finite");
        require(!beam_.dose_point_gy || std::isfinite(*beam_.dose_point_gy),
                "the dose at the dose point is not finite");
        require(beam_.control_points.size() >= 2, "fewer than two control points");
        require(beam_.gantry_rotation.size() == beam_.control_points.size(),
                std::to_string(beam_.gantry_rotation.size()) + " rotation directions for " +
                    std::to_string(beam_.control_points.size()) + " control points");
        for (const MultileafCollimator& collimator : beam_.collimators) check(collimator);
        for (const Wedge& wedge : beam_.wedges) check(wedge);
        for (const Block& block : beam_.blocks) check(block);
        check_trays_and_boluses();
        for (std::size_t i = 0; i < beam_.control_points.size(); ++i) check(beam_.control_points[i], i);
        check_weights();
    }

private:
    void require(bool good, const std::string& problem, const std::string& where = {}) const {
        if (!good) throw bad_input(problem, where.empty() ? beam_.place() : beam_.place() + ", " + where);
    }

    void check(const MultileafCollimator& collimator) const {
        const auto& edges = collimator.leaf_boundaries_mm;
        require(edges.size() >= 2, "fewer than two leaf boundaries", collimator.type);
        for (std::size_t i = 0; i < edges.size(); ++i) {
            require(std::isfinite(edges[i]), "a leaf boundary is not finite", collimator.type);
            require(i == 0 || edges[i - 1] < edges[i], "the leaf boundaries do not ascend", collimator.type);
        }
    }

    void check(const Wedge& wedge) const {
        const std::string where = "wedge " + std::to_string(wedge.number);
        require(wedge.angle_deg > 0 && wedge.angle_deg < 90,
                "the wedge angle is not between 0 and 90 degrees", where);
        require(std::isfinite(wedge.orientation_deg), "the wedge orientation is not finite", where);
        require(!wedge.factor || std::isfinite(*wedge.factor), "the wedge factor is not finite", where);
    }

    void check(const Block& block) const {
        const std::string where = "block " + std::to_string(block.number);
        const auto finite = [](const std::vector<double>& values) {
            return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
        };
        require(block.x_mm.size() == block.y_mm.size(),
                std::to_string(block.x_mm.size()) + " x and " + std::to_string(block.y_mm.size()) +
                    " y coordinates of the outline",
                where);
        require(block.x_mm.size() >= 3, "fewer than three points of the outline", where);
        require(finite(block.x_mm) && finite(block.y_mm), "a point of the outline is not finite", where);
        require(block.transmission >= 0 && block.transmission <= 1, "the transmission is not between 0 and 1",
                where);
        require(std::isfinite(block.thickness_mm) && block.thickness_mm >= 0,
                "the thickness is not a number of at least 0", where);
        require(std::isfinite(block.tray_distance_mm) && block.tray_distance_mm >= 0,
                "the tray distance is not a number of at least 0", where);
        require(block.divergent || block.tray_distance_mm > 0,
                "the tray distance of a block without divergence is not positive", where);
    }

    void check_trays_and_boluses() const {
        require(beam_.tray_factor > 0 && beam_.tray_factor <= 1,
                "the tray factor is not above 0 and at most 1");
        require(std::isfinite(beam_.tray_water_mm) && beam_.tray_water_mm >= 0,
                "the thickness of the trays is not a number of at least 0");
        for (std::size_t i = 0; i < beam_.boluses.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                require(beam_.boluses[i].structure_number != beam_.boluses[j].structure_number,
                        "the structure " + std::to_string(beam_.boluses[i].structure_number) +
                            " is a bolus twice");
    }

    void check(const ControlPoint& point, std::size_t index) const {
        const std::string where = "control point " + std::to_string(index);
        require(std::isfinite(point.gantry_deg) && std::isfinite(point.collimator_deg) &&
                    std::isfinite(point.couch_deg),
                "an angle is not finite", where);
        require(point.isocentre_mm.allFinite(), "the isocentre is not finite", where);
        check(point.jaw_x, "x jaws", where);
        check(point.jaw_y, "y jaws", where);
        const ControlPoint& first = beam_.control_points.front();
        require(point.jaw_x.has_value() == first.jaw_x.has_value() &&
                    point.jaw_y.has_value() == first.jaw_y.has_value(),
                "jaws are present in some control points only", where);
        require(point.leaves.size() == beam_.collimators.size(),
                "leaf positions do not match the collimators", where);
        require(point.wedge_in.size() == beam_.wedges.size(),
                std::to_string(point.wedge_in.size()) + " wedge positions for " +
                    std::to_string(beam_.wedges.size()) + " wedges",
                where);
        for (std::size_t c = 0; c < point.leaves.size(); ++c)
            check(point.leaves[c], beam_.collimators[c], where);
    }

    void check(const std::optional<JawOpening>& jaw, const std::string& name,
               const std::string& where) const {
        if (!jaw) return;
        require(std::isfinite(jaw->lower_mm) && std::isfinite(jaw->upper_mm),
                "the " + name + " are not at finite positions", where);
        require(jaw->lower_mm <= jaw->upper_mm, "the " + name + " cross", where);
    }

    void check(const LeafPositions& leaves, const MultileafCollimator& collimator,
               const std::string& where) const {
        const auto pairs = static_cast<std::size_t>(collimator.leaf_pairs());
        const std::string here = where + ", " + collimator.type;
        require(leaves.lower_mm.size() == pairs && leaves.upper_mm.size() == pairs,
                std::to_string(leaves.lower_mm.size()) + " and " + std::to_string(leaves.upper_mm.size()) +
                    " leaf positions for " + std::to_string(pairs) + " pairs",
                here);
        for (std::size_t i = 0; i < pairs; ++i) {
            const std::string leaf = here + ", leaf pair " + std::to_string(i + 1);
            require(std::isfinite(leaves.lower_mm[i]) && std::isfinite(leaves.upper_mm[i]),
                    "a leaf position is not finite", leaf);
            require(leaves.lower_mm[i] <= leaves.upper_mm[i], "the leaves cross", leaf);
        }
    }

    void check_weights() const {
        const auto& points = beam_.control_points;
        const double tolerance = weight_tolerance * beam_.final_cumulative_weight;
        for (std::size_t i = 0; i < points.size(); ++i) {
            const std::string where = "control point " + std::to_string(i);
            require(std::isfinite(points[i].cumulative_weight),
                    "the cumulative meterset weight is not finite", where);
            require(i == 0 || points[i - 1].cumulative_weight <= points[i].cumulative_weight,
                    "the cumulative meterset weight decreases", where);
        }
        require(points.front().cumulative_weight == 0, "the first cumulative meterset weight is " +
                                                           std::to_string(points.front().cumulative_weight) +
                                                           ", not 0");
        require(std::abs(points.back().cumulative_weight - beam_.final_cumulative_weight) <= tolerance,
                "the cumulative meterset weight of the last control point is " +
                    std::to_string(points.back().cumulative_weight) + ", but the final weight is " +
                    std::to_string(beam_.final_cumulative_weight));
    }

    const Beam& beam_;
};

}  // namespace

std::string Beam::place() const { return "beam " + std::to_string(number) + " '" + name + "'"; }

void Beam::check() const {
    BeamCheck(*this).run();
    require_modelled_meaning(*this);
}

std::string to_string(GateEntry::Verdict verdict) {
    switch (verdict) {
        case GateEntry::Verdict::honoured:
            return "honoured";
        case GateEntry::Verdict::harmless:
            return "harmless";
        case GateEntry::Verdict::accepted:
            return "accepted";
        case GateEntry::Verdict::refused:
            return "refused";
    }
    return "";
}

std::string to_string(Wedge::Kind kind) {
    switch (kind) {
        case Wedge::Kind::physical:
            return "physical";
        case Wedge::Kind::motorised:
            return "motorised";
        case Wedge::Kind::dynamic:
            return "dynamic";
    }
    return "";
}

std::string GateEntry::text() const {
    std::string line = to_string(verdict);
    if (beam != 0) line += ", beam " + std::to_string(beam);
    if (!tag.empty())
        line += ", " + tag + " " + name + (value.empty() ? "" : " = " + value) +
                (count > 1 ? " (" + std::to_string(count) + " times)" : "");
    return line + ": " + reason;
}

void Plan::check() const {
    const std::string where = "plan '" + label + "'";
    if (fractions < 1) throw bad_input("the number of fractions is " + std::to_string(fractions), where);
    if (beams.empty()) throw bad_input("no beam to calculate", where);
    for (std::size_t i = 0; i < beams.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j)
            if (beams[i].number == beams[j].number)
                throw bad_input("two beams have the number " + std::to_string(beams[i].number), where);
        beams[i].check();
    }
}

}  // namespace libdose
