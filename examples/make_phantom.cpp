// Writes a DICOM thorax phantom with structures and plans.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "phantom_dicom.h"
#include "phantom_planning_system.h"

int main(int argc, char** argv) {
    CLI::App app{
        "Write the DICOM thorax phantom: CT, RTSTRUCT and RTPLANs (four-field, sliding-window, vmat, wedge, "
        "bolus, halcyon)"};
    std::filesystem::path folder;
    bool quick = false;
    std::string planned;
    app.add_option("folder", folder, "Folder for the files; made if it is not there")->required();
    app.add_flag("--quick", quick, "128 x 128 pixels and 6 mm slices instead of 512 x 512 and 3 mm");
    app.add_option("--planned-dose", planned,
                   "Label of a plan: write its dose and prescription too, as a planning system would");
    CLI11_PARSE(app, argc, argv);
    try {
        std::filesystem::create_directories(folder);
        libdose::Grid grid;
        const int pixels = quick ? 128 : 512, slices = quick ? 40 : 100;
        grid.size = {pixels, pixels, slices};
        grid.spacing_mm = libdose::Vec3(500.0 / pixels, 500.0 / pixels, quick ? 6.0 : 3.0);
        grid.origin_mm =
            -0.5 * libdose::Vec3((pixels - 1) * grid.spacing_mm[0], (pixels - 1) * grid.spacing_mm[1],
                                 (slices - 1) * grid.spacing_mm[2]);
        phantom::write_ct(grid, folder);
        phantom::write_structures(grid, folder);
        int number = 0;
        std::string written;
        for (const phantom::PlanDescription& plan : phantom::plans()) {
            phantom::write_plan(plan, number, folder);
            written += ", RP_" + plan.label + ".dcm";
            if (plan.label == planned) {
                phantom::write_planned_dose(plan, number, folder);
                written += ", RD_" + plan.label + ".dcm";
                planned.clear();
            }
            ++number;
        }
        if (!planned.empty()) throw std::runtime_error("there is no plan \"" + planned + "\"");
        std::printf("%d CT slices, RS.dcm%s in %s\n", slices, written.c_str(), folder.c_str());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 2;
    }
    return 0;
}
