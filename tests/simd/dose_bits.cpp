// Prints which versions of functions run here, and hashes of small doses by them: one line each.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "libdose/influence.h"
#include "support/water_cube.h"

using namespace libdose;

namespace {

// Chosen by the loader as the functions of libdose are.
__attribute__((target("default"))) const char* version() { return "default"; }
__attribute__((target("arch=x86-64-v3"))) const char* version() { return "x86-64-v3"; }
__attribute__((target("arch=x86-64-v4"))) const char* version() { return "x86-64-v4"; }

/// FNV-1a of the bytes.
template <class Value>
void print(const char* name, const std::vector<Value>& values) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
    std::uint64_t hash = 14695981039346656037ULL;
    for (std::size_t n = 0; n < values.size() * sizeof(Value); ++n)
        hash = (hash ^ bytes[n]) * 1099511628211ULL;
    std::printf("%s %zu %016llx\n", name, values.size(), static_cast<unsigned long long>(hash));
}

/// The cube with lung, bone and a hole in it, so that rows end and media change within a block of lanes.
CtImage mixed_ct() {
    CtImage ct = water_ct();
    const Grid& grid = ct.hu.grid;
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i) {
                const Vec3 at = grid.centre_mm(i, j, k);
                if ((at - Vec3(30, -20, 10)).norm() < 45) ct.hu.at(i, j, k) = -750;
                if ((at - Vec3(-40, 0, -20)).norm() < 30) ct.hu.at(i, j, k) = 900;
                if ((at - Vec3(0, 60, 0)).norm() < 15) ct.hu.at(i, j, k) = -1000;
            }
    return ct;
}

}  // namespace

int main() {
    std::printf("version %s\n", version());
    const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    const BeamModelProvider models = [&](const Beam&) -> const BeamModel& { return model; };
    const CtImage ct = mixed_ct();
    const StructureSet body = body_of_cube();
    const Plan plan = plan_of({static_beam(1, 25, 100), static_beam(2, 110, 60)});
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        EngineOptions options;
        options.algorithm = algorithm;
        options.grid_mm = 6;
        options.quality = Quality::draft;
        print("dose", calculate(ct, &body, plan, materials, models, options).plan.gy.values);
    }
    InfluenceOptions options;
    options.engine.algorithm = Algorithm::pencil_beam;
    options.engine.grid_mm = 10;
    options.beamlets.side_mm = 25;
    print("influence", influence(ct, &body, plan, materials, models, options).columns.gy);
}
