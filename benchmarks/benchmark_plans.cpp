// Time of whole calculations, from fluence maps to dose, by the generic 6 MV model on water:
//   water_10x10/N/S    an open 10x10 cm field, SSD 100 cm, on n³ voxels of s tenths of a millimetre
//   arc/N/X/Y/Z        a full turn of n geometries, openings of 40x80 mm with 1.5 % leakage around them, on x·y·z voxels of 2.5 mm
//   cmake --preset release -DLIBDOSE_BENCHMARKS=ON && cmake --build build/release --target benchmark_plans
//   build/release/benchmarks/benchmark_plans
#include <benchmark/benchmark.h>

#include <cmath>

#include "cpu/small_case.h"
#include "engine/compute.h"
#include "libdose/data.h"
#include "libdose/io/hdf5.h"

using namespace libdose;

namespace {

const BeamModel& model() {
    static const BeamModel loaded = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    return loaded;
}

void run(benchmark::State& state, const DensityGrid& density, const std::vector<FluenceMap>& maps, Algorithm algorithm) {
    ComputeOptions options;
    options.algorithm = algorithm;
    for (auto _ : state) benchmark::DoNotOptimize(compute_dose(density, maps, model(), options).data());
    state.counters["voxels"] = static_cast<double>(density.grid.voxel_count());
}

/// Pixels of 1 mm, as plans have them.
FluenceMap on_millimetres(double half_u_mm, double half_v_mm, double leakage, double half_mm, const Vec3& direction, const Vec3& isocentre) {
    FluenceMap map = test::square_field(2 * half_mm, direction, isocentre);
    map.pixel_mm = 1;
    map.size_u = map.size_v = static_cast<int>(2 * half_mm);
    map.values.assign(static_cast<std::size_t>(map.size_u) * static_cast<std::size_t>(map.size_v), static_cast<float>(leakage));
    for (int v = 0; v < map.size_v; ++v)
        for (int u = 0; u < map.size_u; ++u)
            if (std::abs(u + 0.5 - half_mm) < half_u_mm && std::abs(v + 0.5 - half_mm) < half_v_mm) map.at(u, v) = 1;
    return map;
}

void water(benchmark::State& state, Algorithm algorithm) {
    const DensityGrid density = test::water_cube(static_cast<int>(state.range(0)), 0.1 * static_cast<double>(state.range(1)));
    run(state, density, {on_millimetres(50, 50, 0, 50, Vec3(0, 0, 1), Vec3::Zero())}, algorithm);
}

void arc(benchmark::State& state) {
    Grid grid;
    for (std::size_t a = 0; a < 3; ++a) grid.size[a] = static_cast<int>(state.range(static_cast<std::size_t>(a) + 1));
    grid.spacing_mm = Vec3::Constant(2.5);
    grid.origin_mm = -0.5 * 2.5 * Vec3(grid.size[0] - 1, grid.size[1] - 1, grid.size[2] - 1);
    std::vector<FluenceMap> maps;
    for (int n = 0; n < state.range(0); ++n) {
        const double angle = 2 * 3.14159265358979 * n / static_cast<double>(state.range(0));
        maps.push_back(on_millimetres(20, 40, 0.015, 150, Vec3(std::sin(angle), std::cos(angle), 0), Vec3::Zero()));
    }
    run(state, uniform_density(grid, MaterialProperties{}), maps, Algorithm::collapsed_cone);
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
BENCHMARK(arc)
    ->Args({178, 200, 160, 120})
    ->Args({60, 200, 160, 120})
    ->Args({178, 136, 92, 120})
    ->Args({178, 256, 256, 256})
    ->Args({20, 30, 30, 30})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
