#include "cuda/fluence/stage.h"

#include <algorithm>
#include <optional>
#include <span>

#include "cuda/terma/beam.h"
#include "fluence/aperture.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/fluence_plan.h"
#include "fluence/head.h"

namespace libdose::cuda {

namespace {

/// Maps are made as many at a time as take about this much, and their moments as many at a time as need as
/// much for the strips of leaves.
constexpr std::size_t most_bytes = std::size_t{64} << 20;
constexpr std::size_t most_moments = 4096;  // a launch has at most 65535 blocks along z

/// Lists one after another, with where each begins.
template <class Value>
struct Joined {
    std::vector<Value> values;
    std::vector<int> first{0};
    void add(const std::vector<Value>& list) {
        values.insert(values.end(), list.begin(), list.end());
        first.push_back(static_cast<int>(values.size()));
    }
};

/// A collimator on the device: what stays, and the moments of some maps.
class DeviceBank {
public:
    DeviceBank(DevicePool& pool, const BankOnRaster& bank)
        : pool_(pool), bank_(bank), first_share_(pool, bank.first_share), shares_(pool, bank.shares) {}

    /// Bytes of one moment.
    std::size_t bytes() const {
        return static_cast<std::size_t>(bank_.strips()) * static_cast<std::size_t>(bank_.travel_size) *
               sizeof(float);
    }

    BankView at(std::span<const WeightedAperture> moments) {
        std::vector<physics::Interval> jaws, leaves;
        for (const WeightedAperture& moment : moments) {
            jaws.push_back(bank_.jaw(moment.devices));
            const std::vector<physics::Interval> tangents = bank_.leaves(moment.devices);
            leaves.insert(leaves.end(), tangents.begin(), tangents.end());
        }
        jaw_ = DeviceArray<physics::Interval>(pool_, jaws);
        leaves_ = DeviceArray<physics::Interval>(pool_, leaves);
        through_ = DeviceArray<float>(pool_, moments.size() * bytes() / sizeof(float));
        const BankView view{bank_.bank,        bank_.along_x,         bank_.pairs,    bank_.strips(),
                            bank_.travel_size, bank_.travel_lower_mm, bank_.pixel_mm, jaw_.data(),
                            leaves_.data(),    first_share_.data(),   shares_.data(), through_.data()};
        const int count = static_cast<int>(moments.size());
        pool_.executor().run(LeafStrips{view, false}, {bank_.travel_size, bank_.pairs + 1, count});
        pool_.executor().run(LeafStrips{view, true}, {bank_.travel_size, bank_.between, count});
        return view;
    }

private:
    DevicePool& pool_;
    const BankOnRaster& bank_;
    DeviceArray<int> first_share_;
    DeviceArray<physics::StripShare> shares_;
    DeviceArray<physics::Interval> jaw_, leaves_;
    DeviceArray<float> through_;
};

/// Maps of one raster on the device.
class DeviceMaps {
public:
    DeviceMaps(DevicePool& pool, int size_u, int size_v, int count)
        : pool_(pool),
          size_u_(size_u),
          size_v_(size_v),
          count_(count),
          values_(pool, pixels() * static_cast<std::size_t>(count)) {}

