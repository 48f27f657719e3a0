"""`foreshock evaluate triage`: how a model of the verdicts would have foretold the later ones, part by part."""

from __future__ import annotations

import contextlib

import msgspec

from alerts.queries import JournalMissing, Reader
from models.triage.fitting import TriageError
from scripts.commands.evaluate_words import WORDS
from scripts.commands.evaluating import PlotOption, bar, draw, print_json, require_page, say_drawn, table
from scripts.commands.speaking import at_site, require_journal, sentence
from scripts.commands.terminal import DataOption, JsonOption, fail, local, out
from scripts.commands.words import LanguageOption


def triage(
    data: DataOption = None, json_: JsonOption = False, plot: PlotOption = None, language: LanguageOption = None
) -> None:
    """Measure how likely alarms would have been told to be real, on the verdicts that the site's incidents got.

    The later half of them in five parts, each foretold by a model of those known when it began, as if trained anew
    then. `missed` are real alarms that were told below 50 %, `false` nuisances told from there on. Brier: 0 is best;
    `constant` always tells the share that was real before. `order`: how often a real alarm comes before a nuisance.

    foreshock evaluate triage --plot triage.html
    """
    from alerts import triage as verdicts
    from models.evaluation import foretold

    found, site, words = at_site(data, language, WORDS)
    require_page(plot, words)
    require_journal(found, words.language)
    try:
        with contextlib.closing(Reader(found.journal_url)) as reader:
            known = verdicts.verdicts(reader, {area.id: area.type for area in site.areas})
        with bar(words("by_part")) as progress:
            told = foretold.foretell(known, progress)
    except (JournalMissing, TriageError) as error:
        fail(sentence(error, words))
    missed, false = (sum(getattr(one, which) for one in told.parts) for which in ("missed", "false"))
    note = words("triage_words", brier=told.brier, constant=told.constant, order=told.order)
    draw(plot, foretold.panels(told), words("triage_title"), note, words)
    if json_:
        bins = [{"count": one.count, "told": one.told, "real": one.real} for one in told.bins]
        print_json(
            {
                "verdicts": len(known), "brier": told.brier, "constant": told.constant, "order": told.order,
                "missed": missed, "false": false, "parts": msgspec.to_builtins(told.parts), "bins": bins,
            }
        )  # fmt: skip
        return
    shown = table(*map(words, ("from", "learnt", "foreseen_of", "real", "brier", "constant", "missed", "false")))
    for one in told.parts:
        shown.add_row(
            local(one.begin, site.zone)[:16], str(one.learnt), str(one.foretold), str(one.real),
            f"{one.brier:.3f}", f"{one.constant:.3f}", str(one.missed), str(one.false),
        )  # fmt: skip
    out.print(shown)
    shown = table(*map(words, ("odds_told", "were_real", "alarms")))
    for each in told.bins:
        shown.add_row(f"{each.told:.0%}", f"{each.real:.0%}", str(each.count))
    out.print(shown)
    out.print(words("triage_total", count=len(told.verdicts), missed=missed, false=false, words=note))
    say_drawn(plot, words)
