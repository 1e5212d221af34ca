// A beam model: everything about one photon beam that is not in the plan.
//
// Lengths: mm for the head, g/cm² and cm for the physics. Energies: MeV. All arrays are row-major in the
// order that their comment gives. Layout on disk: docs/reference/beam-model-file.md.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace libdose {

/// Photon number spectrum on the central axis, with the attenuation (without coherent scattering) of the two
/// basis materials.
struct Spectrum {
    std::vector<double> energy_mev;       ///< [bin] mean energy of the bin, ascending
    std::vector<double> fluence;          ///< [bin] fraction of the photons, sums to 1
    std::vector<double> mu_water_cm2_g;   ///< [bin]
    std::vector<double> mu_high_z_cm2_g;  ///< [bin] second basis material (titanium)
};

/// Collapsed-cone kernel: cumulative energy released into cone m that is deposited within r g/cm²:
/// C_m(r) = sum_k c_mk (1 - exp(-a_k r)), per unit of energy released (TERMA), sum_mk c_mk = 1.
struct ConeKernel {
    std::vector<double> rates_cm2_g;      ///< [k] a_k, shared by all cones, descending
    std::vector<double> theta_edges_deg;  ///< [m + 1] 0 … 180
    std::vector<double> depth_g_cm2;      ///< [h] water-equivalent depth that the spectrum was hardened by
    std::vector<double>
        coefficients;  ///< [h][m][k] c_mk, of either sign; no cone deposits less than nothing anywhere
};

/// Pencil kernel in water: dose(r, d) = sum_i weight_i(d) · component_i(r), Gy per photon of the pencil.
struct PencilKernel {
    std::vector<double> radius_cm;    ///< [r] ring edges, first 0
    std::vector<double> components;   ///< [i][r - 1] value in the ring between two edges, 1/cm²
    std::vector<double> depth_g_cm2;  ///< [d]
    std::vector<double> weights;      ///< [d][i] Gy cm²
};

/// Scattered photons of the head (flattening filter, primary collimator): a Gaussian disc seen through the
/// aperture.
struct ExtrafocalSource {
    double amplitude =
        0;  ///< fluence on the axis of an entirely open head, relative to the focal source's; 0: none
    double sigma_mm = 0;       ///< of the disc, in its own plane
    double distance_mm = 125;  ///< focal source to its plane
};

/// Electrons of head and air. Dose = amplitude x (aperture blurred by sigma) x depth curve;
/// docs/theory/head.md.
struct ElectronContamination {
    double amplitude_gy_cm2 =
        0;  ///< at the surface on the axis of an entirely open head, per unit photon fluence; 0: none
    double sigma_mm = 40;          ///< at the isocentre plane
    double attenuation_cm2_g = 1;  ///< of the exponential with depth
    double range_g_cm2 = 3;        ///< no dose beyond
};

/// A wedge in the beam. Positions along the wedge's y axis (towards the thin end), mm at the isocentre plane.
struct WedgeModel {
    std::string id;                   ///< as plans name it; empty: any of this angle and kind
    std::string kind;                 ///< "physical" or "motorised"
    double angle_deg = 0;             ///< nominal
    std::vector<double> position_mm;  ///< ascending
    std::vector<double> water_g_cm2,
        high_z_g_cm2;  ///< what the ray through that position crosses, in the basis of Spectrum
};

/// Wedges that a moving jaw makes.
struct DynamicWedgeModel {
    /// Golden segmented treatment table of 60 degrees: part of the MU given when the moving jaw has come to a
    /// position (mm, along the wedge's y axis), ascending. Empty: this model knows no enhanced dynamic wedge.
    std::vector<double> golden_position_mm, golden_fraction;
    double closest_gap_mm = 5;              ///< the moving jaw stops this far from the fixed one
    double virtual_attenuation_per_mm = 0;  ///< c·mu of the Siemens virtual wedge; 0: not known
};

