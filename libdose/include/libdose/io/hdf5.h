// HDF5 in and out: beam models, doses with provenance, Monte Carlo reference cases. Part of libdose::io.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "libdose/beam_model.h"
#include "libdose/dose.h"
#include "libdose/kernels.h"
#include "libdose/reference_case.h"
#include "libdose/validate.h"

namespace libdose::io {

/// Reads and checks a beam model (schema, shapes, finite values, content hash). Throws bad_input.
BeamModel read_beam_model(const std::filesystem::path& file);
/// The same without its hash and calibration: what make_beam_models.py writes and `dose model calibrate`
/// completes.
BeamModel read_unsealed_beam_model(const std::filesystem::path& file);
/// Calculates the hash of the content and writes the file (temporary name, rename). Returns the hash.
std::string write_beam_model(const BeamModel& model, const std::filesystem::path& file);

/// The centre's signature (hexadecimal) of a content hash, with its private Ed25519 key in PEM. Throws
/// bad_input for another key.
std::string sign_hash(const std::string& hash, const std::filesystem::path& private_key);
/// Whether the signature is that of the hash by the owner of the key. Throws bad_input when the file holds no
/// public Ed25519 key.
bool signature_holds(const std::string& hash, const std::string& signature,
                     const std::filesystem::path& public_key);

/// Monte Carlo point kernels (data/kernels/water_point_kernels.h5). Throws bad_input.
PointKernels read_point_kernels(const std::filesystem::path& file);

/// Dose with the same content and provenance as the RTDOSE (docs/reference/dose-hdf5.md): `/plan` and
/// `/beams/NUMBER`, each dataset `dose` [z, y, x] float32 Gy with attributes. Written to a temporary name and
/// renamed.
void write_doses_hdf5(const Dose& plan, const std::vector<Dose>& beams, const std::filesystem::path& file);
Dose read_dose_hdf5(const std::filesystem::path& file);  ///< /plan

/// Monte Carlo reference case (docs/reference/reference-case.md). Throws bad_input.
ReferenceCase read_reference_case(const std::filesystem::path& file);
/// Calculated and reference dose on the case's voxels, [z, y, x], with what passed
/// (docs/reference/reference-case.md).
void write_validation(const ReferenceCase& reference, const ValidationResult& result,
                      const std::filesystem::path& file);

/// SHA-256 in lower-case hexadecimal.
std::string sha256(const std::string& bytes);

}  // namespace libdose::io
