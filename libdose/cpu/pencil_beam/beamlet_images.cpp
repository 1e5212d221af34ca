#include "cpu/pencil_beam/beamlet_images.h"

#include "fluence/fluence_integral.h"

namespace libdose::cpu {

namespace {

/// Beyond the square's edge: to where points lie as close as the map's pixels, to where the kernel is smooth,
/// and to where there is no dose.
constexpr double fine_mm = 18, middle_mm = 60, far_mm = 400;
constexpr double middle_pixel_mm = 2, far_pixel_mm = 8;

/// Middle of the pixel that holds the square's middle, from there.
double phase(double middle_mm_, double lower_mm, double pixel_mm) {
    const double x = (middle_mm_ - lower_mm) / pixel_mm;
    return (std::floor(x) + 0.5 - x) * pixel_mm;
}

}  // namespace

BeamletImages::Level::Level(double half_side, double pixel, double phase_u_mm, double phase_v_mm)
    : half_side_mm(static_cast<float>(half_side)), per_mm(static_cast<float>(1 / pixel)) {
    const int before = static_cast<int>(std::ceil(half_side / pixel)) + 1;
    lower_u_mm = static_cast<float>(phase_u_mm - before * pixel);
    lower_v_mm = static_cast<float>(phase_v_mm - before * pixel);
    size = 2 * before + 2;
}

void BeamletImages::Level::fill(const PencilImages& images, double middle_u_mm, double middle_v_mm,
                                int nodes) {
    constexpr int width = pencil_components;
    const auto row = static_cast<std::size_t>(size) * width;
    values.assign(static_cast<std::size_t>(nodes) * static_cast<std::size_t>(size) * row, 0.0f);
#pragma omp parallel for schedule(static)
    for (int n = 0; n < nodes; ++n)
        for (int v = 0; v < size; ++v)
            for (int u = 0; u < size; ++u) {
                float* to = &values[(static_cast<std::size_t>(n) * static_cast<std::size_t>(size) +
                                     static_cast<std::size_t>(v)) *
                                        row +
                                    static_cast<std::size_t>(u) * width];
                images.at(static_cast<float>(middle_u_mm) + lower_u_mm + static_cast<float>(u) / per_mm,
                          static_cast<float>(middle_v_mm) + lower_v_mm + static_cast<float>(v) / per_mm,
                          static_cast<float>(n), to);
            }
}

BeamletImages::BeamletImages(BeamletFluence focal, std::optional<BeamletFluence> extrafocal,
                             const PencilKernel& kernel, double side_mm)
    : focal_(std::move(focal)),
      extrafocal_(std::move(extrafocal)),
      kernel_(kernel),
      fine_(0.5 * side_mm + fine_mm, focal_.map.pixel_mm,
            phase(focal_.middle_u_mm, focal_.map.lower_u_mm, focal_.map.pixel_mm),
            phase(focal_.middle_v_mm, focal_.map.lower_v_mm, focal_.map.pixel_mm)),
      middle_(0.5 * side_mm + middle_mm, middle_pixel_mm, 0, 0),
      far_(far_mm, far_pixel_mm, 0, 0),
      wide_(far_mm, far_pixel_mm, 0, 0) {}

double BeamletImages::node_of(double magnification) {
    return std::log(magnification) / std::log(pencil_magnification_step);
}

void BeamletImages::prepare(double lowest, double highest) {
    int begin = static_cast<int>(std::floor(lowest)), end = static_cast<int>(std::floor(highest)) + 2;
    if (nodes_ > 0 && begin >= first_node_ && end <= first_node_ + nodes_) return;
    // A few more, so that other geometries find theirs.
    constexpr int spare = 1;
    begin -= spare;
    end += spare;
    if (nodes_ > 0) {
        begin = std::min(begin, first_node_);
        end = std::max(end, first_node_ + nodes_);
    }
    // An even one: far parts are made for every other node. An image must not depend on which others there
    // are.
    if (begin % 2 != 0) --begin;
    first_node_ = begin;
    nodes_ = end - begin;
    const auto images = [&](const BeamletFluence& fluence) {
        const double reach = far_mm + 3 * far_pixel_mm;
        PencilPlan plan;
        plan.nonzero_bounds = nonzero_bounds(fluence.map);
        plan.grid_bounds = Rect::square(fluence.middle_u_mm, fluence.middle_v_mm, reach);
        PencilImagePlan image_plan =
            plan_pencil_images(fluence.map, plan, Vec3::Ones(), fluence.map.pixel_mm);
        image_plan.lowest_magnification = 1;
        image_plan.first_node = first_node_;
        // The last node is asked for with its neighbour.
        image_plan.use(std::vector<std::uint8_t>(static_cast<std::size_t>(nodes_) + 1, 1));
        return PencilImages(fluence.map, kernel_, plan.nonzero_bounds, image_plan);
    };
    const PencilImages of_focal = images(focal_);
    for (Level* level : {&fine_, &middle_, &far_})
        level->fill(of_focal, focal_.middle_u_mm, focal_.middle_v_mm, nodes_);
    if (extrafocal_)
        wide_.fill(images(*extrafocal_), extrafocal_->middle_u_mm, extrafocal_->middle_v_mm, nodes_);
}

}  // namespace libdose::cpu
