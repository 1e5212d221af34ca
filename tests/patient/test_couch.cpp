#include <gtest/gtest.h>

#include <fstream>

#include "libdose/couch.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "patient/density.h"

using namespace libdose;

namespace {

/// CT of air, 600 x 400 x 40 mm, x and y centred on 0.
CtImage air() {
    CtImage ct;
    ct.hu = Volume<float>(Grid{{300, 400, 10}, Vec3(2, 1, 4), Vec3(-299, -199.5, 2)}, -1000.0f);
    return ct;
}

/// Body: 200 x 100 mm in the middle, its lowest points at y = ±50.
StructureSet body() {
    StructureSet set;
    Structure s;
    s.number = 4;
    s.name = "BODY";
    s.type = "EXTERNAL";
    for (int k = 0; k < 10; ++k) {
        const double z = 2 + 4 * k;
        s.contours.push_back({{Vec3(-100, -50, z), Vec3(100, -50, z), Vec3(100, 50, z), Vec3(-100, 50, z)}});
    }
    set.structures.push_back(s);
    return set;
}

CouchModel sandwich() { return read_couch("generic-carbon-fibre"); }

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_input);
        return error.what();
    }
    return "no error";
}

CouchModel read_text(const std::string& text) {
    const auto file = std::filesystem::temp_directory_path() / "libdose-couch-test.csv";
    std::ofstream(file) << text;
    return CouchModel::read_csv(file);
}

/// Mass per area along y through x, from a density grid.
double path(const DensityGrid& density, double x_mm) {
    const Grid& g = density.grid;
    const int i = static_cast<int>((x_mm - g.lower_edge_mm()[0]) / g.spacing_mm[0]);
    double sum = 0;
    for (int j = 0; j < g.size[1]; ++j)
        sum += static_cast<double>(density.density[g.index(i, j, g.size[2] / 2)]) * g.spacing_mm[1] / 10;
    return sum;
}

}  // namespace

TEST(Couch, ShippedOnesAreReadAndAttenuateAsTheirFilesSay) {
    const auto names = couch_names();
    ASSERT_EQ(names.size(), 3u);
    for (const std::string& name : names) EXPECT_EQ(read_couch(name).name, name);
    // By hand: 2 x 0.2 x 1.5 + 4.6 x 0.08; 2 x 0.55 x 0.55 + 3.9 x 0.03; 2 x 0.21 x 0.52 + 4.58 x 0.10 (cm,
    // g/cm3).
    EXPECT_NEAR(sandwich().path_g_cm2(1), 0.968, 1e-9);
    EXPECT_NEAR(read_couch("brainlab-imaging").path_g_cm2(1), 0.722, 1e-9);
    EXPECT_NEAR(read_couch("elekta-ibeam").path_g_cm2(1), 0.6764, 1e-9);
    EXPECT_DOUBLE_EQ(sandwich().path_g_cm2(300), 0);
    EXPECT_NEAR(sandwich().path_g_cm2(264), 5 * 1.5, 1e-9);  // the side wall
}

TEST(Couch, FilesAreCheckedLineByLine) {
    const std::string header = "part,material,density_g_cm3,x_mm,y_mm\n";
    const auto message = [&](const std::string& rows) {
        return message_of([&] { read_text(header + rows); });
    };
    EXPECT_EQ(read_text(header + "a,lung,0.3,0,0\na,lung,0.3,1,0\na,lung,0.3,0,1\n").parts[0].material,
              "lung");
    EXPECT_NE(message("a,,1,0,0\na,,1,1,0\n").find("three corners"), std::string::npos);
    EXPECT_NE(message("a,,0,0,0\na,,0,1,0\na,,0,0,1\n").find("density"), std::string::npos);
    EXPECT_NE(message("a,,1,0,0\na,,2,1,0\na,,1,0,1\n").find("two materials or densities"),
              std::string::npos);
    EXPECT_NE(message("a,,1,0,-3\na,,1,1,0\na,,1,0,1\n").find("above the top"), std::string::npos);
    EXPECT_NE(message("a,,1,0,0\na,,1,1,0\na,,1,0,1\nb,,1,0,0\nb,,1,1,0\nb,,1,0,1\na,,1,0,0\n")
                  .find("not together"),
              std::string::npos);
    EXPECT_NE(message("a,,1,9000,0\na,,1,1,0\na,,1,0,1\n").find("1000 mm"), std::string::npos);
    EXPECT_NE(message("a,,1,nan,0\n").find("line 2"), std::string::npos);
    EXPECT_NE(message("").find("empty"), std::string::npos);
    const std::string unknown = message_of([] { read_couch("chaise-longue"); });
    EXPECT_NE(unknown.find("chaise-longue"), std::string::npos);
    EXPECT_NE(unknown.find("generic-carbon-fibre"), std::string::npos);
}

