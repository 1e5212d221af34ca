// The extension module libdose._libdose: what the package's Python files are written on.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "bindings.h"
#include "libdose/error.h"
#include "run.h"

namespace {

namespace nb = nanobind;

/// Exceptions of libdose/errors.py with the library's message and its parts.
void translate(const std::exception_ptr& pointer, void*) {
    const auto raise = [](const char* type, const libdose::Error& error) {
        const nb::object cls = nb::module_::import_("libdose.errors").attr(type);
        // File names may hold bytes that are no UTF-8.
        const auto text = [](const std::string& bytes) {
            return nb::steal<nb::str>(
                PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "replace"));
        };
        const nb::object instance =
            cls(text(error.what()), text(error.problem()), text(error.where()), text(error.advice()));
        PyErr_SetObject(cls.ptr(), instance.ptr());
    };
    try {
        std::rethrow_exception(pointer);
    } catch (const libdose::Error& error) {
        switch (error.kind()) {
            case libdose::ErrorKind::bad_input:
                return raise("BadInput", error);
            case libdose::ErrorKind::refused_plan:
                return raise("RefusedPlan", error);
            case libdose::ErrorKind::internal:
                return raise("InternalError", error);
        }
    }
}

}  // namespace

NB_MODULE(_libdose, m) {
    nb::set_leak_warnings(false);  // interpreters that end while objects live are no concern of the user
    nb::register_exception_translator(translate);
    m.attr("version") = LIBDOSE_VERSION;
    libdose::python::bind_volumes(m);
    libdose::python::bind_model(m);
    libdose::python::bind_dicom(m);
    libdose::python::bind_engine(m);
    libdose::python::bind_prepared(m);
    libdose::python::bind_influence(m);
    libdose::python::bind_analysis(m);
    libdose::python::bind_check(m);
}
