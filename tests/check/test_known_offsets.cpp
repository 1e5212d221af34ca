// Known differences of algorithms are printed where the dose meets lung or metal, and only there.
#include <gmock/gmock.h>

#include <string>

#include "check/known_offsets.h"

namespace libdose::check {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// A cube of 200 mm of water with a smaller one of other HU around the origin; the dose is the same in a
/// cube of 160 mm, and lower beyond.
class KnownOffsets : public ::testing::Test {
protected:
    KnownOffsets() {
        Grid grid;
        grid.size = {50, 50, 50};
        grid.spacing_mm = Vec3::Constant(5);
        grid.origin_mm = Vec3::Constant(-122.5);
        input_.ct.emplace().hu = Volume<float>(grid, -1000.0f);
        calculation_.plan.gy = Volume<float>(grid, 0.1f);
        calculation_.plan.provenance.engine = "collapsed-cone";
        fill(100, 0);
        for_cube(80, [&](std::size_t voxel) { calculation_.plan.gy.values[voxel] = 2; });
        Structure body;
        body.name = "BODY";
        body.type = "EXTERNAL";
        for (int k = -20; k <= 20; ++k)
            body.contours.push_back({{Vec3(-100, -100, 5.0 * k), Vec3(100, -100, 5.0 * k),
                                      Vec3(100, 100, 5.0 * k), Vec3(-100, 100, 5.0 * k)}});
        input_.structures.emplace().structures = {body};
    }

    template <class Body>
    void for_cube(double half_mm, const Body& body) {
        const Grid& grid = input_.ct->hu.grid;
        for (int k = 0; k < 50; ++k)
            for (int j = 0; j < 50; ++j)
                for (int i = 0; i < 50; ++i)
                    if (grid.centre_mm(i, j, k).cwiseAbs().maxCoeff() < half_mm) body(grid.index(i, j, k));
    }
    void fill(double half_mm, float hu) {
        for_cube(half_mm, [&](std::size_t voxel) { input_.ct->hu.values[voxel] = hu; });
    }
    void planned_by(const std::string& manufacturer, const std::string& model) {
        input_.dose_facts.emplace_back();
        input_.dose_facts.back().manufacturer = manufacturer;
        input_.dose_facts.back().model = model;
    }
    std::vector<std::string> found() const { return known_offsets(input_, calculation_); }

    CheckInput input_;
    CalculationResult calculation_;
};

TEST_F(KnownOffsets, NoneInWater) { EXPECT_THAT(found(), IsEmpty()); }

TEST_F(KnownOffsets, LungWithAPlanningSystemThatIsNotKnown) {
    fill(30, -750);
    const std::vector<std::string> sentences = found();
    EXPECT_THAT(sentences, Contains(AllOf(HasSubstr("measured here"), HasSubstr("collapsed cone"))));
    EXPECT_THAT(sentences,
                Contains(AllOf(HasSubstr("if the planning system's algorithm is AAA or convolution"),
                               HasSubstr("3.7 %"), HasSubstr("Kry et al."))));
    EXPECT_THAT(sentences, Contains(AllOf(HasSubstr("a pencil beam"), HasSubstr("4.9 %"))));
    EXPECT_THAT(sentences, Contains(AllOf(HasSubstr("Monte Carlo:"), HasSubstr("0.6 %"))));
}

TEST_F(KnownOffsets, OnlyAlgorithmsThatThePlanningSystemHas) {
    fill(30, -750);
    planned_by("Varian Medical Systems", "ARIA RadOnc");
    EXPECT_THAT(found(), Contains(HasSubstr("algorithm is AAA: ")));
    EXPECT_THAT(found(), Not(Contains(HasSubstr("convolution"))));
    EXPECT_THAT(found(), Not(Contains(HasSubstr("is Monte Carlo"))));
    input_.dose_facts.clear();
    planned_by("RaySearch Laboratories", "RayStation");
    EXPECT_THAT(found(), Contains(HasSubstr("algorithm is convolution/superposition: ")));
    EXPECT_THAT(found(), Not(Contains(HasSubstr("is a pencil beam"))));
}

// Lung that the beam does not meet: the cube of 2 Gy ends at 80 mm, and the rest has 5 % of it.
TEST_F(KnownOffsets, LungOutsideTheFieldDoesNotCount) {
    fill(100, -750);
    fill(80, 0);
    EXPECT_THAT(found(), IsEmpty());
}

// Gas of the bowel has -1000 HU, and 8 cm³ of something light is no lung.
TEST_F(KnownOffsets, LittleGasIsNoLung) {
    fill(30, -1000);
    EXPECT_THAT(found(), IsEmpty());
    fill(30, 0);
    fill(10, -750);
    EXPECT_THAT(found(), IsEmpty());
}

TEST_F(KnownOffsets, MetalByTheCtOrAnOverride) {
    fill(5, 3071);
    EXPECT_THAT(found(), Contains(AllOf(HasSubstr("Metal, measured here"), HasSubstr("titanium"))));
    fill(5, 0);
    EXPECT_THAT(found(), IsEmpty());
    Structure hip = input_.structures->structures[0];
    hip.type = "ORGAN";
    hip.material = "titanium";
    input_.structures->structures.push_back(hip);
    EXPECT_THAT(found(), Contains(HasSubstr("Metal, measured here")));
}

TEST_F(KnownOffsets, ThePencilBeamHasItsOwn) {
    fill(30, -750);
    planned_by("libdose", "libdose");
    calculation_.plan.provenance.engine = "pencil-beam";
    const std::vector<std::string> sentences = found();
    ASSERT_THAT(sentences, SizeIs(1));
    EXPECT_THAT(sentences[0], HasSubstr("this pencil beam gives 2.4 to 3.9 % less"));
}

}  // namespace
}  // namespace libdose::check
