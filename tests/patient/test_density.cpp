#include <gtest/gtest.h>

#include <fstream>

#include "libdose/data.h"
#include "libdose/error.h"
#include "patient/density.h"

using namespace libdose;

namespace {

MaterialTable materials() { return MaterialTable::read_csv(data_folder() / "materials" / "basis.csv"); }

std::filesystem::path write(const std::string& text) {
    const auto file =
        std::filesystem::temp_directory_path() /
        ("libdose-curve-" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + ".csv");
    std::ofstream(file) << text;
    return file;
}

}  // namespace

TEST(HuCurve, DefaultFollowsSchneider) {
    const HuCurve curve = HuCurve::default_curve();
    EXPECT_NEAR(curve.density(-1000), 0.00121, 1e-12);
    EXPECT_NEAR(curve.density(-98), 0.930, 1e-12);
    EXPECT_NEAR(curve.density(0), 1.018, 1.5e-3);  // 1.018 + 0.893e-3 H; straight to 1.03 at 14 HU here
    EXPECT_NEAR(curve.density(50), 1.003 + 1.169e-3 * 50, 1e-3);
    EXPECT_NEAR(curve.density(1000), 1.017 + 0.592e-3 * 1000, 1e-9);
    EXPECT_NEAR(curve.density(9000), curve.density(3071), 1e-12);  // held; the caller counts
}

TEST(HuCurve, NamesAndFiles) {
    const HuCurve water = read_hu_curve("water"), usual = HuCurve::default_curve();
    EXPECT_EQ(water.name(), "water");
    EXPECT_DOUBLE_EQ(water.density(0), 1);
    for (const double hu : {-1000.0, -500.0, -98.0, 100.0, 500.0, 3071.0})
        EXPECT_NEAR(water.density(hu), usual.density(hu), 1e-9) << hu;
    EXPECT_EQ(read_hu_curve(usual.name()).canonical_text(), usual.canonical_text());
    EXPECT_EQ(hu_curve_names(), (std::vector<std::string>{"Schneider-2000", "water"}));
    const auto file = write("hu,density_g_cm3\n-1000,0\n1000,2\n");
    EXPECT_DOUBLE_EQ(read_hu_curve(file.string()).density(0), 1);
    try {
        read_hu_curve("no-such-curve");
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("Schneider-2000, water"), std::string::npos) << error.what();
    }
}

