// Errors as statuses, and what the arguments of the C ABI have in common.
#include <cmath>
#include <cstring>
#include <exception>
#include <new>

#include "base/utf8.h"
#include "capi/handles.h"
#include "libdose/data.h"

namespace libdose::capi {

namespace {

/// Message of the last failure on this thread. When not even a text can be kept, a fixed one.
thread_local std::string error_text;
thread_local const char* fixed_text = "";

libdose_status failed(libdose_status status, const char* text) noexcept {
    try {
        error_text = valid_utf8(text);  // file names may hold any bytes
        fixed_text = nullptr;
    } catch (...) {
        fixed_text = "out of memory";
    }
    return status;
}

}  // namespace

libdose_status status_of_exception() noexcept {
    try {
        throw;
    } catch (const Cancelled&) {
        return failed(LIBDOSE_CANCELLED, "the calculation was cancelled by its progress callback");
    } catch (const Error& error) {
        switch (error.kind()) {
            case ErrorKind::bad_input:
                return failed(LIBDOSE_BAD_INPUT, error.what());
            case ErrorKind::refused_plan:
                return failed(LIBDOSE_REFUSED_PLAN, error.what());
            case ErrorKind::internal:
                break;
        }
        return failed(LIBDOSE_INTERNAL, error.what());
    } catch (const std::bad_alloc&) {
        return failed(LIBDOSE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::length_error&) {
        return failed(LIBDOSE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception& error) {
        return failed(LIBDOSE_INTERNAL, error.what());
    } catch (...) {
        return failed(LIBDOSE_INTERNAL, "an exception of an unknown kind");
    }
}

void forget_error() noexcept { fixed_text = ""; }

std::vector<std::string> texts_of(const char* const* texts, std::size_t count, const char* name) {
    std::vector<std::string> result;
    if (count == 0) return result;
    required(texts, name);
    for (std::size_t i = 0; i < count; ++i) result.push_back(text_of(texts[i], name));
    return result;
}

void require_count(std::size_t count, std::size_t expected, const char* name) {
    if (count != expected)
        throw bad_input(
            std::to_string(count) + " values are given where " + std::to_string(expected) + " are needed",
            name);
}

void require_finite(double value, const char* name) {
    if (!std::isfinite(value)) throw bad_input("the value is not a finite number", name);
}

bool one_of(std::int32_t value, std::int32_t count, const char* name) {
    if (value < 0 || value >= count)
        throw bad_input(
            "the value " + std::to_string(value) + " is not one of 0 to " + std::to_string(count - 1), name,
            "Use the constants of dose_c.h");
    return value != 0;
}

Grid grid_of(const libdose_grid* given, const char* name) {
    const libdose_grid values = read_struct(given, name);
    Grid grid;
    double voxels = 1;
    for (std::size_t a = 0; a < 3; ++a) {
        grid.size[a] = values.size[a];
        grid.spacing_mm[static_cast<Eigen::Index>(a)] = values.spacing_mm[a];
        grid.origin_mm[static_cast<Eigen::Index>(a)] = values.origin_mm[a];
        voxels *= values.size[a];
    }
    grid.check(name);
    if (voxels > 1e12) throw bad_input("the grid has more than 10^12 voxels", name);
    return grid;
}

libdose_grid grid_struct(const Grid& grid) {
    libdose_grid values{};
    for (std::size_t a = 0; a < 3; ++a) {
        values.size[a] = grid.size[a];
        values.spacing_mm[a] = grid.spacing_mm[static_cast<Eigen::Index>(a)];
        values.origin_mm[a] = grid.origin_mm[static_cast<Eigen::Index>(a)];
    }
    return values;
}

PatientPosition position_of(libdose_patient_position position) {
    static_assert(static_cast<int>(PatientPosition::hfp) == LIBDOSE_HFP &&
                  static_cast<int>(PatientPosition::ffs) == LIBDOSE_FFS &&
                  static_cast<int>(PatientPosition::hfdr) == LIBDOSE_HFDR &&
                  static_cast<int>(PatientPosition::ffdl) == LIBDOSE_FFDL);
    one_of(position, 8, "position");
    return static_cast<PatientPosition>(position);
}

}  // namespace libdose::capi

using namespace libdose;
using namespace libdose::capi;

const char* libdose_version(void) { return LIBDOSE_VERSION; }
uint32_t libdose_c_version(void) { return LIBDOSE_C_VERSION_MAJOR * 65536u + LIBDOSE_C_VERSION_MINOR; }
const char* libdose_last_error(void) { return fixed_text ? fixed_text : error_text.c_str(); }

const char* libdose_status_text(libdose_status status) {
    switch (status) {
        case LIBDOSE_OK:
            return "ok";
        case LIBDOSE_BAD_INPUT:
            return "bad input";
        case LIBDOSE_REFUSED_PLAN:
            return "refused plan";
        case LIBDOSE_INTERNAL:
            return "internal error";
        case LIBDOSE_CANCELLED:
            return "cancelled";
        case LIBDOSE_OUT_OF_MEMORY:
            return "out of memory";
        default:
            return "unknown status";
    }
}

libdose_status libdose_data_folder(char* text, size_t capacity, size_t* length) {
    return guarded([&] {
        const std::string folder = data_folder().string();
        if (length) *length = folder.size();
        if (!text && capacity == 0) return;
        required(text, "text");
        if (capacity < folder.size() + 1)
            throw bad_input("the text needs " + std::to_string(folder.size() + 1) + " bytes, there are " +
                                std::to_string(capacity),
                            "capacity");
        std::memcpy(text, folder.c_str(), folder.size() + 1);
    });
}

void libdose_grid_init(libdose_grid* grid, size_t struct_size) {
    init_struct(grid, struct_size, libdose_grid{});
}
