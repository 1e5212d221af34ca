#!/usr/bin/env python3
"""Make the generic beam models and the material basis from spectra, attenuation tables and Monte Carlo point kernels.

    python3 libdose/data/make_beam_models.py [--out DIR]        # needs numpy, scipy, h5py

Writes `materials/basis.csv` and unsealed `models/generic-*.h5`; `dose model calibrate FILE` then calculates the
calibration with the engine itself and seals the file with its hash. `libdose/data/make_beam_models.sh` does both.
Everything is deterministic. The method is described in docs/methods/beam-model.md.
"""
import argparse
from pathlib import Path

import h5py
import numpy as np
from scipy.optimize import minimize, nnls

HERE = Path(__file__).resolve().parent
MEV_PER_G_TO_GY = 1.602176634e-10
BIN_SPLIT = 4  # sub-bins of a spectrum bin: photons are uniform within a bin, attenuation is not
HARDENING_DEPTHS_G_CM2 = np.array([0.0, 5.0, 12.0, 22.0, 35.0, 55.0])
# Start values of the fit of the shared rates (cm²/g), fast to slow.
RATE_STARTS = {4: [5.5, 2.6, 0.038], 6: [4.4, 2.1, 0.036], 10: [3.0, 1.2, 0.030], 15: [2.5, 0.83, 0.028]}
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
        """Parts of water and of the high-Z material whose sum attenuates like `name` (least squares of the ratio)."""
        water, high, this = (self.mu(n, BASIS_ENERGIES_MEV) for n in ("water", HIGH_Z, name))
        return np.linalg.lstsq(np.stack([np.ones_like(water), high / water], 1), this / water, rcond=None)[0]

    def electron_fluence(self, energy, fluence):
        """Fluence of the electrons that photons of this spectrum set free in water, slowing down continuously (relative),
        on the energies of the stopping-power table: Klein-Nishina recoil electrons, pairs that share the energy evenly."""
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
            pair = self.mu("water", photon, "pair_nuclear") if photon > 2 * ELECTRON_REST_MEV + 2 * fine[0] else 0.0
            kinetic = 0.5 * (photon - 2 * ELECTRON_REST_MEV)
            place = np.searchsorted(fine, kinetic) - 1
            if pair > 1e-8 and 0 <= place < len(width):
                source[place] += 2 * weight * pair / width[place]
        above = np.cumsum((source * width)[::-1])[::-1]
        stopping = np.exp(np.interp(np.log(middle), np.log(grid), np.log(self.stopping["water"])))
        return middle, width, above / stopping

    def water_to_medium(self, name, energy, fluence):
        """Bragg-Gray ratio of the mean collision stopping powers, water to medium, in that electron fluence."""
        middle, width, electrons = self.electron_fluence(energy, fluence)
        def mean(material):
            power = np.exp(np.interp(np.log(middle), np.log(self.stopping["energy_MeV"]), np.log(self.stopping[material])))
            return (electrons * width * power).sum()
        return mean("water") / mean(name)


