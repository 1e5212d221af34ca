#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "libdose/error.h"
#include "libdose/io/influence.h"
#include "support/temporary_folder.h"
#include "support/water_cube.h"

using namespace libdose;
using ::testing::HasSubstr;

namespace {

class InfluenceFiles : public Engine {
protected:
    static InfluenceOptions settings() {
        InfluenceOptions options;
        options.engine = coarse();
        options.engine.algorithm = Algorithm::pencil_beam;
        options.beamlets.side_mm = 25;
        return options;
    }
    static io::StoredInfluence stored(const InfluenceOptions& options, const std::filesystem::path& spill) {
        const StructureSet body = body_of_cube();
        const BeamModelProvider provider = [](const Beam&) -> const BeamModel& { return *model_; };
        return io::influence_or_spill(water_ct(), &body, plan_of({static_beam(1, 0, 100)}), *materials_,
                                      provider, options, spill);
    }
};

TEST_F(InfluenceFiles, WhatIsWrittenIsReadBackAndInParts) {
    const test::TemporaryFolder folder;
    const auto file = folder.path() / "influence.h5";
    const io::StoredInfluence made = stored(settings(), {});
    ASSERT_TRUE(made.file.empty());
    ASSERT_EQ(made.matrix.columns.count(), 16u);
    io::write_influence(made.matrix, file);
    const DoseInfluence read = io::read_influence(file);
    EXPECT_EQ(read.columns.begin, made.matrix.columns.begin);
    EXPECT_EQ(read.columns.voxel, made.matrix.columns.voxel);
    EXPECT_EQ(read.columns.gy, made.matrix.columns.gy);
    EXPECT_TRUE(read.header.grid == made.matrix.header.grid);
    EXPECT_EQ(read.header.beamlets[3].u_mm, made.matrix.header.beamlets[3].u_mm);
    EXPECT_EQ(read.header.side_mm, 25);
    EXPECT_EQ(read.header.notes, made.matrix.header.notes);
    EXPECT_EQ(read.header.provenance.model_hashes, made.matrix.header.provenance.model_hashes);
    const io::InfluenceFile parts(file);
    InfluenceColumns joined = parts.columns(0, 5);
    joined.append(parts.columns(5, 16));
    EXPECT_EQ(joined.begin, read.columns.begin);
    EXPECT_EQ(joined.gy, read.columns.gy);
    EXPECT_THROW(parts.columns(10, 17), Error);
}

TEST_F(InfluenceFiles, BeyondItsMemoryTheMatrixGoesToTheFile) {
    const test::TemporaryFolder folder;
    const auto file = folder.path() / "influence.h5";
    const io::StoredInfluence in_memory = stored(settings(), {});
    InfluenceOptions options = settings();
    options.memory_bytes = 0.5 * static_cast<double>(in_memory.matrix.columns.bytes());
    const io::StoredInfluence spilled = stored(options, file);
    EXPECT_EQ(spilled.file, file);
    EXPECT_EQ(spilled.matrix.columns.count(), 0u);
    const DoseInfluence read = io::read_influence(file);
    EXPECT_EQ(read.columns.voxel, in_memory.matrix.columns.voxel);
    EXPECT_EQ(read.columns.gy, in_memory.matrix.columns.gy);
}

TEST_F(InfluenceFiles, NothingStaysWhenTheCalculationEnds) {
    const test::TemporaryFolder folder;
    InfluenceOptions options = settings();
    options.memory_bytes = 1;
    int calls = 0;
    options.engine.progress = [&](double part, const std::string&) {
        if (part > 0.5 && ++calls > 1) throw bad_input("stopped");
    };
    EXPECT_THROW(stored(options, folder.path() / "influence.h5"), Error);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(InfluenceFiles, OtherFilesAreRefused) {
    const test::TemporaryFolder folder;
    const auto file = folder.path() / "influence.h5";
    io::write_influence(stored(settings(), {}).matrix, file);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    EXPECT_THROW(io::read_influence(file), Error);
    const auto model = data_folder() / "models" / "generic-6MV.h5";
    try {
        io::read_influence(model);
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("not a libdose influence file"));
    }
}

}  // namespace
