"""Pictures of docs/validation: depth doses, profiles, maps of what fails, histograms of differences."""
import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

SURFACE, MUTED = "#ffffff", "#6b6b6b"
BLUE, ORANGE = "#2a6fb0", "#c8641e"
plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
                     "grid.color": "#e4e4e4", "grid.linewidth": 0.6, "axes.axisbelow": True,
                     "figure.facecolor": SURFACE, "axes.titlesize": 9, "axes.titlelocation": "left",
                     "legend.frameon": False})


class Case:
    def __init__(self, path):
        with h5py.File(path) as file:
            for name in ("reference", "calculated", "relative_uncertainty", "density_g_cm3", "passed",
                         "region"):
                setattr(self, name, file[name][:])
            self.edges = [file[f"{axis}_edges_cm"][:] for axis in "xyz"]
            self.maximum = float(file.attrs["maximum"])
            self.name = file.attrs["case"] if isinstance(file.attrs["case"],
                                                         str) else file.attrs["case"].decode()
        self.centres = [0.5 * (e[1:] + e[:-1]) for e in self.edges]

    def middle(self):
        """Indices of the column through the middle of the field."""
        field = self.region == 2
        x = field.any((0, 1)).nonzero()[0]
        y = field.any((0, 2)).nonzero()[0]
        return int(x.mean()), int(y.mean())


def cases_in(folder):
    return [Case(path) for path in sorted(folder.glob("*.h5"))]


def axes(folders, out):
    """Depth doses of both engines and Monte Carlo through the middle of the field."""
    found = {engine: cases_in(folder) for engine, folder in folders.items()}
    cases = found["collapsed-cone"]
    columns = 3
    rows = -(-len(cases) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(11, 2.7 * rows), constrained_layout=True)
    for n, panel in enumerate(grid.flat):
        if n >= len(cases):
            panel.axis("off")
            continue
        case = cases[n]
        i, j = case.middle()
        z, scale = case.centres[2], 100 / case.maximum
        sigma = case.relative_uncertainty[:, j, i] * case.reference[:, j, i]
        panel.fill_between(z, scale * (case.reference[:, j, i] - 2 * sigma),
                           scale * (case.reference[:, j, i] + 2 * sigma), color="#bdbdbd", lw=0,
                           label="Monte Carlo ± 2σ")
        panel.plot(z, scale * found["pencil-beam"][n].calculated[:, j, i], color=ORANGE, lw=1, ls="--",
                   label="pencil beam")
        panel.plot(z, scale * case.calculated[:, j, i], color=BLUE, lw=1.2, label="collapsed cone")
        panel.set(title=case.name, ylim=(0, None), xlim=(0, case.edges[2][-1]))
        if n % columns == 0:
            panel.set_ylabel("dose, % of maximum")
        if n >= len(cases) - columns:
            panel.set_xlabel("depth, cm")
    grid.flat[0].legend(fontsize=7)
    figure.savefig(out, dpi=110)
    plt.close(figure)


def overview(folder, results, images):
    """One row a case: profile, difference map with failing voxels, histogram of the differences."""
    cases = cases_in(folder)
    engine = results[0]["engine"]
    figure, grid = plt.subplots(len(cases), 3, figsize=(11, 2.5 * len(cases)), constrained_layout=True,
                                gridspec_kw={"width_ratios": [1.15, 1.35, 1]})
    for row, case in zip(grid, cases):
        i, j = case.middle()
        x, z = case.centres[0], case.centres[2]
        for depth, shade in ((5, "#9ecae1"), (10, BLUE), (20, "#08306b")):
            k = int(np.argmin(abs(z - depth)))
            sigma = case.relative_uncertainty[k, j] * case.reference[k, j]
            row[0].errorbar(x, 100 * case.reference[k, j] / case.maximum, 100 * sigma / case.maximum, fmt=".",
                            ms=3, color=shade, elinewidth=0.6, alpha=0.75)
            row[0].plot(x, 100 * case.calculated[k, j] / case.maximum, color=shade, lw=1, label=f"{depth} cm")
        inside = case.region[:, j].max(0)
        seen = x[(inside > 0) & (inside < 4)]
        row[0].set(title=f"{case.name}: profiles along x", xlim=(seen.min() - 2.5, seen.max() + 2.5),
                   ylim=(0, None), ylabel="% of maximum")
        row[0].legend(fontsize=7, title="line: engine\npoints: Monte Carlo", title_fontsize=6)
        difference = 100 * (case.calculated - case.reference)[:, j] / case.maximum
        mesh = row[1].pcolormesh(case.edges[2], case.edges[0], difference.T, cmap="RdBu_r", vmin=-5, vmax=5,
                                 rasterized=True)
        fails = np.argwhere(case.passed[:, j] == 1)
        row[1].plot(z[fails[:, 0]], x[fails[:, 1]], "x", color="black", ms=2.5, mew=0.6)
        row[1].set(title=f"difference; {len(fails)} voxels of this plane fail 2 %/2 mm (x)",
                   ylim=(seen.min() - 2.5, seen.max() + 2.5), ylabel="x, cm")
        row[1].grid(False)
        figure.colorbar(mesh, ax=row[1], label="% of maximum", pad=0.01)
        certain = (case.relative_uncertainty < 0.02) & (case.reference > 0)
        field = (case.region == 2) & certain
        local = 100 * (case.calculated[field] / case.reference[field] - 1)
        noise = 100 * np.sqrt((case.relative_uncertainty[field] ** 2).mean())
        bins = np.linspace(-6, 6, 61)
        row[2].hist(np.clip(local, -6, 6), bins, density=True, color=BLUE, alpha=0.8)
        at = 0.5 * (bins[1:] + bins[:-1])
        row[2].plot(at, np.exp(-0.5 * (at / noise) ** 2) / (noise * np.sqrt(2 * np.pi)), color=MUTED, lw=1,
                    label="noise of\nMonte Carlo")
        row[2].legend(fontsize=6)
        row[2].set(title=f"in field: {local.mean():+.2f} ± {local.std():.2f} %", yticks=[])
    grid[-1][0].set_xlabel("x, cm")
    grid[-1][1].set_xlabel("depth, cm")
    grid[-1][2].set_xlabel("local difference, %")
    figure.savefig(images / f"validation-{engine}.png", dpi=80)
    plt.close(figure)
