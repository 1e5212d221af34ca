#include <algorithm>
#include <cmath>

#include "io/hdf5/hdf5_file.h"
#include "io/hdf5/provenance_hdf5.h"
#include "libdose/error.h"
#include "libdose/io/influence.h"

namespace libdose::io {

namespace {

constexpr const char* schema = "libdose-influence";

std::vector<double> numbers_of(const Vec3& v) { return {v[0], v[1], v[2]}; }

}  // namespace

struct InfluenceWriter::Parts {
    Hdf5Writer file;
    std::int64_t entries = 0;
    std::size_t columns = 0;
};

InfluenceWriter::InfluenceWriter(const std::filesystem::path& path) : parts_(new Parts{Hdf5Writer(path)}) {
    parts_->file.text("/", "schema", schema);
    parts_->file.integer("/", "schema_version", 1);
    parts_->file.group("/columns");
    parts_->file.append("/columns/begin", std::vector<std::int64_t>{0});
    append({});
}

InfluenceWriter::~InfluenceWriter() = default;

void InfluenceWriter::append(const InfluenceColumns& columns) {
    std::vector<std::int64_t> begin;
    for (std::size_t c = 1; c < columns.begin.size(); ++c)
        begin.push_back(parts_->entries + columns.begin[c]);
    parts_->file.append("/columns/begin", begin);
    parts_->file.append("/columns/voxel", columns.voxel);
    parts_->file.append("/columns/gy", columns.gy);
    parts_->entries += columns.begin.back();
    parts_->columns += columns.count();
}

void InfluenceWriter::finish(const InfluenceHeader& header) {
    if (header.beamlets.size() != parts_->columns)
        throw bad_input(std::to_string(parts_->columns) + " columns were written of " +
                            std::to_string(header.beamlets.size()) + " beamlets",
                        "influence");
    Hdf5Writer& file = parts_->file;
    file.text("/columns", "units", "Gy per MU of the beamlet, one fraction");
    file.text("/columns", "voxel", "(z * size_y + y) * size_x + x");
    file.group("/grid");
    file.numbers("/grid", "size",
                 {static_cast<double>(header.grid.size[0]), static_cast<double>(header.grid.size[1]),
                  static_cast<double>(header.grid.size[2])});
    file.numbers("/grid", "spacing_mm", numbers_of(header.grid.spacing_mm));
    file.numbers("/grid", "origin_mm", numbers_of(header.grid.origin_mm));
    file.text("/grid", "frame", "DICOM patient coordinates (LPS), centre of voxel 0, order x, y, z");
    file.group("/beamlets");
    std::vector<std::int32_t> beam, point;
    std::vector<double> u, v;
    for (const Beamlet& b : header.beamlets) {
        beam.push_back(b.beam);
        point.push_back(b.control_point);
        u.push_back(b.u_mm);
        v.push_back(b.v_mm);
    }
    file.append("/beamlets/beam", beam);
    file.append("/beamlets/control_point", point);
    file.doubles("/beamlets/u_mm", u, {u.size()});
    file.doubles("/beamlets/v_mm", v, {v.size()});
    file.number("/beamlets", "side_mm", header.side_mm);
    file.number("/", "cutoff", header.cutoff);
    file.text("/", "dose_to", header.medium == DoseMedium::medium ? "medium" : "water");
    file.text("/", "frame_of_reference_uid", header.frame_of_reference_uid);
    file.text("/", "referenced_plan_uid", header.referenced_plan_uid);
    std::string notes;
    for (const std::string& note : header.notes) notes += note + '\n';
    file.text("/", "notes", notes);
    write_provenance(file, header.provenance);
    file.commit();
}

struct InfluenceFile::Parts {
    Hdf5Reader file;
    InfluenceHeader header;
    std::vector<std::int64_t> begin;
};

InfluenceFile::InfluenceFile(const std::filesystem::path& path) {
    auto parts = std::make_unique<Parts>(Parts{Hdf5Reader(path), {}, {}});
    const Hdf5Reader& file = parts->file;
    if (!file.has_attribute("/", "schema") || file.text("/", "schema") != schema)
        throw bad_input("this is not a libdose influence file", path.string());
    if (file.number("/", "schema_version") != 1)
        throw bad_input("the influence file has a schema version that this libdose does not read",
                        path.string(), "It reads version 1");
    InfluenceHeader& h = parts->header;
    const auto size = file.numbers("/grid", "size"), spacing = file.numbers("/grid", "spacing_mm"),
               origin = file.numbers("/grid", "origin_mm");
    if (size.size() != 3 || spacing.size() != 3 || origin.size() != 3)
        throw bad_input("size, spacing_mm or origin_mm does not hold three numbers", file.where("/grid"));
    for (int axis = 0; axis < 3; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        h.grid.size[a] = static_cast<int>(size[a]);
        h.grid.spacing_mm[axis] = spacing[a];
        h.grid.origin_mm[axis] = origin[a];
    }
    h.grid.check(file.where("/grid"));
    const auto u = file.doubles("/beamlets/u_mm"), v = file.doubles("/beamlets/v_mm");
    const auto beam = file.integers("/beamlets/beam", 0, u.size()),
               point = file.integers("/beamlets/control_point", 0, u.size());
    if (v.size() != u.size())
        throw bad_input("u_mm and v_mm have different lengths", file.where("/beamlets"));
    for (std::size_t b = 0; b < u.size(); ++b) h.beamlets.push_back({beam[b], point[b], u[b], v[b]});
    h.side_mm = file.number("/beamlets", "side_mm");
    h.cutoff = file.number("/", "cutoff");
    h.medium = file.text("/", "dose_to") == "water" ? DoseMedium::water : DoseMedium::medium;
    h.frame_of_reference_uid = file.text("/", "frame_of_reference_uid");
    h.referenced_plan_uid = file.text("/", "referenced_plan_uid");
    const std::string notes = file.text("/", "notes");
    for (std::size_t at = 0, end; (end = notes.find('\n', at)) != std::string::npos; at = end + 1)
        h.notes.push_back(notes.substr(at, end - at));
    h.provenance = read_provenance(file);
    parts->begin = file.long_integers("/columns/begin", 0, u.size() + 1);
    const std::size_t entries = file.shape("/columns/gy").at(0);
    if (file.shape("/columns/begin").at(0) != u.size() + 1 || file.shape("/columns/voxel").at(0) != entries ||
        parts->begin.front() != 0 || static_cast<std::size_t>(parts->begin.back()) != entries ||
        !std::is_sorted(parts->begin.begin(), parts->begin.end()))
        throw bad_input("the columns do not fit the beamlets", file.where("/columns"), "The file is damaged");
    parts_ = std::move(parts);
}

InfluenceFile::~InfluenceFile() = default;

const InfluenceHeader& InfluenceFile::header() const { return parts_->header; }
std::size_t InfluenceFile::entries() const { return static_cast<std::size_t>(parts_->begin.back()); }

InfluenceColumns InfluenceFile::columns(std::size_t first, std::size_t last) const {
    const std::vector<std::int64_t>& begin = parts_->begin;
    if (first > last || last + 1 > begin.size())
        throw bad_input("columns " + std::to_string(first) + " to " + std::to_string(last) +
                            " are asked for, of " + std::to_string(begin.size() - 1),
                        "influence");
    const auto from = static_cast<std::size_t>(begin[first]),
               count = static_cast<std::size_t>(begin[last]) - from;
    InfluenceColumns columns;
    columns.voxel = parts_->file.integers("/columns/voxel", from, count);
    columns.gy = parts_->file.floats("/columns/gy", from, count);
    for (std::size_t c = first; c < last; ++c) columns.begin.push_back(begin[c + 1] - begin[first]);
    const auto voxels = static_cast<std::int64_t>(parts_->header.grid.voxel_count());
    for (std::size_t n = 0; n < count; ++n)
        if (columns.voxel[n] < 0 || columns.voxel[n] >= voxels || !std::isfinite(columns.gy[n]))
            throw bad_input("entry " + std::to_string(from + n) + " is no dose of a voxel",
                            parts_->file.where("/columns"), "The file is damaged");
    return columns;
}

void write_influence(const DoseInfluence& influence, const std::filesystem::path& path) {
    InfluenceWriter writer(path);
    writer.append(influence.columns);
    writer.finish(influence.header);
}

DoseInfluence read_influence(const std::filesystem::path& path) {
    const InfluenceFile file(path);
    return {file.header(), file.columns(0, file.header().beamlets.size())};
}

StoredInfluence influence_or_spill(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                   const MaterialTable& materials, const BeamModelProvider& models,
                                   const InfluenceOptions& options, const std::filesystem::path& spill) {
    StoredInfluence stored;
    std::unique_ptr<InfluenceWriter> writer;
    InfluenceColumns kept;
    const double limit = memory_limit_bytes(options);
    stored.matrix.header = calculate_influence(
        ct, structures, plan, materials, models, options,
        [&](const InfluenceHeader& header, const InfluenceColumns& columns) {
            if (!writer && static_cast<double>(kept.bytes() + columns.bytes()) > limit) {
                if (spill.empty())
                    throw matrix_too_large(limit, kept.count() + columns.count(), header.beamlets.size());
                writer = std::make_unique<InfluenceWriter>(spill);
                writer->append(kept);
                kept = {};
            }
            if (writer)
                writer->append(columns);
            else
                kept.append(columns);
        });
    if (writer) {
        writer->finish(stored.matrix.header);
        stored.file = spill;
    } else {
        stored.matrix.columns = std::move(kept);
    }
    return stored;
}

}  // namespace libdose::io
