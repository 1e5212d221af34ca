/* Where the members of the structs of dose_c.h are, on 64-bit machines. What is here never changes; a new
 * member gets a new line at the end of its struct, and the size follows. */
#include <libdose/dose_c.h>

#define MEMBER(type, member, offset) \
    _Static_assert(offsetof(type, member) == (offset), #type "." #member " has moved")
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " has another size")

_Static_assert(sizeof(void*) == 8 && sizeof(size_t) == 8, "the offsets below are those of 64-bit machines");
_Static_assert(sizeof(libdose_status) == 4 && sizeof(libdose_patient_position) == 4,
               "statuses are 32-bit numbers");

MEMBER(libdose_grid, struct_size, 0);
MEMBER(libdose_grid, size, 8);
MEMBER(libdose_grid, spacing_mm, 24);
MEMBER(libdose_grid, origin_mm, 48);
SIZE(libdose_grid, 72);

MEMBER(libdose_structure, struct_size, 0);
MEMBER(libdose_structure, name, 8);
MEMBER(libdose_structure, type, 16);
MEMBER(libdose_structure, material, 24);
MEMBER(libdose_structure, relative_mass_density, 32);
MEMBER(libdose_structure, relative_electron_density, 40);
MEMBER(libdose_structure, plane_spacing_mm, 48);
MEMBER(libdose_structure, number, 56);
MEMBER(libdose_structure, xor_contours, 60);
SIZE(libdose_structure, 64);

MEMBER(libdose_beam, struct_size, 0);
MEMBER(libdose_beam, name, 8);
MEMBER(libdose_beam, machine, 16);
MEMBER(libdose_beam, manufacturer, 24);
MEMBER(libdose_beam, fluence_mode, 32);
MEMBER(libdose_beam, nominal_energy_mv, 40);
MEMBER(libdose_beam, meterset_mu, 48);
MEMBER(libdose_beam, source_axis_distance_mm, 56);
MEMBER(libdose_beam, final_cumulative_weight, 64);
MEMBER(libdose_beam, number, 72);
MEMBER(libdose_beam, control_point_count, 76);
MEMBER(libdose_beam, tray_factor, 80);
MEMBER(libdose_beam, tray_water_mm, 88);
SIZE(libdose_beam, 96);

MEMBER(libdose_control_point, struct_size, 0);
MEMBER(libdose_control_point, cumulative_weight, 8);
MEMBER(libdose_control_point, gantry_deg, 16);
MEMBER(libdose_control_point, collimator_deg, 24);
MEMBER(libdose_control_point, couch_deg, 32);
MEMBER(libdose_control_point, isocentre_mm, 40);
MEMBER(libdose_control_point, jaw_x_mm, 64);
MEMBER(libdose_control_point, jaw_y_mm, 80);
MEMBER(libdose_control_point, leaf_lower_mm, 96);
MEMBER(libdose_control_point, leaf_upper_mm, 104);
MEMBER(libdose_control_point, leaf_pair_count, 112);
MEMBER(libdose_control_point, has_jaw_x, 120);
MEMBER(libdose_control_point, has_jaw_y, 124);
MEMBER(libdose_control_point, gantry_rotation, 128);
MEMBER(libdose_control_point, reserved, 132);
MEMBER(libdose_control_point, wedge_in, 136);
MEMBER(libdose_control_point, wedge_count, 144);
SIZE(libdose_control_point, 152);

MEMBER(libdose_wedge, struct_size, 0);
MEMBER(libdose_wedge, id, 8);
MEMBER(libdose_wedge, angle_deg, 16);
MEMBER(libdose_wedge, orientation_deg, 24);
MEMBER(libdose_wedge, factor, 32);
MEMBER(libdose_wedge, number, 40);
MEMBER(libdose_wedge, kind, 44);
SIZE(libdose_wedge, 48);

MEMBER(libdose_block, struct_size, 0);
MEMBER(libdose_block, name, 8);
MEMBER(libdose_block, x_mm, 16);
MEMBER(libdose_block, y_mm, 24);
MEMBER(libdose_block, point_count, 32);
MEMBER(libdose_block, transmission, 40);
MEMBER(libdose_block, tray_distance_mm, 48);
MEMBER(libdose_block, thickness_mm, 56);
MEMBER(libdose_block, number, 64);
MEMBER(libdose_block, aperture, 68);
MEMBER(libdose_block, parallel_sides, 72);
MEMBER(libdose_block, source_side, 76);
SIZE(libdose_block, 80);

