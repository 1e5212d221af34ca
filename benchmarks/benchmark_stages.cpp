// Time of each stage: a 10x10 cm field on a water cube of n³ voxels of 2.5 mm, generic 6 MV; and beside them
// memory_triad/T, what the memory gives T threads.
//   cmake --preset release -DLIBDOSE_BENCHMARKS=ON && cmake --build build/release --target benchmark_stages
//   build/release/benchmarks/benchmark_stages
#include <benchmark/benchmark.h>

#include "collapsed_cone/sweep_plan.h"
#include "cpu/collapsed_cone/superposition.h"
#include "cpu/pencil_beam/pencil.h"
#include "cpu/terma/release.h"
#include "fluence/fluence_map.h"
#include "libdose/data.h"
#include "libdose/gamma.h"
#include "libdose/io/hdf5.h"
#include "support/small_case.h"
#include "terma/terma_table.h"

using namespace libdose;

namespace {

const BeamModel& model() {
    static const BeamModel loaded = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    return loaded;
}

/// What a copy with a sum moves through the memory, a[i] = b[i] + s·c[i] (McCalpin's STREAM triad, in single
/// precision): three arrays of 256 MiB.
void memory_triad(benchmark::State& state) {
    const std::size_t count = std::size_t{64} << 20;
    const int threads = static_cast<int>(state.range(0));
    std::vector<float> a(count), b(count), c(count);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (std::size_t n = 0; n < count; ++n) {
        a[n] = 0;
        b[n] = 1;
        c[n] = 2;
    }
    for (auto _ : state) {
#pragma omp parallel for simd num_threads(threads) schedule(static)
        for (std::size_t n = 0; n < count; ++n) a[n] = b[n] + 3.0f * c[n];
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(3 * count * sizeof(float)) * state.iterations());
}

void ray_trace_and_terma(benchmark::State& state) {
    const DensityGrid water = test::water_cube(static_cast<int>(state.range(0)), 2.5);
    const FluenceMap map = test::square_field(100);
    const TermaTable table(model().spectrum);
    for (auto _ : state) benchmark::DoNotOptimize(cpu::released_energy(water, map, table, 2.5, 0).size());
}

/// Counter: voxels × directions per second, all threads together.
void superposition(benchmark::State& state) {
    const DensityGrid water = test::water_cube(static_cast<int>(state.range(0)), 2.5);
    const auto source =
        cpu::released_energy(water, test::square_field(100), TermaTable(model().spectrum), 2.5, 0);
    const auto directions = beam_aligned_directions(model().cone_kernel, Vec3(0, 0, 1), 12, 12);
    for (auto _ : state)
        benchmark::DoNotOptimize(
            cpu::superpose(water, model().cone_kernel, {source}, directions, LatticeMode::interpolated)
                .deposited);
    state.counters["voxel-directions/s"] = benchmark::Counter(static_cast<double>(water.grid.voxel_count()) *
                                                                  static_cast<double>(directions.size()) *
                                                                  static_cast<double>(state.iterations()),
                                                              benchmark::Counter::kIsRate);
}

void pencil_beam(benchmark::State& state) {
    const DensityGrid water = test::water_cube(static_cast<int>(state.range(0)), 2.5);
    const FluenceMap map = test::square_field(100);
    for (auto _ : state) benchmark::DoNotOptimize(cpu::pencil_beam(water, map, model().pencil_kernel).data());
}

void gamma_of_a_scaled_dose(benchmark::State& state) {
    const DensityGrid water = test::water_cube(static_cast<int>(state.range(0)), 2.5);
    Volume<float> dose(water.grid), scaled(water.grid);
    dose.values = cpu::pencil_beam(water, test::square_field(100), model().pencil_kernel);
    for (std::size_t v = 0; v < dose.values.size(); ++v) scaled.values[v] = 1.01f * dose.values[v];
    for (auto _ : state) benchmark::DoNotOptimize(gamma_index(dose, scaled, {}).passed);
}

}  // namespace

BENCHMARK(memory_triad)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(ray_trace_and_terma)->Arg(100)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(superposition)->Arg(100)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(pencil_beam)->Arg(100)->Arg(156)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(gamma_of_a_scaled_dose)->Arg(100)->Unit(benchmark::kMillisecond)->UseRealTime();
