// What the HDF5 readers must not let pass: every dataset and attribute by name, values that a narrower type
// would bend, guesses.
#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "io/hdf5/hdf5_file.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"
#include "support/temporary_folder.h"

using namespace libdose;
using test::message_of;

namespace {

/// Every dataset of it holds something: the generic models have no table of output.
BeamModel a_model() {
    BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    model.head.output_side_mm = {50, 100};
    model.head.output_correction = {0.99, 1};
    return model;
}

const char* const model_datasets[] = {"/spectrum/energy_mev",
                                      "/spectrum/fluence",
                                      "/spectrum/mu_water_cm2_g",
                                      "/spectrum/mu_high_z_cm2_g",
                                      "/cone_kernel/rates_cm2_g",
                                      "/cone_kernel/theta_edges_deg",
                                      "/cone_kernel/depth_g_cm2",
                                      "/cone_kernel/coefficients",
                                      "/pencil_kernel/radius_cm",
                                      "/pencil_kernel/components",
                                      "/pencil_kernel/depth_g_cm2",
                                      "/pencil_kernel/weights",
                                      "/head/profile_radius_mm",
                                      "/head/profile",
                                      "/head/softening_radius_mm",
                                      "/head/softening_g_cm2",
                                      "/head/output_side_mm",
                                      "/head/output_correction",
                                      "/head/wedge_1/position_mm",
                                      "/head/wedge_1/water_g_cm2",
                                      "/head/wedge_1/high_z_g_cm2",
                                      "/head/dynamic_wedge/golden_position_mm",
                                      "/head/dynamic_wedge/golden_fraction"};

/// Changes the doubles of a dataset in place.
void edit(const std::filesystem::path& file, const char* dataset,
          const std::function<void(std::vector<double>&)>& change) {
    const io::Hdf5Handle f(H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
    const io::Hdf5Handle d(H5Dopen2(f.get(), dataset, H5P_DEFAULT), H5Dclose);
    const io::Hdf5Handle space(H5Dget_space(d.get()), H5Sclose);
    std::vector<double> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get())));
    ASSERT_GE(H5Dread(d.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0)
        << dataset;
    change(values);
    ASSERT_GE(H5Dwrite(d.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0)
        << dataset;
}

void drop(const std::filesystem::path& file, const char* object, const char* attribute) {
    const io::Hdf5Handle f(H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
    ASSERT_GE(attribute ? H5Adelete_by_name(f.get(), object, attribute, H5P_DEFAULT)
                        : H5Ldelete(f.get(), object, H5P_DEFAULT),
              0)
        << object;
}

/// Replaces an attribute of the root by a text (fixed length when `width` > 0).
void put_text(const std::filesystem::path& file, const char* object, const char* name,
              const std::string& value, std::size_t width = 0) {
    const io::Hdf5Handle f(H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
    H5Adelete_by_name(f.get(), object, name, H5P_DEFAULT);
    const io::Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose), space(H5Screate(H5S_SCALAR), H5Sclose);
    H5Tset_size(type.get(), width ? width : H5T_VARIABLE);
    const io::Hdf5Handle a(H5Acreate_by_name(f.get(), object, name, type.get(), space.get(), H5P_DEFAULT,
                                             H5P_DEFAULT, H5P_DEFAULT),
                           H5Aclose);
    std::string padded = value;
    padded.resize(std::max(width, value.size()));
    const char* raw = value.c_str();
    ASSERT_GE(H5Awrite(a.get(), type.get(),
                       width ? static_cast<const void*>(padded.data()) : static_cast<const void*>(&raw)),
              0);
}

/// Replaces a dataset of the case by one of another stored type, all `fill`.
void put_dataset(const std::filesystem::path& file, const char* name, hid_t type,
                 const std::vector<hsize_t>& dims, double fill) {
    const io::Hdf5Handle f(H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
    H5Ldelete(f.get(), name, H5P_DEFAULT);
    std::size_t count = 1;
    for (const hsize_t n : dims) count *= n;
    const std::vector<double> values(count, fill);
    const io::Hdf5Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
                               H5Sclose);
    const io::Hdf5Handle d(
        H5Dcreate2(f.get(), name, type, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
    ASSERT_GE(H5Dwrite(d.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
}

/// A two by three by four case: everything that the reader wants and nothing else.
void write_small_case(const std::filesystem::path& path) {
    io::Hdf5Writer file(path);
    file.doubles("/x_edges_cm", {-1, 0, 1}, {3});
    file.doubles("/y_edges_cm", {-2, -1, 1, 2}, {4});
    file.doubles("/z_edges_cm", {0, 0.5, 1, 2, 4}, {5});
    std::vector<float> dose(24);
    for (std::size_t v = 0; v < 24; ++v) dose[v] = static_cast<float>(v) * 1e-12F;
    const std::vector<std::size_t> shape{4, 3, 2};
    file.floats("/dose", dose, shape);
    file.floats("/relative_uncertainty", std::vector<float>(24, 0.01F), shape);
    file.floats("/density_g_cm3", std::vector<float>(24, 0.26F), shape);
    file.bytes("/material_index", std::vector<unsigned char>(24, 1), shape);
    file.texts("/", "materials", {"0: water, 1.0 g/cm3", "1: lung, 0.26 g/cm3"});
    file.numbers("/", "source_position_cm", {0, 0, -100});
    file.number("/", "beam_angle_deg", 0);
    file.numbers("/", "field_x_cm", {-1, 2});
    file.numbers("/", "field_y_cm", {-3, 4});
    file.text("/", "source_spectrum", "6 MV");
    file.commit();
}

Dose a_dose() {
    Dose dose;
    dose.gy = Volume<float>(Grid{{3, 4, 5}, Vec3(1, 2, 3), Vec3(7, 8, 9)});
    for (std::size_t v = 0; v < 60; ++v) dose.gy.values[v] = static_cast<float>(v);
    return dose;
}

}  // namespace

TEST(BeamModelFile, OneBitInAnyDatasetIsNoticed) {
    test::TemporaryFolder folder;
    const BeamModel model = a_model();
    for (const char* dataset : model_datasets) {
        io::write_beam_model(model, folder / "m.h5");
        edit(folder / "m.h5", dataset, [](std::vector<double>& v) {
            std::uint64_t bits;
            std::memcpy(&bits, &v.back(), 8);
            bits ^= 1;  // the smallest change there is
            std::memcpy(&v.back(), &bits, 8);
        });
        const std::string message = message_of([&] { io::read_beam_model(folder / "m.h5"); });
        // By the hash, or before it where an edge must be exactly 0 or 180.
        const bool by_hash = message.find("does not match its hash") != std::string::npos;
        EXPECT_TRUE(by_hash || message.find(std::string(dataset).substr(1)) != std::string::npos)
            << dataset << ": " << message;
    }
}

TEST(BeamModelFile, NanInAnyDatasetIsRefusedByName) {
    test::TemporaryFolder folder;
    const BeamModel model = a_model();
    for (const char* dataset : model_datasets)
        for (const double bad : {std::nan(""), HUGE_VAL}) {
            io::write_beam_model(model, folder / "m.h5");
            edit(folder / "m.h5", dataset, [&](std::vector<double>& v) { v[v.size() / 2] = bad; });
            EXPECT_NE(message_of([&] { io::read_unsealed_beam_model(folder / "m.h5"); }).find(dataset),
                      std::string::npos)
                << dataset;
        }
}

TEST(BeamModelFile, EveryMissingDatasetIsNamed) {
    test::TemporaryFolder folder;
    const BeamModel model = a_model();
    for (const char* dataset : model_datasets) {
        io::write_beam_model(model, folder / "m.h5");
        drop(folder / "m.h5", dataset, nullptr);
        EXPECT_NE(message_of([&] { io::read_beam_model(folder / "m.h5"); }).find(dataset), std::string::npos)
            << dataset;
    }
    for (const char* attribute : {"nominal_energy_mv", "name", "fluence_mode"}) {
        io::write_beam_model(model, folder / "m.h5");
        drop(folder / "m.h5", "/", attribute);
        EXPECT_NE(message_of([&] { io::read_beam_model(folder / "m.h5"); }).find(attribute),
                  std::string::npos)
            << attribute;
    }
}

TEST(BeamModelFile, WithoutHashItIsNotSealed) {
    test::TemporaryFolder folder;
    const std::string hash = io::write_beam_model(a_model(), folder / "m.h5");
    drop(folder / "m.h5", "/", "content_hash");
    EXPECT_NE(message_of([&] { io::read_beam_model(folder / "m.h5"); }).find("not sealed"),
              std::string::npos);
    const BeamModel back = io::read_unsealed_beam_model(folder / "m.h5");
    EXPECT_EQ(back.content_hash, "");
    EXPECT_EQ(io::write_beam_model(back, folder / "n.h5"), hash);
}

TEST(BeamModelFile, AnAttributeChangedIsNoticed) {
    test::TemporaryFolder folder;
    io::write_beam_model(a_model(), folder / "m.h5");
    put_text(folder / "m.h5", "/", "fluence_mode", "FFF");
    EXPECT_NE(message_of([&] { io::read_beam_model(folder / "m.h5"); }).find("does not match its hash"),
              std::string::npos);
    io::write_beam_model(a_model(), folder / "m.h5");
    put_text(folder / "m.h5", "/sources", "added", "afterwards");
    EXPECT_NE(message_of([&] { io::read_beam_model(folder / "m.h5"); }).find("does not match its hash"),
              std::string::npos);
}

TEST(Hdf5Text, FixedAndVariableLength) {
    test::TemporaryFolder folder;
    write_small_case(folder / "c.h5");
    put_text(folder / "c.h5", "/", "source_spectrum", "15 MV", 5);  // full width, no terminator
    EXPECT_EQ(io::read_reference_case(folder / "c.h5").source_spectrum, "15 MV");
    put_text(folder / "c.h5", "/", "source_spectrum", "15 MV", 20);
    EXPECT_EQ(io::read_reference_case(folder / "c.h5").source_spectrum, "15 MV");
    put_text(folder / "c.h5", "/", "source_spectrum", "10 MV");
    EXPECT_EQ(io::read_reference_case(folder / "c.h5").source_spectrum, "10 MV");
    put_text(folder / "c.h5", "/", "beam_angle_deg", "0");
    EXPECT_NE(message_of([&] { io::read_reference_case(folder / "c.h5"); }).find("beam_angle_deg"),
              std::string::npos);
}

TEST(ReferenceCaseFile, HandMadeCaseKeepsItsOrder) {
    test::TemporaryFolder folder;
    write_small_case(folder / "c.h5");
    const ReferenceCase c = io::read_reference_case(folder / "c.h5");
    EXPECT_EQ(c.name, "c");
    EXPECT_EQ(c.size(), (std::array<int, 3>{2, 3, 4}));
    EXPECT_EQ(c.dose[(3 * 3 + 1) * 2 + 1], 21e-12F);
    EXPECT_EQ(c.materials[1], "1: lung, 0.26 g/cm3");
    EXPECT_EQ(c.field_x_cm, (std::array<double, 2>{-1, 2}));
    EXPECT_EQ(c.field_y_cm, (std::array<double, 2>{-3, 4}));
}

TEST(ReferenceCaseFile, RequiredPartsAreNamed) {
    test::TemporaryFolder folder;
    const auto file = folder / "c.h5";
    for (const char* attribute : {"materials", "source_position_cm", "beam_angle_deg", "field_x_cm",
                                  "field_y_cm", "source_spectrum"}) {
        write_small_case(file);
        drop(file, "/", attribute);
        EXPECT_NE(message_of([&] { io::read_reference_case(file); }).find(attribute), std::string::npos)
            << attribute;
    }
    for (const char* dataset : {"/x_edges_cm", "/y_edges_cm", "/z_edges_cm", "/dose", "/relative_uncertainty",
                                "/density_g_cm3", "/material_index"}) {
        write_small_case(file);
        drop(file, dataset, nullptr);
        EXPECT_NE(message_of([&] { io::read_reference_case(file); }).find(dataset), std::string::npos)
            << dataset;
    }
}

TEST(ReferenceCaseFile, WrongShapesAndValuesAreRefused) {
    test::TemporaryFolder folder;
    const auto file = folder / "c.h5";
    const auto refused = [&](const char* name, hid_t type, const std::vector<hsize_t>& dims, double fill) {
        write_small_case(file);
        put_dataset(file, name, type, dims, fill);
        const std::string message = message_of([&] { io::read_reference_case(file); });
        EXPECT_NE(message, "no error") << name << " " << fill;
        EXPECT_NE(message.find(file.string()), std::string::npos) << message;
    };
    refused("/dose", H5T_IEEE_F32LE, {2, 3, 4}, 1);
    refused("/dose", H5T_IEEE_F32LE, {24}, 1);
    refused("/dose", H5T_IEEE_F32LE, {4, 3, 2}, -1);
    refused("/dose", H5T_IEEE_F64LE, {4, 3, 2}, 1e200);  // beyond float
    refused("/relative_uncertainty", H5T_IEEE_F32LE, {4, 3, 2}, -0.1);
    refused("/density_g_cm3", H5T_IEEE_F32LE, {4, 3, 2}, -1);
    refused("/material_index", H5T_STD_U8LE, {4, 3, 2}, 2);
    refused("/z_edges_cm", H5T_IEEE_F64LE, {5}, 1);
    refused("/z_edges_cm", H5T_IEEE_F64LE, {1}, 1);
}

TEST(ReferenceCaseFile, MaterialIndexIsNotBentIntoAByte) {
    test::TemporaryFolder folder;
    const auto file = folder / "c.h5";
    for (const auto& [type, value] : {std::pair<hid_t, double>{H5T_STD_I16LE, -1.0},
                                      {H5T_IEEE_F32LE, 0.5},
                                      {H5T_IEEE_F32LE, std::nan("")},
                                      {H5T_IEEE_F64LE, -0.9}}) {
        write_small_case(file);
        put_dataset(file, "/material_index", type, {4, 3, 2}, value);
        EXPECT_NE(message_of([&] { io::read_reference_case(file); }).find("/material_index"),
                  std::string::npos)
            << value;
    }
    write_small_case(file);
    put_dataset(file, "/material_index", H5T_STD_I32LE, {4, 3, 2}, 1);  // other integers are fine
    EXPECT_EQ(io::read_reference_case(file).material_index[5], 1);
}

TEST(DoseFile, EveryFieldComesBack) {
    test::TemporaryFolder folder;
    Dose d = a_dose();
    d.summation = DoseSummation::fraction;
    d.medium = DoseMedium::water;
    d.type = "PHYSICAL";
    d.beam_number = 3;
    d.fraction_group = 2;
    d.fractions = 31;
    d.comment = "ein Kommentar µ";
    d.frame_of_reference_uid = "1.2.1";
    d.referenced_plan_uid = "1.2.2";
    d.referenced_plan_class_uid = "1.2.3";
    d.referenced_structure_set_uid = "1.2.4";
    d.sop_instance_uid = "1.2.5";
    d.provenance.engine_version = "9.9.9";
    d.provenance.engine = "pencil-beam";
    d.provenance.backend = "other";
    d.provenance.hu_curve_name = "curve";
    d.provenance.hu_curve_hash = "abcd";
    d.provenance.model_hashes = {{"a", "1"}, {"b", "2"}};
    d.provenance.settings = {{"grid", "2.5"}, {"override 3/4", "x"}};
    d.provenance.input_uids = {{"plan", "1.2"}, {"ct_series", "3.4"}};
    io::write_doses_hdf5(d, {}, folder / "d.h5");
    const Dose b = io::read_dose_hdf5(folder / "d.h5");
    EXPECT_EQ(b.summation, d.summation);
    EXPECT_EQ(b.medium, d.medium);
    EXPECT_EQ(b.type, d.type);
    EXPECT_EQ(b.beam_number, 3);
    EXPECT_EQ(b.fraction_group, 2);
    EXPECT_EQ(b.fractions, 31);
    EXPECT_EQ(b.comment, d.comment);
    EXPECT_EQ(b.frame_of_reference_uid, "1.2.1");
    EXPECT_EQ(b.referenced_plan_uid, "1.2.2");
    EXPECT_EQ(b.referenced_plan_class_uid, "1.2.3");
    EXPECT_EQ(b.referenced_structure_set_uid, "1.2.4");
    EXPECT_EQ(b.sop_instance_uid, "1.2.5");
    EXPECT_EQ(b.provenance.engine_version, "9.9.9");
    EXPECT_EQ(b.provenance.engine, "pencil-beam");
    EXPECT_EQ(b.provenance.backend, "other");
    EXPECT_EQ(b.provenance.hu_curve_name, "curve");
    EXPECT_EQ(b.provenance.hu_curve_hash, "abcd");
    EXPECT_EQ(b.provenance.model_hashes, d.provenance.model_hashes);
    EXPECT_EQ(b.provenance.settings, d.provenance.settings);
    EXPECT_EQ(b.provenance.input_uids, d.provenance.input_uids);
}

TEST(DoseFile, WhatItIsNotSureOfIsRefused) {
    test::TemporaryFolder folder;
    const auto file = folder / "d.h5";
    const auto refused = [&](const char* object, const char* name, const char* value) {
        io::write_doses_hdf5(a_dose(), {}, file);
        put_text(file, object, name, value);
        EXPECT_NE(message_of([&] { io::read_dose_hdf5(file); }).find(value), std::string::npos) << name;
    };
    refused("/plan", "summation", "SOMETHING");
    refused("/plan", "dose_to", "tissue");
    refused("/plan/dose", "units", "cGy");
    io::write_doses_hdf5(a_dose(), {}, file);
    edit(file, "/plan/dose", [](std::vector<double>& v) { v[7] = std::nan(""); });
    EXPECT_NE(message_of([&] { io::read_dose_hdf5(file); }).find("/plan/dose"), std::string::npos);
    io::write_doses_hdf5(a_dose(), {}, file);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    EXPECT_NE(message_of([&] { io::read_dose_hdf5(file); }).find("d.h5"), std::string::npos);
}

TEST(DoseFile, AFolderThatIsNotThereIsAnErrorAndLeavesNothing) {
    test::TemporaryFolder folder;
    EXPECT_NE(message_of([&] { io::write_doses_hdf5(a_dose(), {}, folder / "none/d.h5"); }).find("d.h5"),
              std::string::npos);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}
