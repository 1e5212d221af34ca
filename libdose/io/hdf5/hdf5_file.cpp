#include "io/hdf5/hdf5_file.h"

#include <cmath>
#include <memory>

#include "base/temporary_name.h"
#include "libdose/error.h"

namespace libdose::io {

namespace {

void quiet() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

std::size_t product(const std::vector<std::size_t>& shape) {
    std::size_t count = 1;
    for (const std::size_t n : shape) count *= n;
    return count;
}

Hdf5Handle dataspace(const std::vector<std::size_t>& shape) {
    const std::vector<hsize_t> dims(shape.begin(), shape.end());
    return {dims.empty() ? H5Screate(H5S_SCALAR)
                         : H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
            H5Sclose};
}

Hdf5Handle string_type() {
    Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), H5T_VARIABLE);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    return type;
}

}  // namespace

Hdf5Reader::Hdf5Reader(const std::filesystem::path& file) : path_(file) {
    quiet();
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error))
        throw bad_input("there is no such file", file.string(), "Check the path");
    file_ = Hdf5Handle(H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
    if (!file_.valid())
        throw bad_input("cannot be read as HDF5: not an HDF5 file, truncated, or no permission",
                        file.string());
}

std::string Hdf5Reader::where(const std::string& path) const { return path_.string() + ": " + path; }

