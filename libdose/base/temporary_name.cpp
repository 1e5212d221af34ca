#include "base/temporary_name.h"

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>

#include "libdose/error.h"

namespace libdose {

std::filesystem::path temporary_name(const std::filesystem::path& file) {
    static std::atomic<int> counter{0};
    return file.parent_path() / ("." + file.filename().string() + "." + std::to_string(getpid()) + "-" +
                                 std::to_string(counter++) + ".tmp");
}

void rename_into_place(const std::filesystem::path& temporary, const std::filesystem::path& file) {
    std::error_code error;
    std::filesystem::rename(temporary, file, error);
    if (error) {
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        throw bad_input("cannot write the file: " + error.message(), file.string(),
                        "Check the folder and its permissions");
    }
}

void write_text(const std::string& text, const std::filesystem::path& file) {
    const std::filesystem::path temporary = temporary_name(file);
    std::ofstream stream(temporary, std::ios::binary);
    stream << text;
    stream.close();
    if (!stream) {
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        throw bad_input("the file cannot be written", file.string(),
                        "Check the folder, its permissions and its free space");
    }
    rename_into_place(temporary, file);
}

}  // namespace libdose
