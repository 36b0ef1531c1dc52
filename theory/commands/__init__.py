"""The commands of `python -m theory`, one a module: `configure(parser)`, and `run(arguments)` -> (object, text)."""