bool Hdf5Reader::has(const std::string& path) const {
    // H5Lexists wants every parent to exist.
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
        if (H5Lexists(file_.get(), path.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
    return path == "/" || H5Lexists(file_.get(), path.c_str(), H5P_DEFAULT) > 0;
}

bool Hdf5Reader::has_attribute(const std::string& object, const std::string& name) const {
    return has(object) && H5Aexists_by_name(file_.get(), object.c_str(), name.c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::size_t> Hdf5Reader::shape(const std::string& path) const {
    const Hdf5Handle dataset(H5Dopen2(file_.get(), path.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset.valid()) throw bad_input("the dataset is missing", where(path));
    const Hdf5Handle space(H5Dget_space(dataset.get()), H5Sclose);
    const int rank = H5Sget_simple_extent_ndims(space.get());
    std::vector<hsize_t> dims(static_cast<std::size_t>(std::max(0, rank)));
    if (rank > 0) H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
    return {dims.begin(), dims.end()};
}

template <class T>
std::vector<T> Hdf5Reader::read(const std::string& path, hid_t type) const {
    const std::vector<std::size_t> dims = shape(path);
    const Hdf5Handle dataset(H5Dopen2(file_.get(), path.c_str(), H5P_DEFAULT), H5Dclose);
    const Hdf5Handle stored(H5Dget_type(dataset.get()), H5Tclose);
    const H5T_class_t kind = H5Tget_class(stored.get());
    if (kind != H5T_FLOAT && kind != H5T_INTEGER)
        throw bad_input("the dataset does not hold numbers", where(path));
    std::vector<T> values(product(dims));
    if (H5Dread(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
        throw bad_input("the dataset cannot be read", where(path), "The file may be truncated or damaged");
    return values;
}

std::vector<double> Hdf5Reader::doubles(const std::string& path) const {
    std::vector<double> values = read<double>(path, H5T_NATIVE_DOUBLE);
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!std::isfinite(values[i]))
            throw bad_input("element " + std::to_string(i) + " is not a finite number", where(path));
    return values;
}

std::vector<float> Hdf5Reader::floats(const std::string& path) const {
    std::vector<float> values = read<float>(path, H5T_NATIVE_FLOAT);
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!std::isfinite(values[i]))
            throw bad_input("element " + std::to_string(i) + " is not a finite number", where(path));
    return values;
}

template <class T>
std::vector<T> Hdf5Reader::read_part(const std::string& path, hid_t type, H5T_class_t kind, std::size_t first,
                                     std::size_t count) const {
    const std::vector<std::size_t> dims = shape(path);
    if (dims.size() != 1 || first + count > dims[0])
        throw bad_input(
            "elements " + std::to_string(first) + " to " + std::to_string(first + count) + " are not there",
            where(path), "The file may be truncated or damaged");
    const Hdf5Handle dataset(H5Dopen2(file_.get(), path.c_str(), H5P_DEFAULT), H5Dclose);
    const Hdf5Handle stored(H5Dget_type(dataset.get()), H5Tclose);
    if (H5Tget_class(stored.get()) != kind || H5Tget_size(stored.get()) != sizeof(T))
        throw bad_input("the dataset holds another kind of numbers", where(path));
    std::vector<T> values(count);
    if (count == 0) return values;
    const hsize_t start = first, number = count;
    const Hdf5Handle space(H5Dget_space(dataset.get()), H5Sclose),
        memory(H5Screate_simple(1, &number, nullptr), H5Sclose);
    if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &start, nullptr, &number, nullptr) < 0 ||
        H5Dread(dataset.get(), type, memory.get(), space.get(), H5P_DEFAULT, values.data()) < 0)
        throw bad_input("the dataset cannot be read", where(path), "The file may be truncated or damaged");
    return values;
}

std::vector<float> Hdf5Reader::floats(const std::string& path, std::size_t first, std::size_t count) const {
    return read_part<float>(path, H5T_NATIVE_FLOAT, H5T_FLOAT, first, count);
}
std::vector<std::int32_t> Hdf5Reader::integers(const std::string& path, std::size_t first,
                                               std::size_t count) const {
    return read_part<std::int32_t>(path, H5T_NATIVE_INT32, H5T_INTEGER, first, count);
}
std::vector<std::int64_t> Hdf5Reader::long_integers(const std::string& path, std::size_t first,
                                                    std::size_t count) const {
    return read_part<std::int64_t>(path, H5T_NATIVE_INT64, H5T_INTEGER, first, count);
}

std::vector<unsigned char> Hdf5Reader::bytes(const std::string& path) const {
    // HDF5 would clip -1 and 300 and cut 0.5 without a word: read wide, then look.
    const std::vector<double> values = doubles(path);
    std::vector<unsigned char> result(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!(values[i] >= 0 && values[i] <= 255) || values[i] != std::floor(values[i]))
            throw bad_input("element " + std::to_string(i) + " is not a whole number from 0 to 255",
                            where(path));
        result[i] = static_cast<unsigned char>(values[i]);
    }
    return result;
}

Hdf5Handle Hdf5Reader::open_attribute(const std::string& object, const std::string& name) const {
    Hdf5Handle attribute(
        has(object) ? H5Aopen_by_name(file_.get(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT)
                    : -1,
        H5Aclose);
    if (!attribute.valid()) throw bad_input("the attribute \"" + name + "\" is missing", where(object));
    return attribute;
}

std::vector<double> Hdf5Reader::numbers(const std::string& object, const std::string& name) const {
    const Hdf5Handle attribute = open_attribute(object, name);
    const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose),
        space(H5Aget_space(attribute.get()), H5Sclose);
    const H5T_class_t kind = H5Tget_class(type.get());
    const hssize_t count = H5Sget_simple_extent_npoints(space.get());
    std::vector<double> values(static_cast<std::size_t>(std::max<hssize_t>(0, count)));
    if ((kind != H5T_FLOAT && kind != H5T_INTEGER) || values.empty() ||
        H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, values.data()) < 0)
        throw bad_input("the attribute \"" + name + "\" does not hold numbers", where(object));
    for (const double value : values)
        if (!std::isfinite(value))
            throw bad_input("the attribute \"" + name + "\" is not finite", where(object));
    return values;
}

double Hdf5Reader::number(const std::string& object, const std::string& name) const {
    const std::vector<double> values = numbers(object, name);
    if (values.size() != 1)
        throw bad_input("the attribute \"" + name + "\" is not a single number", where(object));
    return values.front();
}

std::vector<std::string> Hdf5Reader::texts(const std::string& object, const std::string& name) const {
    const Hdf5Handle attribute = open_attribute(object, name);
    const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose),
        space(H5Aget_space(attribute.get()), H5Sclose);
    if (H5Tget_class(type.get()) != H5T_STRING)
        throw bad_input("the attribute \"" + name + "\" is not text", where(object));
    const auto count =
        static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space.get())));
    std::vector<std::string> result;
    if (H5Tis_variable_str(type.get()) > 0) {
        std::vector<char*> raw(count, nullptr);
        const Hdf5Handle memory(H5Tcopy(type.get()), H5Tclose);
        if (H5Aread(attribute.get(), memory.get(), raw.data()) < 0)
            throw bad_input("the attribute \"" + name + "\" cannot be read", where(object));
        for (const char* text : raw) result.emplace_back(text ? text : "");
        H5Dvlen_reclaim(memory.get(), space.get(), H5P_DEFAULT, raw.data());
    } else {
        const std::size_t width = H5Tget_size(type.get());
        std::vector<char> raw(width * count);
        if (H5Aread(attribute.get(), type.get(), raw.data()) < 0)
            throw bad_input("the attribute \"" + name + "\" cannot be read", where(object));
        for (std::size_t i = 0; i < count; ++i) {
            std::string text(raw.data() + i * width, width);
            const auto end = text.find('\0');
            result.push_back(end == std::string::npos ? text : text.substr(0, end));
        }
    }
    return result;
}