TEST(Couch, LiesUnderTheBodyWhicheverWayThePatientLies) {
    const CtImage ct = air();
    // A part on the couch's right side only shows which way round it lies.
    CouchModel couch = sandwich();
    couch.parts.push_back({"rail", "", 2.0, {200, 210, 210, 200}, {50, 50, 60, 60}});
    const struct {
        PatientPosition position;
        double side, right;
    } cases[] = {{PatientPosition::hfs, 1, 1},
                 {PatientPosition::ffs, 1, -1},
                 {PatientPosition::hfp, -1, -1},
                 {PatientPosition::ffp, -1, 1}};
    for (const auto& c : cases) {
        StructureSet set = body();
        const CouchPlacement placement = insert_couch(set, ct, c.position, couch, {}, 10);
        EXPECT_DOUBLE_EQ(placement.top_mm, 50 * c.side) << to_string(c.position);
        ASSERT_EQ(set.structures.size(), 4u);
        EXPECT_EQ(set.structures[1].number, 5);
        EXPECT_EQ(set.structures[1].type, "SUPPORT");
        EXPECT_EQ(set.structures[1].contours.size(), 10u);
        Vec3 low = Vec3::Constant(1e9), high = -low;
        for (const Vec3& p : set.structures[3].contours[0].points_mm) {
            low = low.cwiseMin(p);
            high = high.cwiseMax(p);
        }
        EXPECT_DOUBLE_EQ(0.5 * (low[0] + high[0]), 10 + 205 * c.right) << to_string(c.position);
        EXPECT_DOUBLE_EQ(0.5 * (low[1] + high[1]), 105 * c.side) << to_string(c.position);
    }
}

TEST(Couch, KeepsItsMassOnTheDoseGrid) {
    // Shells of 2 mm, surfaces in the middle of CT voxels and of dose voxels: the path must still be that of
    // the sandwich.
    const CtImage ct = air();
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    for (const double top : {50.0, 50.5, 51.25}) {
        StructureSet set = body();
        insert_couch(set, ct, PatientPosition::hfs, sandwich(), top);
        const Grid grid = Grid::covering(Vec3(-300, -60, 10), Vec3(300, 120, 30), Vec3(2.5, 2.5, 5));
        const DensityGrid density = density_on_grid(ct, &set, HuCurve::default_curve(), materials, {}, grid);
        const double air_of_body = 10 * 0.00121;
        EXPECT_NEAR(path(density, 0) - air_of_body, 0.968, 2e-3) << top;
        EXPECT_NEAR(path(density, 200), 0.968, 2e-3) << top;  // beside the body
        EXPECT_EQ(density.below_table, 0u);
    }
}

TEST(Couch, WhatSticksOutOfTheCtIsCutOffAndTold) {
    CtImage ct = air();
    StructureSet set = body();
    // The CT ends at y = 200: 20 of 50 mm are beyond.
    const CouchPlacement placement = insert_couch(set, ct, PatientPosition::hfs, sandwich(), 170.0);
    std::string notes;
    for (const std::string& note : placement.notes) notes += note + "\n";
    EXPECT_NE(notes.find("40.0 %"), std::string::npos) << notes;
    EXPECT_NE(notes.find("120.0 mm below"), std::string::npos) << notes;
    for (const Structure& s : set.structures)
        for (const Contour& contour : s.contours)
            for (const Vec3& p : contour.points_mm) EXPECT_LE(p[1], 200 + 1e-9);
    StructureSet lower = body();
    EXPECT_NE(message_of([&] {
                  insert_couch(lower, ct, PatientPosition::hfs, sandwich(), 250.0);
              }).find("wholly beyond"),
              std::string::npos);
}

TEST(Couch, IsRefusedWhereItsPlaceIsNotClear) {
    const CtImage ct = air();
    const auto refusal = [&](StructureSet set, PatientPosition position = PatientPosition::hfs,
                             std::optional<double> top = {}, double x = 0) {
        return message_of([&] { insert_couch(set, ct, position, sandwich(), top, x); });
    };
    EXPECT_NE(refusal(StructureSet{}).find("EXTERNAL"), std::string::npos);
    StructureSet with_couch = body();
    with_couch.structures.push_back(with_couch.structures[0]);
    with_couch.structures[1].type = "SUPPORT";
    with_couch.structures[1].name = "Table";
    EXPECT_NE(refusal(with_couch).find("there is a couch already"), std::string::npos);
    with_couch.structures[1].type = "ORGAN";
    with_couch.structures[1].name = "Couch core";
    EXPECT_NE(refusal(with_couch).find("Couch core"), std::string::npos);
    EXPECT_NE(refusal(body(), PatientPosition::hfdr).find("HFDR"), std::string::npos);
    EXPECT_NE(refusal(body(), PatientPosition::hfs, 20.0).find("30.0 mm inside the body"), std::string::npos);
    EXPECT_NE(refusal(body(), PatientPosition::hfs, std::nan("")).find("height"), std::string::npos);
    EXPECT_NE(refusal(body(), PatientPosition::hfs, {}, 300).find("does not lie under"), std::string::npos);
    EXPECT_NE(refusal(body(), PatientPosition::hfs, {}, std::nan("")).find("does not lie under"),
              std::string::npos);
}
