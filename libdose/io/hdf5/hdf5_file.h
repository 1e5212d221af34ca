// A small layer over the HDF5 C API (Debian 12 has no HighFive): handles that close themselves, arrays and
// attributes, and errors that name file and path. HDF5's own error printing is off.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace libdose::io {

/// Owns one HDF5 identifier.
class Hdf5Handle {
public:
    Hdf5Handle() = default;
    Hdf5Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
    Hdf5Handle(Hdf5Handle&& other) noexcept : id_(other.id_), close_(other.close_) { other.id_ = -1; }
    Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
        std::swap(id_, other.id_);
        std::swap(close_, other.close_);
        return *this;
    }
    ~Hdf5Handle() {
        if (id_ >= 0 && close_) close_(id_);
    }
    hid_t get() const { return id_; }
    bool valid() const { return id_ >= 0; }

private:
    hid_t id_ = -1;
    herr_t (*close_)(hid_t) = nullptr;
};

/// A file being read. Paths are absolute ("/group/dataset"). Every function throws bad_input naming file and
/// path.
class Hdf5Reader {
public:
    explicit Hdf5Reader(const std::filesystem::path& file);

    bool has(const std::string& path) const;
    bool has_attribute(const std::string& object, const std::string& name) const;
    std::vector<std::size_t> shape(const std::string& path) const;
    std::vector<double> doubles(const std::string& path) const;
    std::vector<float> floats(const std::string& path) const;
    std::vector<unsigned char> bytes(const std::string& path) const;
    /// `count` elements from `first` on of a dataset with one dimension.
    std::vector<float> floats(const std::string& path, std::size_t first, std::size_t count) const;
    std::vector<std::int32_t> integers(const std::string& path, std::size_t first, std::size_t count) const;
    std::vector<std::int64_t> long_integers(const std::string& path, std::size_t first,
                                            std::size_t count) const;
    double number(const std::string& object, const std::string& name) const;  ///< scalar attribute, finite
    std::vector<double> numbers(const std::string& object,
                                const std::string& name) const;  ///< array attribute, finite
    std::string text(const std::string& object, const std::string& name) const;
    std::vector<std::string> texts(const std::string& object, const std::string& name) const;
    std::vector<std::string> attribute_names(const std::string& object) const;
    std::vector<std::string> members(const std::string& group) const;
    std::string where(const std::string& path) const;  ///< "file: path"

private:
    template <class T>
    std::vector<T> read(const std::string& path, hid_t type) const;
    template <class T>
    std::vector<T> read_part(const std::string& path, hid_t type, H5T_class_t kind, std::size_t first,
                             std::size_t count) const;
    Hdf5Handle open_attribute(const std::string& object, const std::string& name) const;

    std::filesystem::path path_;
    Hdf5Handle file_;
};

/// A file being written under a temporary name in the same folder; commit() renames it. Without commit
/// nothing stays.
class Hdf5Writer {
public:
    explicit Hdf5Writer(const std::filesystem::path& file);
    ~Hdf5Writer();
    Hdf5Writer(const Hdf5Writer&) = delete;
    Hdf5Writer& operator=(const Hdf5Writer&) = delete;

    void group(const std::string& path);
    void doubles(const std::string& path, const std::vector<double>& values,
                 const std::vector<std::size_t>& shape);
    void floats(const std::string& path, const std::vector<float>& values,
                const std::vector<std::size_t>& shape);
    void bytes(const std::string& path, const std::vector<unsigned char>& values,
               const std::vector<std::size_t>& shape);
    /// Adds to the end of a dataset with one dimension, which is made with the first elements.
    void append(const std::string& path, const std::vector<float>& values);
    void append(const std::string& path, const std::vector<std::int32_t>& values);
    void append(const std::string& path, const std::vector<std::int64_t>& values);
    void number(const std::string& object, const std::string& name, double value);
    void numbers(const std::string& object, const std::string& name, const std::vector<double>& values);
    void integer(const std::string& object, const std::string& name, long long value);
    void text(const std::string& object, const std::string& name, const std::string& value);
    void texts(const std::string& object, const std::string& name, const std::vector<std::string>& values);
    void commit();

private:
    void write(const std::string& path, const void* data, hid_t memory, hid_t stored,
               const std::vector<std::size_t>& shape);
    void append(const std::string& path, const void* data, std::size_t count, hid_t memory, hid_t stored);
    void attribute(const std::string& object, const std::string& name, const void* data, hid_t type,
                   const std::vector<std::size_t>& shape);
    [[noreturn]] void fail(const std::string& path) const;

    std::filesystem::path path_, temporary_;
    Hdf5Handle file_;
};

}  // namespace libdose::io
