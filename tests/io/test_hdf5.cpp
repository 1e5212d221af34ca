#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <fstream>

#include "io/hdf5/hdf5_file.h"
#include "libdose/data.h"
#include "libdose/io/hdf5.h"
#include "support/temporary_folder.h"

using namespace libdose;
using test::message_of;

namespace {

BeamModel a_model() { return io::read_beam_model(data_folder() / "models" / "generic-6MV.h5"); }

/// Overwrites one double of a dataset.
void poke(const std::filesystem::path& file, const char* dataset, std::size_t element, double value) {
    const hid_t f = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t d = H5Dopen2(f, dataset, H5P_DEFAULT);
    const hid_t space = H5Dget_space(d);
    std::vector<double> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    values[element] = value;
    H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Sclose(space);
    H5Dclose(d);
    H5Fclose(f);
}

void remove_object(const std::filesystem::path& file, const char* name) {
    const hid_t f = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(f, name, H5P_DEFAULT);
    H5Fclose(f);
}

}  // namespace

TEST(Sha256, KnownAnswers) {
    // FIPS 180-4 examples.
    EXPECT_EQ(io::sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(io::sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(BeamModelFile, IsReadBackWithItsHash) {
    test::TemporaryFolder folder;
    BeamModel model = a_model();
    const std::string hash = io::write_beam_model(model, folder / "m.h5");
    EXPECT_EQ(hash, model.content_hash);  // the same content gives the same hash
    const BeamModel back = io::read_beam_model(folder / "m.h5");
    EXPECT_EQ(back.cone_kernel.coefficients, model.cone_kernel.coefficients);
    EXPECT_EQ(back.sources, model.sources);
    model.head.jaw_transmission += 1e-9;
    EXPECT_NE(io::write_beam_model(model, folder / "n.h5"), hash);
}

TEST(BeamModelFile, AChangedNumberIsNoticed) {
    test::TemporaryFolder folder;
    for (const char* dataset : {"/spectrum/mu_water_cm2_g", "/pencil_kernel/weights", "/head/profile"}) {
        io::write_beam_model(a_model(), folder / "m.h5");
        const BeamModel model = a_model();
        poke(folder / "m.h5", dataset, 1, std::string(dataset) == "/head/profile" ? 1.021 : 0.123);
        EXPECT_NE(message_of([&] { io::read_beam_model(folder / "m.h5"); }).find("does not match its hash"),
                  std::string::npos)
            << dataset;
    }
}

TEST(BeamModelFile, NanTruncationAndAbsenceAreRefusedByName) {
    test::TemporaryFolder folder;
    const auto file = folder / "m.h5";
    io::write_beam_model(a_model(), file);
    poke(file, "/cone_kernel/coefficients", 5, std::nan(""));
    EXPECT_NE(message_of([&] { io::read_beam_model(file); }).find("/cone_kernel/coefficients"),
              std::string::npos);
    io::write_beam_model(a_model(), file);
    remove_object(file, "/pencil_kernel/weights");
    EXPECT_NE(message_of([&] { io::read_beam_model(file); }).find("/pencil_kernel/weights"),
              std::string::npos);
    io::write_beam_model(a_model(), file);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    EXPECT_NE(message_of([&] { io::read_beam_model(file); }).find("m.h5"), std::string::npos);
    std::ofstream(folder / "text.h5") << "hello";
    EXPECT_NE(message_of([&] { io::read_beam_model(folder / "text.h5"); }).find("HDF5"), std::string::npos);
    EXPECT_NE(message_of([&] { io::read_beam_model(folder / "none.h5"); }).find("none.h5"),
              std::string::npos);
}

TEST(BeamModelFile, MeasuredLeavesAreKeptAndCovered) {
    test::TemporaryFolder folder;
    BeamModel model = a_model();
    const std::string without = io::write_beam_model(model, folder / "without.h5");
    model.head.leaf_design = "varian-hd120";
    model.head.leaf_offset_mm = 0.15;
    EXPECT_NE(io::write_beam_model(model, folder / "m.h5"), without);
    const BeamModel read = io::read_beam_model(folder / "m.h5");
    EXPECT_EQ(read.head.leaf_design, "varian-hd120");
    EXPECT_EQ(read.head.leaf_offset_mm, 0.15);
    EXPECT_EQ(io::read_beam_model(folder / "without.h5").head.leaf_design, "");
    model.head.leaf_offset_mm = 4;
    EXPECT_NE(message_of([&] { model.check(); }).find("leaf_offset_mm"), std::string::npos);
    model.head.leaf_design = "";
    model.head.leaf_offset_mm = 0.1;
    EXPECT_NE(message_of([&] { model.check(); }).find("leaf_offset_mm"), std::string::npos)
        << "an offset of no design";
}

TEST(BeamModelFile, UncalibratedModelsAreNotUsed) {
    test::TemporaryFolder folder;
    BeamModel model = a_model();
    model.calibration.collapsed_cone_maximum = 0;
    EXPECT_NE(message_of([&] { io::write_beam_model(model, folder / "m.h5"); }).find("calibrate"),
              std::string::npos);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(BeamModelCheck, NamesTheQuantity) {
    const auto error_of = [](const std::function<void(BeamModel&)>& change) {
        BeamModel model = a_model();
        change(model);
        return message_of([&] { model.check(); });
    };
    EXPECT_EQ(error_of([](BeamModel&) {}), "no error");
    EXPECT_NE(error_of([](BeamModel& m) { m.spectrum.fluence[0] += 0.1; }).find("spectrum/fluence"),
              std::string::npos);
    // Either sign, but no cone may deposit less than nothing: neither at once nor far out.
    const std::string at_once = error_of([](BeamModel& m) {
        m.cone_kernel.coefficients[0] = -1;
        m.cone_kernel.coefficients[1] += 1;
    });
    EXPECT_NE(at_once.find("leave less than nothing 0.000000 g/cm2 away in cone 0 at depth 0"),
              std::string::npos)
        << at_once;
    const std::string far_out = error_of([](BeamModel& m) {
        const std::size_t rates = m.cone_kernel.rates_cm2_g.size();
        double& slowest = m.cone_kernel.coefficients[2 * rates - 1];
        m.cone_kernel.coefficients[rates] += slowest + 0.01;
        slowest = -0.01;
    });
    EXPECT_NE(far_out.find("in cone 1 at depth 0"), std::string::npos) << far_out;
    EXPECT_NE(error_of([](BeamModel& m) { m.cone_kernel.rates_cm2_g.push_back(9); }).find("rates"),
              std::string::npos);
    EXPECT_NE(error_of([](BeamModel& m) { m.head.leaf_transmission = 1.5; }).find("leaf_transmission"),
              std::string::npos);
    EXPECT_NE(error_of([](BeamModel& m) { m.head.profile.pop_back(); }).find("profile"), std::string::npos);
    EXPECT_NE(error_of([](BeamModel& m) { m.calibration.depth = "somewhere"; }).find("somewhere"),
              std::string::npos);
}

TEST(DoseFile, IsReadBackWithItsProvenance) {
    test::TemporaryFolder folder;
    Dose dose;
    dose.gy = Volume<float>(Grid{{3, 4, 5}, Vec3(1, 2, 3), Vec3(7, 8, 9)});
    for (std::size_t v = 0; v < 60; ++v) dose.gy.values[v] = static_cast<float>(v);
    dose.fractions = 30;
    dose.provenance.model_hashes["m"] = "abc";
    dose.provenance.settings["quality"] = "standard";
    for (int line = 0; line < 10000; ++line)
        dose.provenance.gate.push_back("honoured, beam " +
                                       std::to_string(line));  // a plan of very many beams
    Dose beam = dose;
    beam.summation = DoseSummation::beam;
    beam.beam_number = 4;
    io::write_doses_hdf5(dose, {beam}, folder / "d.h5");
    const Dose back = io::read_dose_hdf5(folder / "d.h5");
    EXPECT_TRUE(back.gy.grid == dose.gy.grid);
    EXPECT_EQ(back.gy.values, dose.gy.values);
    EXPECT_EQ(back.fractions, 30);
    EXPECT_EQ(back.provenance.model_hashes, dose.provenance.model_hashes);
    EXPECT_EQ(back.provenance.settings, dose.provenance.settings);
    EXPECT_EQ(back.provenance.gate, dose.provenance.gate);
    EXPECT_EQ(io::Hdf5Reader(folder / "d.h5").shape("/beams/4/dose"), (std::vector<std::size_t>{5, 4, 3}));
    dose.gy.values[3] = INFINITY;
    EXPECT_NE(message_of([&] { io::write_doses_hdf5(dose, {}, folder / "e.h5"); }).find("not finite"),
              std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder / "e.h5"));
    EXPECT_NE(message_of([&] {
                  io::read_dose_hdf5(data_folder() / "models" / "generic-6MV.h5");
              }).find("not a libdose dose"),
              std::string::npos);
}

TEST(ReferenceCaseFile, IsReadAndChecked) {
    const std::filesystem::path original =
        std::filesystem::path(LIBDOSE_TEST_DATA) / "reference" / "slab_lung_15MV_3x3.h5";
    const ReferenceCase reference = io::read_reference_case(original);
    EXPECT_EQ(reference.name, "slab_lung_15MV_3x3");
    EXPECT_EQ(reference.size(), (std::array<int, 3>{59, 59, 98}));
    EXPECT_EQ(reference.materials.size(), 2u);
    EXPECT_EQ(reference.field_x_cm[1], 1.5);
    EXPECT_EQ(reference.source_position_cm[2], -100);
    test::TemporaryFolder folder;
    const auto copy = folder / "case.h5";
    std::filesystem::copy_file(original, copy);
    poke(copy, "/x_edges_cm", 3, -100);
    EXPECT_NE(message_of([&] { io::read_reference_case(copy); }).find("/x_edges_cm"), std::string::npos);
    std::filesystem::copy_file(original, copy, std::filesystem::copy_options::overwrite_existing);
    poke(copy, "/dose", 100, std::nan(""));
    EXPECT_NE(message_of([&] { io::read_reference_case(copy); }).find("/dose"), std::string::npos);
    std::filesystem::copy_file(original, copy, std::filesystem::copy_options::overwrite_existing);
    remove_object(copy, "/material_index");
    EXPECT_NE(message_of([&] { io::read_reference_case(copy); }).find("/material_index"), std::string::npos);
}