def write_basis(materials, out):
    energy, fluence = read_spectrum(HERE / f"spectra/spectrum_{STOPPING_RATIO_SPECTRUM}MV_mohan.csv")
    fluence = fluence * np.exp(-10 * materials.mu("water", energy))
    rows = [line.split(",") for line in (HERE / "materials/electron_scaling.csv").read_text().splitlines() if line and line[0] != "#"]
    scaling = {row[0]: float(row[1]) for row in rows[1:]}
    lines = ["# Two-material attenuation basis: mu/rho(E) = water_part*water(E) + high_z_part*" + HIGH_Z + "(E), least squares of the",
             "# ratio to water, 0.2-15 MeV; electrons per gram relative to water; factor by which a gram scales the kernel (electron_scaling.csv); mean collision stopping power of water over that of the material for the",
             f"# electrons of the {STOPPING_RATIO_SPECTRUM} MV spectrum at 10 g/cm2. Made by make_beam_models.py from the tables beside.",
             "material,density_g_cm3,water_part,high_z_part,electrons_per_gram,kernel_scaling,water_to_medium"]
    for name in sorted(materials.density, key=lambda n: (materials.density[n], n)):
        water_part, high_z_part = materials.basis(name)
        lines.append(f"{name},{materials.density[name]:g},{water_part:.6f},{high_z_part:.6f},{materials.electrons_per_gram(name):.6f},{scaling[name]:.4f},"
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


class PointKernels:
    def __init__(self):
        with h5py.File(HERE / "kernels/water_point_kernels.h5") as file:
            self.energy = file["energy_MeV"][:]
            self.cells = file["total"][:].astype(float)       # [energy, theta, radius]
            self.radius = file["radius_edges_cm"][:]
            self.theta = file["theta_edges_deg"][:]
            escaped = 1.0 - file["sum_total"][:]
        # What leaves the 60 cm sphere goes on in the cone in which it leaves it, as the last shell does.
        last = self.cells[:, :, -1]
        self.escape = last / last.sum(1, keepdims=True) * escaped[:, None]

    def average(self, energy, weight):
        """Kernel cells and escape per cone, averaged over a spectrum of released energy (linear in log E)."""
        low = np.clip(np.searchsorted(self.energy, energy) - 1, 0, len(self.energy) - 2)
        step = np.log(self.energy[low + 1] / self.energy[low])
        part = np.clip(np.log(energy / self.energy[low]) / step, 0.0, 1.0)
        share = np.zeros(len(self.energy))
        np.add.at(share, low, weight * (1 - part))
        np.add.at(share, low + 1, weight * part)
        share /= share.sum()
        cells, escape = np.tensordot(share, self.cells, 1), share @ self.escape
        total = cells.sum() + escape.sum()
        return cells / total, escape / total


def fit_cones(kernels, cells, escape, rates):
    """Non-negative c_mk with C_m(r) = sum_k c_mk (1 - exp(-a_k r)) and the cone's total energy as a hard wish."""
    radius = kernels.radius[1:]
    cumulative = cells.cumsum(1)
    importance = np.where(radius <= 30, 1.0, 0.3)
    rows = np.vstack([(1 - np.exp(-np.outer(radius, rates))) * importance[:, None], 30 * np.ones(len(rates))])
    coefficients = np.empty((len(cells), len(rates)))
    residual = 0.0
    for m in range(len(cells)):
        target = np.append(cumulative[m] * importance, 30 * (cumulative[m, -1] + escape[m]))
        coefficients[m], norm = nnls(rows, target)
        residual += norm ** 2
    return coefficients / coefficients.sum(), residual


def cone_kernel(kernels, released, start):
    cells, escape = kernels.average(*released(10.0))
    best = minimize(lambda logs: 1e4 * fit_cones(kernels, cells, escape, np.exp(logs))[1], np.log(start),
                    method="Nelder-Mead", options=dict(xatol=1e-4, fatol=1e-7, maxiter=2000))
    rates = np.sort(np.exp(best.x))[::-1]
    sets = []
    for depth in HARDENING_DEPTHS_G_CM2:
        cells, escape = kernels.average(*released(depth))
        sets.append(fit_cones(kernels, cells, escape, rates)[0])
    return rates, np.array(sets)


def kernel_by_ring_and_offset(kernels, cells, ring_edges, offset_edges):
    """Energy of a point kernel in cylindrical rings around its axis and in slices along it (both in cm)."""
    n_theta, n_radius = 10, 24
    histogram = np.zeros((len(ring_edges) - 1, len(offset_edges) - 1))
    cosines = np.cos(np.radians(kernels.theta))
    u = (np.arange(n_theta) + 0.5) / n_theta
    v = (np.arange(n_radius) + 0.5) / n_radius
    for m in range(len(cells)):
        cos = cosines[m] + (cosines[m + 1] - cosines[m]) * u
        sin = np.sqrt(1 - cos ** 2)
        radius = kernels.radius[:-1, None] + np.diff(kernels.radius)[:, None] * v      # [radius, sub]
        lateral = radius[:, :, None] * sin
        along = radius[:, :, None] * cos
        weight = np.broadcast_to((cells[m] / (n_theta * n_radius))[:, None, None], lateral.shape)
        histogram += np.histogram2d(lateral.ravel(), along.ravel(), [ring_edges, offset_edges], weights=weight.ravel())[0]
    return histogram


def pencil_kernel(kernels, materials, energy, fluence, released, components=5):
    """Dose of a pencil of photons in water: TERMA along the axis convolved with the point kernels, then five
    components of the (depth, radius) matrix of the dose of round fields (singular value decomposition)."""
    step, depth_max, reach = 0.1, 60.0, 60.0
    ring_edges = np.concatenate([[0, 0.02, 0.04, 0.07], np.geomspace(0.1, 60.0, 70)])
    offset_edges = np.arange(-reach, depth_max + step / 2, step) - step / 2
    rows = [kernel_by_ring_and_offset(kernels, kernels.average(*released(depth))[0], ring_edges, offset_edges)
            for depth in HARDENING_DEPTHS_G_CM2]
    depth = (np.arange(int(depth_max / step)) + 0.5) * step
    mu = materials.mu("water", energy)
    terma = (fluence * energy * mu) @ np.exp(-np.outer(mu, depth)) * MEV_PER_G_TO_GY * step  # Gy cm² cm per photon/cm²
    share = np.array([np.interp(depth, HARDENING_DEPTHS_G_CM2, np.eye(len(rows))[h]) for h in range(len(rows))])
    zero = int(round(reach / step))
    dose = np.zeros((len(depth), len(ring_edges) - 1))                                      # Gy cm², per slice
    for h, row in enumerate(rows):
        source = terma * share[h]
        size = len(source) + row.shape[1] - 1
        spectrum = np.fft.rfft(source, size)[:, None] * np.fft.rfft(row.T, size, axis=0)
        dose += np.fft.irfft(spectrum, size, axis=0)[zero:zero + len(depth)]
    dose /= step                                                                           # ring-integrated dose, Gy cm²
    cumulative = dose.cumsum(1)
    norm = cumulative[:, -1:]
    u, s, vt = np.linalg.svd(cumulative / norm, full_matrices=False)
    shapes = np.diff(vt[:components], axis=1, prepend=0.0)
    weights = (u[:, :components] * s[:components]) * norm
    area = np.pi * np.diff(ring_edges ** 2)
    worst = np.abs((u[:, :components] * s[:components]) @ vt[:components] - cumulative / norm).max()
    pick = np.unique(np.concatenate([np.arange(0, 60, 1), np.arange(60, len(depth), 5), [len(depth) - 1]]))
    # The first node stands for the surface itself.
    nodes = depth[pick]
    return ring_edges, shapes / area, nodes, weights[pick], worst


def rate_starts(megavolts, count):
    """Start values of `count` rates: the three known ones, fewer, or with more between."""
    known = np.array(RATE_STARTS[megavolts])
    return known[[0, 2]] if count == 2 else known if count == 3 else np.append(known[:2], np.geomspace(known[1] / 3, known[2], count - 2))


def depth_dose_10cm(radius, components, depth, weights):
    """Depth dose of the round field of 100 cm² at the surface, SSD 100 cm, from the pencil kernel: percent at 10 cm, maximum, and the
    slope of its logarithm at 10 cm (1/cm)."""
    area = np.pi * np.diff(radius ** 2)
    def dose(d):
        w = np.array([np.interp(d, depth, column) for column in weights.T])
        edge = 10 / np.sqrt(np.pi) * (100 + d) / 100
        share = np.clip((edge ** 2 - radius[:-1] ** 2) / np.diff(radius ** 2), 0, 1)
        return (w @ components) @ (area * share) * (100 / (100 + d)) ** 2
    curve = np.array([dose(d) for d in np.arange(0.5, 4.5, 0.05)])
    return 100 * dose(10.0) / curve.max(), curve.max(), np.log(dose(9.0) / dose(11.0)) / 2


def softening(materials, energy, fluence, radius_mm):
    """Water (g/cm²) that the spectrum at a radius has seen less of, so that its narrow-beam attenuation rises as Tailor's formula says."""
    mu = materials.mu("water", energy)
    def attenuation(less):
        energy_in = fluence * energy * mu * np.exp(mu * less)
        return np.log(energy_in.sum() / (energy_in * np.exp(-10 * mu)).sum()) / 10
    less = np.linspace(-1, 15, 641)
    ratio = np.array([attenuation(x) for x in less]) / attenuation(0)
    theta = np.degrees(np.arctan(radius_mm / 1000))
    wanted = 1 + 0.00181 * theta + 0.00202 * theta ** 2 - 0.0000942 * theta ** 3
    return np.interp(wanted, ratio, less)


def unflattened(materials, kernels, energy, fluence, drop):
    """The spectrum without its filter: steel taken off until the depth dose at 10 cm is `drop` percent of the maximum lower."""
    mu_steel = materials.mu("steel", energy)
    def depth_dose(steel):
        f = fluence * np.exp(mu_steel * steel)
        f /= f.sum()
        mu = materials.mu("water", energy)
        def released(depth):
            return np.maximum(energy, kernels.energy[0]), f * energy * mu * np.exp(-mu * depth)
        return depth_dose_10cm(*pencil_kernel(kernels, materials, energy, f, released)[:4])[0], f
    start = depth_dose(0.0)[0]
    low, high = 0.0, 40.0
    for _ in range(12):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if start - depth_dose(middle)[0] < drop else (low, middle)
    print(f"  {0.5 * (low + high):.1f} g/cm2 of steel taken off")
    return depth_dose(0.5 * (low + high))[1]


def write_wedges(head, materials, energy, fluence, depth_dose_slope, golden):
    """Steel wedges whose slope tilts the isodose lines at 10 cm by their angle: d ln(transmission)/dy = slope of the depth dose x tan(angle)."""
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
        group["position_mm"], group["water_g_cm2"], group["high_z_g_cm2"] = y, water_part * thickness, high_z_part * thickness
        print(f"  {kind} wedge {angle}: {thickness.max() / density:.1f} cm of steel at the thick end, {np.exp(np.interp(0, y, wanted)):.3f} on the axis in air")
    head.attrs["wedges"] = float(count)
    group = head.create_group("dynamic_wedge")
    group.attrs.update(closest_gap_mm=5.0, virtual_attenuation_per_mm=0.0)
    y = np.arange(-200.0, 100.1, 10.0) if golden else np.zeros(0)
    fraction = np.zeros(0)
    if golden:
        a, b, c, d = golden
        fraction = a - b * np.tan(np.radians(60)) * (1 - c * 0.1 * y - np.exp(d * 0.1 * y))
    group["golden_position_mm"], group["golden_fraction"] = y, fraction


def make_model(out, megavolts, materials, kernels, rate_count=3, free=False):
    energy, fluence = read_spectrum(HERE / f"spectra/spectrum_{megavolts}MV_mohan.csv")
    mu = materials.mu("water", energy)
    if free:
        fluence = unflattened(materials, kernels, energy, fluence, FREE_DROP[megavolts])

    def released(depth):
        return np.maximum(energy, kernels.energy[0]), fluence * energy * mu * np.exp(-mu * depth)

    rates, coefficients = cone_kernel(kernels, released, rate_starts(megavolts, rate_count))
    radius, components, depth, weights, worst = pencil_kernel(kernels, materials, energy, fluence, released)
    depth_dose, maximum, slope = depth_dose_10cm(radius, components, depth, weights)
    name = f"generic-{megavolts}" + ("FFF" if free else "MV")
    path = out / "models" / f"{name}.h5"
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs.update(schema="libdose-beam-model", schema_version=2, name=name, version="2", machine="",
                          description=f"Generic {'flattening-filter-free' if free else 'flattened'} {megavolts} MV photon beam; not a real machine",
                          nominal_energy_mv=float(megavolts), fluence_mode="FFF" if free else "STANDARD")
        group = file.create_group("spectrum")
        group["energy_mev"], group["fluence"] = energy, fluence
        group["mu_water_cm2_g"], group["mu_high_z_cm2_g"] = mu, materials.mu(HIGH_Z, energy)
        group = file.create_group("cone_kernel")
        group["rates_cm2_g"], group["theta_edges_deg"] = rates, kernels.theta
        group["depth_g_cm2"], group["coefficients"] = HARDENING_DEPTHS_G_CM2, coefficients
        group = file.create_group("pencil_kernel")
        group["radius_cm"], group["components"] = radius, components
        group["depth_g_cm2"], group["weights"] = depth, weights
        group = file.create_group("head")
        attenuation, reach = ELECTRONS[megavolts]
        group.attrs.update(spot_fwhm_x_mm=2.0, spot_fwhm_y_mm=2.0, source_collimator_distance_mm=450.0, jaw_x_distance_mm=406.0,
                           jaw_y_distance_mm=319.0, jaw_transmission=0.005, leaf_transmission=0.015, maximum_field_radius_mm=283.0,
                           extrafocal_amplitude=EXTRAFOCAL["FFF" if free else "STANDARD"], extrafocal_sigma_mm=21.0, extrafocal_distance_mm=125.0,
                           electron_amplitude_gy_cm2=ELECTRON_SURFACE * maximum, electron_sigma_mm=60.0, electron_attenuation_cm2_g=attenuation,
                           electron_range_g_cm2=reach, monitor_backscatter_x=0.004, monitor_backscatter_y=0.012)
        radius_mm, profile = np.array(PROFILES[megavolts if free else 0]).T
        group["profile_radius_mm"], group["profile"] = radius_mm, profile
        radius_mm = np.arange(0.0, 301.0, 20.0)
        group["softening_radius_mm"] = radius_mm if not free else np.zeros(0)
        group["softening_g_cm2"] = softening(materials, energy, fluence, radius_mm) if not free else np.zeros(0)
        group["output_side_mm"], group["output_correction"] = np.zeros(0), np.zeros(0)
        write_wedges(group, materials, energy, fluence, slope, False if free else GOLDEN.get(megavolts))  # no wedges without filter
        group = file.create_group("calibration")
        group.attrs.update(reference_gy_per_mu=0.01, depth="maximum", depth_of_maximum_cm=0.0, collapsed_cone_maximum=0.0,
                           collapsed_cone_10cm=0.0, pencil_beam_maximum=0.0, pencil_beam_10cm=0.0)
        group = file.create_group("sources")
        group.attrs.update(SOURCES)
    print(f"{name}: depth dose at 10 cm {depth_dose:.1f} %, rates {np.round(rates, 4)} cm2/g, pencil kernel worst round-field error {100 * worst:.2f} % of the broad beam")


# Open field in air against the axis: (radius in mm, value). 0: flattened beams; else the unflattened beam of these megavolts.
PROFILES = {
    0: [(0, 1), (28, 1.020), (57, 1.042), (85, 1.052), (113, 1.063), (141, 1.073), (170, 1.070), (200, 1.060), (300, 1.060)],
    6: [(0, 1), (10, 0.997), (20, 0.980), (30, 0.959), (40, 0.928), (60, 0.870), (80, 0.812), (100, 0.747), (120, 0.699), (140, 0.656),
        (160, 0.613), (180, 0.581), (200, 0.552), (220, 0.525), (240, 0.510), (300, 0.470)],
    10: [(0, 1), (20, 0.925), (40, 0.827), (60, 0.748), (80, 0.669), (100, 0.607), (120, 0.550), (140, 0.502), (160, 0.459), (300, 0.30)],
}
EXTRAFOCAL = {"STANDARD": 0.09, "FFF": 0.04}
ELECTRON_SURFACE = 0.10                                                     # of the maximum of 10x10, head entirely open
ELECTRONS = {4: (1.7, 1.7), 6: (1.3, 2.2), 10: (1.0, 3.2), 15: (0.8, 4.2)}  # attenuation cm²/g, range g/cm²
FREE_DROP = {6: 2.9, 10: 2.5}                                               # percent of the maximum, depth dose at 10 cm
# Enhanced dynamic wedge: table(y) = a - b tan 60° (1 - c y - exp(d y)), y in cm.
GOLDEN = {6: (1.145259, 0.742644, -0.0025865, 0.08710), 10: (1.128009, 0.769109, -0.0031304, 0.0719)}
WEDGES = [("physical", 15, 150.0), ("physical", 30, 150.0), ("physical", 45, 100.0), ("physical", 60, 75.0), ("motorised", 60, 150.0)]

SOURCES = {
    "spectrum": "Mohan, Chui, Lidofsky, Med. Phys. 12 (1985) 592, as distributed with EGSnrc; each bin split into "
                f"{BIN_SPLIT}; below 0.1 MeV the photons are kept and use the kernel of 0.1 MeV",
    "attenuation": "NIST XCOM without coherent scattering; basis materials water and titanium",
    "cone_kernel": "EGSnrc/EDKnrc point kernels in water (kernels/water_point_kernels.h5), shared rates, sum of coefficients 1",
    "pencil_kernel": "the same point kernels convolved with TERMA in semi-infinite water; five singular components",
    "spot": "2 mm FWHM: within the 0.7-3.3 mm measured by Jaffray et al, Med. Phys. 20 (1993) 1417",
    "transmission": "jaws 0.5 %, leaves 1.5 %: round figures, typical of a conventional linac; not of one machine",
    "profile": "flattened: rounded from the primary fluence of a Siemens Artiste 6 MV (e0404/photonPencilBeamKernelCalc, MIT licence), one for every "
               "energy; 6 FFF: TrueBeam, as fitted by samuelpeet/conehead; 10 FFF: dose off the axis at the maximum, J. Appl. Clin. Med. Phys. 17(3) (2016) 358, "
               "table 4, positions inferred from its field sizes",
    "softening": "Tailor et al, Med. Phys. 25 (1998) 662, coefficients as commonly quoted, not checked against the paper; none without filter",
    "extrafocal": "9 % (4 % without filter), 21 mm, 125 mm: within the 8 to 11 % that Jaffray et al, Med. Phys. 20 (1993) 1417 measured; half the head "
                  "scatter without filter (J. Appl. Clin. Med. Phys. 2014, PMC4418585: smaller by up to 3.7 %)",
    "electrons": "attenuation and range at 6 MV: Br. J. Radiol. 76 (2003) 163, figure 4; other energies by their range; amplitude and width so that the surface "
                 "dose grows with the field as in J. Med. Phys. 45 (2020) 175, table 4",
    "monitor_backscatter": "round figures: half of the 2 to 3 % of older machines (Zavgorodni 2013, arXiv:1308.0367); second hand",
    "jaw_distances": "middle of jaws from 280 to 358 mm (y) and 367 to 445 mm (x), as published for one maker; second hand",
    "wedges": "steel, slope from the depth dose at 10 cm: no real wedge",
    "dynamic_wedge": "form of Yu, Med. Phys. 29 (2002), its coefficients fitted to the segmented treatment table in use; second hand; 6 and 10 MV only",
    "unflattened_spectrum": "the flattened spectrum with steel taken off until the depth dose at 10 cm falls as from 6 MV to 6 FFF (66.3 to 63.4 %) and from 10 MV "
                            "to 10 FFF (73.5 to 71.0 %), one centre's calibration file",
    "calibration": "engine in water, SSD 100 cm, 10x10 cm at the surface, by `dose model calibrate`",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder that gets materials/ and models/")
    parser.add_argument("--rates", type=int, default=3, help="number of shared rates of the collapsed-cone kernel (docs: ablation)")
    parser.add_argument("--energies", type=int, nargs="*", default=[4, 6, 10, 15])
    arguments = parser.parse_args()
    materials, kernels = Materials(), PointKernels()
    write_basis(materials, arguments.out)
    for megavolts in arguments.energies:
        make_model(arguments.out, megavolts, materials, kernels, arguments.rates)
        if megavolts in FREE_DROP:
            make_model(arguments.out, megavolts, materials, kernels, arguments.rates, free=True)


if __name__ == "__main__":
    main()
