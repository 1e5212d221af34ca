// Influence matrices in HDF5 (docs/reference/influence-hdf5.md). Part of libdose::io.
#pragma once

#include <filesystem>
#include <memory>

#include "libdose/influence.h"

namespace libdose::io {

/// A file of columns that grows while they are calculated. It is written under a temporary name; without
/// finish() nothing stays.
class InfluenceWriter {
public:
    explicit InfluenceWriter(const std::filesystem::path& file);
    ~InfluenceWriter();
    void append(const InfluenceColumns& columns);
    /// Writes the rest and gives the file its name. Throws bad_input when the header names another number of
    /// beamlets.
    void finish(const InfluenceHeader& header);

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

/// A file of columns, read in parts. Throws bad_input for a file of another kind, another schema version, and
/// contents that do not fit.
class InfluenceFile {
public:
    explicit InfluenceFile(const std::filesystem::path& file);
    ~InfluenceFile();
    const InfluenceHeader& header() const;
    std::size_t entries() const;  ///< values in the file
    InfluenceColumns columns(std::size_t first, std::size_t last) const;

private:
    struct Parts;
    std::unique_ptr<const Parts> parts_;
};

void write_influence(const DoseInfluence& influence, const std::filesystem::path& file);
DoseInfluence read_influence(const std::filesystem::path& file);

/// The matrix in memory while it is within options.memory_bytes (see InfluenceOptions), in `spill` from there
/// on.
struct StoredInfluence {
    DoseInfluence matrix;        ///< without columns where they are in a file
    std::filesystem::path file;  ///< empty: the columns are in memory
};
StoredInfluence influence_or_spill(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                   const MaterialTable& materials, const BeamModelProvider& models,
                                   const InfluenceOptions& options, const std::filesystem::path& spill);

}  // namespace libdose::io
