"""The lesion section: verdicts that follow from every row, negatives said as such, figures only of what is there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from torch import nn

from probekit.analyses.causal.design import Ranked
from probekit.analyses.lesion_effect import ANALYSIS, lesion_effect
from probekit.analyses.lesion_effect.assemble import assemble
from probekit.analyses.lesion_effect.measure import Options, measure
from probekit.network import Card, Entry
from probekit.reports import Report
from probekit.reports.sections import section_of
from probekit.reports.sections.lesion_effect import SECTION
from probekit.reports.sections.lesion_effect.dose_response import dose_figure
from probekit.reports.sections.lesion_effect.scale import scale_of
from probekit.reports.sections.lesion_effect.view import View, stated_dose, view_of
from probekit.result import Result
from probekit.tasks import Task

UNITS, TRIALS, DOSES = 40, 12, (0.05, 0.1, 0.25)
RANKINGS = ("gridness", "border_score")


def entry():
    module = nn.Sequential(nn.Identity(), nn.Identity()).eval()
    return Entry(module, None, Card("toy", "toy", (UNITS,), "nothing"))


def error(weights, name, *, unit="cm", better=False, points=False):
    """Return a task whose error grows by its weight for each unit that is silent, along four points where asked."""
    inputs = 1 + 0.1 * torch.rand(TRIALS, UNITS, generator=torch.Generator().manual_seed(0))
    weight = torch.as_tensor(weights, dtype=torch.float32)

    def score(said, rows):
        lost = 1 + (weight * (inputs[rows] - said)).sum(-1)
        lost = 1 - lost / (2 * weight.sum()) if better else lost
        return lost[:, None] * torch.arange(1, 5) if points else lost

    trials = pd.DataFrame({"category": np.repeat(["cats", "dogs"], TRIALS // 2)})
    return Task(name, unit, inputs, score, better, trials=trials, points=np.arange(1, 5) if points else None)


def planted(doses=DOSES, n_sham=20, layers=("0", "1")):
    """Lesion two layers of a network and of a twin for two rankings and two tasks; units that rank high matter most."""
    rng = np.random.default_rng(0)
    grid = rng.permutation(np.linspace(0, 1, UNITS))
    tasks = {
        "path integration": error(grid**2, "path integration", points=True),
        "position decoding": error(np.ones(UNITS), "position decoding"),
    }
    values = {"gridness": grid, "border_score": rng.permutation(grid)}
    covariates = rng.normal(size=(UNITS, 1))
    options = Options(doses, n_sham=n_sham, n_single=20, n_pairs=6, groups="category")
    measured = [
        measure(entry(), tasks, layer, name, Ranked.of(np.arange(UNITS), values[name], covariates, ("mean_activity",)),
                options, label=label)
        for label in ("trained", "untrained") for layer in layers for name in RANKINGS
    ]  # fmt: skip
    return ANALYSIS.check(assemble(measured, tasks, options, {"trained": {}}, arrays=beside()))


def beside():
    """Return what stands beside the rows: example paths, recovery, a double dissociation in one of two layers."""
    rng = np.random.default_rng(1)
    kinds = ["intact", "targeted", "sham"]
    true = rng.normal(size=(6, 8, 2)).cumsum(1)
    layers, both = ["0", "1"], ["faces", "places"]
    recovered = [[2.0, 2.0], [6.0, 3.0], [3.0, 2.5]]
    return {
        "example_path": xr.DataArray(
            np.stack([true, *(true + 0.1 * at for at in range(3))]),
            dims=("kind", "path", "time", "axis"),
            coords={"kind": ["true", *kinds]},
        ),
        "recovery": xr.DataArray(
            np.array(recovered)[..., None] + np.array([0, -0.5, 0.5]),
            dims=("lesion", "amount", "end"),
            coords={"lesion": kinds, "amount": [0, 50], "end": ["score", "low", "high"]},
            attrs={"layer": "1", "task": "position decoding", "share": 0.1},
        ),
        "dissociation": xr.DataArray(
            np.array([[[4.0, 1.0], [0.5, 3.0]], [[4.0, 0.0], [0.0, 0.0]]]),
            dims=("layer", "set", "task"),
            coords={"layer": layers, "set": both, "task": both},
            attrs={"share": 0.05},
        ),
        "dissociation_null": xr.DataArray(rng.normal(size=(2, 50)), dims=("layer", "deal"), coords={"layer": layers}),
        "dissociation_test": xr.DataArray(
            np.array([[5.5, 0.01, 1, 2, 3], [4.0, 0.3, 0, 2, 2]]),
            dims=("layer", "number"),
            coords={"layer": layers, "number": ["interaction", "p", "is_double", "n_faces", "n_places"]},
        ),
    }


@pytest.fixture(scope="module")
def result():
    return planted()


@pytest.fixture(scope="module")
def content(result):
    return SECTION.build(result)


@pytest.fixture(scope="module")
def small():
    return planted(doses=(0.1,), layers=("0",))


def said(result, **columns):
    """Return the first finding of a result with other numbers in its table; callables take the table."""
    table = result.table.assign(**columns)
    return plain(SECTION.findings(dataclasses.replace(result, table=table))[0])


def plain(sentence):
    return sentence.replace("\u00a0", " ")


def settled(result, mask=lambda table: np.zeros(len(table), dtype=bool), verdict="more"):
    """Return the result with 200 sets, a verdict where the mask says so, and no difference elsewhere."""
    found = mask(result.table)
    table = result.table.assign(
        n_sham=200, p=np.where(found, 0.01, 0.5), q=np.where(found, 0.01, 0.6), p_random=0.5, nan_reason="",
        effect_adjusted=np.where(found, 1.0, 0.1), verdict=np.where(found, verdict, "no difference"),
    )  # fmt: skip
    return dataclasses.replace(result, table=table)


def trained(table, ranking="gridness"):
    return ((table["network"] == "trained") & (table["ranking"] == ranking)).to_numpy()


def test_no_difference_anywhere_is_a_negative_sentence_with_the_number_of_comparisons(result):
    first = said(settled(result))
    assert first.startswith(
        "Without its most grid-like units the network does not lose more than without others like them: at none of 12 "
        "comparisons (2 tasks, 2 places and 3 doses). Untrained twin: more at 0 of 12 comparisons. "
        "Without its most border-like units the network does not lose more"
    )


def test_more_everywhere_is_a_positive_sentence_and_the_other_ranking_stays_negative(result):
    first = said(settled(result, trained))
    assert first.startswith(
        "Without its most grid-like units the network loses more than without others like them: at all 12 comparisons "
        "(2 tasks, 2 places and 3 doses). Untrained twin: more at 0 of 12 comparisons."
    )
    assert "Without its most border-like units the network does not lose more" in first


def test_where_results_differ_by_place_and_dose_it_is_said_which(result):
    def some(table):
        here = trained(table) & (table["layer"] == "1") & (table["task"] == "path integration")
        return here & (table["dose"] > 0.05)

    first = said(settled(result, some))
    assert "in part: at 2 of 12 comparisons" in first
    assert "namely path integration in 1 (10 % and 25 %), and not at the others" in first


def test_less_than_shams_is_said(result):
    first = said(settled(result, lambda table: trained(table) & (table["layer"] == "0").to_numpy(), "less"))
    assert "does not lose more than without others like them, and in part less; at 6 of 12 it loses less" in first


def test_the_twins_verdict_stands_beside_it(result):
    both = settled(result, lambda table: (table["ranking"] == "gridness").to_numpy())
    assert "Untrained twin: more at 12 of 12 comparisons." in said(both)
    alone = dataclasses.replace(
        both, table=both.table[both.table["network"] == "trained"], summary=both.summary[:8]
    )  # fmt: skip
    assert "No untrained twin was lesioned." in said(alone)


def renamed(result):
    """Return the result as one of units selective for faces and for places, asked about both."""
    names = {"gridness": "d_prime_faces", "border_score": "d_prime_places"}
    names |= {"path integration": "faces", "position decoding": "places"}
    table, summary = (one.replace({"ranking": names, "task": names}) for one in (result.table, result.summary))
    return dataclasses.replace(result, table=table, summary=summary)


def test_units_selective_for_something_are_told_by_their_own_task_first(result):
    faces = settled(renamed(result), lambda table: trained(table, "d_prime_faces") & (table["task"] == "faces"))
    first = said(faces)
    assert first.startswith(
        "Its units most selective for faces matter for faces: without them it loses more than without others like "
        "them, at all 6 comparisons (2 places and 3 doses). In other tasks it loses more at: places, 0 of 6."
    )
    assert (
        "Without its units most selective for places the network does not lose more in places than without others like "
        "them: at none of 6 comparisons (2 places and 3 doses). In other tasks it loses more at: faces, 0 of 6."
    ) in first
    assert first.endswith("There is a double dissociation in 1 of 2 layers.")


def test_what_was_not_tested_is_counted_with_its_reason(result):
    reason = "no honest match: shams differ in mean_activity by 0.61 standard deviations, above 0.5"
    kept = settled(result)

    def without(lost):
        return said(
            kept,
            p=kept.table["p"].mask(lost),
            q=kept.table["q"].mask(lost),
            verdict=kept.table["verdict"].mask(lost, "not tested"),
            nan_reason=kept.table["nan_reason"].mask(lost, reason),
        )

    largest = kept.table["dose"] == 0.25
    first = without(largest)
    assert "at none of 8 comparisons (2 tasks, 2 places and 2 doses)" in first
    assert "4 more were not tested, at 25 % everywhere: no honest match." in first
    assert "Untrained twin: more at 0 of 8 comparisons, 4 not tested." in first
    assert (
        "2 more were not tested, path integration in 1 (25 %) and position decoding in 1 (25 %): no honest match."
        in without(largest & (kept.table["layer"] == "1"))
    )
    none = said(kept, p=np.nan, q=np.nan, verdict="not tested", nan_reason=reason)
    assert none.startswith(
        "Whether the network needs its most grid-like units more than others like them was not tested at all 12 "
        "comparisons: no honest match."
    )


def test_with_too_few_sets_it_cannot_be_told(result):
    first = said(settled(result), n_sham=20, p=2 / 21, q=0.2)
    assert first.startswith("Whether the network loses more without its most grid-like units than without others")
    assert "cannot be told: with 20 sets of each control p is never below 0.095" in first
    assert "at 12 of 12 comparisons the target does more harm than every set it is compared with" in first
    hardly = said(settled(result), n_sham=40)
    assert (
        "could hardly have shown more: p is never below 0.049, and q ≤ 0.05 asks for that in 24 of 24 tests" in hardly
    )


def test_what_could_have_been_found_stands_beside_a_negative(result):
    told = SECTION.findings(dataclasses.replace(result, table=settled(result).table.assign(detectable_effect=2.5)))
    power = next(plain(one) for one in told if one.startswith("What the comparisons"))
    assert (
        "path integration (intact 2.50 cm) 2.50 cm by place and dose, the largest harm among them is 0.10 cm" in power
    )
    assert "Correction over 24 tests asks for more: as p is never below 0.010, 5 of them must reach that" in power
    everywhere = settled(result, lambda table: np.ones(len(table), dtype=bool))
    assert not any(one.startswith("What the comparisons") for one in SECTION.findings(everywhere))


def test_sets_at_random_that_say_otherwise_are_told_with_what_was_matched(result):
    worse = result.table.assign(score_targeted=5.0, score_random=1.0)
    kept = settled(dataclasses.replace(result, table=worse))
    random = np.where(trained(kept.table) & (kept.table["layer"] == "0"), 0.01, 0.5)
    told = SECTION.findings(dataclasses.replace(kept, table=kept.table.assign(p_random=random)))
    matching = next(plain(one) for one in told if one.startswith("Matching changes the answer"))
    assert "sets at random say at 6 of 24 comparisons that the target matters more" in matching
    assert "where sets matched on mean activity do not (gridness, path integration in 0, 5 %, 10 % and 25 %" in matching
    same = [plain(one) for one in SECTION.findings(kept)]
    assert any(one.startswith("Sets at random, not matched on mean activity, say the same") for one in same)


def test_doses_single_units_pairs_and_recovery_are_told_with_their_controls(result):
    told = [plain(one) for one in SECTION.findings(result)]
    row = result.table[trained(result.table) & (result.table["task"] == "path integration")].iloc[2]
    dose = next(one for one in told if one.startswith("Path integration without its most grid-like units"))
    assert "intact and at 5 %, 10 % and 25 %: in 0 2.50, " in dose
    assert f"(at the largest dose shams {row['score_sham']:.2f} cm, at random {row['score_random']:.1f} cm" in dose
    single = next(one for one in told if one.startswith("Lesioned one by one (20 of 40 units)"))
    assert "gridness, path integration in 0 ρ 1.00 (p < 0.001" in single
    assert any(one.startswith("Pairs of the highest-ranked units") for one in told)
    assert any("6.00 cm becomes 3.00 cm" in one and "75 % of the loss comes back" in one for one in told)


def test_a_double_dissociation_is_said_by_layer(result):
    told = next(plain(one) for one in SECTION.findings(result) if "lesioned apart" in one)
    assert "a double dissociation in 1 of 2 layers" in told
    assert "In 0 (2 and 3 units) the faces units cost faces 4.00 and places 1.00" in told
    none = result.arrays["dissociation_test"].copy()
    none.loc[{"number": "is_double"}] = 0
    arrays = {**result.arrays, "dissociation_test": none}
    told = next(one for one in SECTION.findings(dataclasses.replace(result, arrays=arrays)) if "lesioned apart" in one)
    assert "no double dissociation" in told


def test_every_figure_has_its_panels(content):
    figures = {figure.name: figure for figure in content.figures}
    panels = {name: len(figure.panels) for name, figure in figures.items()}
    assert panels == {
        "dose": 8, "overview": 2, "dissociation": 4, "groups": 8, "along": 4, "paths": 3, "match": 2, "single": 8,
        "recovery": 1,
    }  # fmt: skip
    assert "Intact 2.50 cm; 5 %: targeted" in plain(figures["dose"].panels[0].alt)
    assert "matched on mean activity; 20 sets" in figures["dose"].caption
    assert "without 10\u00a0% of the units" in figures["along"].caption


def test_nothing_is_drawn_of_arrays_that_are_not_there(result):
    bare = SECTION.build(dataclasses.replace(result, arrays={}))
    assert [figure.name for figure in bare.figures] == ["overview"]
    assert not bare.folds


def test_the_twin_is_in_a_fold_of_each_layer(content):
    assert [fold.title for fold in content.folds] == ["0", "1"]
    assert all("untrained" in panel.label[0] for fold in content.folds for panel in fold.figures[0].panels)
    assert content.folds_rule == "Effect against dose in the untrained twin."


def test_of_more_series_than_panels_one_task_is_drawn_and_the_others_are_folded(small):
    view = view_of(small)
    crowd = View(small, view.measured, view.series * 4)
    assert len(crowd.series) == 16
    assert {one.task for one in crowd.chosen()} == {"path integration"}
    figure = dose_figure(crowd, crowd.chosen()[:1])
    assert "Here 1 of 16 panels, of the task path integration; the others are under each layer" in figure.caption


def test_the_table_has_a_row_a_series_and_the_twins_number_beside_it(content):
    assert len(content.layers.rows) == 8
    assert content.layers.has_control
    assert content.layers.rows[0][0].text == "0 · path integration · by gridness"
    assert (content.axes, content.row) == (("dose", "effect_size"), "lesion")


def test_methods_name_the_thresholds_and_the_controls(content):
    methods = str(content.methods)
    for words in ("up to 0.25 good", "up to 0.5 poor", "Benjamini–Hochberg", "q is the false discovery rate", "strata",
                  "mean activity", "isotonic", "bootstrap", "seed 0", "targets included"):  # fmt: skip
        assert words in methods, words


def test_the_page_says_no_nan(small):
    page = Report("toy", [small]).html()
    assert "nan" not in page.split('<script type="application/json">')[0].lower()


def test_figures_of_sixteen_series_stay_small(content):
    figures = [*content.figures, *(figure for fold in content.folds for figure in fold.figures)]
    assert sum(len(panel.svg) for figure in figures for panel in figure.panels) < 1_500_000


def plain_task(network):
    module = network.module if isinstance(network, Entry) else network
    with torch.no_grad():
        return (module(torch.ones(6, UNITS)).sum(1) * torch.linspace(1, 2, 6)).numpy()


def own(**options):
    network = nn.Sequential(nn.Identity(), nn.Identity()).eval()
    asked = {"layer": "0", "doses": (0.1,), "n_sham": 20, "n_single": 0, "n_pairs": 0} | options
    return lesion_effect(network, plain_task, np.arange(UNITS, dtype=float), **asked)


def own_results():
    table = pd.DataFrame(
        {"layer": "0", "channel": np.arange(UNITS), "size": np.arange(UNITS), "width": np.arange(UNITS) ** 2}
    )
    network = nn.Sequential(nn.Identity()).eval()
    unmatched = lesion_effect(network, plain_task, "size", units=table, match=["width"], doses=(0.1, 0.2), n_sham=20,
                              n_single=0, n_pairs=0)  # fmt: skip
    one = own()
    return {
        "one dose": one,
        "no sham": own(doses=(0.5,)),
        "nothing tested": unmatched,
        "named otherwise": own(label="mine"),
        "single units": own(n_single=10, n_pairs=4),
        "no rows": Result("lesion_effect", one.table[:0], one.summary[:0]),
        "no provenance": dataclasses.replace(one, provenance={}),
        "all nan": dataclasses.replace(
            one, table=one.table.assign(**dict.fromkeys(set(one.table.select_dtypes("float")) - {"dose"}, np.nan))
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def owned():
    return own_results()


@pytest.mark.parametrize(
    "which",
    ["one dose", "no sham", "nothing tested", "named otherwise", "single units", "no rows", "no provenance", "all nan"],
)
def test_results_of_ones_own_network_are_told_and_drawn(owned, which):
    sentences = SECTION.findings(owned[which])
    assert sentences
    assert not any(word in one.lower() for one in sentences for word in ("nan", "n/a")), sentences
    shown = Report("net", [owned[which]]).html().split('<script type="application/json">')[0]
    assert ">nan<" not in shown.lower()
    if which == "one dose":
        assert "its highest-ranked units" in sentences[0]
        assert any("Shams were matched on nothing" in one for one in sentences)
        assert "Units were not lesioned one by one." in sentences
    if which in ("no sham", "nothing tested"):
        reason = "no sham" if which == "no sham" else "no honest match"
        assert "was not tested" in sentences[0]
        assert reason in sentences[0]
    if which == "no rows":
        assert sentences == ["Nothing was lesioned, so there is nothing to report."]


def test_accuracies_are_said_as_percentages_and_errors_in_their_unit():
    accuracy, length = scale_of("", "faces", higher_is_better=True), scale_of("cm", "path", higher_is_better=False)
    assert plain(accuracy.score(0.873)) == "87 %"
    assert plain(accuracy.difference(-0.4)) == "−40 percentage points"
    assert plain(length.score(4.4967)) == "4.50 cm"
    assert (accuracy.sign, length.sign) == (-1, 1)
    assert scale_of("", "mine", higher_is_better=True).score(0.5) == "0.50"


def test_the_stated_dose_is_the_next_to_a_tenth_that_has_shams():
    assert stated_dose([0.05, 0.1, 0.5], np.array([True, True, True])) == 1
    assert stated_dose([0.05, 0.1, 0.5], np.array([True, False, True])) == 0
    assert stated_dose([0.3], np.array([False])) == 0


def test_names_of_tasks_are_escaped(owned):
    hostile = "<script>alert(1)</script>"
    one = owned["one dose"]
    altered = dataclasses.replace(
        one, table=one.table.assign(task=hostile), summary=one.summary.assign(task=hostile, layer=hostile)
    )
    altered = dataclasses.replace(altered, table=altered.table.assign(layer=hostile))
    assert hostile not in Report("net", [altered]).html()


def test_a_saved_result_gives_the_same_page(small, tmp_path):
    again = Result.load(small.save(tmp_path))
    assert Report("net", [again]).html() == Report("net", [small]).html()


def test_the_section_is_registered():
    assert section_of("lesion_effect") is SECTION
