"""Sweeps over every route of the console: what holds for all of them, whoever adds one."""
