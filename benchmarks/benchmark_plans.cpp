// Time of whole calculations, from fluence maps to dose, by the generic 6 MV model on water:
//   water_10x10/N/S    an open 10x10 cm field, SSD 100 cm, on n³ voxels of s tenths of a millimetre
//   arc/N/X/Y/Z        a full turn of n geometries, openings of 40x80 mm with 1.5 % leakage around them, on
//   x·y·z voxels of 2.5 mm thorax_four_fields/X/Y/Z    the arc's openings from 40, 140, 220 and 320 degrees
//   on a thorax of 340x230x300 mm in as many voxels cmake --preset release -DLIBDOSE_BENCHMARKS=ON && cmake
//   --build build/release --target benchmark_plans build/release/benchmarks/benchmark_plans
#include <benchmark/benchmark.h>

#include "benchmark_cases.h"
#include "engine/compute.h"

using namespace libdose;
using namespace libdose::benchmark_cases;

namespace {

void run(benchmark::State& state, const DensityGrid& density, const std::vector<FluenceMap>& maps,
         Algorithm algorithm) {
    ComputeOptions options;
    options.algorithm = algorithm;
    for (auto _ : state) benchmark::DoNotOptimize(compute_dose(density, maps, model(), options).data());
    state.counters["voxels"] = static_cast<double>(density.grid.voxel_count());
}

void water(benchmark::State& state, Algorithm algorithm) {
    const DensityGrid density =
        test::water_cube(static_cast<int>(state.range(0)), 0.1 * static_cast<double>(state.range(1)));
    run(state, density, {open_field()}, algorithm);
}

void arc(benchmark::State& state) {
    const auto size = [&](std::size_t a) { return static_cast<int>(state.range(a + 1)); };
    run(state, water_box(size(0), size(1), size(2)), arc_maps(static_cast<int>(state.range(0))),
        Algorithm::collapsed_cone);
}

void thorax_four_fields(benchmark::State& state) {
    const auto size = [&](std::size_t a) { return static_cast<int>(state.range(a)); };
    run(state, thorax(size(0), size(1), size(2)), {arc_map(40), arc_map(140), arc_map(220), arc_map(320)},
        Algorithm::collapsed_cone);
}

}  // namespace

BENCHMARK_CAPTURE(water, 10x10_collapsed_cone, Algorithm::collapsed_cone)
    ->Args({100, 25})
    ->Args({256, 20})
    ->Args({30, 50})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(water, 10x10_pencil_beam, Algorithm::pencil_beam)
    ->Args({100, 25})
    ->Args({156, 25})
    ->Args({30, 50})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(thorax_four_fields)
    ->Args({136, 92, 120})
    ->Args({34, 23, 30})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(arc)
    ->Args({178, 200, 160, 120})
    ->Args({60, 200, 160, 120})
    ->Args({178, 136, 92, 120})
    ->Args({178, 256, 256, 256})
    ->Args({20, 30, 30, 30})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
