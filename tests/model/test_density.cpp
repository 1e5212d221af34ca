#include <gtest/gtest.h>

#include <fstream>

#include "libdose/data.h"
#include "libdose/error.h"
#include "model/density.h"

using namespace libdose;

namespace {

MaterialTable materials() { return MaterialTable::read_csv(data_folder() / "materials" / "basis.csv"); }

std::filesystem::path write(const std::string& text) {
    const auto file = std::filesystem::temp_directory_path() / ("libdose-curve-" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + ".csv");
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
    double last_water = table.by_density(0).water_part, last_electrons = table.by_density(0).electrons_per_gram;
    for (double rho = 0; rho < 8; rho += 0.01) {
        const auto p = table.by_density(rho);
        EXPECT_DOUBLE_EQ(p.density_g_cm3, rho);
        EXPECT_LT(std::abs(p.water_part - last_water), 0.02) << rho;
        EXPECT_LT(std::abs(p.electrons_per_gram - last_electrons), 0.01) << rho;
        last_water = p.water_part, last_electrons = p.electrons_per_gram;
    }
    EXPECT_NEAR(table.by_density(1.0).water_part, 1, 1e-9);
    EXPECT_THROW(table.by_density(-1), Error);
    EXPECT_THROW(table.by_density(std::nan("")), Error);
}

TEST(Density, MassIsKeptOntoTheDoseGrid) {
    CtImage ct;
    ct.hu = Volume<float>(Grid{{20, 20, 20}, Vec3(3, 3, 3), Vec3(1.5, 1.5, 1.5)});
    for (std::size_t v = 0; v < ct.hu.values.size(); ++v) ct.hu.values[v] = static_cast<float>(static_cast<int>(v * 7919 % 1500) - 900);
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
    for (double z = 1.5; z < 60; z += 3) insert.contours.push_back({{Vec3(0, 0, z), Vec3(60, 0, z), Vec3(60, 60, z), Vec3(0, 60, z)}});
    set.structures.push_back(insert);
    const DensityGrid density = density_on_grid(ct, &set, HuCurve::default_curve(), materials(), {}, Grid{{10, 10, 10}, Vec3(4, 4, 4), Vec3(12, 12, 12)});
    EXPECT_NEAR(density.electron_density[555], 1.5f, 1e-3f);
    EXPECT_GT(density.density[555], 1.5f);  // bone has fewer electrons per gram
}
