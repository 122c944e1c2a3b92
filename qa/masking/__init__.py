"""Masking of what identifies a caller (P3): telephone, identity card, bank card, order numbers, names.

Rather too much than too little: a run of digits that is long enough is masked even where no check digit
confirms it, since recognition errs. Ordinary numbers (trains, times, prices, the agent's number) stay.
"""

from __future__ import annotations

from qa.masking.mask import find, mask_text, mask_words
from qa.masking.model import Kind, Masked

__all__ = ["Kind", "Masked", "find", "mask_text", "mask_words"]