MEMBER(libdose_raster, struct_size, 0);
MEMBER(libdose_raster, isocentre_mm, 8);
MEMBER(libdose_raster, axes, 32);
MEMBER(libdose_raster, source_axis_distance_mm, 104);
MEMBER(libdose_raster, pixel_mm, 112);
MEMBER(libdose_raster, lower_u_mm, 120);
MEMBER(libdose_raster, lower_v_mm, 128);
MEMBER(libdose_raster, values, 136);
MEMBER(libdose_raster, value_count, 144);
MEMBER(libdose_raster, size_u, 152);
MEMBER(libdose_raster, size_v, 156);
SIZE(libdose_raster, 160);

MEMBER(libdose_plan_reading, struct_size, 0);
MEMBER(libdose_plan_reading, plan, 8);
MEMBER(libdose_plan_reading, accepted_tags, 16);
MEMBER(libdose_plan_reading, accepted_tag_count, 24);
MEMBER(libdose_plan_reading, fraction_group, 32);
MEMBER(libdose_plan_reading, reserved, 36);
MEMBER(libdose_plan_reading, series, 40);
MEMBER(libdose_plan_reading, without_structures, 48);
MEMBER(libdose_plan_reading, reserved2, 52);
SIZE(libdose_plan_reading, 56);

MEMBER(libdose_override, structure, 0);
MEMBER(libdose_override, material, 8);
MEMBER(libdose_override, density_g_cm3, 16);
SIZE(libdose_override, 24);

MEMBER(libdose_options, struct_size, 0);
MEMBER(libdose_options, grid_mm, 8);
MEMBER(libdose_options, beam_margin_mm, 16);
MEMBER(libdose_options, sub_arc_deg, 24);
MEMBER(libdose_options, algorithm, 32);
MEMBER(libdose_options, quality, 36);
MEMBER(libdose_options, transport, 40);
MEMBER(libdose_options, dose_to, 44);
MEMBER(libdose_options, threads, 48);
MEMBER(libdose_options, per_beam, 52);
MEMBER(libdose_options, lateral_scaling, 56);
MEMBER(libdose_options, leaf_ends, 60);
MEMBER(libdose_options, backend, 64);
MEMBER(libdose_options, device, 68);
MEMBER(libdose_options, leaves, 72);
MEMBER(libdose_options, calibration_depth, 80);
MEMBER(libdose_options, hu_curve_file, 88);
MEMBER(libdose_options, hu_curve_hu, 96);
MEMBER(libdose_options, hu_curve_density, 104);
MEMBER(libdose_options, hu_curve_count, 112);
MEMBER(libdose_options, overrides, 120);
MEMBER(libdose_options, override_count, 128);
MEMBER(libdose_options, progress, 136);
MEMBER(libdose_options, user, 144);
MEMBER(libdose_options, devices, 152);
MEMBER(libdose_options, grid, 160);
MEMBER(libdose_options, accept_gaps, 168);
MEMBER(libdose_options, reserved, 172);
SIZE(libdose_options, 176);

MEMBER(libdose_gate_entry, struct_size, 0);
MEMBER(libdose_gate_entry, tag, 8);
MEMBER(libdose_gate_entry, name, 16);
MEMBER(libdose_gate_entry, where, 24);
MEMBER(libdose_gate_entry, value, 32);
MEMBER(libdose_gate_entry, reason, 40);
MEMBER(libdose_gate_entry, count, 48);
MEMBER(libdose_gate_entry, verdict, 56);
MEMBER(libdose_gate_entry, beam, 60);
MEMBER(libdose_gate_entry, acceptable, 64);
MEMBER(libdose_gate_entry, reserved, 68);
SIZE(libdose_gate_entry, 72);

MEMBER(libdose_check_options, struct_size, 0);
MEMBER(libdose_check_options, protocol, 8);
MEMBER(libdose_check_options, site, 16);
MEMBER(libdose_check_options, model, 24);
MEMBER(libdose_check_options, couch, 32);
MEMBER(libdose_check_options, out, 40);
MEMBER(libdose_check_options, reading, 48);
MEMBER(libdose_check_options, engine, 56);
MEMBER(libdose_check_options, without_attribution, 64);
MEMBER(libdose_check_options, reserved, 68);
SIZE(libdose_check_options, 72);

MEMBER(libdose_check_row, struct_size, 0);
MEMBER(libdose_check_row, section, 8);
MEMBER(libdose_check_row, id, 16);
MEMBER(libdose_check_row, name, 24);
MEMBER(libdose_check_row, subject, 32);
MEMBER(libdose_check_row, reason, 40);
MEMBER(libdose_check_row, planned, 48);
MEMBER(libdose_check_row, calculated, 56);
MEMBER(libdose_check_row, limit, 64);
MEMBER(libdose_check_row, source, 72);
MEMBER(libdose_check_row, unit, 80);
MEMBER(libdose_check_row, value, 88);
MEMBER(libdose_check_row, verdict, 96);
MEMBER(libdose_check_row, reserved, 100);
SIZE(libdose_check_row, 104);

