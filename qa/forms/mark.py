"""What a sheet comes to (Q4).

A section's share is the points that were given of those that could be had among the criteria that apply. The
base is the weighted mean of the sections' shares, of 100; a section of which nothing applies leaves its weight to
the others in proportion. Bonus or penalty come on top, never below 0. A fatal answer holds the total down to what
the form says.
"""

from __future__ import annotations

from fractions import Fraction

from calls.errors import FormFaulty
from calls.quality import Form, FormSection, Marked, Sheet
from qa.forms.check import check_sheet


def mark(form: Form, sheet: Sheet) -> Marked:
    """The total, to two decimals, half up. Raises FormFaulty for a sheet that does not fit its form."""
    if faults := check_sheet(form, sheet):
        raise FormFaulty(", ".join(f"{fault.what} {fault.where}".strip() for fault in faults))
    shares = {section.id: _share(section, sheet) for section in form.sections}
    applying = [section for section in form.sections if shares[section.id] is not None]
    weight = sum(section.weight for section in applying)
    base = sum((section.weight * (shares[section.id] or Fraction()) for section in applying), Fraction())
    total = max(Fraction(), 100 * base / weight + sheet.adjustment)
    fatal = tuple(
        criterion.id
        for criterion in form.criteria
        if criterion.fatal and (answer := sheet.answer(criterion.id)) and answer.points == 0
    )
    if fatal:
        total = min(total, Fraction(form.fatal_total))
    return Marked(
        total=_rounded(total),
        by_section={name: None if share is None else float(share) for name, share in shares.items()},
        fatal=fatal,
    )


def _share(section: FormSection, sheet: Sheet) -> Fraction | None:
    """Of the points that could be had; ``None`` if nothing of the section applies."""
    given = [
        (answer.points, criterion.points)
        for criterion in section.criteria
        if (answer := sheet.answer(criterion.id)) is not None and answer.points is not None
    ]
    most = sum(points for _, points in given)
    return Fraction(sum(points for points, _ in given), most) if most else None


def _rounded(value: Fraction) -> float:
    return int(value * 100 + Fraction(1, 2)) / 100