std::string Hdf5Reader::text(const std::string& object, const std::string& name) const {
    const std::vector<std::string> values = texts(object, name);
    if (values.size() != 1)
        throw bad_input("the attribute \"" + name + "\" is not a single text", where(object));
    return values.front();
}

std::vector<std::string> Hdf5Reader::attribute_names(const std::string& object) const {
    const Hdf5Handle handle(H5Oopen(file_.get(), object.c_str(), H5P_DEFAULT), H5Oclose);
    if (!handle.valid()) throw bad_input("the object is missing", where(object));
    std::vector<std::string> names;
    const auto collect = [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
        static_cast<std::vector<std::string>*>(out)->emplace_back(name);
        return 0;
    };
    H5Aiterate2(handle.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names);
    return names;
}

std::vector<std::string> Hdf5Reader::members(const std::string& group) const {
    const Hdf5Handle handle(H5Gopen2(file_.get(), group.c_str(), H5P_DEFAULT), H5Gclose);
    if (!handle.valid()) throw bad_input("the group is missing", where(group));
    std::vector<std::string> names;
    const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
        static_cast<std::vector<std::string>*>(out)->emplace_back(name);
        return 0;
    };
    H5Literate(handle.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names);
    return names;
}

Hdf5Writer::Hdf5Writer(const std::filesystem::path& file) : path_(file), temporary_(temporary_name(file)) {
    quiet();
    file_ = Hdf5Handle(H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
    if (!file_.valid())
        throw bad_input("cannot create the file", file.string(), "Check the folder and its permissions");
}

Hdf5Writer::~Hdf5Writer() {
    if (!file_.valid()) return;
    file_ = Hdf5Handle();
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
}

void Hdf5Writer::fail(const std::string& path) const {
    throw bad_input("cannot write " + path, path_.string(), "Is the disk full?");
}

void Hdf5Writer::group(const std::string& path) {
    const Hdf5Handle handle(H5Gcreate2(file_.get(), path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                            H5Gclose);
    if (!handle.valid()) fail(path);
}

void Hdf5Writer::write(const std::string& path, const void* data, hid_t memory, hid_t stored,
                       const std::vector<std::size_t>& shape) {
    const Hdf5Handle space = dataspace(shape);
    const Hdf5Handle dataset(
        H5Dcreate2(file_.get(), path.c_str(), stored, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Dclose);
    if (!dataset.valid() || H5Dwrite(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        fail(path);
}

void Hdf5Writer::doubles(const std::string& path, const std::vector<double>& values,
                         const std::vector<std::size_t>& shape) {
    if (product(shape) != values.size()) throw internal_error("shape does not fit the values", path);
    write(path, values.data(), H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE, shape);
}
void Hdf5Writer::floats(const std::string& path, const std::vector<float>& values,
                        const std::vector<std::size_t>& shape) {
    if (product(shape) != values.size()) throw internal_error("shape does not fit the values", path);
    write(path, values.data(), H5T_NATIVE_FLOAT, H5T_IEEE_F32LE, shape);
}
void Hdf5Writer::bytes(const std::string& path, const std::vector<unsigned char>& values,
                       const std::vector<std::size_t>& shape) {
    if (product(shape) != values.size()) throw internal_error("shape does not fit the values", path);
    write(path, values.data(), H5T_NATIVE_UCHAR, H5T_STD_U8LE, shape);
}

void Hdf5Writer::append(const std::string& path, const void* data, std::size_t count, hid_t memory,
                        hid_t stored) {
    constexpr hsize_t chunk = 1 << 18;
    Hdf5Handle dataset;
    hsize_t before = 0;
    if (H5Lexists(file_.get(), path.c_str(), H5P_DEFAULT) > 0) {
        dataset = Hdf5Handle(H5Dopen2(file_.get(), path.c_str(), H5P_DEFAULT), H5Dclose);
        const Hdf5Handle space(H5Dget_space(dataset.get()), H5Sclose);
        H5Sget_simple_extent_dims(space.get(), &before, nullptr);
    } else {
        const hsize_t none = 0, unlimited = H5S_UNLIMITED;
        const Hdf5Handle space(H5Screate_simple(1, &none, &unlimited), H5Sclose),
            settings(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        H5Pset_chunk(settings.get(), 1, &chunk);
        dataset = Hdf5Handle(H5Dcreate2(file_.get(), path.c_str(), stored, space.get(), H5P_DEFAULT,
                                        settings.get(), H5P_DEFAULT),
                             H5Dclose);
    }
    const hsize_t number = count, after = before + number;
    if (!dataset.valid() || H5Dset_extent(dataset.get(), &after) < 0) fail(path);
    if (count == 0) return;
    const Hdf5Handle space(H5Dget_space(dataset.get()), H5Sclose),
        part(H5Screate_simple(1, &number, nullptr), H5Sclose);
    if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &before, nullptr, &number, nullptr) < 0 ||
        H5Dwrite(dataset.get(), memory, part.get(), space.get(), H5P_DEFAULT, data) < 0)
        fail(path);
}
void Hdf5Writer::append(const std::string& path, const std::vector<float>& values) {
    append(path, values.data(), values.size(), H5T_NATIVE_FLOAT, H5T_IEEE_F32LE);
}
void Hdf5Writer::append(const std::string& path, const std::vector<std::int32_t>& values) {
    append(path, values.data(), values.size(), H5T_NATIVE_INT32, H5T_STD_I32LE);
}
void Hdf5Writer::append(const std::string& path, const std::vector<std::int64_t>& values) {
    append(path, values.data(), values.size(), H5T_NATIVE_INT64, H5T_STD_I64LE);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, const void* data, hid_t type,
                           const std::vector<std::size_t>& shape) {
    const Hdf5Handle space = dataspace(shape);
    const Hdf5Handle handle(H5Acreate_by_name(file_.get(), object.c_str(), name.c_str(), type, space.get(),
                                              H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                            H5Aclose);
    if (!handle.valid() || H5Awrite(handle.get(), type, data) < 0) fail(object + "@" + name);
}

void Hdf5Writer::number(const std::string& object, const std::string& name, double value) {
    attribute(object, name, &value, H5T_NATIVE_DOUBLE, {});
}
void Hdf5Writer::numbers(const std::string& object, const std::string& name,
                         const std::vector<double>& values) {
    attribute(object, name, values.data(), H5T_NATIVE_DOUBLE, {values.size()});
}
void Hdf5Writer::integer(const std::string& object, const std::string& name, long long value) {
    attribute(object, name, &value, H5T_NATIVE_LLONG, {});
}
void Hdf5Writer::text(const std::string& object, const std::string& name, const std::string& value) {
    const char* raw = value.c_str();
    attribute(object, name, &raw, string_type().get(), {});
}
void Hdf5Writer::texts(const std::string& object, const std::string& name,
                       const std::vector<std::string>& values) {
    std::vector<const char*> raw;
    for (const std::string& value : values) raw.push_back(value.c_str());
    if (!raw.empty()) attribute(object, name, raw.data(), string_type().get(), {raw.size()});
}

void Hdf5Writer::commit() {
    if (H5Fflush(file_.get(), H5F_SCOPE_GLOBAL) < 0) fail("/");
    file_ = Hdf5Handle();
    rename_into_place(temporary_, path_);
}

}  // namespace libdose::io
