"""Secrets never leave: one Masker that every output goes through."""

from stressrunner.masking.masker import MASK, Masker
from stressrunner.masking.sensitive import authorizing, is_sensitive, masked_header, masked_query

__all__ = ["MASK", "Masker", "authorizing", "is_sensitive", "masked_header", "masked_query"]
