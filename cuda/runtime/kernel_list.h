// Every kernel by its number: what the host asks for and the device library launches.
#pragma once

#include <cstddef>
#include <type_traits>

#include "cuda/collapsed_cone/emission_kernels.h"
#include "cuda/collapsed_cone/sweep_kernels.h"
#include "cuda/electrons/kernels.h"
#include "cuda/fluence/kernels.h"
#include "cuda/pencil_beam/fourier_kernels.h"
#include "cuda/pencil_beam/kernels.h"
#include "cuda/raytrace/kernels.h"
#include "cuda/terma/kernels.h"

namespace libdose::cuda {

template <class... Kernels>
struct KernelList {
    static constexpr int count = sizeof...(Kernels);

    template <class Kernel>
    static constexpr int number_of() {
        int number = 0, found = -1;
        ((std::is_same_v<Kernel, Kernels> ? found = number : 0, ++number), ...);
        return found;
    }
    /// Calls visit.template operator()<Kernel>() for each, in order.
    template <class Visit>
    static void for_each(Visit&& visit) {
        (visit.template operator()<Kernels>(), ...);
    }
};

/// Kernels of the transport exist for these numbers of rates; a beam model's are filled up with rates that
/// nothing is released into.
inline constexpr int rate_counts[] = {2, 3, 4, 5, 8};

using Kernels =
    KernelList<LeafStrips, AddApertures, CoarsenMaps, BlurMaps, FinishMaps, TraceRays, DistancesAtDepth,
               ReleaseEnergy, CrossVolume<float>, CrossVolume<std::uint32_t>, EmitPlanes<2>, EmitPlanes<3>,
               EmitPlanes<4>, EmitPlanes<5>, EmitPlanes<8>, SweepLines<2>, SweepLines<3>, SweepLines<4>,
               SweepLines<5>, SweepLines<8>, GatherDeposit, FinishDose, AddElectrons, FindPencilNodes,
               FourierPass, MultiplyImages, SpreadKernels, TakeImages, PencilDose>;

template <class Kernel>
inline constexpr int kernel_number = Kernels::number_of<Kernel>();

}  // namespace libdose::cuda
