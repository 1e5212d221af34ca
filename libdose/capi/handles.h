// Shared by the functions of the C ABI: handles, arguments, and nothing thrown across.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "libdose/dose.h"
#include "libdose/dose_c.h"
#include "libdose/dvh.h"
#include "libdose/engine.h"
#include "libdose/error.h"
#include "libdose/gamma.h"
#include "libdose/io/model_store.h"
#include "libdose/plan.h"
#include "libdose/structure.h"

namespace libdose::capi {

/// First member of every handle: tells one kind from another, and a freed one while its memory is still
/// there.
struct Tag {
    explicit Tag(const char* handle_kind) : kind(handle_kind) {}
    ~Tag() { kind = nullptr; }
    Tag(const Tag&) = delete;
    Tag& operator=(const Tag&) = delete;
    const char* volatile kind;
};

}  // namespace libdose::capi

struct libdose_ct {
    static constexpr const char* kind = "CT image";
    libdose::capi::Tag tag{kind};
    libdose::CtImage image;
};
struct libdose_structures {
    static constexpr const char* kind = "structure set";
    libdose::capi::Tag tag{kind};
    libdose::StructureSet set;
};
struct libdose_plan {
    static constexpr const char* kind = "plan";
    libdose::capi::Tag tag{kind};
    libdose::Plan plan;
};
struct libdose_models {
    static constexpr const char* kind = "choice of beam models";
    libdose::capi::Tag tag{kind};
    mutable libdose::io::ModelStore store;
    std::map<int, std::string> chosen;  ///< by beam number; 0: the others
    const libdose::BeamModel& of(const libdose::Beam& beam) const;
};
struct libdose_devices {
    static constexpr const char* kind = "set of open devices";
    libdose::capi::Tag tag{kind};
    std::shared_ptr<libdose::OpenDevices> open = std::make_shared<libdose::OpenDevices>();
};
struct libdose_dose {
    static constexpr const char* kind = "dose";
    libdose::capi::Tag tag{kind};
    libdose::Dose dose;
    std::vector<libdose::Dose> beams;
    std::vector<std::string> notes;
};
struct libdose_gamma {
    static constexpr const char* kind = "gamma index";
    libdose::capi::Tag tag{kind};
    libdose::GammaResult result;
};
struct libdose_dvh {
    static constexpr const char* kind = "dose-volume histogram";
    libdose::capi::Tag tag{kind};
    libdose::DoseVolumeHistogram histogram;
};