    std::size_t pixels() const {
        return static_cast<std::size_t>(size_u_) * static_cast<std::size_t>(size_v_);
    }
    Index3 threads() const { return {size_u_, size_v_, count_}; }
    float* data() { return values_.data(); }
    const float* data() const { return values_.data(); }
    void clear() { values_.clear(); }
    void take(std::size_t map, std::vector<float>& to) const {
        to.resize(pixels());
        pool_.executor().download(to.data(), values_.data() + map * pixels(), to.size() * sizeof(float));
    }
    /// These maps blurred by a kernel for each.
    DeviceMaps blurred(const Joined<double>& along_u, const Joined<double>& along_v) const {
        DeviceMaps rows(pool_, size_u_, size_v_, count_), both(pool_, size_u_, size_v_, count_);
        const DeviceArray<double> kernels_u(pool_, along_u.values), kernels_v(pool_, along_v.values);
        const DeviceArray<int> first_u(pool_, along_u.first), first_v(pool_, along_v.first);
        pool_.executor().run(
            BlurMaps{size_u_, size_v_, false, kernels_u.data(), first_u.data(), data(), rows.data()},
            threads());
        pool_.executor().run(
            BlurMaps{size_u_, size_v_, true, kernels_v.data(), first_v.data(), rows.data(), both.data()},
            threads());
        return both;
    }

private:
    DevicePool& pool_;
    int size_u_, size_v_, count_;
    DeviceArray<float> values_;
};

/// The maps of one beam, some at a time.
class HeadOnDevice {
public:
    HeadOnDevice(DevicePool& pool, const FluencePlan& plan, const HeadModel& head,
                 const FluenceOptions& options)
        : pool_(pool),
          plan_(plan),
          head_(head),
          options_(options),
          budget_(std::min(most_bytes, pool.available_bytes() / 8)),
          devices_(plan.empty_map(0), plan.beam(), head, options.leaves),
          blocks_(pool, devices_.blocks),
          profile_radius_(pool, head.profile_radius_mm),
          profile_(pool, head.profile) {
        banks_.reserve(devices_.banks.size());
        for (const BankOnRaster& bank : devices_.banks) banks_.emplace_back(pool, bank);
    }

    std::vector<FluenceMap> all() {
        std::vector<FluenceMap> maps;
        while (maps.size() < plan_.size()) {
            const std::size_t begin = maps.size();
            Joined<WeightedAperture> moments;
            std::size_t bytes = 0;
            do {
                maps.push_back(plan_.empty_map(maps.size()));
                moments.add(plan_.apertures(maps.size() - 1));
                bytes += 3 * maps.back().values.size() * sizeof(float);  // with blurred ones
            } while (bytes < budget_ && maps.size() < plan_.size() && plan_.same_filter(begin, maps.size()));
            make(maps, begin, moments);
        }
        return maps;
    }

private:
    /// Maps from `begin` on.
    void make(std::vector<FluenceMap>& maps, std::size_t begin, const Joined<WeightedAperture>& moments) {
        const int count = static_cast<int>(maps.size() - begin);
        const FluenceMap& first = maps[begin];
        const MapRaster raster{first.size_u, first.size_v, first.pixel_mm, first.lower_u_mm,
                               first.lower_v_mm};
        std::optional<DeviceMaps> values(std::in_place, pool_, raster.size_u, raster.size_v, count);
        add_apertures(raster, moments, *values);

        Joined<double> spot_u, spot_v, extrafocal_u, extrafocal_v, electrons;
        HeadBlurs blurs;
        for (int n = 0; n < count; ++n) {
            const std::size_t map = begin + static_cast<std::size_t>(n);
            blurs = head_blurs(maps[map], plan_.beam(), head_, options_.leaves, plan_.collimator_deg(map));
            spot_u.add(blurs.spot_u);
            spot_v.add(blurs.spot_v);
            extrafocal_u.add(blurs.extrafocal_u);
            extrafocal_v.add(blurs.extrafocal_v);
            electrons.add(blurs.electrons_uv);
        }
        const CoarseMap coarse = coarse_raster(first);
        std::optional<DeviceMaps> extrafocal, blurred_electrons;
        if (blurs.extrafocal_amplitude > 0 || blurs.electrons) {
            DeviceMaps aperture(pool_, coarse.size_u, coarse.size_v, count);
            pool_.executor().run(CoarsenMaps{raster, coarse_pixels(first), coarse.size_u, coarse.size_v,
                                             values->data(), aperture.data()},
                                 aperture.threads());
            if (blurs.extrafocal_amplitude > 0)
                extrafocal.emplace(aperture.blurred(extrafocal_u, extrafocal_v));
            if (blurs.electrons) blurred_electrons.emplace(aperture.blurred(electrons, electrons));
        }
        DeviceMaps focal = values->blurred(spot_u, spot_v);
        values.reset();
        finish(raster, first, blurs, coarse, extrafocal, focal);
        for (std::size_t n = 0; n < static_cast<std::size_t>(count); ++n) {
            FluenceMap& map = maps[begin + n];
            focal.take(n, map.values);
            if (blurred_electrons) {
                map.electrons = coarse;
                blurred_electrons->take(n, map.electrons.values);
            }
            if (options_.after_map) options_.after_map();
        }
    }

