#include "cli/print_pdf.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/temporary_name.h"
#include "libdose/error.h"

extern char** environ;

namespace libdose::cli {

namespace {

namespace fs = std::filesystem;

/// Runs a program of the PATH without its output. Returns its exit status, or -1 where it cannot be started.
int run_quietly(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int failed = posix_spawnp(&child, arguments.front(), &files, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    int status = 0;
    if (failed != 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    constexpr int not_found = 127;  // what a shell, and posix_spawnp() of some systems, says
    return WEXITSTATUS(status) == not_found ? -1 : WEXITSTATUS(status);
}

/// A folder for the browser's own files, removed at the end.
class ProfileFolder {
public:
    explicit ProfileFolder(const fs::path& beside) : path_(temporary_name(fs::absolute(beside))) {}
    ~ProfileFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    ProfileFolder(const ProfileFolder&) = delete;
    ProfileFolder& operator=(const ProfileFolder&) = delete;
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

}  // namespace

void print_pdf(const fs::path& html, const fs::path& pdf) {
    const ProfileFolder profile(pdf);
    const fs::path temporary = temporary_name(fs::absolute(pdf));
    for (const char* browser : {"chromium", "chromium-browser", "google-chrome"}) {
        std::vector<std::string> words{browser,
                                       "--headless",
                                       "--disable-gpu",
                                       "--virtual-time-budget=30000",
                                       "--no-pdf-header-footer",
                                       "--user-data-dir=" + profile.path().string(),
                                       "--print-to-pdf=" + temporary.string()};
        if (geteuid() == 0) words.emplace_back("--no-sandbox");  // Chromium refuses to run as root with it
        words.push_back("file://" + fs::absolute(html).string());
        const int status = run_quietly(words);
        if (status == -1) continue;
        if (status != 0 || !fs::exists(temporary))
            throw bad_input(std::string(browser) + " could not print the report", html.string(),
                            "Open it in a browser and print it from there");
        rename_into_place(temporary, pdf);
        return;
    }
    throw bad_input(
        "there is no Chromium to make a PDF with", "--pdf",
        "Install it (Debian: chromium), or print the page from a browser; the report is " + html.string());
}

}  // namespace libdose::cli
