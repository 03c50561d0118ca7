"""The methods of selection, one file each; here they are registered, under the catalog's names.

A new method is a file beside these with a function that takes a `ClassTask` and returns rows of the
class, a row of this table, and a row of `settings.catalog.METHODS`.
"""

from craig_cli.selection.methods.base import ClassTask, Method, Picked
from craig_cli.selection.methods.cells import choose_by_cells, near_pick_bytes, pairs_in_cells
from craig_cli.selection.methods.exact import choose_exactly
from craig_cli.selection.methods.greedy import lazy_pairs, list_bytes
from craig_cli.selection.methods.importance import choose_by_importance
from craig_cli.selection.methods.random import choose_at_random
from craig_cli.selection.methods.stochastic import choose_stochastically
from craig_cli.selection.methods.stratified import choose_stratified

METHODS = {
    "exact": Method(choose_exactly, "cluster", lazy_pairs, list_bytes, has_trial=True),
    "cells": Method(choose_by_cells, "cluster", pairs_in_cells, near_pick_bytes),
    "stochastic": Method(choose_stochastically, "cluster", lazy_pairs, list_bytes, has_trial=True),
    "stratified": Method(choose_stratified, "cell"),
    "random": Method(choose_at_random, "uniform"),
    "importance": Method(choose_by_importance, "inverse"),
}

__all__ = ["METHODS", "ClassTask", "Method", "Picked"]
