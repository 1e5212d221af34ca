// The `dose` command. One file per sub-command.
#include <fmt/core.h>

#include <cstdio>

#include "cli/common.h"
#include "libdose/error.h"

int main(int argc, char** argv) {
    using namespace libdose;
    std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what is said stays in order with the progress lines
    CLI::App app{"libdose: photon dose calculation for radiotherapy. Not a medical device."};
    app.set_version_flag("--version", std::string("libdose ") + LIBDOSE_VERSION);
    app.require_subcommand(1);
    app.footer(std::string("Try `dose calc --help`. ") + cli::exit_code_text);
    cli::Command run;
    cli::add_info(app, run);
    cli::add_gate(app, run);
    cli::add_calc(app, run);
    cli::add_check(app, run);
    cli::add_gamma(app, run);
    cli::add_dvh(app, run);
    cli::add_sum(app, run);
    cli::add_model(app, run);
    cli::add_validate(app, run);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& request) {
        return app.exit(request);  // --help, --version
    } catch (const CLI::ParseError& error) {
        fmt::print(stderr, "error: {}\nTry --help.\n", error.what());
        return cli::bad_input_code;
    }
    try {
        return run();
    } catch (const Error& error) {
        fmt::print(stderr, "error: {}\n", error.what());
        switch (error.kind()) {
            case ErrorKind::bad_input:
                return cli::bad_input_code;
            case ErrorKind::refused_plan:
                return cli::refused_plan_code;
            case ErrorKind::internal:
                return cli::internal_code;
        }
    } catch (const std::bad_alloc&) {
        fmt::print(stderr, "error: not enough memory. Choose a larger grid spacing (--grid)\n");
    } catch (const std::exception& error) {
        fmt::print(stderr, "error: {}\n", error.what());
    }
    return cli::internal_code;
}
