// Times on a CUDA device, with copies apart, by the generic 6 MV model on water. Skipped with the reason
// where there is no device.
//   cmake --preset cuda -DLIBDOSE_BENCHMARKS=ON && cmake --build --preset cuda --target benchmark_cuda
//   libdose_cuda build/cuda/benchmarks/benchmark_cuda copy/to_device, copy/from_device   256 MiB of pageable
//   memory: the ceiling of what copies grid_to_device/N                   the densities of n³ voxels
//   fluence/N                          maps of an arc of n control points with moving leaves, copied back
//   resident_...                       one transport or pencil beam of a grid that is on the device, the dose
//   copied back whole_...                          from fluence maps to dose, grid copied, parts of maps and
//   coarse grids included
#include <benchmark/benchmark.h>

#include <memory>

#include "benchmark_cases.h"
#include "cuda/runtime/library.h"
#include "engine/backend_choice.h"
#include "engine/compute.h"
#include "libdose/error.h"

using namespace libdose;
using namespace libdose::benchmark_cases;

namespace {

/// Null, and the benchmark skipped, where there is no device.
Backend* device(benchmark::State& state) {
    static std::string reason;
    static const ChosenBackend chosen = [] {
        try {
            return choose_backend(BackendChoice::cuda, 0);
        } catch (const Error& error) {
            reason = "no device: " + error.problem();
            return ChosenBackend{};
        }
    }();
    if (!chosen.own) {
        state.SkipWithError(reason.c_str());
        return nullptr;
    }
    state.SetLabel(chosen.own->description());
    return chosen.own.get();
}

void copy(benchmark::State& state, bool to_device) {
    if (!device(state)) return;
    const auto executor = cuda::open_device(cuda::load_library(), 0);
    std::vector<char> host(std::size_t{256} << 20);
    void* const memory = executor->allocate(host.size());
    for (auto _ : state) {
        to_device ? executor->upload(memory, host.data(), host.size(), 0)
                  : executor->download(host.data(), memory, host.size());
        executor->synchronize();
    }
    executor->release(memory);
    state.SetBytesProcessed(static_cast<std::int64_t>(host.size()) * state.iterations());
}

void grid_to_device(benchmark::State& state) {
    Backend* const backend = device(state);
    if (!backend) return;
    const DensityGrid density = test::water_cube(static_cast<int>(state.range(0)), 2);
    for (auto _ : state) benchmark::DoNotOptimize(backend->prepare(density).get());
}

void fluence(benchmark::State& state) {
    Backend* const backend = device(state);
    if (!backend) return;
    const Beam beam = arc_beam(static_cast<int>(state.range(0)));
    FluenceOptions options;
    options.leaves = {rounded_leaves()};
    for (auto _ : state)
        benchmark::DoNotOptimize(backend->fluence(beam, PatientPosition::hfs, model().head, options).data());
}

/// Side in voxels, spacing in tenths of a millimetre.
DensityGrid cube(const benchmark::State& state) {
    return test::water_cube(static_cast<int>(state.range(0)), 0.1 * static_cast<double>(state.range(1)));
}

void resident_collapsed_cone(benchmark::State& state) {
    Backend* const backend = device(state);
    if (!backend) return;
    const DensityGrid density = cube(state);
    const auto medium = backend->prepare(density);
    const std::vector<FluenceMap> maps{open_field()};
    const QualitySettings quality = quality_settings(Quality::standard);
    const auto directions =
        beam_aligned_directions(model().cone_kernel, Vec3(0, 0, 1), quality.rings, quality.sectors);
    for (auto _ : state)
        benchmark::DoNotOptimize(
            medium->transport(maps, model(), directions, {quality.lattice, quality.ray_spacing_voxels}, {})
                .data());
    state.counters["voxel-directions/s"] = benchmark::Counter(
        static_cast<double>(density.grid.voxel_count()) * static_cast<double>(directions.size()) *
            static_cast<double>(state.iterations()),
        benchmark::Counter::kIsRate);
}

void resident_pencil_beam(benchmark::State& state) {
    Backend* const backend = device(state);
    if (!backend) return;
    const DensityGrid density = cube(state);
    const auto medium = backend->prepare(density);
    const FluenceMap map = open_field();
    for (auto _ : state) benchmark::DoNotOptimize(medium->pencil_beam(map, model(), {}).data());
}

void whole(benchmark::State& state, const DensityGrid& density, const std::vector<FluenceMap>& maps,
           ComputeOptions options) {
    options.backend = device(state);
    if (!options.backend) return;
    for (auto _ : state) benchmark::DoNotOptimize(compute_dose(density, maps, model(), options).data());
}

void whole_water(benchmark::State& state, Algorithm algorithm) {
    ComputeOptions options;
    options.algorithm = algorithm;
    whole(state, cube(state), {open_field()}, options);
}

void whole_arc(benchmark::State& state, Grouping grouping) {
    ComputeOptions options;
    options.grouping = grouping;
    const auto size = [&](std::size_t a) { return static_cast<int>(state.range(a + 1)); };
    whole(state, water_box(size(0), size(1), size(2)), arc_maps(static_cast<int>(state.range(0))), options);
}

}  // namespace

BENCHMARK_CAPTURE(copy, to_device, true)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(copy, from_device, false)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(grid_to_device)->Arg(256)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(fluence)->Arg(178)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(resident_collapsed_cone)
    ->Args({100, 25})
    ->Args({256, 20})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(resident_pencil_beam)
    ->Args({100, 25})
    ->Args({156, 25})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(whole_water, collapsed_cone, Algorithm::collapsed_cone)
    ->Args({256, 20})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(whole_water, pencil_beam, Algorithm::pencil_beam)
    ->Args({156, 25})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(whole_arc, fused, Grouping::shared)
    ->Args({178, 136, 92, 120})
    ->Args({178, 200, 160, 120})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(whole_arc, each, Grouping::per_geometry)
    ->Args({178, 136, 92, 120})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