MEMBER(libdose_influence_options, struct_size, 0);
MEMBER(libdose_influence_options, beamlet_mm, 8);
MEMBER(libdose_influence_options, margin_mm, 16);
MEMBER(libdose_influence_options, cutoff, 24);
MEMBER(libdose_influence_options, memory_bytes, 32);
MEMBER(libdose_influence_options, first, 40);
MEMBER(libdose_influence_options, last, 48);
MEMBER(libdose_influence_options, target, 56);
MEMBER(libdose_influence_options, file, 64);
SIZE(libdose_influence_options, 72);

MEMBER(libdose_influence_info, struct_size, 0);
MEMBER(libdose_influence_info, beamlet_count, 8);
MEMBER(libdose_influence_info, entry_count, 16);
MEMBER(libdose_influence_info, note_count, 24);
MEMBER(libdose_influence_info, beamlet_mm, 32);
MEMBER(libdose_influence_info, cutoff, 40);
MEMBER(libdose_influence_info, medium, 48);
MEMBER(libdose_influence_info, in_file, 52);
SIZE(libdose_influence_info, 56);

MEMBER(libdose_beamlet, struct_size, 0);
MEMBER(libdose_beamlet, u_mm, 8);
MEMBER(libdose_beamlet, v_mm, 16);
MEMBER(libdose_beamlet, beam_index, 24);
MEMBER(libdose_beamlet, control_point, 28);
SIZE(libdose_beamlet, 32);

MEMBER(libdose_dose_info, struct_size, 0);
MEMBER(libdose_dose_info, maximum_gy, 8);
MEMBER(libdose_dose_info, beam_count, 16);
MEMBER(libdose_dose_info, note_count, 24);
MEMBER(libdose_dose_info, summation, 32);
MEMBER(libdose_dose_info, medium, 36);
MEMBER(libdose_dose_info, beam_number, 40);
MEMBER(libdose_dose_info, fractions, 44);
SIZE(libdose_dose_info, 48);

MEMBER(libdose_gamma_options, struct_size, 0);
MEMBER(libdose_gamma_options, dose_percent, 8);
MEMBER(libdose_gamma_options, distance_mm, 16);
MEMBER(libdose_gamma_options, threshold_percent, 24);
MEMBER(libdose_gamma_options, normalisation_gy, 32);
MEMBER(libdose_gamma_options, max_gamma, 40);
MEMBER(libdose_gamma_options, local, 48);
MEMBER(libdose_gamma_options, steps_per_distance, 52);
MEMBER(libdose_gamma_options, margin_mm, 56);
MEMBER(libdose_gamma_options, threads, 64);
MEMBER(libdose_gamma_options, reserved, 68);
SIZE(libdose_gamma_options, 72);

MEMBER(libdose_gamma_info, struct_size, 0);
MEMBER(libdose_gamma_info, pass_rate_percent, 8);
MEMBER(libdose_gamma_info, mean, 16);
MEMBER(libdose_gamma_info, maximum, 24);
MEMBER(libdose_gamma_info, evaluated, 32);
MEMBER(libdose_gamma_info, passed, 40);
MEMBER(libdose_gamma_info, outside, 48);
MEMBER(libdose_gamma_info, left_out, 56);
MEMBER(libdose_gamma_info, normalisation_gy, 64);
MEMBER(libdose_gamma_info, note_count, 72);
SIZE(libdose_gamma_info, 80);

MEMBER(libdose_dvh_info, struct_size, 0);
MEMBER(libdose_dvh_info, volume_cm3, 8);
MEMBER(libdose_dvh_info, volume_outside_cm3, 16);
MEMBER(libdose_dvh_info, minimum_gy, 24);
MEMBER(libdose_dvh_info, maximum_gy, 32);
MEMBER(libdose_dvh_info, mean_gy, 40);
MEMBER(libdose_dvh_info, bin_width_gy, 48);
MEMBER(libdose_dvh_info, bin_count, 56);
SIZE(libdose_dvh_info, 64);
MEMBER(libdose_dvh_options, struct_size, 0);
MEMBER(libdose_dvh_options, bin_width_gy, 8);
MEMBER(libdose_dvh_options, sampling_mm, 16);
MEMBER(libdose_dvh_options, threads, 24);
MEMBER(libdose_dvh_options, reserved, 28);
SIZE(libdose_dvh_options, 32);

int main(void) { return 0; }