namespace libdose::capi {

/// Thrown out of the engine by the progress callback.
struct Cancelled {};

/// The status of the exception that is being handled; keeps its text for libdose_last_error().
libdose_status status_of_exception() noexcept;
void forget_error() noexcept;

/// Runs the body of a function of the C ABI.
template <class Body>
libdose_status guarded(Body&& body) noexcept {
    forget_error();
    try {
        body();
        return LIBDOSE_OK;
    } catch (...) {
        return status_of_exception();
    }
}

/// A pointer that must not be null. `name`: of the argument.
template <class T>
T& required(T* pointer, const char* name) {
    if (!pointer) throw bad_input("the argument is NULL", name);
    return *pointer;
}

template <class Handle>
Handle& handle(Handle* pointer, const char* name) {
    if (required(pointer, name).tag.kind != std::remove_const_t<Handle>::kind)
        throw bad_input(
            std::string("the handle is not, or no longer, that of a ") + std::remove_const_t<Handle>::kind,
            name);
    return *pointer;
}

/// Where a new handle goes; NULL until all is done.
template <class Handle>
class Output {
public:
    Output(Handle** place, const char* name) : place_(required(place, name)) { place_ = nullptr; }
    Handle& operator*() { return *made_; }
    Handle* operator->() { return made_.get(); }
    void hand_over() { place_ = made_.release(); }

private:
    Handle*& place_;
    std::unique_ptr<Handle> made_ = std::make_unique<Handle>();
};

template <class Handle>
void free_handle(Handle** place) noexcept {
    if (!place || !*place || (*place)->tag.kind != Handle::kind) return;
    delete *place;
    *place = nullptr;
}

/// Size of a struct in the first version of this interface. Members come at the end: a program with an older
/// header has a shorter struct.
template <class Struct>
constexpr std::size_t first_size = sizeof(Struct);
template <>
inline constexpr std::size_t first_size<libdose_beam> = offsetof(libdose_beam, tray_factor);
template <>
inline constexpr std::size_t first_size<libdose_control_point> = offsetof(libdose_control_point, wedge_in);
template <>
inline constexpr std::size_t first_size<libdose_options> = offsetof(libdose_options, devices);
template <>
inline constexpr std::size_t first_size<libdose_gamma_options> = offsetof(libdose_gamma_options, margin_mm);
template <>
inline constexpr std::size_t first_size<libdose_gamma_info> = offsetof(libdose_gamma_info, left_out);
template <>
inline constexpr std::size_t first_size<libdose_plan_reading> = offsetof(libdose_plan_reading, series);

/// The members that the library knows of a struct of the caller, zero (the default) where the caller's is
/// older. It may be longer where the rest is zero.
template <class Struct>
Struct read_struct(const Struct* given, const char* name) {
    const std::size_t size = required(given, name).struct_size;
    if (size < first_size<Struct>)
        throw bad_input(
            "struct_size is " + std::to_string(size) + ", less than " + std::to_string(first_size<Struct>),
            name, "Call the init function of the struct with its sizeof");
    if (size > 65536)
        throw bad_input("struct_size is " + std::to_string(size), name,
                        "Call the init function of the struct with its sizeof");
    const auto* bytes = reinterpret_cast<const unsigned char*>(given);
    for (std::size_t i = sizeof(Struct); i < size; ++i)
        if (bytes[i] != 0)
            throw bad_input("a member is set that this version of libdose does not know", name,
                            "Use the dose_c.h of the installed library");
    Struct copy{};
    std::memcpy(&copy, given, std::min(size, sizeof copy));
    return copy;
}

/// Writes what the library knows into a struct of the caller, whose size stays what it says. One with an
/// older header gets what it has room for.
template <class Struct>
void write_struct(Struct* place, Struct values, const char* name) {
    const std::size_t size = required(place, name).struct_size;
    if (size < first_size<Struct>)
        throw bad_input(
            "struct_size is " + std::to_string(size) + ", less than " + std::to_string(first_size<Struct>),
            name, "Call the init function of the struct with its sizeof");
    values.struct_size = size;
    std::memcpy(place, &values, std::min(size, sizeof values));
}

/// For the init functions: `values` as far as there is room, zero beyond.
template <class Struct>
void init_struct(Struct* place, std::size_t size, Struct values) noexcept {
    if (!place || size < sizeof(std::size_t)) return;
    values.struct_size = size;
    std::memset(place, 0, size);
    std::memcpy(place, &values, size < sizeof values ? size : sizeof values);
}

inline std::string text_or_empty(const char* text) { return text ? text : ""; }
/// A text that is neither NULL nor empty.
inline std::string text_of(const char* text, const char* name) {
    if (!*&required(text, name)) throw bad_input("the text is empty", name);
    return text;
}
std::vector<std::string> texts_of(const char* const* texts, std::size_t count, const char* name);
void require_count(std::size_t count, std::size_t expected, const char* name);
void require_finite(double value, const char* name);
bool one_of(std::int32_t value, std::int32_t count,
            const char* name);  ///< value != 0; throws unless 0 <= value < count
Grid grid_of(const libdose_grid* grid, const char* name);
libdose_grid grid_struct(const Grid& grid);
PatientPosition position_of(libdose_patient_position position);
template <class T>
const T& item(const std::vector<T>& items, std::size_t index, const char* name) {
    if (index >= items.size())
        throw bad_input(
            "there is no number " + std::to_string(index) + " among " + std::to_string(items.size()), name);
    return items[index];
}

}  // namespace libdose::capi
