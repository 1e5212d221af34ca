// Influence matrices in HDF5 (docs/reference/influence-hdf5.md). Part of libdose::io.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

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

/// A matrix whose columns are in memory, or in a file that is read in parts.
class InfluenceMatrix {
public:
    explicit InfluenceMatrix(StoredInfluence stored);
    /// As InfluenceFile does.
    explicit InfluenceMatrix(const std::filesystem::path& file);
    const InfluenceHeader& header() const;
    const std::filesystem::path& file() const { return stored_.file; }  ///< empty: in memory
    std::size_t count() const { return header().beamlets.size(); }      ///< columns
    std::size_t entries() const;                                        ///< values
    const InfluenceColumns* in_memory() const;                          ///< null: in a file
    /// A copy of columns [first, last). Throws bad_input for columns that there are not.
    InfluenceColumns columns(std::size_t first, std::size_t last) const;
    /// As DoseInfluence::dose(), with summation, medium, frame, plan and provenance.
    Dose dose(const std::vector<double>& weights_mu) const;
    void write(const std::filesystem::path& file) const;

private:
    /// Calls `take` with columns in order, some at a time where they are in a file.
    void each_part(const std::function<void(std::size_t first, const InfluenceColumns&)>& take) const;

    StoredInfluence stored_;
    std::unique_ptr<const InfluenceFile> opened_;  ///< null: in memory
};

/// Writes parts of one calculation, in order, as one file. Throws bad_input for parts of different ones.
void join_influence(const std::vector<const InfluenceMatrix*>& parts, const std::filesystem::path& file);

}  // namespace libdose::io