TEST(HuCurve, FilesAreReadAndCheckedLineByLine) {
    const HuCurve curve = HuCurve::read_csv(write("# a comment\nhu,density_g_cm3\n-1000,0\n0,1\n1000,2\n"));
    EXPECT_DOUBLE_EQ(curve.density(500), 1.5);
    const auto message_of = [](const std::string& text) {
        try {
            HuCurve::read_csv(write(text));
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    EXPECT_NE(message_of("hu,density_g_cm3\n0,1\n0,2\n").find("ascend"), std::string::npos);
    EXPECT_NE(message_of("hu,density_g_cm3\n0,nan\n1,2\n").find("line 2"), std::string::npos);
    EXPECT_NE(message_of("hu,density_g_cm3\n0,1\n1\n").find("line 3"), std::string::npos);
    EXPECT_NE(message_of("hu;density\n0,1\n").find("header"), std::string::npos);
    EXPECT_NE(message_of("").find("empty"), std::string::npos);
    EXPECT_THROW(HuCurve::read_csv("/nowhere/curve.csv"), Error);
}

TEST(Materials, BasisReproducesTheTables) {
    // The two-material basis against the tabulated coefficients themselves, at energies of therapy beams.
    const MaterialTable table = materials();
    const auto water = [](double e) { return e == 1 ? 0.0707 : e == 2 ? 0.0494 : 0.0277; };
    const auto lung = table.by_name("lung");
    EXPECT_NEAR(lung.water_part * water(2) + lung.high_z_part * 0.0436, 4.89705e-2, 2e-4);  // lung at 2 MeV
    EXPECT_NEAR(table.by_name("water").water_part, 1, 1e-6);
    EXPECT_NEAR(table.by_name("titanium").high_z_part, 1, 1e-6);
    EXPECT_NEAR(table.by_name("bone_cortical").electrons_per_gram, 0.939, 0.002);
    EXPECT_THROW(table.by_name("kryptonite"), Error);
}

TEST(Materials, DensityLadderIsContinuous) {
    const MaterialTable table = materials();
    double last_water = table.by_density(0).water_part,
           last_electrons = table.by_density(0).electrons_per_gram;
    for (double rho = 0; rho < 8; rho += 0.01) {
        const auto p = table.by_density(rho);
        EXPECT_DOUBLE_EQ(p.density_g_cm3, rho);
        EXPECT_LT(std::abs(p.water_part - last_water), 0.02) << rho;
        EXPECT_LT(std::abs(p.electrons_per_gram - last_electrons), 0.01) << rho;
        last_water = p.water_part;
        last_electrons = p.electrons_per_gram;
    }
    EXPECT_NEAR(table.by_density(1.0).water_part, 1, 1e-9);
    EXPECT_THROW(table.by_density(-1), Error);
    EXPECT_THROW(table.by_density(std::nan("")), Error);
}

TEST(Density, MassIsKeptOntoTheDoseGrid) {
    CtImage ct;
    ct.hu = Volume<float>(Grid{{20, 20, 20}, Vec3(3, 3, 3), Vec3(1.5, 1.5, 1.5)});
    for (std::size_t v = 0; v < ct.hu.values.size(); ++v)
        ct.hu.values[v] = static_cast<float>(static_cast<int>(v * 7919 % 1500) - 900);
    const HuCurve curve = HuCurve::default_curve();
    double mass = 0;
    for (const float hu : ct.hu.values) mass += curve.density(static_cast<double>(hu)) * 27;
    const Grid grid{{24, 12, 15}, Vec3(2.5, 5, 4), Vec3(1.25, 2.5, 2)};
    const DensityGrid density = density_on_grid(ct, nullptr, curve, materials(), {}, grid);
    double after = 0;
    for (const float rho : density.density) after += static_cast<double>(rho) * 50;
    EXPECT_NEAR(after / mass, 1, 1e-6);
}

TEST(Density, RelativeElectronDensityBecomesMassDensity) {
    CtImage ct;
    ct.hu = Volume<float>(Grid{{20, 20, 20}, Vec3(3, 3, 3), Vec3(1.5, 1.5, 1.5)}, 0.0f);
    StructureSet set;
    Structure insert;
    insert.name = "Insert";
    insert.relative_electron_density = 1.5;
    for (double z = 1.5; z < 60; z += 3)
        insert.contours.push_back({{Vec3(0, 0, z), Vec3(60, 0, z), Vec3(60, 60, z), Vec3(0, 60, z)}});
    set.structures.push_back(insert);
    const DensityGrid density = density_on_grid(ct, &set, HuCurve::default_curve(), materials(), {},
                                                Grid{{10, 10, 10}, Vec3(4, 4, 4), Vec3(12, 12, 12)});
    const double rho = static_cast<double>(density.density[555]);
    EXPECT_NEAR(rho * materials().by_density(rho).electrons_per_gram, 1.5, 1e-3);
    EXPECT_GT(density.density[555], 1.5f);  // bone has fewer electrons per gram
}

TEST(Density, ANamedMaterialKeepsItsCompositionAndItsMass) {
    // A cube of steel in water, its faces inside the dose voxels: composition must be that of steel and water
    // in proportion to their mass.
    CtImage ct;
    ct.hu = Volume<float>(Grid{{30, 30, 30}, Vec3(2, 2, 2), Vec3(1, 1, 1)}, 0.0f);
    StructureSet set;
    Structure implant;
    implant.name = "Implant";
    for (double z = 21; z < 40; z += 2)
        implant.contours.push_back({{Vec3(20, 20, z), Vec3(40, 20, z), Vec3(40, 40, z), Vec3(20, 40, z)}});
    set.structures.push_back(implant);
    const MaterialTable table = materials();
    const HuCurve water_only("water", {-1000, 3000}, {1.0, 1.0});
    const Grid grid{{20, 20, 20}, Vec3(3, 3, 3), Vec3(1.5, 1.5, 1.5)};
    const DensityGrid density = density_on_grid(ct, &set, water_only, table, {{"Implant", 0, "steel"}}, grid);
    double high_z = 0, kernel = 0;
    for (std::size_t v = 0; v < density.density.size(); ++v) {
        high_z += static_cast<double>(density.high_z_part[v]);
        kernel += static_cast<double>(density.kernel_density[v]);
    }
    const MaterialProperties steel = table.by_name("steel");
    EXPECT_NEAR(high_z * 27e-3, 8.0 * steel.high_z_part * 8.0, 0.02 * 8 * 8);  // 8 cm3 of 8 g/cm3
    EXPECT_NEAR(kernel * 27e-3, 8.0 * 8.0 * steel.kernel_scaling + (216 - 8) * 1.0, 0.5);
    const std::size_t inside = grid.index(9, 9, 9);
    EXPECT_NEAR(density.density[inside], 8.0f, 1e-3f);
    EXPECT_NEAR(density.water_to_medium[inside], static_cast<float>(steel.water_to_medium), 1e-3f);
    EXPECT_NEAR(density.water_to_medium[grid.index(1, 1, 1)], 1.0f, 1e-5f);
    EXPECT_THROW(density_on_grid(ct, &set, water_only, table, {{"Implant", 0, "unobtainium"}}, grid), Error);
}

TEST(Density, VoxelsAtTheEndOfTheTableAreReported) {
    CtImage ct;
    ct.hu = Volume<float>(Grid{{10, 10, 10}, Vec3(2, 2, 2), Vec3(1, 1, 1)}, 0.0f);
    ct.hu.values[555] = ct.hu.values[556] = 3071.0f;
    const DensityGrid density = density_on_grid(ct, nullptr, HuCurve::default_curve(), materials(), {},
                                                Grid{{10, 10, 10}, Vec3(2, 2, 2), Vec3(1, 1, 1)});
    EXPECT_EQ(density.above_table, 2u);
    bool told = false;
    for (const std::string& note : density.notes) told |= note.find("saturated metal") != std::string::npos;
    EXPECT_TRUE(told);
}

namespace {

/// A block of water, 60 x 40 mm in plane, with a bolus of 10 mm on it (structure 7); outside is air.
struct Bolused {
    CtImage ct;
    StructureSet set;
    Bolused() {
        ct.hu = Volume<float>(Grid{{40, 40, 10}, Vec3(2, 2, 2), Vec3(1, 1, 1)}, -1000.0f);
        for (int k = 0; k < 10; ++k)
            for (int j = 20; j < 40; ++j)
                for (int i = 5; i < 35; ++i) ct.hu.at(i, j, k) = 0;
        Structure body, bolus;
        body.number = 1;
        body.name = "BODY";
        body.type = "EXTERNAL";
        bolus.number = 7;
        bolus.name = "Bolus";
        bolus.type = "BOLUS";
        for (double z = 1; z < 20; z += 2) {
            body.contours.push_back({{Vec3(10, 40, z), Vec3(70, 40, z), Vec3(70, 80, z), Vec3(10, 80, z)}});
            bolus.contours.push_back(
                {{Vec3(10, 29.5, z), Vec3(70, 29.5, z), Vec3(70, 39.5, z), Vec3(10, 39.5, z)}});
        }
        set.structures = {body, bolus};
    }
    DensityGrid density(const std::vector<BeamBolus>& boluses,
                        const std::vector<DensityOverride>& requested = {}) const {
        return density_on_grid(ct, &set, HuCurve::default_curve(), materials(), requested,
                               Grid{{20, 20, 5}, Vec3(4, 4, 4), Vec3(2, 2, 2)}, boluses);
    }
};

/// g/cm2 in front of y = 40 mm, in the middle.
double in_front(const DensityGrid& density) {
    double path = 0;
    for (int j = 0; j < 10; ++j)
        path += 0.4 * static_cast<double>(density.density[density.grid.index(10, j, 2)]);
    return path;
}

bool told(const DensityGrid& density, const std::string& text) {
    for (const std::string& note : density.notes)
        if (note.find(text) != std::string::npos) return true;
    return false;
}

}  // namespace

TEST(Bolus, CountsOnlyForItsBeams) {
    Bolused b;
    const DensityGrid without = b.density({});
    EXPECT_DOUBLE_EQ(in_front(without), 0);
    EXPECT_TRUE(told(without, "\"Bolus\" is not on the patient and is left out"));
    const DensityGrid with = b.density({{7, "B"}});
    // Its faces lie within CT and dose voxels; its mass is kept: 1 cm of water.
    EXPECT_NEAR(in_front(with), 1.0, 1e-5);
    EXPECT_TRUE(told(with, "taken as water"));
    EXPECT_TRUE(told(with, "\"Bolus\" is part of the calculation"));
    // By the mass, attenuation and composition are those of water.
    double water = 0, inside = 0;
    for (int j = 0; j < 10; ++j) {
        water += 0.4 * static_cast<double>(with.water_part[with.grid.index(10, j, 2)]);
        inside += 0.4 * static_cast<double>(with.inside[with.grid.index(10, j, 2)]);
    }
    EXPECT_NEAR(water, 1.0, 1e-4);
    EXPECT_NEAR(inside, 1.0, 1e-5);
    EXPECT_EQ(in_front(b.density({{7, "B"}, {7, "again"}})), in_front(with));
    const PatientBox bare = patient_box(b.ct, &b.set), dressed = patient_box(b.ct, &b.set, {{7, ""}});
    EXPECT_DOUBLE_EQ(bare.lower_mm[1], 40);
    EXPECT_DOUBLE_EQ(dressed.lower_mm[1], 29.5);
}

TEST(Bolus, HasTheDensityThatIsKnownOfIt) {
    Bolused b;
    b.set.structures[1].relative_mass_density = 1.2;
    EXPECT_NEAR(in_front(b.density({{7, ""}})), 1.2, 1e-5);
    // The request comes last; without the bolus nothing of it is there, and no mass either where it would
    // reach into the body.
    EXPECT_NEAR(in_front(b.density({{7, ""}}, {{"Bolus", 1.1, ""}})), 1.1, 1e-5);
    EXPECT_DOUBLE_EQ(in_front(b.density({}, {{"Bolus", 1.1, ""}})), 0);
    b.set.structures[1].relative_mass_density.reset();
    EXPECT_NEAR(in_front(b.density({{7, ""}}, {{"Bolus", 0, "lung"}})), 0.26, 1e-5);
    EXPECT_FALSE(told(b.density({{7, ""}}, {{"Bolus", 0, "lung"}}), "taken as water"));
    for (auto& contour : b.set.structures[1].contours)
        for (Vec3& point : contour.points_mm) point[1] += 30;  // drawn within the body: scanned with it
    b.set.structures[1].relative_mass_density = 5;
    EXPECT_EQ(b.density({}).density, Bolused().density({}).density);
}

TEST(Bolus, IsRefusedWhereItIsNotClear) {
    Bolused b;
    const auto refusal = [&](const StructureSet* set, int number) {
        try {
            density_on_grid(b.ct, set, HuCurve::default_curve(), materials(), {}, b.ct.hu.grid,
                            {{number, "Flab"}});
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::bad_input);
            return std::string(error.what());
        }
        return std::string("no error");
    };
    EXPECT_NE(refusal(&b.set, 9).find("structure 9 (\"Flab\"), which is not in the structure set"),
              std::string::npos);
    EXPECT_NE(refusal(&b.set, 1).find("EXTERNAL"), std::string::npos);
    EXPECT_NE(refusal(nullptr, 7).find("no structure set"), std::string::npos);
    b.set.structures[1].contours.clear();
    EXPECT_NE(refusal(&b.set, 7).find("no contours"), std::string::npos);
    EXPECT_THROW(patient_box(b.ct, &b.set, {{9, ""}}), Error);
}

TEST(Materials, StoppingPowerRatiosAreThePublishedOnes) {
    // Siebers et al, Phys. Med. Biol. 45 (2000) 983: 6 MV bone 1.116, lung, adipose and soft tissue within
    // 0.035 of 1.
    const MaterialTable table = materials();
    EXPECT_NEAR(table.by_name("bone_cortical").water_to_medium, 1.116, 0.005);
    for (const char* name : {"lung", "adipose", "soft_tissue", "soft_tissue_icru4"})
        EXPECT_NEAR(table.by_name(name).water_to_medium, 1.0, 0.035) << name;
    EXPECT_DOUBLE_EQ(table.by_name("water").water_to_medium, 1.0);
}
