// How the device library is found, and what is said when it or the device is not as it should be. A fake
// library stands for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cuda/cases.h"
#include "cuda/environment.h"
#include "cuda/runtime/library.h"
#include "engine/backend_choice.h"
#include "libdose/error.h"

using namespace libdose;
using test::Environment;
using testing::AllOf;
using testing::HasSubstr;

namespace {

constexpr const char* library_variable = "LIBDOSE_CUDA_LIBRARY";

std::string error_of(int device = 0) {
    try {
        choose_backend(BackendChoice::cuda, device);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_input);
        EXPECT_THAT(error.advice(), testing::Not(testing::IsEmpty()));
        return error.what();
    }
    return "";
}

std::string error_with(const char* fault, int device = 0) {
    const Environment library(library_variable, LIBDOSE_FAKE_CUDA_LIBRARY),
        wrong("LIBDOSE_FAKE_DEVICE", fault);
    return error_of(device);
}

}  // namespace

TEST(CudaLibrary, ThatIsNotThereIsNamed) {
    const Environment library(library_variable, "/nowhere/libdose_cuda.so");
    EXPECT_THAT(error_of(), AllOf(HasSubstr("is not installed"), HasSubstr("/nowhere/libdose_cuda.so"),
                                  HasSubstr("--backend cpu")));
    const ChosenBackend chosen = choose_backend(BackendChoice::automatic, 0);
    EXPECT_EQ(chosen.get().description(), "cpu");
    EXPECT_THAT(chosen.note, AllOf(testing::StartsWith("backend: cpu, for"), HasSubstr("is not installed")));
}

TEST(CudaLibrary, TheCpuNeedsNone) {
    const Environment library(library_variable, "/nowhere/libdose_cuda.so");
    const ChosenBackend chosen = choose_backend(BackendChoice::cpu, 0);
    EXPECT_EQ(chosen.get().description(), "cpu");
    EXPECT_EQ(chosen.note, "");
}

TEST(CudaLibrary, OnlyTheOneThatTheEnvironmentNamesIsTaken) {
    const Environment library(library_variable, "/a/b.so");
    EXPECT_THAT(cuda::library_candidates(), testing::ElementsAre("/a/b.so"));
}

TEST(CudaLibrary, IsLookedForBesideTheProgramFirst) {
    const Environment none(library_variable, "");
    const auto candidates = cuda::library_candidates();
    ASSERT_GE(candidates.size(), 2u);
    EXPECT_EQ(candidates[0].filename(), "libdose_cuda.so");
    const auto program = std::filesystem::read_symlink("/proc/self/exe");
    EXPECT_EQ(candidates[0].parent_path().parent_path(), program.parent_path().parent_path());
    // This program is what libdose is linked into.
    EXPECT_EQ(std::filesystem::weakly_canonical(candidates[1].parent_path()), program.parent_path());
}

TEST(CudaLibrary, MustBeOne) {
    const auto file = std::filesystem::temp_directory_path() /
                      ("libdose-not-a-library-" + std::to_string(getpid()) + ".so");
    std::ofstream(file) << "text";
    const Environment library(library_variable, file.string());
    EXPECT_THAT(error_of(), HasSubstr("cannot be loaded"));
    std::filesystem::remove(file);
    EXPECT_THROW(cuda::load_library("libm.so.6"), Error);
}

TEST(CudaLibrary, FaultsAreToldApart) {
    EXPECT_THAT(error_with("old"), HasSubstr("of another version"));
    EXPECT_THAT(error_with("other-sources"), HasSubstr("built from other sources"));
    EXPECT_THAT(error_with("no-driver"),
                AllOf(HasSubstr("no NVIDIA driver"), HasSubstr("no driver in this fake")));
    EXPECT_THAT(error_with("no-device"), HasSubstr("no CUDA device 0: none was found"));
    EXPECT_THAT(error_with("wrong-architecture"),
                AllOf(HasSubstr("no code for this device"), HasSubstr("CMAKE_CUDA_ARCHITECTURES")));
    EXPECT_THAT(error_with("", 2), HasSubstr("no CUDA device 2: 0 to 1 are there"));
    EXPECT_THAT(error_with("", -1), HasSubstr("no CUDA device -1"));
    EXPECT_EQ(error_with(""), "");
}

TEST(CudaLibrary, ALostDeviceSaysSo) {
    const Environment library(library_variable, LIBDOSE_FAKE_CUDA_LIBRARY),
        wrong("LIBDOSE_FAKE_DEVICE", "lost");
    const ChosenBackend chosen = choose_backend(BackendChoice::cuda, 0);
    const DensityGrid water = test::water_cube(4, 5);
    try {
        chosen.get().prepare(water);
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("failed and cannot be used further"),
                                        HasSubstr("cuda fake (device 0, compute capability 9.0)")));
    }
}

TEST(CudaLibrary, TooSmallADeviceIsRefusedOrLeftForTheCpu) {
    const Environment library(library_variable, LIBDOSE_FAKE_CUDA_LIBRARY),
        wrong("LIBDOSE_FAKE_DEVICE", "small");
    MemoryNeeds needs;
    needs.grid = test::water_cube(50, 4).grid;
    ChosenBackend asked = choose_backend(BackendChoice::cuda, 0),
                  open = choose_backend(BackendChoice::automatic, 0);
    EXPECT_THROW(require_memory(asked, BackendChoice::cuda, needs, "plan"), Error);
    EXPECT_THAT(open.get().description(), HasSubstr("fake"));
    require_memory(open, BackendChoice::automatic, needs, "plan");
    EXPECT_EQ(open.get().description(), "cpu");
    EXPECT_THAT(open.note, HasSubstr("of device memory"));
}

TEST(CudaLibrary, CalculatesThroughTheInterfaceAsWithoutIt) {
    const Environment library(library_variable, LIBDOSE_FAKE_CUDA_LIBRARY), right("LIBDOSE_FAKE_DEVICE", "");
    const ChosenBackend chosen = choose_backend(BackendChoice::automatic, 1);
    EXPECT_EQ(chosen.get().description(), "cuda fake (device 1, compute capability 9.0)");
    for (const test::BackendCase& c : test::backend_cases())
        if (c.name == "ObliqueInterpolated" || c.name == "PencilWedge" || c.name == "Electrons") {
            EXPECT_LE(test::agreement(c.run(*chosen.get().prepare(c.density), c),
                                      c.run(*cpu_backend().prepare(c.density), c))
                          .largest,
                      1e-3)
                << c.name;
        }
}
