"""The files that craig writes and reads again: the only places that know their columns, arrays and
footers.
"""
