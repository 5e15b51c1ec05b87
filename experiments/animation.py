"""One learning run of the vestibulo-ocular reflex as a moving picture: head, eye, error, complex spikes.

    python -m experiments.animation [--out FILE] [--trials N] [--seed N]

writes an animated GIF, or an MP4 where ffmpeg is installed and FILE ends in .mp4. The loop of
`experiments.vor_adaptation` learns for N trials; some of them are shown, early ones, some while the gain
grows fastest, and late ones, in real time. The head is seen from above and drawn at 30 degrees for a
position of 1; the eye looks where head and eye together point, and should look at the target.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib import animation, patches, transforms

from analysis import plots
from experiments import reflex

DEGREES = 30.0  # for a position of 1
FPS = 20


def shown_trials(gain, each=2):
    """Trials to show: `each` in a row at the start, at 1/4, 1/2, 3/4 and 9/10 of the way, and at the end."""
    smooth = np.convolve(np.pad(gain, 4, mode="edge"), np.ones(9) / 9, "valid")
    levels = smooth[0] + np.array([0.25, 0.5, 0.75, 0.9]) * (smooth[-10:].mean() - smooth[0])
    starts = [0, *(int(np.argmax(smooth >= level)) for level in levels), len(gain) - each]
    return sorted({min(start + k, len(gain) - 1) for start in starts for k in range(each)})


def animate(found, path, *, shown=None, fps=FPS):
    """Write a run of the reflex as an animation.

    Parameters
    ----------
    found : dict
        What `reflex.learned` returns for a goal of 1 in the light.
    path : str or Path
        Ends in .gif, or in .mp4 (which needs ffmpeg).
    shown : sequence of int
        Trials to show, by default those of `shown_trials`.
    fps : float
        Frames in a second of the model and of the animation.

    Returns
    -------
    Path of the file.

    Raises
    ------
    ValueError
        For another ending, .mp4 without ffmpeg, and trials that there are not.
    """
    path = Path(path)
    writer = _writer(path, fps)
    gain = found["trials"].along.to_numpy()
    shown = shown_trials(gain) if shown is None else list(shown)
    outside = [k for k in shown if not 0 <= k < len(gain)]
    if outside or not shown:
        raise ValueError(f"animate: shown={shown!r}; give trials from 0 to {len(gain) - 1}.")
    trial = found["model_seconds"] / len(gain)
    per_trial = max(2, round(trial * fps))
    fig, draw = _picture(found, gain, trial)
    path.parent.mkdir(parents=True, exist_ok=True)
    with plots.style(), writer.saving(fig, str(path), fig.dpi):
        for k in shown:
            for frame in range(per_trial):
                draw(k, (frame + 1) / per_trial)
                writer.grab_frame()
    return path


def _writer(path, fps):
    if path.suffix == ".gif":
        return animation.PillowWriter(fps=fps)
    if path.suffix == ".mp4":
        if animation.FFMpegWriter.isAvailable():
            return animation.FFMpegWriter(fps=fps)
        raise ValueError(f"animate: {path.name} needs ffmpeg, which is not installed. Write a .gif.")
    raise ValueError(f"animate: {str(path)!r} ends in {path.suffix or 'nothing'}; give a .gif or .mp4.")


def _picture(found, gain, trial):
    """The figure, and a function that shows a trial up to a part of it."""
    head, eyes = found["head"], found["eye"]
    n_cells = int(found["cf_i"].max(initial=1)) + 1
    t = np.linspace(0, trial, len(head), endpoint=False)
    fig, axes = plots.figure("AB;AC;AD;EE", 4.6, widths=[1, 1.5], heights=[1, 1, 1, 0.9])
    fig.set_dpi(100)
    for ax in axes.values():
        for note in list(ax.texts):
            note.remove()  # the letters of panels
    with plots.style():
        scene = _Scene(axes["A"])
        position, error, raster, curve = (axes[letter] for letter in "BCDE")
        limit = 1.25 * np.abs(head).max()
        position.plot(t, head, color=plots.GREY, linestyle="--", linewidth=0.9, label="head (wanted)")
        (eye_line,) = position.plot([], [], color=plots.BLUE, linewidth=1.6, label="eye, against the head")
        position.set(ylim=(-limit, 1.9 * limit), ylabel="position")
        position.legend(loc="upper right", ncols=2, frameon=False)
        error.axhline(0, color=plots.GREY, linewidth=0.6)
        (error_line,) = error.plot([], [], color=plots.VERMILLION, linewidth=1.6)
        error.set(ylim=(-limit, limit), ylabel="error")
        dots = [
            raster.plot([], [], "|", color=color, markersize=3, markeredgewidth=0.9)[0]
            for color in (plots.PURPLE, plots.GREEN)
        ]
        raster.set(ylim=(-1, n_cells), xlabel="time in the trial (s)")
        raster.set_title("climbing-fibre spikes", fontsize=8, pad=2)
        raster.set_yticks([n_cells / 4 - 0.5, 3 * n_cells / 4 - 0.5], ["agonist", "antagonist"], fontsize=7.5)
        raster.tick_params(axis="y", length=0)
        for mark, line in zip(raster.get_yticklabels(), dots, strict=True):
            mark.set_color(line.get_color())
        for ax in (position, error, raster):
            ax.set_xlim(0, trial)
            if ax is not raster:
                ax.tick_params(labelbottom=False)
        curve.plot(np.arange(len(gain)) + 1, gain, color=plots.GREY, alpha=0.25, linewidth=0.8)
        (so_far,) = curve.plot([], [], color=plots.BLUE, linewidth=1.1)
        (now,) = curve.plot([], [], "o", color=plots.BLUE)
        curve.axhline(1, color=plots.GREY, linestyle="--", linewidth=0.7)
        curve.set(xlim=(0, len(gain) + 1), ylim=(min(-0.1, gain.min()), 1.15), xlabel="trial", ylabel="gain")
        heading = axes["A"].set_title("", loc="left")
    fig.set_layout_engine(None)  # panels keep their places from frame to frame
    fig.subplots_adjust(left=0.07, right=0.985, bottom=0.1, top=0.93, wspace=0.34, hspace=0.5)
    place = curve.get_position()
    curve.set_position([place.x0, place.y0, place.width, 0.7 * place.height])  # room for the label above

    def draw(k, part):
        last = min(round(part * len(t)), len(t))
        eye = eyes[k]
        eye_line.set_data(t[:last], eye[:last])
        error_line.set_data(t[:last], (head - eye)[:last])
        within = (found["cf_t"] >= k * trial) & (found["cf_t"] < (k + part) * trial)
        i, s = found["cf_i"][within], found["cf_t"][within] - k * trial
        for line, channel in zip(dots, (i < n_cells / 2, i >= n_cells / 2), strict=True):
            line.set_data(s[channel], i[channel])
        so_far.set_data(np.arange(k) + 1, gain[:k])
        now.set_data([k + 1], [gain[k]])
        heading.set_text(f"trial {k + 1} of {len(gain)}, gain {gain[k]:.2f}")
        scene.turn(head[last - 1], eye[last - 1])

    return fig, draw


class _Scene:
    """A head from above that turns, its line of sight, and a target that stays."""

    def __init__(self, ax):
        self.ax = ax
        ax.set(xlim=(-1.5, 1.5), ylim=(-0.95, 2.3), aspect="equal")
        ax.set_axis_off()
        ax.plot([0], [2.0], "*", color=plots.ORANGE, markersize=13, zorder=3)
        ax.text(-0.16, 2.0, "target", va="center", ha="right", fontsize=7.5)
        look = dict(facecolor="#f2e6da", edgecolor=plots.BLACK, linewidth=1.1)
        self.parts = [
            patches.Ellipse((-0.72, 0), 0.16, 0.3, **look),
            patches.Ellipse((0.72, 0), 0.16, 0.3, **look),
            patches.Polygon([(-0.13, 0.76), (0, 1.0), (0.13, 0.76)], closed=True, **look),
            patches.Ellipse((0, 0), 1.4, 1.64, **look),
        ]
        for part in self.parts:
            ax.add_patch(part)
        (self.ahead,) = ax.plot([], [], color=plots.GREY, linestyle=":", linewidth=1.0)
        (self.sight,) = ax.plot([], [], color=plots.BLUE, linewidth=2.0)
        (self.ball,) = ax.plot(
            [], [], "o", color="white", markeredgecolor=plots.BLACK, markersize=11, zorder=4
        )
        (self.pupil,) = ax.plot([], [], "o", color=plots.BLUE, markersize=5, zorder=5)
        ax.plot([], [], color=plots.BLUE, linewidth=2.0, label="line of sight")
        ax.plot([], [], color=plots.GREY, linestyle=":", label="head's direction")
        ax.legend(loc="lower center", ncols=2, frameon=False, bbox_to_anchor=(0.5, -0.09), columnspacing=1.0)

    def turn(self, head, eye):
        """Head to the left for a positive position; the eye turns in it by as much to the right."""
        angle, gaze = np.radians(DEGREES * np.array([head, head - eye]))
        for part in self.parts:
            part.set_transform(transforms.Affine2D().rotate(angle) + self.ax.transData)
        middle = 0.5 * np.array([-np.sin(angle), np.cos(angle)])
        forward = np.array([-np.sin(angle), np.cos(angle)])
        toward = np.array([-np.sin(gaze), np.cos(gaze)])
        self.ahead.set_data(*np.array([middle, middle + 1.5 * forward]).T)
        self.sight.set_data(*np.array([middle, middle + 1.5 * toward]).T)
        self.ball.set_data(*middle[:, None])
        self.pupil.set_data(*(middle + 0.075 * toward)[:, None])


def main(argv=None):
    """Run the loop and write the animation; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.animation", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--out", type=Path, default=Path("figures/vor_learning.gif"), metavar="FILE")
    parser.add_argument("--trials", type=int, default=200, metavar="N", help="of learning (200)")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    options = parser.parse_args(argv)
    try:
        _writer(options.out, FPS)
        if options.trials < 20:
            raise ValueError(
                f"animation: --trials {options.trials}; give 20 or more, learning takes about 60."
            )
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    found = reflex.learned(reflex.loop(), options.trials, n_snapshots=2, seed=options.seed)
    path = animate(found, options.out)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, gain {found['trials'].along.iloc[-20:].mean():.2f}")
    return 0


if __name__ == "__main__":
    import matplotlib

    matplotlib.use("agg", force=True)
    sys.exit(main())
