#include "libdose/io/measurements.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "io/measurements/measurement_text.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"

namespace libdose::io {

namespace fs = std::filesystem;

namespace {

const char* const index_name = "measurements.yaml";

bool document(const fs::path& file) {
    const std::string extension = lower_case(file.extension().string());
    const std::string stem = lower_case(file.stem().string());
    for (const char* word : {"readme", "licence", "license", "copying", "citation", "changelog"})
        if (stem == word) return true;
    return extension == ".md" || extension == ".pdf" || extension == ".html" || extension == ".docx" ||
           file.filename().string().front() == '.';
}

std::string bytes_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw bad_input("the file cannot be read", file.string());
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

void read_measurement_file(const fs::path& file, SetBuilder& builder) {
    const std::string extension = lower_case(file.extension().string());
    if (extension == ".csv") return read_measurement_csv(file, builder);
    if (extension == ".mcc") return read_mcc(file, builder);
    if (extension == ".asc" || extension == ".data" || extension == ".ascii") {
        for (const std::string& line : lines_of(file)) {
            if (line.rfind(":MSR", 0) == 0 || line.rfind(":SYS", 0) == 0 || line.rfind("%VNR", 0) == 0)
                return read_rfa300(file, builder);
            if (line.rfind("$STOM", 0) == 0 || line.rfind("$NUMS", 0) == 0) return read_w2cad(file, builder);
        }
        throw bad_input("this is neither RFA300 nor w2CAD", file.string());
    }
    throw bad_input(
        "measurements of this kind of file are not read", file.string(),
        "Known: .csv, .mcc (PTW), .asc (IBA RFA300, w2CAD), .data, .ascii, and measurements.yaml");
}

MeasurementSet read_measurements(const fs::path& path, const MeasurementQuestions& asked) {
    SetBuilder builder(asked);
    std::error_code error;
    std::vector<fs::path> read;
    if (asked.machine) builder.set.machine = *asked.machine;
    if (fs::is_directory(path, error)) {
        std::vector<fs::path> files;
        for (const auto& entry : fs::directory_iterator(path))
            if (entry.is_regular_file() && !document(entry.path())) files.push_back(entry.path());
        std::sort(files.begin(), files.end());
        const auto index = std::find_if(files.begin(), files.end(),
                                        [](const fs::path& file) { return file.filename() == index_name; });
        if (index != files.end()) {
            read_measurement_yaml(*index, builder);
            read.push_back(*index);
            for (const std::string& name : builder.set.files) read.push_back(path / name);
            for (const fs::path& file : files)
                if (std::find(read.begin(), read.end(), file) == read.end())
                    builder.set.notes.push_back(file.string() + ": not listed in " + index_name +
                                                ", passed over");
        } else {
            for (const fs::path& file : files) read_measurement_file(file, builder);
            read = files;
        }
    } else if (fs::is_regular_file(path, error)) {
        if (path.filename() == index_name)
            return read_measurements(path.parent_path().empty() ? "." : path.parent_path(), asked);
        read_measurement_file(path, builder);
        read.push_back(path);
    } else {
        throw bad_input("there is no such file or folder", path.string());
    }
    if (builder.set.curves.empty() && !builder.set.notes.empty())
        throw bad_input("there is no open photon field in water in it; " + builder.set.notes.front(),
                        path.string());
    if (builder.set.curves.empty() && !builder.set.device_curves.empty())
        throw bad_input("there is no open field in it, only fields behind a wedge or through moving leaves",
                        path.string(),
                        "A model is fitted to open fields first: put all of a beam into one folder");
    if (builder.set.curves.empty())
        throw bad_input("there is no measurement in it", path.string(),
                        "Known: .csv, .mcc, .asc, .data, .ascii and measurements.yaml");
    builder.energy(std::nullopt, path.string());
    builder.fluence_mode(std::nullopt, path.string());
    builder.set.files.clear();
    std::string all;
    for (const fs::path& file : read) {
        builder.set.files.push_back(file.filename().string());
        all += bytes_of(file);
    }
    builder.set.data_hash = sha256(all);
    builder.set.check();
    return std::move(builder.set);
}

}  // namespace libdose::io