/// The head of the machine: sources, collimators, profile, devices.
struct HeadModel {
    double spot_fwhm_x_mm = 0, spot_fwhm_y_mm = 0;  ///< focal spot at the source
    double source_collimator_distance_mm = 500;     ///< plane whose edges the spot is projected through
    double jaw_x_distance_mm = 400,
           jaw_y_distance_mm =
               320;  ///< source to the middle of the jaws: where they cut the view of the extrafocal source
    double jaw_transmission = 0, leaf_transmission = 0;  ///< 0 … 1
    double maximum_field_radius_mm = 280;  ///< primary collimator, at the isocentre plane; no fluence outside
    /// Open field in air relative to the axis, as a small water-equivalent detector reads it: [p] radius at
    /// the isocentre plane, first 0, ascending.
    std::vector<double> profile_radius_mm, profile;
    /// Off-axis softening: [s] water that the spectrum at this radius has seen less of than the one on the
    /// axis, g/cm² (negative: more).
    std::vector<double> softening_radius_mm, softening_g_cm2;
    ExtrafocalSource extrafocal;
    ElectronContamination electrons;
    /// Signal of the monitor chamber by scatter from closed jaws, relative to its signal with open ones;
    /// docs/theory/head.md.
    double monitor_backscatter_x = 0, monitor_backscatter_y = 0;
    /// Measured over calculated output, by the side of the equivalent square of the collimator opening (mm);
    /// linear between, constant beyond.
    std::vector<double> output_side_mm, output_correction;
    std::vector<WedgeModel> wedges;
    DynamicWedgeModel dynamic_wedge;
    /// Leaf design that leaf_transmission and leaf_offset_mm were measured of; empty: not measured, designs
    /// bring their own transmission.
    std::string leaf_design;
    double leaf_offset_mm = 0;  ///< each leaf end lies this much farther out of the opening than the design
                                ///< has it, at the isocentre plane
};

/// Dose per unit photon fluence (at 100 cm, in vacuum) in water, SSD 100 cm, 10x10 cm, on the axis, as each
/// engine calculates it, Gy cm². Dose per MU is `reference_gy_per_mu` there.
struct Calibration {
    double reference_gy_per_mu = 0.01;
    std::string depth = "maximum";  ///< where reference_gy_per_mu holds: "maximum" or "10cm"
    double depth_of_maximum_cm = 0;
    double collapsed_cone_maximum = 0, collapsed_cone_10cm = 0;
    double pencil_beam_maximum = 0, pencil_beam_10cm = 0;
};

/// A quantity that was fitted to measurements.
struct FittedQuantity {
    std::string name, unit;
    double value = 0, sigma = 0;        ///< one standard deviation
    double prior = 0, prior_sigma = 0;  ///< what was assumed before the data; a sigma of 0: nothing
};

/// A photon beam of a machine: spectrum, kernels, head, calibration.
struct BeamModel {
    std::string name, version, description;
    std::string machine;  ///< name of the treatment machine that the model was commissioned for; empty:
                          ///< generic, of no machine
    double nominal_energy_mv = 0;
    std::string fluence_mode = "STANDARD";
    Spectrum spectrum;
    ConeKernel cone_kernel;
    PencilKernel pencil_kernel;
    HeadModel head;
    Calibration calibration;
    std::map<std::string, std::string> sources;  ///< quantity -> where its numbers come from
    std::vector<FittedQuantity> fit;             ///< commissioned models
    std::vector<double> fit_correlation;         ///< [fitted][fitted]
    /// Commissioned models: hash and names of the measured files, engine version, and who, when and where as
    /// the centre gave them.
    std::map<std::string, std::string> lineage;
    std::string signature;     ///< of the hash, by the centre, hexadecimal; empty: none. Not part of the hash
    std::string content_hash;  ///< SHA-256 of everything above, set and checked by io

    /// Throws bad_input naming the quantity: wrong shape, not finite, negative where it must not be, not
    /// ascending, spectrum or kernel not normalised; with `calibrated`, also when the calibration is missing.
    void check(bool calibrated = true) const;
};

}  // namespace libdose