    /// As many moments at a time as the memory for their strips allows.
    void add_apertures(const MapRaster& raster, const Joined<WeightedAperture>& moments, DeviceMaps& values) {
        values.clear();
        std::size_t of_one = 1;
        for (const DeviceBank& bank : banks_) of_one += bank.bytes();
        const std::size_t at_once = std::clamp<std::size_t>(budget_ / of_one, 1, most_moments);
        for (std::size_t begin = 0; begin < moments.values.size(); begin += at_once) {
            const std::size_t end = std::min(begin + at_once, moments.values.size());
            const std::span<const WeightedAperture> some(moments.values.data() + begin, end - begin);
            std::vector<BankView> views;
            for (DeviceBank& bank : banks_) views.push_back(bank.at(some));
            std::vector<Moment> list;
            for (const WeightedAperture& moment : some)
                list.push_back({moment.weight, jaw_x_of(moment.devices), jaw_y_of(moment.devices)});
            std::vector<int> first_moment;
            for (const int first : moments.first)
                first_moment.push_back(std::clamp(first, static_cast<int>(begin), static_cast<int>(end)) -
                                       static_cast<int>(begin));
            const DeviceArray<BankView> banks(pool_, views);
            const DeviceArray<Moment> on_device(pool_, list);
            const DeviceArray<int> first(pool_, first_moment);
            pool_.executor().run(
                AddApertures{raster, banks.data(), static_cast<int>(views.size()), on_device.data(),
                             first.data(), devices_.blocks.empty() ? nullptr : blocks_.data(),
                             devices_.jaw_transmission, devices_.x_jaw_in_bank, devices_.y_jaw_in_bank,
                             values.data()},
                values.threads());
        }
    }

    /// `map`: any of them; the others have its filter.
    void finish(const MapRaster& raster, const FluenceMap& map, const HeadBlurs& blurs,
                const CoarseMap& coarse, const std::optional<DeviceMaps>& extrafocal, DeviceMaps& values) {
        const OpenHead open(plan_.beam(), head_, map.filter.get(), options_.terma, map.pixel_mm);
        FinishMaps run{};
        run.raster = raster;
        run.head = open.view();
        run.head.profile_radius_mm = profile_radius_.data();
        run.head.profile_value = profile_.data();
        std::optional<DeviceFilter> absorber, without;
        if (open.absorber()) {
            absorber.emplace(pool_, open.absorber());
            without.emplace(pool_, &open.without_absorber());
            if (!table_) table_.emplace(pool_, *options_.terma);
            run.head.absorber = absorber->view();
            run.head.open = without->view();
            run.head.table = table_->view();
        }
        run.extrafocal_amplitude = blurs.extrafocal_amplitude;
        run.extrafocal_scale_u = blurs.extrafocal_scale_u;
        run.extrafocal_scale_v = blurs.extrafocal_scale_v;
        run.extrafocal = coarse.view();
        run.extrafocal.values = extrafocal ? extrafocal->data() : nullptr;
        run.values = values.data();
        pool_.executor().run(run, values.threads());
    }

    DevicePool& pool_;
    const FluencePlan& plan_;
    const HeadModel& head_;
    const FluenceOptions& options_;
    std::size_t budget_;
    DevicesOnRaster devices_;
    std::vector<DeviceBank> banks_;
    DeviceArray<float> blocks_;
    DeviceArray<double> profile_radius_, profile_;
    std::optional<DeviceTermaTable> table_;
};

}  // namespace

std::vector<FluenceMap> beam_fluence(DevicePool& pool, const Beam& beam, PatientPosition position,
                                     const HeadModel& head, const FluenceOptions& options) {
    const FluencePlan plan(beam, position, head, options);
    if (plan.size() == 0) return {};
    return HeadOnDevice(pool, plan, head, options).all();
}

}  // namespace libdose::cuda
