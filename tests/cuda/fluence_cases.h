// Beams on which the head model of backends is compared: small maps of odd sizes, every device.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "machine/leaf_edges.h"
#include "support/small_case.h"
#include "terma/terma_table.h"

namespace libdose::test {

/// Every source and filter of the head.
inline HeadModel whole_head(double radius_mm) {
    HeadModel head;
    head.maximum_field_radius_mm = radius_mm;
    head.profile_radius_mm = {0, 15, 40, 300};
    head.profile = {1, 1.03, 1.05, 1.07};
    head.spot_fwhm_x_mm = 1.5;
    head.spot_fwhm_y_mm = 2.5;
    head.jaw_transmission = 0.004;
    head.leaf_transmission = 0.015;
    head.softening_radius_mm = {0, 50, 100};
    head.softening_g_cm2 = {0, 0.4, 1.1};
    head.extrafocal = {0.08, 18, 125};
    head.electrons.amplitude_gy_cm2 = 1e-11;
    head.electrons.sigma_mm = 20;
    head.monitor_backscatter_x = 0.01;
    head.monitor_backscatter_y = 0.02;
    head.output_side_mm = {20, 100};
    head.output_correction = {0.99, 1};
    head.wedges = {{"", "physical", 30, {-60, 60}, {4, 0}, {6, 0}},
                   {"", "motorised", 60, {-60, 0, 60}, {12, 5, 0}, {3, 1, 0}}};
    for (int y = -200; y <= 100; y += 10) {
        head.dynamic_wedge.golden_position_mm.push_back(y);
        head.dynamic_wedge.golden_fraction.push_back(std::exp(0.01 * y));
    }
    return head;
}

struct FluenceCase {
    std::string name;
    Beam beam;
    HeadModel head = whole_head(43.3);
    FluenceOptions options{};
};

inline Beam moving_jaws() {
    Beam beam;
    beam.meterset_mu = 30;
    ControlPoint begin, end;
    begin.jaw_x = JawOpening{-30, -21.7};
    end.jaw_x = JawOpening{-4.2, 33};
    begin.jaw_y = JawOpening{-25.4, 20};
    end.jaw_y = JawOpening{-25.4, 12.6};
    end.cumulative_weight = 1;
    beam.control_points = {begin, end};
    beam.gantry_rotation.assign(2, Rotation::none);
    return beam;
}

/// Adds a collimator of leaves of several widths that slide a window of `gap_mm` over the field.
inline void add_leaves(Beam& beam, FluenceOptions& options, MultileafCollimator::Motion motion,
                       double gap_mm) {
    MultileafCollimator mlc;
    mlc.motion = motion;
    mlc.leaf_boundaries_mm = {-33, -25, -20.5, -15, -10, -7.5, -5, -2.5, 0, 2.5, 5, 10, 17, 26};
    for (std::size_t p = 0; p < beam.control_points.size(); ++p) {
        LeafPositions leaves;
        for (int l = 0; l < mlc.leaf_pairs(); ++l) {
            const double begin = -20 + 6.3 * static_cast<double>(p) + 4 * std::sin(1.7 * l);
            leaves.lower_mm.push_back(begin);
            leaves.upper_mm.push_back(begin + (l % 4 == 2 ? 0 : gap_mm));
        }
        beam.control_points[p].leaves.push_back(leaves);
    }
    beam.collimators.push_back(mlc);
    LeafEdges edge;
    edge.tip_decay = 1.4;
    edge.tongue_and_groove_mm = 0.6;
    edge.tip_shift_mm = 0.2;
    edge.transmission = 0.012;
    edge.interleaf_transmission = 0.03;
    options.leaves.push_back(edge);
}

inline Wedge wedge_in_beam(Wedge::Kind kind, double angle, double orientation, const std::string& id = {}) {
    Wedge wedge;
    wedge.number = 1;
    wedge.kind = kind;
    wedge.id = id;
    wedge.angle_deg = angle;
    wedge.orientation_deg = orientation;
    return wedge;
}

/// Adds a case: moving jaws with what `change` does to them.
inline void add_case(std::vector<FluenceCase>& cases, const char* name,
                     const std::function<void(FluenceCase&)>& change) {
    FluenceCase c{name, moving_jaws()};
    change(c);
    cases.push_back(std::move(c));
}

/// Jaws and leaves.
inline void add_apertures(std::vector<FluenceCase>& cases) {
    using enum MultileafCollimator::Motion;
    add_case(cases, "MovingJaws", [](FluenceCase&) {});
    add_case(cases, "LargePixels", [](FluenceCase& c) { c.options.pixel_mm = 1.3; });
    add_case(cases, "OnePixelASide", [](FluenceCase& c) {
        c.head = whole_head(1);
        c.options.pixel_mm = 2;
    });
    add_case(cases, "FlatPointSource", [](FluenceCase& c) {
        c.head = HeadModel{};
        c.head.maximum_field_radius_mm = 31;
        c.head.profile_radius_mm = {0, 300};
        c.head.profile = {1, 1};
    });
    add_case(cases, "LeavesAlongX", [](FluenceCase& c) { add_leaves(c.beam, c.options, along_x, 9); });
    add_case(cases, "LeavesAlongY", [](FluenceCase& c) { add_leaves(c.beam, c.options, along_y, 9); });
    add_case(cases, "SharpLeaves", [](FluenceCase& c) {
        add_leaves(c.beam, c.options, along_x, 9);
        c.options.leaves.clear();
    });
    add_case(cases, "TwoLayers", [](FluenceCase& c) {
        for (ControlPoint& point : c.beam.control_points) point.jaw_x = point.jaw_y = {};
        add_leaves(c.beam, c.options, along_x, 9);
        add_leaves(c.beam, c.options, along_x, 14);
        c.options.leaves[1].tongue_and_groove_mm = 0;
        c.options.leaves[1].source_distance_mm = 420;
    });
    add_case(cases, "CrossedLeaves", [](FluenceCase& c) {
        add_leaves(c.beam, c.options, along_y, 30);
        add_leaves(c.beam, c.options, along_x, 20);
    });
    add_case(cases, "LeavesClosed", [](FluenceCase& c) { add_leaves(c.beam, c.options, along_x, 0); });
}

/// Arcs, wedges, blocks, and beams of which nothing comes.
inline void add_modifiers(std::vector<FluenceCase>& cases) {
    using enum MultileafCollimator::Motion;
    add_case(cases, "NothingComesThrough", [](FluenceCase& c) {
        c.head.jaw_transmission = 0;
        for (ControlPoint& point : c.beam.control_points) point.jaw_x = JawOpening{5, 5};
    });
    add_case(cases, "NoMonitorUnits", [](FluenceCase& c) { c.beam.meterset_mu = 0; });
    add_case(cases, "Arc", [](FluenceCase& c) {
        ControlPoint& end = c.beam.control_points[1];
        end.gantry_deg = 21;
        end.collimator_deg = 15;
        c.beam.gantry_rotation[0] = Rotation::clockwise;
        add_leaves(c.beam, c.options, along_x, 9);
    });
    add_case(cases, "MotorisedWedge", [](FluenceCase& c) {
        c.beam.wedges = {wedge_in_beam(Wedge::Kind::motorised, 60, 90)};
        c.beam.control_points.push_back(c.beam.control_points[1]);
        c.beam.control_points[0].wedge_in = {true};
        c.beam.control_points[1].wedge_in = c.beam.control_points[2].wedge_in = {false};
        c.beam.control_points[1].cumulative_weight = 0.25;
        c.beam.gantry_rotation.assign(3, Rotation::none);
    });
    add_case(cases, "WedgeAndTray", [](FluenceCase& c) {
        c.beam.wedges = {wedge_in_beam(Wedge::Kind::physical, 30, 200)};
        for (ControlPoint& point : c.beam.control_points) point.wedge_in = {true};
        c.beam.tray_factor = 0.97;
        c.beam.tray_water_mm = 6;
    });
    add_case(cases, "DynamicWedge", [](FluenceCase& c) {
        c.beam.wedges = {wedge_in_beam(Wedge::Kind::dynamic, 60, 0, "EDW60IN")};
        for (ControlPoint& point : c.beam.control_points) {
            point.wedge_in = {true};
            point.jaw_x = JawOpening{-20, 30};
            point.jaw_y = JawOpening{-25, 25};
        }
    });
    add_case(cases, "Blocks", [](FluenceCase& c) {
        Block block;
        block.transmission = 0.04;
        block.thickness_mm = 80;
        block.tray_distance_mm = 650;
        block.x_mm = {-10, 20.25, 14, -10};
        block.y_mm = {-30, -30, 0, 8.5};
        c.beam.blocks = {block};
        block.aperture = true;
        block.divergent = false;
        block.x_mm = {-35, 30, 0};
        block.y_mm = {-35, -20, 37};
        c.beam.blocks.push_back(block);
        add_leaves(c.beam, c.options, along_x, 25);
    });
}

inline std::vector<FluenceCase> fluence_cases() {
    std::vector<FluenceCase> cases;
    add_apertures(cases);
    add_modifiers(cases);
    return cases;
}

inline std::vector<FluenceMap> fluence_of(Backend& backend, const FluenceCase& c) {
    const TermaTable table(simple_spectrum());
    FluenceOptions options = c.options;
    options.terma = &table;
    return backend.fluence(c.beam, PatientPosition::hfs, c.head, options);
}

/// Everything but the values.
inline void expect_same_geometry(const std::vector<FluenceMap>& maps,
                                 const std::vector<FluenceMap>& reference) {
    ASSERT_EQ(maps.size(), reference.size());
    for (std::size_t m = 0; m < maps.size(); ++m) {
        const FluenceMap &a = maps[m], &b = reference[m];
        EXPECT_EQ(a.frame.axes, b.frame.axes);
        EXPECT_EQ(a.pixel_mm, b.pixel_mm);
        EXPECT_EQ(a.size_u, b.size_u);
        EXPECT_EQ(a.lower_v_mm, b.lower_v_mm);
        EXPECT_EQ(a.filter == nullptr, b.filter == nullptr);
        EXPECT_EQ(a.electrons.size_u, b.electrons.size_u);
        EXPECT_EQ(a.electrons.lower_u_mm, b.electrons.lower_u_mm);
        EXPECT_EQ(a.electrons.pixel_mm, b.electrons.pixel_mm);
    }
}

}  // namespace libdose::test
