#!/usr/bin/env python3
"""Makes the generic beam models and the material basis from spectra and attenuation tables.

    python3 libdose/data/make_beam_models.py [--out DIR]        # needs numpy, h5py

Writes `materials/basis.csv` and unsealed `models/generic-*.h5` without kernels. `dose model calibrate FILE`
then makes the kernels of the spectrum, calculates the calibration with the engine itself and seals the file
with its hash. `libdose/data/make_beam_models.sh` does both.
Everything is deterministic. The method is described in docs/theory/beam-model.md.
"""
import argparse
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent
BIN_SPLIT = 4  # sub-bins of a spectrum bin: photons are uniform within a bin, attenuation is not
HIGH_Z = "titanium"
ELECTRON_REST_MEV = 0.51099895
STOPPING_RATIO_SPECTRUM = 6  # MV; at 10 g/cm²
BASIS_ENERGIES_MEV = np.geomspace(0.2, 15.0, 60)


def read_table(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return np.genfromtxt(lines, delimiter=",", names=True)


class Materials:
    """Attenuation (without coherent scattering, as the kernels demand) by log-log interpolation."""

    def __init__(self):
        index = [line.split(",") for line in (HERE / "materials/index.csv").read_text().splitlines()
                 if line and not line.startswith("#")]
        self.density = {row[0]: float(row[2]) for row in index}
        self.table = {row[0]: read_table(HERE / "materials" / row[1]) for row in index}
        self.stopping = read_table(HERE / "materials/stopping_powers.csv")

    def mu(self, name, energy_mev, column="mu_over_rho_nocoh"):
        table = self.table[name]
        with np.errstate(divide="ignore"):  # no pairs below the threshold
            return np.exp(np.interp(np.log(energy_mev), np.log(table["energy_MeV"]), np.log(table[column])))

    def electrons_per_gram(self, name):
        """Relative to water: incoherent scattering per gram at 2 MeV is proportional to Z/A."""
        return self.mu(name, 2.0, "incoherent") / self.mu("water", 2.0, "incoherent")

    def basis(self, name):
        """Parts of water and of the high-Z material whose sum attenuates like `name` (least squares of the
        ratio).
        """
        water, high, this = (self.mu(n, BASIS_ENERGIES_MEV) for n in ("water", HIGH_Z, name))
        return np.linalg.lstsq(np.stack([np.ones_like(water), high / water], 1), this / water, rcond=None)[0]

    def electron_fluence(self, energy, fluence):
        """Fluence of the electrons that photons of this spectrum set free in water, slowing down (relative).

        Continuous slowing down, on the energies of the stopping-power table: Klein-Nishina recoil electrons,
        pairs that share the energy evenly.
        """
        grid = self.stopping["energy_MeV"]
        fine = np.geomspace(grid[0], grid[-1], 1201)
        middle, width = np.sqrt(fine[:-1] * fine[1:]), np.diff(fine)
        source = np.zeros(len(middle))
        for photon, weight in zip(energy, fluence):
            k = photon / ELECTRON_REST_MEV
            t = middle / photon
            with np.errstate(all="ignore"):
                recoil = 2 + t ** 2 / (k ** 2 * (1 - t) ** 2) + t / (1 - t) * (t - 2 / k)
            recoil = np.where(middle < photon * 2 * k / (1 + 2 * k), recoil, 0.0)
            if recoil.sum() > 0:
                source += weight * self.mu("water", photon, "incoherent") * recoil / (recoil * width).sum()
            pair = self.mu("water", photon,
                           "pair_nuclear") if photon > 2 * ELECTRON_REST_MEV + 2 * fine[0] else 0.0
            kinetic = 0.5 * (photon - 2 * ELECTRON_REST_MEV)
            place = np.searchsorted(fine, kinetic) - 1
            if pair > 1e-8 and 0 <= place < len(width):
                source[place] += 2 * weight * pair / width[place]
        above = np.cumsum((source * width)[::-1])[::-1]
        stopping = np.exp(np.interp(np.log(middle), np.log(grid), np.log(self.stopping["water"])))
        return middle, width, above / stopping

    def water_to_medium(self, name, energy, fluence):
        """Bragg-Gray ratio of the mean collision stopping powers, water to medium, in that fluence."""
        middle, width, electrons = self.electron_fluence(energy, fluence)
        def mean(material):
            power = np.exp(np.interp(np.log(middle), np.log(self.stopping["energy_MeV"]),
                                     np.log(self.stopping[material])))
            return (electrons * width * power).sum()
        return mean("water") / mean(name)


def write_basis(materials, out):
    energy, fluence = read_spectrum(HERE / f"spectra/spectrum_{STOPPING_RATIO_SPECTRUM}MV_mohan.csv")
    fluence = fluence * np.exp(-10 * materials.mu("water", energy))
    rows = [line.split(",") for line in (HERE / "materials/electron_scaling.csv").read_text().splitlines()
            if line and line[0] != "#"]
    scaling = {row[0]: float(row[1]) for row in rows[1:]}
    lines = [
        ("# Two-material attenuation basis: mu/rho(E) = water_part*water(E) + high_z_part*" + HIGH_Z
         + "(E), least squares of the"),
        ("# ratio to water, 0.2-15 MeV; electrons per gram relative to water; factor by which a gram "
         "scales the kernel (electron_scaling.csv); mean collision stopping power of water over that of the "
         "material for the"),
        (f"# electrons of the {STOPPING_RATIO_SPECTRUM} MV spectrum at 10 g/cm2. Made by make_beam_models.py "
         "from the tables beside."),
        "material,density_g_cm3,water_part,high_z_part,electrons_per_gram,kernel_scaling,water_to_medium"]
    for name in sorted(materials.density, key=lambda n: (materials.density[n], n)):
        water_part, high_z_part = materials.basis(name)
        lines.append(f"{name},{materials.density[name]:g},{water_part:.6f},{high_z_part:.6f},"
                     f"{materials.electrons_per_gram(name):.6f},{scaling[name]:.4f},"
                     f"{materials.water_to_medium(name, energy, fluence):.5f}")
    (out / "materials").mkdir(parents=True, exist_ok=True)
    (out / "materials/basis.csv").write_text("\n".join(lines) + "\n")


def read_spectrum(path):
    table = read_table(path)
    low, high, share = table["energy_low_MeV"], table["energy_high_MeV"], table["relative_fluence"]
    step = (np.arange(BIN_SPLIT) + 0.5) / BIN_SPLIT
    energy = (low[:, None] + (high - low)[:, None] * step).ravel()
    fluence = np.repeat(share / BIN_SPLIT, BIN_SPLIT)
    keep = fluence > 0
    return energy[keep], fluence[keep] / fluence[keep].sum()


def softening(materials, energy, fluence, radius_mm):
    """Water (g/cm²) that the spectrum at a radius has seen less of than on the axis.

    So much that its narrow-beam attenuation rises as Tailor's formula says.
    """
    mu = materials.mu("water", energy)
    def attenuation(less):
        energy_in = fluence * energy * mu * np.exp(mu * less)
        return np.log(energy_in.sum() / (energy_in * np.exp(-10 * mu)).sum()) / 10
    less = np.linspace(-1, 15, 641)
    ratio = np.array([attenuation(x) for x in less]) / attenuation(0)
    theta = np.degrees(np.arctan(radius_mm / 1000))
    wanted = 1 + 0.00181 * theta + 0.00202 * theta ** 2 - 0.0000942 * theta ** 3
    return np.interp(wanted, ratio, less)


def write_wedges(head, materials, energy, fluence, depth_dose_slope, golden):
    """Writes steel wedges whose slope tilts the isodose lines at 10 cm by their angle.

    d ln(transmission)/dy = slope of the depth dose x tan(angle).
    """
    water_part, high_z_part = materials.basis("steel")
    density = materials.density["steel"]
    mu_steel = materials.mu("steel", energy)
    weight = fluence * energy * materials.mu("water", energy)
    count = 0
    for kind, angle, reach_mm in WEDGES if golden is not False else []:
        # Thickness at which the transmission falls to what the slope asks of the axis.
        steel = np.linspace(0, 120, 2401)  # g/cm²
        log_t = np.log((weight * np.exp(-np.outer(steel, mu_steel))).sum(1) / weight.sum())
        y = np.arange(-reach_mm, reach_mm + 1e-9, 5.0)
        wanted = -depth_dose_slope * np.tan(np.radians(angle)) * 0.1 * (reach_mm - y)
        thickness = np.interp(-wanted, -log_t, steel)
        count += 1
        group = head.create_group(f"wedge_{count}")
        group.attrs.update(id="", kind=kind, angle_deg=float(angle))
        group["position_mm"], group["water_g_cm2"], group["high_z_g_cm2"] = (y, water_part * thickness,
                                                                             high_z_part * thickness)
        print(f"  {kind} wedge {angle}: {thickness.max() / density:.1f} cm of steel at the thick end, "
              f"{np.exp(np.interp(0, y, wanted)):.3f} on the axis in air")
    head.attrs["wedges"] = float(count)
    group = head.create_group("dynamic_wedge")
    group.attrs.update(closest_gap_mm=5.0, virtual_attenuation_per_mm=0.0)
    y = np.arange(-200.0, 100.1, 10.0) if golden else np.zeros(0)
    fraction = np.zeros(0)
    if golden:
        a, b, c, d = golden
        fraction = a - b * np.tan(np.radians(60)) * (1 - c * 0.1 * y - np.exp(d * 0.1 * y))
    group["golden_position_mm"], group["golden_fraction"] = y, fraction


def make_model(out, megavolts, materials, free=False):
    energy, fluence = read_spectrum(HERE / f"spectra/spectrum_{megavolts}MV_mohan.csv")
    if free:
        fluence = fluence * np.exp(materials.mu("steel", energy) * STEEL_TAKEN_OFF[megavolts])
        fluence /= fluence.sum()
    mu = materials.mu("water", energy)
    maximum, slope = DEPTH_DOSE[megavolts, free]
    name = f"generic-{megavolts}" + ("FFF" if free else "MV")
    path = out / "models" / f"{name}.h5"
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs.update(schema="libdose-beam-model", schema_version=3, name=name, version="4", machine="",
                          description=f"Generic {'flattening-filter-free' if free else 'flattened'} "
                          f"{megavolts} MV photon beam; not a real machine",
                          nominal_energy_mv=float(megavolts), fluence_mode="FFF" if free else "STANDARD")
        group = file.create_group("spectrum")
        group["energy_mev"], group["fluence"] = energy, fluence
        group["mu_water_cm2_g"], group["mu_high_z_cm2_g"] = mu, materials.mu(HIGH_Z, energy)
        group = file.create_group("head")
        attenuation, reach = ELECTRONS[megavolts]
        group.attrs.update(spot_fwhm_x_mm=2.0, spot_fwhm_y_mm=2.0, source_collimator_distance_mm=450.0,
                           jaw_x_distance_mm=406.0, jaw_y_distance_mm=319.0, jaw_transmission=0.005,
                           leaf_transmission=0.015, maximum_field_radius_mm=283.0,
                           extrafocal_amplitude=EXTRAFOCAL["FFF" if free else "STANDARD"],
                           extrafocal_sigma_mm=21.0, extrafocal_distance_mm=125.0,
                           electron_amplitude_gy_cm2=ELECTRON_SURFACE * maximum, electron_sigma_mm=60.0,
                           electron_attenuation_cm2_g=attenuation, electron_range_g_cm2=reach,
                           monitor_backscatter_x=0.004, monitor_backscatter_y=0.012)
        radius_mm, profile = np.array(PROFILES[megavolts if free else 0]).T
        group["profile_radius_mm"], group["profile"] = radius_mm, profile
        radius_mm = np.arange(0.0, 301.0, 20.0)
        group["softening_radius_mm"] = radius_mm if not free else np.zeros(0)
        group["softening_g_cm2"] = softening(materials, energy, fluence,
                                             radius_mm) if not free else np.zeros(0)
        group["output_side_mm"], group["output_correction"] = np.zeros(0), np.zeros(0)
        # no wedges without filter
        write_wedges(group, materials, energy, fluence, slope, False if free else GOLDEN.get(megavolts))
        group = file.create_group("calibration")
        group.attrs.update(reference_gy_per_mu=0.01, depth="maximum", depth_of_maximum_cm=0.0,
                           collapsed_cone_maximum=0.0, collapsed_cone_10cm=0.0, pencil_beam_maximum=0.0,
                           pencil_beam_10cm=0.0)
        group = file.create_group("sources")
        group.attrs.update(SOURCES)
    print(name)


# Open field in air against the axis: (radius in mm, value). 0: flattened beams; else the unflattened beam of
# these megavolts.
PROFILES = {0: [(0, 1), (28, 1.020), (57, 1.042), (85, 1.052), (113, 1.063), (141, 1.073), (170, 1.070),
                (200, 1.060), (300, 1.060)],
            6: [(0, 1), (10, 0.997), (20, 0.980), (30, 0.959), (40, 0.928), (60, 0.870), (80, 0.812),
                (100, 0.747), (120, 0.699), (140, 0.656), (160, 0.613), (180, 0.581), (200, 0.552),
                (220, 0.525), (240, 0.510), (300, 0.470)],
            10: [(0, 1), (20, 0.925), (40, 0.827), (60, 0.748), (80, 0.669), (100, 0.607), (120, 0.550),
                 (140, 0.502), (160, 0.459), (300, 0.30)],}
EXTRAFOCAL = {"STANDARD": 0.09, "FFF": 0.04}
# of the maximum of 10x10, head entirely open
ELECTRON_SURFACE = 0.10
ELECTRONS = {4: (1.7, 1.7), 6: (1.3, 2.2), 10: (1.0, 3.2), 15: (0.8, 4.2)}  # attenuation cm²/g, range g/cm²
# Steel (g/cm²) that stands for the flattening filter: taken off, the depth dose at 10 cm is 2.9 (6 MV) and
# 2.5 (10 MV) percent of the maximum lower.
STEEL_TAKEN_OFF = {6: 1.20605, 10: 3.94043}
# Of the round field of 100 cm² at the surface, SSD 100 cm, from the pencil kernel of the spectrum: the
# maximum (Gy cm²) and the slope of the logarithm of the depth dose at 10 cm (1/cm).
DEPTH_DOSE = {(4, False): (6.1892e-12, 0.059478), (6, False): (7.3146e-12, 0.053784),
              (6, True): (2.8462e-12, 0.055663), (10, False): (8.9111e-12, 0.046437),
              (10, True): (3.7431e-12, 0.049587), (15, False): (1.12270e-11, 0.042598)}
# Enhanced dynamic wedge: table(y) = a - b tan 60° (1 - c y - exp(d y)), y in cm.
GOLDEN = {6: (1.145259, 0.742644, -0.0025865, 0.08710), 10: (1.128009, 0.769109, -0.0031304, 0.0719)}
WEDGES = [("physical", 15, 150.0), ("physical", 30, 150.0), ("physical", 45, 100.0), ("physical", 60, 75.0),
          ("motorised", 60, 150.0)]

SOURCES = {
    "spectrum":
        "Mohan, Chui, Lidofsky, Med. Phys. 12 (1985) 592, as distributed with EGSnrc; each bin split "
        f"into {BIN_SPLIT}; below 0.1 MeV the photons are kept and use the kernel of 0.1 MeV",
    "attenuation": "NIST XCOM without coherent scattering; basis materials water and titanium",
    "cone_kernel":
        "EGSnrc/EDKnrc point kernels in water (kernels/water_point_kernels.h5), by `dose model "
        "calibrate`",
    "pencil_kernel": "the same point kernels, by `dose model calibrate`",
    "spot": "2 mm FWHM: within the 0.7-3.3 mm measured by Jaffray et al, Med. Phys. 20 (1993) 1417",
    "transmission":
        "jaws 0.5 %, leaves 1.5 %: round figures, typical of a conventional linac; not of one machine",
    "profile":
        "flattened: rounded from the primary fluence of a Siemens Artiste 6 MV "
        "(e0404/photonPencilBeamKernelCalc, MIT licence), one for every energy; 6 FFF: TrueBeam, as "
        "fitted by samuelpeet/conehead; 10 FFF: dose off the axis at the maximum, J. Appl. Clin. Med. "
        "Phys. 17(3) (2016) 358, table 4, positions inferred from its field sizes",
    "softening":
        "Tailor et al, Med. Phys. 25 (1998) 662, coefficients as commonly quoted, not checked against "
        "the paper; none without filter",
    "extrafocal":
        "9 % (4 % without filter), 21 mm, 125 mm: within the 8 to 11 % that Jaffray et al, Med. Phys. "
        "20 (1993) 1417 measured; half the head scatter without filter (J. Appl. Clin. Med. Phys. "
        "2014, PMC4418585: smaller by up to 3.7 %)",
    "electrons":
        "attenuation and range at 6 MV: Br. J. Radiol. 76 (2003) 163, figure 4; other energies by "
        "their range; amplitude and width so that the surface dose grows with the field as in J. Med. "
        "Phys. 45 (2020) 175, table 4",
    "monitor_backscatter":
        "round figures: half of the 2 to 3 % of older machines (Zavgorodni 2013, arXiv:1308.0367); "
        "second hand",
    "jaw_distances":
        "middle of jaws from 280 to 358 mm (y) and 367 to 445 mm (x), as published for one maker; "
        "second hand",
    "wedges": "steel, slope from the depth dose at 10 cm: no real wedge",
    "dynamic_wedge":
        "form of Yu, Med. Phys. 29 (2002), its coefficients fitted to the segmented treatment table "
        "in use; second hand; 6 and 10 MV only",
    "unflattened_spectrum":
        "the flattened spectrum with steel taken off until the depth dose at 10 cm falls as from 6 MV "
        "to 6 FFF (66.3 to 63.4 %) and from 10 MV to 10 FFF (73.5 to 71.0 %), one centre's "
        "calibration file",
    "calibration": "engine in water, SSD 100 cm, 10x10 cm at the surface, by `dose model calibrate`",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder that gets materials/ and models/")
    parser.add_argument("--energies", type=int, nargs="*", default=[4, 6, 10, 15])
    arguments = parser.parse_args()
    materials = Materials()
    write_basis(materials, arguments.out)
    for megavolts in arguments.energies:
        make_model(arguments.out, megavolts, materials)
        if megavolts in STEEL_TAKEN_OFF:
            make_model(arguments.out, megavolts, materials, free=True)


if __name__ == "__main__":
    main()
